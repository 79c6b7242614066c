"""``optimal`` against a linear programme with a variable per pair and link, and against what scaling must do."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle_fabrics import (
    Case,
    PairFlows,
    cases,
    larger_case,
    ours,
    plain_ecmp,
    reachable,
    renamed,
    routed,
    usable_links,
    with_capacity,
)

from fabric.optimise.cuts import best_cut
from fabric.optimise.proofs import entry_prices, theta_bound
from fabric.routing.router import access_bound

PLENTY = settings(max_examples=150, deadline=None, derandomize=True, database=None)
SOME = settings(max_examples=50, deadline=None, derandomize=True, database=None)
NEAR = 1e-6


def routable(case):
    """The case without the rows that have no path; hypothesis draws again when none is left."""
    connected, _ = reachable(case)
    assume(connected)
    return Case(case.net, tuple(connected))


@PLENTY
@given(cases())
def test_optimal_equals_a_linear_programme_by_pairs(case):
    """Zero-capacity, down, one-way, parallel and asymmetric links; multi-homed hosts with unequal demand."""
    case = routable(case)
    route = ours(case, "optimal")
    assert route.max_utilisation == pytest.approx(PairFlows(case).least_theta(), rel=NEAR)
    bound = route.certificate.lower_bound
    assert route.max_utilisation * (1 - NEAR) <= bound <= route.max_utilisation * (1 + 1e-9)


@PLENTY
@given(cases(weights=(1.0, 1.0, 2.0, 3.0)))
def test_optimal_over_shortest_paths_equals_a_linear_programme_on_their_links(case):
    """Every pair may use only links that NetworkX finds on its paths of least weight."""
    case = routable(case)
    route = ours(case, "optimal", paths="shortest")
    assert route.max_utilisation == pytest.approx(PairFlows(case, shortest=True).least_theta(), rel=NEAR)
    bound = route.certificate.lower_bound
    assert route.max_utilisation * (1 - NEAR) <= bound <= route.max_utilisation * (1 + 1e-9)


@SOME
@given(cases())
def test_more_freedom_never_hurts(case):
    """Any paths <= shortest paths <= equal split over shortest paths."""
    case = routable(case)
    free, shortest = ours(case, "optimal").max_utilisation, ours(case, "optimal", paths="shortest").max_utilisation
    assert free <= shortest * (1 + NEAR)
    assert shortest <= ours(case, "ecmp").max_utilisation * (1 + NEAR)


@SOME
@given(cases())
def test_one_pair_alone_reaches_the_maximum_flow(case):
    """λ = 1/θ of a single demand is NetworkX's maximum flow over the demand."""
    case = routable(case)
    src, dst, gbps = case.rows[0]
    graph = nx.DiGraph()
    for link in usable_links(case.net, src, dst).tolist():
        tail, head = int(case.net.links.src[link]), int(case.net.links.dst[link])
        total = graph.get_edge_data(tail, head, {"capacity": 0.0})["capacity"] + case.net.links.capacity_gbps[link]
        graph.add_edge(tail, head, capacity=total)
    route = ours(Case(case.net, ((src, dst, gbps),)), "optimal")
    assert gbps / route.max_utilisation == pytest.approx(nx.maximum_flow_value(graph, src, dst), rel=NEAR)


@SOME
@given(cases(), st.integers(0, 2**32 - 1))
def test_no_prices_prove_more_than_the_true_optimum(case, seed):
    """Random prices, many of them zero, and the structural cuts are bounds from below."""
    case = routable(case)
    graph, demand, _ = routed(case.net, case.flows)
    every = np.ones(len(demand.src), dtype=bool)
    least = PairFlows(case).least_theta()
    rng = np.random.default_rng(seed)
    for _ in range(5):
        price = rng.exponential(size=len(graph.src)) * (rng.random(len(graph.src)) < 0.5)
        assert theta_bound(graph, demand, every, price, entry_prices(graph, demand, price)) <= least * (1 + 1e-7)
    assert best_cut(graph, demand, every).lower_bound <= least * (1 + 1e-7)
    assert access_bound(graph, demand)[0] <= least * (1 + 1e-7)


