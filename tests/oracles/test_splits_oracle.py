"""The routing ``optimal`` hands out: loop-free, complete, what the loads say, and without needless detours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from oracle_fabrics import Case, PairFlows, cases, ours, reachable, routed

from topologies.assemble import assemble

SOME = settings(max_examples=80, deadline=None, derandomize=True, database=None)


def solved(case, **options):
    """Graph, demand and answer of cases that no cut settles, so that splits are explicit."""
    connected, _ = reachable(case)
    assume(connected)
    graph, demand, routing = routed(case.net, Case(case.net, tuple(connected)).flows, **options)
    assume(routing.splits is not None)
    return graph, demand, routing


@SOME
@given(cases())
def test_fractions_sum_to_one_at_every_node_that_traffic_reaches(case):
    """Per destination: sources and everything downstream of them, up to the destination."""
    graph, demand, routing = solved(case)
    splits = routing.splits
    for row, dest in enumerate(demand.dest.tolist()):
        mine = slice(splits.start[row], splits.start[row + 1])
        arc, fraction = splits.edge[mine], splits.fraction[mine]
        total = np.bincount(graph.src[arc], fraction, graph.nodes)
        reached = set(demand.src[demand.start[row] : demand.start[row + 1]].tolist()) | set(graph.dst[arc].tolist())
        reached.discard(dest)
        assert set(np.flatnonzero(total).tolist()) == reached
        np.testing.assert_allclose(total[sorted(reached)], 1, atol=1e-9)
        assert (fraction > 0).all()


@SOME
@given(cases())
def test_splits_have_no_loops(case):
    """Arcs come in topological order: all arcs into a node before all arcs out of it, so none leads back."""
    graph, demand, routing = solved(case)
    splits = routing.splits
    for row in range(len(demand.dest)):
        arc = splits.edge[splits.start[row] : splits.start[row + 1]].tolist()
        left: set[int] = set()
        for one in arc:
            left.add(int(graph.src[one]))
            assert int(graph.dst[one]) not in left
        assert len(set(arc)) == len(arc)


@SOME
@given(cases())
def test_loads_are_what_the_splits_carry(case):
    """A plain walk down the splits, pair by pair, gives the loads the router reports."""
    graph, demand, routing = solved(case)
    splits, loads = routing.splits, np.zeros(len(graph.src))
    for row in range(len(demand.dest)):
        amount = np.zeros(graph.nodes)
        for entry in range(demand.start[row], demand.start[row + 1]):
            amount[demand.src[entry]] += demand.total_gbps[entry]
        for position in range(splits.start[row], splits.start[row + 1]):
            arc = splits.edge[position]
            loads[arc] += amount[graph.src[arc]] * splits.fraction[position]
            amount[graph.dst[arc]] += amount[graph.src[arc]] * splits.fraction[position]
    np.testing.assert_allclose(routing.edge_gbps.sum(axis=1), loads, atol=1e-9)


@SOME
@given(cases(weights=(1.0, 1.0, 2.0, 3.0)))
def test_no_optimal_routing_is_shorter(case):
    """Σ weight x Gbps equals the least of the programme by pairs with θ fixed at its optimum (and a hair above)."""
    connected, _ = reachable(case)
    assume(connected)
    case = Case(case.net, tuple(connected))
    route = ours(case, "optimal")
    length = float(case.net.links.weight @ route.link_gbps.sum(axis=1))
    programme = PairFlows(case)
    theta = programme.least_theta()
    assert programme.least_length(theta * (1 + 1e-6)) * (1 - 1e-6) <= length
    assert length <= programme.least_length(theta * (1 + 1e-9)) * (1 + 1e-5)


def test_a_detour_is_taken_only_by_what_needs_it():
    """Links a - b, a - c, c - d, d - b of 40 each; from a to b it is one link straight and three round over c and d.

    80 from a to b: 40 go round and θ = 1, the least. 20 from a to b and 80 from c to d: c's 80 split x over c - d and
    80 - x over a - b, where a's 20 are too; x = 50 gives θ = 50/40. a's 20 gain nothing by going round, so none do.
    """
    net = assemble("round", "test")
    a, b, c, d = net.switches("router", ["a", "b", "c", "d"], level=1, nics=1)
    net.cables([a, a, d], [b, c, b], 40.0, tier="x")
    net.cables([c], [d], 40.0, tier="x")
    straight, first_round = 0, 2
    built = net.freeze()
    full = ours(Case(built, ((int(a), int(b), 80.0),)), "optimal")
    assert full.max_utilisation == pytest.approx(1.0)
    assert full.link_gbps[[straight, first_round]].sum(axis=1) == pytest.approx([40, 40])
    busy = ours(Case(built, ((int(a), int(b), 20.0), (int(c), int(d), 80.0))), "optimal")
    spread = busy.link_gbps.sum(axis=1)
    assert busy.max_utilisation == pytest.approx(50 / 40)
    assert spread[first_round] == pytest.approx(0, abs=1e-6)
