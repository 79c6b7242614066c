"""Max-min fair rates against progressive filling in exact fractions, and against the definition itself."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_fabrics import Case, cases, larger_case, reachable

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.router import ROUTERS, HashOptions, PairTraffic, RoutingOptions
from tests.routing.fair_rates import max_min_rates


def exact_rates(paths, offered, capacity):
    """All flows grow together; in every step the least that fills a link or satisfies a flow. Fractions throughout."""
    rate = [Fraction(0)] * len(paths)
    left = [Fraction(value) for value in capacity]
    growing = set(range(len(paths)))
    while growing:
        crossing = {link: [flow for flow in growing if link in paths[flow]] for link in range(len(left))}
        steps = [left[link] / len(flows) for link, flows in crossing.items() if flows]
        step = min([*steps, *(Fraction(offered[flow]) - rate[flow] for flow in growing)])
        for flow in growing:
            rate[flow] += step
        for link, flows in crossing.items():
            left[link] -= step * len(flows)
        full = {flow for link, flows in crossing.items() if flows and left[link] == 0 for flow in flows}
        growing -= full | {flow for flow in growing if rate[flow] == Fraction(offered[flow])}
    return rate


def ours(paths, offered, capacity):
    start = np.cumsum([0, *(len(path) for path in paths)])
    return max_min_rates(start, [link for path in paths for link in path], offered, capacity)


@st.composite
def shares(draw):
    """Up to 12 flows over up to 6 links, with ties on purpose."""
    links = draw(st.integers(1, 6))
    capacity = draw(st.lists(st.sampled_from([0, 1, 10, 25, 100, 400]), min_size=links, max_size=links))
    path = st.lists(st.integers(0, links - 1), max_size=links, unique=True)
    paths = draw(st.lists(path, min_size=1, max_size=12))
    offer = st.sampled_from([1, 3, 10, 25, 100, 1000])
    return paths, draw(st.lists(offer, min_size=len(paths), max_size=len(paths))), capacity


@settings(max_examples=300, deadline=None)
@given(shares())
def test_rates_are_those_of_exact_filling(share):
    """To 1e-12 of the exact fraction, at every flow."""
    np.testing.assert_allclose(ours(*share), [float(rate) for rate in exact_rates(*share)], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_every_flow_has_what_it_offers_or_a_bottleneck(seed):
    """The definition, on 300 flows over 60 links: no link is overfull, and every flow that wants more crosses a full
    link on which nobody has more than it."""
    rng = np.random.default_rng(seed)
    capacity = rng.choice([10.0, 40.0, 100.0, 1e3], 60)
    paths = [rng.choice(60, rng.integers(1, 7), replace=False).tolist() for _ in range(300)]
    offered = rng.lognormal(1, 2, 300)
    rate = ours(paths, offered, capacity)
    load, highest = np.zeros(60), np.zeros(60)
    for path, got in zip(paths, rate, strict=True):
        load[path] += got
        highest[path] = np.maximum(highest[path], got)
    assert (load <= capacity * (1 + 1e-9)).all()
    for path, got, wanted in zip(paths, rate, offered, strict=True):
        held = (load[path] >= capacity[path] * (1 - 1e-9)) & (highest[path] <= got * (1 + 1e-9))
        assert got == wanted or held.any()


# ---- the router's figures over replicas -----------------------------------------------------------------------------


def routed(case, flows_per_pair, **options):
    graph = build_graph(case.net, [case.flows], per_endpoint=True)
    demand = phase_demand(graph, [case.flows], [1.0])
    pairs = [PairTraffic(case.flows, 1.0, flows_per_pair)]
    return graph, ROUTERS["ecmp-hash"]({}, graph=graph, demand=demand, pairs=pairs, options=RoutingOptions(**options))


def links_of_flows(case, graph, routing, flows_per_pair):
    """Topology links of every flow, host access included; flows that the routing does not list stay at their switch."""
    net = case.net
    real = dict(zip(graph.member_edge.tolist(), graph.member_link.tolist(), strict=True))
    single = set(graph.single_homed[0].tolist())
    out = {int(net.links.src[link]): int(link) for link in graph.single_homed[1]}
    back = {int(net.links.dst[link]): int(link) for link in graph.single_homed[2]}
    paths, gbps, seen = [], [], {}
    ways = routing.paths
    for flow in range(len(ways.gbps)):
        src, dst = int(ways.src_endpoint[flow]), int(ways.dst_endpoint[flow])
        edges = ways.edge[ways.start[flow] : ways.start[flow + 1]].tolist()
        links = [int(graph.link_of[edge]) if graph.link_of[edge] >= 0 else real[edge] for edge in edges]
        paths.append([*([out[src]] if src in single else []), *links, *([back[dst]] if dst in single else [])])
        gbps.append(float(ways.gbps[flow]))
        seen[src, dst] = seen.get((src, dst), 0) + 1
    flows = case.flows
    for src, dst, amount in zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True):
        assert seen.get((src, dst), 0) in (0, flows_per_pair)
        if (src, dst) not in seen:
            path = [*([out[src]] if src in single else []), *([back[dst]] if dst in single else [])]
            paths += [path] * flows_per_pair
            gbps += [amount / flows_per_pair] * flows_per_pair
    return paths, gbps


def nth(values, part):
    """The smallest value that at least ``part`` hundredths of all do not exceed."""
    return sorted(values)[-(-len(values) * part // 100) - 1]


def check_spread(case, flows_per_pair, replicas, **hashing):
    together = routed(case, flows_per_pair, seed=3, hash=HashOptions(replicas=replicas, **hashing))[1]
    peaks, worst = [], []
    for seed in range(3, 3 + replicas):
        graph, alone = routed(case, flows_per_pair, seed=seed, hash=HashOptions(**hashing))
        assert alone.spread is None
        paths, gbps = links_of_flows(case, graph, alone, flows_per_pair)
        load = np.zeros(len(case.net.links))
        for path, amount in zip(paths, gbps, strict=True):
            load[path] += amount
        used = load > 0
        peaks.append(float((load[used] / case.net.capacity_gbps[used]).max()))
        exact = exact_rates(paths, gbps, case.net.capacity_gbps.tolist())
        worst.append(min(float(rate / Fraction(offer)) for rate, offer in zip(exact, gbps, strict=True)))
    assert together.spread.replicas == replicas
    found = together.spread
    for part in (50, 95, 99):
        assert getattr(found.max_utilisation, f"p{part}") == pytest.approx(nth(peaks, part), rel=1e-9)
        assert getattr(found.worst_rate, f"p{part}") == pytest.approx(-nth([-rate for rate in worst], part), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(["random", "crc16", "crc32", "xor"]), st.sampled_from([1, 3]))
def test_percentiles_are_those_of_single_seeds(case, function, flows_per_pair):
    """Five replicas of seed 3 against seeds 3 to 7 one by one; random fabrics with weights, parallel and dead links."""
    rows = tuple(reachable(case)[0])
    if rows:
        check_spread(Case(case.net, rows), flows_per_pair, 5, function=function)


@pytest.mark.parametrize("seed", range(4))
def test_percentiles_of_larger_fabrics_are_those_of_single_seeds(seed):
    """The same with up to 30 pairs, two queue pairs each, and one hash seed for all switches."""
    check_spread(larger_case(seed), 2, 12, per_switch_seed=False)