@SOME
@given(cases(weights=(1.0, 1.0, 2.0, 3.0)), st.integers(0, 2**32 - 1))
def test_no_prices_over_shortest_paths_prove_more_than_their_optimum(case, seed):
    """The bound for restricted paths holds for the restricted optimum, and is no weaker than the free one."""
    case = routable(case)
    graph, demand, _ = routed(case.net, case.flows)
    every = np.ones(len(demand.src), dtype=bool)
    least = PairFlows(case, shortest=True).least_theta()
    rng = np.random.default_rng(seed)
    for _ in range(5):
        price = rng.exponential(size=len(graph.src)) * (rng.random(len(graph.src)) < 0.5)
        restricted = theta_bound(graph, demand, every, price, entry_prices(graph, demand, price, shortest_only=True))
        assert (
            theta_bound(graph, demand, every, price, entry_prices(graph, demand, price))
            <= restricted * (1 + 1e-9) + 1e-15
        )
        assert restricted <= least * (1 + 1e-7)


@SOME
@given(cases(), st.sampled_from([1e-3, 0.25, 7.0, 1e4]))
def test_scaling_demand_scales_and_scaling_capacity_divides(case, factor):
    """θ(c·demand) = c·θ and θ(demand, c·capacity) = θ/c."""
    case = routable(case)
    theta = ours(case, "optimal").max_utilisation
    louder = Case(case.net, tuple((src, dst, gbps * factor) for src, dst, gbps in case.rows))
    wider = with_capacity(case, case.net.links.capacity_gbps * factor)
    assert ours(louder, "optimal").max_utilisation == pytest.approx(theta * factor, rel=NEAR)
    assert ours(wider, "optimal").max_utilisation == pytest.approx(theta / factor, rel=NEAR)


@SOME
@given(cases(), st.randoms(use_true_random=False))
def test_ids_of_nodes_do_not_matter(case, random):
    """The same fabric with its nodes in another order: same θ, and the same ECMP load on every link."""
    case = routable(case)
    order = np.asarray(random.sample(range(len(case.net.nodes)), len(case.net.nodes)))
    other = renamed(case, order)
    assert ours(other, "optimal").max_utilisation == pytest.approx(ours(case, "optimal").max_utilisation, rel=NEAR)
    np.testing.assert_allclose(ours(other, "ecmp").link_gbps, ours(case, "ecmp").link_gbps, atol=1e-9)
    np.testing.assert_allclose(plain_ecmp(other), plain_ecmp(case), atol=1e-9)


@SOME
@given(cases(zero=False), st.data())
def test_adding_capacity_never_raises_the_optimum(case, data):
    """One link made 1 to 10 times as wide."""
    case = routable(case)
    wider = case.net.links.capacity_gbps.copy()
    wider[data.draw(st.integers(0, len(wider) - 1))] *= data.draw(st.sampled_from([1.5, 3.0, 10.0]))
    before, after = ours(case, "optimal"), ours(with_capacity(case, wider), "optimal")
    assert after.max_utilisation <= before.max_utilisation * (1 + NEAR)


@pytest.mark.parametrize("paths", ["any", "shortest"])
@pytest.mark.parametrize("seed", range(40))
def test_optimal_of_larger_fabrics_equals_the_programme_by_pairs(seed, paths):
    """Six to nine switches with up to nine hosts on one to three of them, and two cables down."""
    case = larger_case(seed)
    route = ours(case, "optimal", paths=paths)
    least = PairFlows(case, shortest=paths == "shortest").least_theta()
    assert route.max_utilisation == pytest.approx(least, rel=NEAR)
    assert least * (1 - NEAR) <= route.certificate.lower_bound <= least * (1 + 1e-7)


@pytest.mark.parametrize("seed", range(12))
def test_the_way_of_large_programmes_comes_near_and_its_bound_holds(seed, monkeypatch):
    """Too large to write out, a programme starts from shortest paths and grows by prices; here every one is.

    The first-order solver stops near 1e-5 of the optimum; a bound above the optimum would be no bound.
    """
    monkeypatch.setattr("fabric.optimise.least_utilisation.SMALL_COLUMNS", 0)
    case = larger_case(seed)
    route = ours(case, "optimal")
    least = PairFlows(case).least_theta()
    assert least * (1 - 1e-7) <= route.max_utilisation <= least * (1 + 2e-4)
    assert least * (1 - 2e-4) <= route.certificate.lower_bound <= least * (1 + 1e-7)


def test_no_time_is_an_answer_with_a_gap_and_says_so():
    """Without time to solve, the ECMP routing stands, the bound is the best cut, and the answer is marked partial."""
    case = larger_case(next(seed for seed in range(100) if ours(larger_case(seed), "optimal").solver == "highs"))
    stopped = ours(case, "optimal", time_limit_s=0.0)
    assert stopped.partial
    assert stopped.max_utilisation == pytest.approx(ours(case, "ecmp").max_utilisation)
    assert 0 < stopped.certificate.lower_bound <= PairFlows(case).least_theta() * (1 + 1e-7)
