"""Networks with twins made one: capacity, proofs and optima beside those of the whole network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from oracle_fabrics import Case, PairFlows, ours, routed

from fabric.optimise.arcs import merge_parallel
from fabric.optimise.carried import split_loads
from fabric.optimise.folded import Folded
from fabric.optimise.proofs import entry_prices, theta_bound
from topologies.builder import TOPOLOGIES
from topologies.columns import column
from traffic.demands import Flows

WAYS = "fabric.optimise"


def without_half_of_the_core(radix, seed):
    """A k-ary fat tree of 100G; half of the cables between aggregation and core are down."""
    net = TOPOLOGIES["fat-tree"]({"radix": radix, "speed": "100G"})
    level, links = net.nodes.level, net.links
    core = np.flatnonzero((level[links.src] == 2) & (level[links.dst] == 3))
    return net.with_down(links=np.random.default_rng(seed).choice(core, len(core) // 2, replace=False))


def next_pod(net, radix, gbps):
    """Every host sends to the one that has its place in the next pod."""
    hosts = net.endpoint_nodes
    return Flows.of(hosts, np.roll(hosts, -((radix // 2) ** 2)), np.broadcast_to(gbps, len(hosts)))


def everyone(net, gbps):
    """Every host sends to all others, those of its own switch and pod included."""
    src, dst = (side.ravel() for side in np.meshgrid(net.endpoint_nodes, net.endpoint_nodes, indexing="ij"))
    return Flows.of(src[src != dst], dst[src != dst], gbps)


def slowed_pod(net, radix):
    """One of two speeds for the cables of the first aggregation switch up and down."""
    links = net.links
    first = int(np.flatnonzero(net.nodes.level == 2)[0])
    own = (links.src == first) | (links.dst == first)
    return replace(net, links=replace(links, capacity_gbps=column(np.where(own, 25.0, links.capacity_gbps), float)))


def folded(net, flows):
    """The folded network of a demand, and what the whole one is made of."""
    graph, demand, _ = routed(net, flows, "ecmp")
    routable = np.ones(len(demand.src), dtype=np.bool_)
    arcs = merge_parallel(graph)
    return graph, demand, routable, arcs, Folded.of(arcs, demand, routable)


@pytest.mark.parametrize("traffic", [everyone, lambda net, gbps: next_pod(net, 6, gbps)])
@pytest.mark.parametrize("seed", range(3))
def test_prices_of_a_folded_network_prove_the_same_on_the_whole_one(seed, traffic):
    """Whatever the prices: Σ demand x distance / Σ capacity x price, by Dijkstra on each."""
    net = slowed_pod(without_half_of_the_core(6, seed), 6)
    graph, demand, routable, arcs, small = folded(net, traffic(net, 3.0))
    assert small.size * 3 < len(demand.dest) * len(arcs.src)
    price = np.random.default_rng(seed).random(len(small.net.capacity))
    real = small.arcs.into.edge < small.parts  # those between a set and the node before it have none
    price = np.where(real, price, 0.0)
    proved = small.net.cheapest(price).paid.sum() / (small.net.capacity @ price)
    by_edge = small.prices(price)[arcs.of_edge]
    whole = theta_bound(graph, demand, routable, by_edge, entry_prices(graph, demand, by_edge))
    assert whole == pytest.approx(proved, rel=1e-12)


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("trees", [1, 2])
def test_routings_of_a_folded_network_load_each_set_of_links_of_the_whole_one_alike(trees, inside, alike):
    """Random trees of all sets, traffic inside sets or none: links of a set carry what theirs carries together.

    Single trees go far astray, over twins of where they end too. Where senders differ, links of a set carry the same
    together, and not each the same.
    """
    net = slowed_pod(without_half_of_the_core(6, 1), 6)
    rng = np.random.default_rng(2)
    flows = everyone(net, 2.0) if inside else next_pod(net, 6, 2.0)
    if not alike:
        flows = replace(flows, amount=column(rng.uniform(1.0, 3.0, len(flows.amount)), float))
    _, demand, routable, arcs, small = folded(net, flows)
    flow = np.zeros((len(small.net.demand.dest), len(small.net.capacity)))
    for _ in range(trees):  # two that stay near the shortest paths close no circle with each other
        price = rng.random(len(small.net.capacity))
        found = small.net.cheapest(price**8 if trees == 1 else price + 0.5)
        row, node = np.nonzero(found.gbps > 0)
        flow[row, found.onward[row, node]] += found.gbps[row, node] / trees
    together = np.zeros(len(small.arcs.src))
    together[small.arcs.into.edge] = flow.sum(axis=0)
    passing = flow[:, np.argsort(small.arcs.into.edge)][:, small.parts : small.parts + small.between]
    own = small.net.demand.dest[:, None] == small.arcs.dst[small.parts + small.between :][None, :]
    assert (trees == 1 and inside) == bool((passing * own > 0).any())
    load = split_loads(arcs, demand, small.splits(flow), routable).sum(axis=1)
    each = np.bincount(small.arc_of, load, small.parts)
    np.testing.assert_allclose(each, together[: small.parts], rtol=1e-9, atol=1e-9)
    if alike:
        spread = (together[: small.parts] / np.bincount(small.arc_of))[small.arc_of]
        np.testing.assert_allclose(load, spread, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("traffic", [lambda net: next_pod(net, 4, 100.0), lambda net: everyone(net, 10.0)])
@pytest.mark.parametrize("seed", range(4))
def test_folded_optima_are_those_of_a_programme_by_pairs(seed, traffic, monkeypatch):
    """k = 4 with half of its core cables down: SciPy knows the optimum, with nothing folded."""
    for limit in ("PART_COLUMNS", "SMALL_COLUMNS", "AFTER_DESCENT"):
        monkeypatch.setattr(f"{WAYS}.least_utilisation.{limit}", 0)
    monkeypatch.setattr(f"{WAYS}.by_hot_parts.PRICED_COLUMNS", 0)
    monkeypatch.setattr(f"{WAYS}.by_folding.FOLDS", 1.5)
    net = without_half_of_the_core(4, seed)
    flows = traffic(net)
    case = Case(net, tuple(zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True)))
    route = ours(case, "optimal", gap=1e-6)
    least = PairFlows(case).least_theta()
    assert least * (1 - 1e-7) <= route.max_utilisation <= least * (1 + 2e-6)
    assert not route.partial


def test_how_unlike_members_of_a_set_are_is_the_demand_they_would_exchange():
    """k = 4: hosts of one edge switch send 30 each to the next pod, those of its twin 10 each.

    Both hosts' mean is 40 a switch, two switches have 20 too much or too little: 40 of 80, at senders as at receivers.
    """
    net = without_half_of_the_core(4, 0)
    hosts = net.endpoint_nodes
    _, _, _, _, even = folded(net, next_pod(net, 4, 20.0))
    assert even.unlike == 0.0
    _, _, _, _, uneven = folded(net, Flows.of(hosts[:4], hosts[4:8], np.array([30.0, 30.0, 10.0, 10.0])))
    assert uneven.unlike == pytest.approx(0.5)
    _, _, _, _, other = folded(net, Flows.of(hosts[:4], hosts[[4, 6, 5, 7]], np.array([30.0, 30.0, 10.0, 10.0])))
    assert other.unlike == pytest.approx(0.5)  # senders differ by as much, receivers by nothing
