"""The assembler: ids, directions, parallel cables, breakouts, one-way links."""

from __future__ import annotations

import numpy as np
import pytest

from topologies.assemble import assemble
from topologies.errors import TopologyError


@pytest.fixture
def small():
    """Two leaves, one spine, two cables from each leaf, one host under leaf0.

      spine0
      ||   ||
    leaf0  leaf1
      |
     h0
    """
    net = assemble("small", "test")
    leaf = net.switches("leaf", ["leaf0", "leaf1"], level=1, radix=4, pod=[0, 1])
    spine = net.switches("spine", ["spine0"], level=2)
    net.cables(leaf, spine, 100.0, parallel=2)
    net.cables(net.hosts(["h0"], nics=1), leaf[:1], 50.0, length_m=3.0)
    return net.freeze()


def test_nodes_keep_their_order_and_attributes(small):
    """Scalars hold for all nodes of a call, arrays for one each."""
    assert small.nodes.name == ("leaf0", "leaf1", "spine0", "h0")
    assert [small.roles[code] for code in small.nodes.role] == ["leaf", "leaf", "spine", "host"]
    assert small.nodes.level.tolist() == [1, 1, 2, 0]
    assert small.nodes.pod.tolist() == [0, 1, -1, -1]
    assert small.nodes.radix.tolist() == [4, 4, 0, 0]
    assert small.nodes.nics.tolist() == [0, 0, 0, 1]
    assert small.nodes.forwards.tolist() == [True, True, True, False]


def test_a_cable_is_two_links_that_name_each_other(small):
    """2 leaves x 2 cables + 1 host cable = 5 cables, 10 links; row 2i is lower to upper, 2i+1 back."""
    links = small.links
    assert len(links) == 10
    assert links.reverse.tolist() == [1, 0, 3, 2, 5, 4, 7, 6, 9, 8]
    np.testing.assert_array_equal(links.src[links.reverse], links.dst)
    assert links.src[0::2].tolist() == [0, 0, 1, 1, 3]
    assert links.dst[0::2].tolist() == [2, 2, 2, 2, 0]
    assert small.is_cable.tolist() == [True, False] * 5


def test_tiers_are_named_lower_upper(small):
    """The name goes by the roles of the first cable of the call."""
    assert small.tiers == ("leaf-spine", "host-leaf")
    per_tier = np.bincount(small.links.tier, small.links.capacity_gbps)
    assert per_tier.tolist() == [8 * 100.0, 2 * 50.0]


def test_parallel_cables_are_numbered(small):
    """The second of two cables is #2; a single one has no number."""
    assert small.link_name(0) == "leaf0 -> spine0 #1"
    assert small.link_name(2) == "leaf0 -> spine0 #2"
    assert small.link_name(8) == "h0 -> leaf0"


def test_ports_are_counted_at_both_ends(small):
    """leaf0: two uplinks and one host; leaf1: two uplinks; spine: four; host: one."""
    assert small.ports_used.tolist() == [3, 2, 4, 1]


def test_lengths_are_known_only_where_given(small):
    """The host cable is 3 m, in both directions; the others are not known."""
    assert small.links.length_m[8:].tolist() == [3.0, 3.0]
    assert np.isnan(small.links.length_m[:8]).all()
    assert np.isnan(small.links.delay_us).all()


def test_a_breakout_takes_half_a_port_at_the_switch():
    """Two hosts on one port of the leaf, each with a whole NIC port: leaf uses 2 x 0.5, hosts 1 each."""
    net = assemble("breakout", "test")
    leaf = net.switches("leaf", ["leaf"], level=1)
    net.cables(net.hosts(["a", "b"]), leaf, 200.0, upper_ports=0.5)
    assert net.freeze().ports_used.tolist() == [1.0, 1.0, 1.0]


def test_directions_may_differ():
    """Capacity and weight of the way back; per-cable values are repeated for parallel cables."""
    net = assemble("skewed", "test")
    ids = net.switches("r", ["a", "b", "c"], level=1)
    net.cables(ids[:2], ids[1:], [10.0, 20.0], back_gbps=5.0, weight=1.0, back_weight=[2.0, 3.0], parallel=2)
    links = net.freeze().links
    assert links.capacity_gbps.tolist() == [10, 5, 10, 5, 20, 5, 20, 5]
    assert links.weight.tolist() == [1, 2, 1, 2, 1, 3, 1, 3]


def test_a_one_way_link_has_no_reverse_and_takes_a_port_at_each_end():
    """One link a -> b: one port at a, one at b."""
    net = assemble("one way", "test")
    ids = net.switches("r", ["a", "b"], level=1)
    net.one_way(ids[:1], ids[1:], 10.0)
    built = net.freeze()
    assert built.links.reverse.tolist() == [-1]
    assert built.ports_used.tolist() == [1, 1]
    assert built.is_cable.tolist() == [True]


def test_cables_after_a_one_way_link_still_name_their_own_way_back():
    """One link, then one cable: links 1 and 2 are each other's reverse, whatever the parity of the ids."""
    net = assemble("odd", "test")
    ids = net.switches("r", ["a", "b"], level=1)
    net.one_way(ids[:1], ids[1:], 10.0)
    net.cables(ids[:1], ids[1:], 10.0)
    assert net.freeze().links.reverse.tolist() == [-1, 2, 1]


def test_a_full_mesh_joins_every_pair():
    """3 x 2 pairs, one cable each, lower by lower."""
    net = assemble("mesh", "test")
    low, high = net.switches("leaf", ["l0", "l1", "l2"], level=1), net.switches("spine", ["s0", "s1"], level=2)
    net.full_mesh(low, high, 100.0)
    links = net.freeze().links
    assert list(zip(links.src[0::2].tolist(), links.dst[0::2].tolist(), strict=True)) == [
        (0, 3), (0, 4), (1, 3), (1, 4), (2, 3), (2, 4),
    ]  # fmt: skip


def test_nothing_to_cable_adds_nothing():
    """Empty tiers are not an error: a builder may have no hosts."""
    net = assemble("bare", "test")
    leaf = net.switches("leaf", ["leaf"], level=1)
    net.cables([], [], 100.0)
    net.one_way([], [], 100.0)
    built = net.freeze()
    assert len(built.links) == 0
    assert built.tiers == ()
    assert leaf.tolist() == [0]


def test_two_nodes_of_one_name_are_refused():
    """The name is the identity outside; it has to be unique."""
    net = assemble("twice", "test")
    net.switches("leaf", ["x"], level=1)
    net.switches("spine", ["x"], level=2)
    with pytest.raises(TopologyError, match="two nodes are called 'x'"):
        net.freeze()


def test_columns_cannot_be_written(small):
    """A topology is a value: failures are masks, not changes."""
    with pytest.raises(ValueError, match="read-only"):
        small.links.capacity_gbps[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        small.up[0] = False


def test_a_failed_node_takes_its_links_and_a_failed_link_its_cable(small):
    """spine0 down: all 8 leaf-spine links; link 0 down: also its other direction, link 1."""
    spine_down = small.with_down(nodes=[small.node("spine0")])
    assert spine_down.up.tolist() == [False] * 8 + [True] * 2
    link_down = small.with_down(links=[0])
    assert np.flatnonzero(~link_down.up).tolist() == [0, 1]
    assert link_down.capacity_gbps[:3].tolist() == [0.0, 0.0, 100.0]
    assert small.up.all()


def test_an_unknown_node_is_told_with_the_nearest_name(small):
    """A typo is answered with what was meant."""
    with pytest.raises(TopologyError, match="did you mean 'spine0'"):
        small.node("spin0")
