"""ECMP against NetworkX: all shortest paths of every pair, split equally per next-hop link."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from oracle_fabrics import Case, cases, node_imbalance_gbps, ours, plain_ecmp, reachable

from topologies.assemble import assemble

PLENTY = settings(max_examples=120, deadline=None, derandomize=True, database=None)


@PLENTY
@given(cases(homes=1))
def test_ecmp_of_single_homed_endpoints_equals_networkx(case):
    """Hosts with one link and routers; parallel links, unequal weights, links down or one-way."""
    np.testing.assert_allclose(ours(case, "ecmp").link_gbps.sum(axis=1), plain_ecmp(case), atol=1e-9)


@PLENTY
@given(cases(homes=3, weights=(1.0, 1.0, 2.0, 0.5)))
def test_ecmp_of_multi_homed_endpoints_equals_networkx(case):
    """Hosts with up to three links, some hanging alike and sending unlike."""
    np.testing.assert_allclose(ours(case, "ecmp").link_gbps.sum(axis=1), plain_ecmp(case), atol=1e-9)


@PLENTY
@given(cases())
def test_every_pair_without_a_path_is_counted(case):
    """Pairs for which NetworkX finds no path, whether an end or the middle is cut off."""
    _, lost = reachable(case)
    assert ours(case, "ecmp").unreachable_pairs == len({(src, dst) for src, dst, _ in lost})


def test_parallel_links_and_weights_share_by_hand():
    """a sends 120 to c: over b by two parallel links (weight 1 + 1), or straight (weight 2), or a detour (weight 3).

    Three next-hop links at a: 40 on each; the two to b meet again on b -> c: 80. The detour carries nothing.
    """
    net = assemble("triangle", "test")
    a, b, c = net.switches("router", ["a", "b", "c"], level=1, nics=1)
    net.cables([a, a], [b, b], 100.0, tier="x")
    net.cables([b], [c], 100.0, tier="x")
    net.cables([a, a], [c, c], 100.0, tier="x", weight=np.array([2.0, 3.0]))
    case = Case(net.freeze(), ((int(a), int(c), 120.0),))
    loads = ours(case, "ecmp").link_gbps.sum(axis=1)
    assert loads[::2] == pytest.approx([40, 40, 80, 40, 0])
    np.testing.assert_allclose(plain_ecmp(case), loads)


def test_a_dual_homed_host_splits_evenly_whatever_the_speeds():
    """Host h on leaf 0 at 100G and leaf 1 at 25G, both one hop from the spine: equal cost, 15 Gbps on each."""
    net = assemble("pair", "test")
    leaf = net.switches("leaf", ["l0", "l1", "l2"], level=1)
    spine = net.switches("spine", ["s"], level=2)
    net.full_mesh(leaf, spine, 100.0)
    (h,), (g,) = net.hosts(["h"], nics=2), net.hosts(["g"])
    net.cables([h, h], leaf[:2], np.array([100.0, 25.0]))
    net.cables([g], leaf[2:], 100.0)
    case = Case(net.freeze(), ((int(h), int(g), 30.0),))
    route = ours(case, "ecmp")
    access = np.flatnonzero(case.net.links.src == h)
    assert route.link_gbps[access].sum(axis=1) == pytest.approx([15, 15])
    assert route.max_utilisation == pytest.approx(15 / 25)


@PLENTY
@given(cases())
def test_a_hashed_flow_takes_one_of_the_shortest_paths(case):
    """One pair with one flow: every link carries all of it or nothing, and only links that ECMP uses too."""
    connected, _ = reachable(case)
    if connected:
        src, dst, gbps = connected[0]
        alone = Case(case.net, ((src, dst, gbps),))
        loads = ours(alone, "ecmp-hash").link_gbps.sum(axis=1)
        assert set(loads.tolist()) == {0.0, gbps}
        assert not (loads > 0)[plain_ecmp(alone) == 0].any()
        np.testing.assert_allclose(node_imbalance_gbps(case.net, loads, alone.rows), 0, atol=1e-9)


@PLENTY
@given(cases())
def test_many_hashed_flows_come_near_the_fluid(case):
    """2,000 flows a pair: a share p of them is within 6 sqrt(p (1 - p) / 2000) < 7 % of the pair's traffic of p."""
    connected, _ = reachable(case)
    if connected:
        fluid = plain_ecmp(case)
        loads = ours(case, "ecmp-hash", flows_per_pair=2000).link_gbps.sum(axis=1)
        assert np.abs(loads - fluid).max() <= 0.07 * sum(gbps for _, _, gbps in connected)
