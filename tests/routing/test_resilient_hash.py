"""Switches that keep flows on the links they keep, and those that hash whole groups again."""

from __future__ import annotations

import numpy as np
import pytest
from oracle_fabrics import larger_case

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.names import HASH_FUNCTIONS
from fabric.routing.reach import split_reachable
from fabric.routing.router import ROUTERS, HashOptions, PairTraffic, RoutingOptions
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows


def paths_of(net, flows, *, seed=0, queue_pairs=8, **hashing):
    """Links of every flow in order, by its ends and its rank among the flows of its pair."""
    graph = build_graph(net, [flows], per_endpoint=True)
    (kept,), _ = split_reachable(graph, [flows])
    demand = phase_demand(graph, [kept], [1.0])
    options = RoutingOptions(seed=seed, hash=HashOptions(**hashing))
    pairs = [PairTraffic(kept, 1.0, queue_pairs)]
    paths = ROUTERS["ecmp-hash"]({}, graph=graph, demand=demand, pairs=pairs, options=options).paths
    number: dict[tuple[int, int], int] = {}
    named = {}
    for flow in range(len(paths.gbps)):
        ends = int(paths.src_endpoint[flow]), int(paths.dst_endpoint[flow])
        number[ends] = number.get(ends, -1) + 1
        edges = paths.edge[paths.start[flow] : paths.start[flow + 1]]
        named[*ends, number[ends]] = tuple(graph.first_link[edges].tolist())
    return named


def leaf_spine(spines=8):
    keys = {"leaves": 4, "spines": spines, "hosts_per_leaf": 4, "host_speed": "100G", "uplink_speed": "100G"}
    net = TOPOLOGIES["leaf-spine"](keys)
    ends = net.endpoint_nodes
    return net, Flows.of(ends, np.roll(ends, 5), np.full(len(ends), 10.0))


def fat_tree():
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    ends = net.endpoint_nodes
    return net, Flows.of(ends, np.roll(ends, 5), np.full(len(ends), 10.0))


def crossing(path, links):
    return any(link in links for link in path)


@pytest.mark.parametrize("function", HASH_FUNCTIONS)
@pytest.mark.parametrize("fabric", [leaf_spine, fat_tree])
def test_only_flows_on_a_dead_link_move(fabric, function):
    """Every cable between switches in turn; with it down, all flows that did not cross it are where they were."""
    net, flows = fabric()
    before, moved = paths_of(net, flows, function=function), 0
    core = np.flatnonzero(net.is_cable & net.nodes.forwards[net.links.src] & net.nodes.forwards[net.links.dst])
    for link in core.tolist():
        dead = {link, int(net.links.reverse[link])}
        after = paths_of(net.with_down(links=[link]), flows, function=function)
        assert after.keys() == before.keys()
        for flow, path in before.items():
            assert not crossing(after[flow], dead)
            assert crossing(path, dead) or after[flow] == path
        moved += sum(after[flow] != path for flow, path in before.items())
    assert moved


@pytest.mark.parametrize("seed", range(12))
def test_a_second_failure_moves_only_flows_on_it_too(seed):
    """Random networks with weights, one-way and parallel links: also where distances have changed already."""
    case = larger_case(seed)
    rng = np.random.default_rng(seed)
    first, second = rng.choice(len(case.net.links), 2, replace=False).tolist()
    once = case.net.with_down(links=[first])
    dead = {second, int(case.net.links.reverse[second])}
    before, after = paths_of(once, case.flows), paths_of(once.with_down(links=[second]), case.flows)
    for flow, path in after.items():
        assert crossing(before[flow], dead) or path == before[flow]
    assert after.keys() <= before.keys()


def test_flows_of_a_dead_link_spread_evenly_over_the_others():
    """Two uplinks of eight down: over 200 draws each of the six others carries 1/6, to 4 standard errors."""
    net, flows = leaf_spine()
    leaf = int(net.links.dst[np.flatnonzero(net.links.src == net.endpoint_nodes[0])[0]])
    up = np.flatnonzero((net.links.src == leaf) & net.nodes.forwards[net.links.dst])
    broken, total = net.with_down(links=up[:2].tolist()), np.zeros(len(net.links))
    for seed in range(200):
        for path in paths_of(broken, flows, seed=seed).values():
            total[list(path)] += 1
    assert total[up[:2]].sum() == 0
    count = total[up].sum()
    assert total[up[2:]] == pytest.approx(count / 6, abs=4 * np.sqrt(count * 5 / 36))


def test_without_resilient_hashing_other_flows_move_too():
    """Modulo 7 is not modulo 8: six in seven of the flows that did not cross the dead uplink find another."""
    net, flows = leaf_spine()
    leaf = int(net.links.dst[np.flatnonzero(net.links.src == net.endpoint_nodes[0])[0]])
    link = int(np.flatnonzero((net.links.src == leaf) & net.nodes.forwards[net.links.dst])[0])
    before, after = (paths_of(one, flows, queue_pairs=200, resilient=False) for one in (net, net.with_down(links=[link])))
    other = [flow for flow, path in before.items() if net.links.src[path[0]] == leaf and path[0] != link]
    part = np.mean([before[flow] != after[flow] for flow in other])
    assert part == pytest.approx(6 / 7, abs=4 * np.sqrt(6 / 49 / len(other)))


@pytest.mark.parametrize("fabric", [leaf_spine, fat_tree])
def test_on_an_intact_fabric_it_makes_no_difference(fabric):
    """Picks are those of the hash modulo the group."""
    net, flows = fabric()
    assert paths_of(net, flows, resilient=True) == paths_of(net, flows, resilient=False)
