"""Packet spraying: by the capacities of a switch's own live links, and the room that spraying at efficiency e needs."""

from __future__ import annotations

import numpy as np
import pytest
from oracle_fabrics import Case, larger_case, node_imbalance_gbps, ours
from shortest_oracle import link_parts, routed_by

from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES
from topologies.units import percent


@pytest.mark.parametrize("seed", range(8))
def test_spray_equals_a_plain_walk(seed):
    """Every node splits by the capacities of its next-hop links."""
    case = larger_case(seed)
    np.testing.assert_allclose(ours(case, "spray").link_gbps.sum(axis=1), routed_by(link_parts, case)[0], atol=1e-9)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("efficiency", [1.0, 0.9, 0.25])
def test_sprayed_traffic_needs_more_room_between_switches(seed, efficiency):
    """Utilisation = (unsprayed + sprayed / e) / capacity between switches; the offered load does not change."""
    case = larger_case(seed)
    net = case.net
    route = ours(case, "spray", spray_efficiency=efficiency)
    loads, sprayed = routed_by(link_parts, case)
    core = net.nodes.forwards[net.links.src] & net.nodes.forwards[net.links.dst]
    room = loads + np.where(core, sprayed * (1 / efficiency - 1), 0)
    np.testing.assert_allclose(route.link_gbps.sum(axis=1), loads, atol=1e-9)
    expected = np.divide(room, net.capacity_gbps, out=np.zeros(len(room)), where=room > 0)
    np.testing.assert_allclose(route.utilisation, expected, atol=1e-9)
    np.testing.assert_allclose(node_imbalance_gbps(net, route.link_gbps.sum(axis=1), case.rows), 0, atol=1e-9)


@pytest.mark.parametrize("efficiency", [1.0, 0.95, 0.8])
def test_a_permutation_between_pods_of_a_fat_tree_needs_one_over_e(efficiency):
    """All cables are offered exactly their rate; between switches that takes 1/e of them, host cables stay at 1."""
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    hosts = net.endpoint_nodes
    rows = tuple(zip(hosts.tolist(), np.roll(hosts, 4).tolist(), [100.0] * len(hosts), strict=True))
    route = ours(Case(net, rows), "spray", spray_efficiency=efficiency)
    core = net.nodes.forwards[net.links.src] & net.nodes.forwards[net.links.dst]
    np.testing.assert_allclose(route.utilisation[core], 1 / efficiency)
    np.testing.assert_allclose(route.utilisation[~core], 1.0)
    assert percent(efficiency) in route.notes[0]


def test_traffic_with_a_single_way_needs_no_extra_room():
    """Three routers in a row: nothing is spread, so e does not matter."""
    net = assemble("row", "test")
    a, b, c = net.switches("router", ["a", "b", "c"], level=1, nics=1)
    net.cables([a, b], [b, c], 100.0)
    case = Case(net.freeze(), ((int(a), int(c), 70.0),))
    assert ours(case, "spray", spray_efficiency=0.5).max_utilisation == pytest.approx(0.7)


def test_local_choice_does_not_see_a_remote_failure():
    """a has two 100G cables to x and two to y, one of x - c is down; a offers 300 to c.

    a sees four equal links: 150 go to x, and 150 % over the cable that is left; wcmp sends 100 there, ecmp 150.
    """
    net = assemble("pair", "test")
    a, c = net.switches("leaf", ["a", "c"], level=1, nics=1)
    x, y = net.switches("spine", ["x", "y"], level=2)
    for _ in range(2):
        net.cables([a, a, x, y], [x, y, c, c], 100.0)
    built = net.freeze()
    built = built.with_down(links=np.flatnonzero((built.links.src == x) & (built.links.dst == c))[:1])
    case = Case(built, ((int(a), int(c), 300.0),))
    assert ours(case, "spray", spray_efficiency=1.0).max_utilisation == pytest.approx(1.5)
    assert ours(case, "wcmp").max_utilisation == pytest.approx(1.0)


def test_links_of_other_speeds_fill_alike():
    """300 Gbps over a 100G and a 200G cable to the same switch: 100 and 200; ecmp would offer 150 to each."""
    net = assemble("uneven", "test")
    a, b = net.switches("router", ["a", "b"], level=1, nics=1)
    net.cables([a, a], [b, b], np.array([100.0, 200.0]))
    case = Case(net.freeze(), ((int(a), int(b), 300.0),))
    assert ours(case, "spray", spray_efficiency=1.0).max_utilisation == pytest.approx(1.0)
    assert ours(case, "ecmp").max_utilisation == pytest.approx(1.5)
