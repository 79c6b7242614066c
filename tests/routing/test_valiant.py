"""Valiant load balancing: closed forms, and every pair and intermediate by itself over NetworkX's shortest paths."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from oracle_fabrics import Case, cases, larger_case, ours, plain_ecmp, shortest_links

from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES

SOME = settings(max_examples=20, deadline=None, derandomize=True, database=None)


def plain_valiant(case):
    """Offered Gbps per link: for every row and common intermediate, its part to there and on from there."""
    net, loads = case.net, np.zeros(len(case.net.links))
    highest = net.nodes.level[net.nodes.forwards].max()
    middle = np.flatnonzero(net.nodes.forwards & (net.nodes.level == highest)).tolist()

    def reaches(src, dst):
        return src == dst or shortest_links(net, src, dst) is not None

    for src, dst, gbps in case.rows:
        if same_switch(net, src, dst):
            loads += plain_ecmp(Case(net, ((src, dst, gbps),)))
            continue
        common = [node for node in middle if reaches(src, node) and reaches(node, dst)]
        for node in common:
            legs = tuple((a, b, gbps / len(common)) for a, b in ((src, node), (node, dst)) if a != b)
            loads += plain_ecmp(Case(net, legs))
        if not common:
            loads += plain_ecmp(Case(net, ((src, dst, gbps),)))
    return loads


def same_switch(net, src, dst):
    """Whether traffic enters and leaves the fabric at one switch: both ends are there, or are it."""
    return len(at := {home(net, src), home(net, dst)}) == 1 and None not in at


def home(net, node):
    """A switch itself, the one switch of a host with one live cable both ways; None for other hosts."""
    if net.nodes.forwards[node]:
        return node
    live = net.up & (net.links.capacity_gbps > 0)
    out = net.links.dst[live & (net.links.src == node) & net.nodes.forwards[net.links.dst]].tolist()
    back = net.links.src[live & (net.links.dst == node) & net.nodes.forwards[net.links.src]].tolist()
    return out[0] if len(out) == len(back) == 1 and out == back else None


@SOME
@given(cases())
def test_loads_equal_pairs_routed_one_by_one(case):
    """Flat random fabrics, islands and one-way links among them."""
    np.testing.assert_allclose(ours(case, "valiant").link_gbps.sum(axis=1), plain_valiant(case), atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_loads_of_larger_fabrics_equal_pairs_routed_one_by_one(seed):
    """Six to nine switches, hosts on up to three of them, two links down."""
    case = larger_case(seed)
    np.testing.assert_allclose(ours(case, "valiant").link_gbps.sum(axis=1), plain_valiant(case), atol=1e-9)


@pytest.mark.parametrize("switches", [3, 5, 8])
def test_any_permutation_loads_a_full_mesh_evenly(switches):
    """n switches, each sends r to the next: r/n on every link out, r/n on every link back: 2 r / n everywhere."""
    net = assemble("mesh", "test")
    ids = net.switches("router", [f"r{i}" for i in range(switches)], level=1, nics=1)
    for low, high in permutations(range(switches), 2):
        net.one_way([ids[low]], [ids[high]], 100.0, tier="mesh")
    rows = tuple((int(a), int(b), 60.0) for a, b in zip(ids, np.roll(ids, 1), strict=True))
    route = ours(Case(net.freeze(), rows), "valiant")
    np.testing.assert_allclose(route.link_gbps.sum(axis=1), 2 * 60 / switches)


@pytest.mark.parametrize("shift", [1, 4, 7])
def test_any_permutation_fills_a_fat_tree_at_most(shift):
    """k = 4: 4 cores. An edge switch sends what leaves it evenly over its uplinks, whatever the permutation: at most 1.

    Shift 4 is pod to pod: all leaves it, every cable is full. Shift 1 keeps one of an edge switch's two hosts' traffic.
    """
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    hosts = net.endpoint_nodes
    rows = tuple((int(a), int(b), 100.0) for a, b in zip(hosts, np.roll(hosts, -shift), strict=True))
    route = ours(Case(net, rows), "valiant")
    core = net.nodes.forwards[net.links.src] & net.nodes.forwards[net.links.dst]
    np.testing.assert_allclose(route.utilisation[core], 0.5 if shift == 1 else 1.0)
    assert "4 intermediate switches" in route.notes[0]


def test_detours_are_counted_twice_where_they_cross_a_link_twice():
    """a - b - c in a row, a sends 90 to b: 30 over each of a (straight), b (straight) and c (b - c and back)."""
    net = assemble("row", "test")
    a, b, c = net.switches("router", ["a", "b", "c"], level=1, nics=1)
    net.cables([a, b], [b, c], 100.0)
    loads = ours(Case(net.freeze(), ((int(a), int(b), 90.0),)), "valiant").link_gbps.sum(axis=1)
    assert loads == pytest.approx([90, 0, 30, 30])


def test_a_pod_without_cores_keeps_its_shortest_paths():
    """Cables of pod 0 to all cores are down: pairs inside it have no intermediate, and are routed as ecmp does."""
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    core = np.isin(net.links.dst, np.flatnonzero(net.nodes.level == 3))
    net = net.with_down(links=np.flatnonzero(core & (net.nodes.pod[net.links.src] == 0)))
    hosts = net.endpoint_nodes.tolist()
    case = Case(net, ((hosts[0], hosts[2], 100.0), (hosts[4], hosts[8], 100.0)))
    route = ours(case, "valiant")
    assert route.notes[1].endswith("on their shortest paths: 1")
    np.testing.assert_allclose(route.link_gbps.sum(axis=1), plain_valiant(case))
    assert route.max_utilisation == pytest.approx(1.0)
