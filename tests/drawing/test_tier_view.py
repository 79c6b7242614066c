"""The tier view: boxes and bundles by closed form, folding, colours, failures."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_routes import built, cables_in, link, picture, ring, routed, two_leaves

from fabric.faces.drawing.views.tier import MOST_BOXES, tier_view_dot
from fabric.faces.views.bands import BANDS, band
from fabric.routing.router import Certificate
from topologies.assemble import assemble


def test_a_fat_tree_has_three_boxes_and_three_bundles_a_pod():
    """k = 8: per pod edge, aggregation, hosts and the lines between and up; one core box; k³/4 = 128 cables a tier."""
    drawn = picture(tier_view_dot(routed(built("fat-tree", radix=8, speed="400G")), title="t"))
    assert len(drawn.boxes) == 3 * 8 + 1
    assert len(drawn.lines) == 3 * 8
    assert {entry.text for entry in drawn.lines} == {"16 x 400G\nmax 25 %"}
    assert "16 x core, radix 8" in drawn.boxes.values()
    assert sum(cables_in(entry.text) for entry in drawn.lines) == 3 * 128


def test_a_rail_optimised_fabric_has_two_boxes_a_unit():
    """8 units of 8 leaves and 256 NICs, 32 spines: 17 boxes, 256 x 400G on every line."""
    leaf = {"radix": 64, "up": 32}
    network = built(
        "rail-optimised", units=8, rails=8, nodes_per_unit=32, speed="400G", leaf=leaf, spine={"radix": 64, "count": 32}
    )
    drawn = picture(tier_view_dot(routed(network), title="t"))
    assert list(drawn.boxes.values())[:2] == ["256 NICs, 8 rails"] * 2
    assert len(drawn.boxes) == 17
    assert [entry.text for entry in drawn.lines] == ["256 x 400G\nmax 25 %"] * 16
    assert "unit 3\n8 x leaf, radix 64" in drawn.boxes.values()


def test_leaves_without_units_have_a_box_each():
    """4 leaves, 2 spines: a box and a host box per leaf, one for the spines."""
    drawn = picture(
        tier_view_dot(
            routed(built("leaf-spine", leaves=4, spines=2, hosts_per_leaf=6, host_speed="100G", uplink_speed="400G")),
            title="t",
        )
    )
    assert len(drawn.boxes) == 4 + 4 + 1
    assert drawn.between("leaf2", "2 x spine").text == "2 x 400G\nmax 25 %"
    assert drawn.between("leaf2", "6 hosts").text == "6 x 100G\nmax 25 %"


@pytest.mark.parametrize(("size", "boxes"), [(12, 12), (99, 99), (100, 99), (400, 99)])
def test_routers_have_a_box_each_while_they_fit(size, boxes):
    """A flat network is drawn whole up to 99 boxes; then 98 and the rest."""
    drawn = picture(tier_view_dot(routed(ring(size)), title="t"))
    assert len(drawn.boxes) == boxes
    assert all("--" not in text for text in drawn.boxes.values())
    if size > boxes:
        assert any(text.startswith(f"{size - boxes + 1} more routers, max 25 %") for text in drawn.boxes.values())


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("fat-tree", {"radix": 48, "speed": "400G"}),
        ("leaf-spine", {"leaves": 200, "spines": 8, "hosts_per_leaf": 4, "host_speed": "1G", "uplink_speed": "1G"}),
        ("clos", {"radix": 16, "speed": "100G", "endpoints": 1024, "tiers": 3}),
        (
            "rail-optimised",
            {
                "units": 64,
                "rails": 4,
                "nodes_per_unit": 4,
                "speed": "400G",
                "leaf": {"radix": 8, "up": 4},
                "spine": {"radix": 256},
            },
        ),
        (
            "rail-optimised",
            {
                "units": 64,
                "rails": 2,
                "nodes_per_unit": 4,
                "speed": "400G",
                "tiers": 3,
                "units_per_pod": 2,
                "leaf": {"radix": 8, "up": 4},
                "spine": {"radix": 16},
                "core": {"radix": 512},
            },
        ),
    ],
)
def test_any_fabric_has_fewer_than_100_boxes_and_loses_no_cable(kind, parameters):
    """Folding moves cables to the counted box; their sum stays that of the fabric."""
    network = built(kind, **parameters)
    drawn = picture(tier_view_dot(routed(network), title="t"))
    inside = sum(cables_in(text) for text in drawn.boxes.values() if "inside" in text)
    assert len(drawn.boxes) <= MOST_BOXES
    assert sum(cables_in(entry.text) for entry in drawn.lines) + inside == int(network.is_cable.sum())


def test_folding_keeps_the_hottest_pods():
    """k = 32: 32 pods, 23 keep their boxes. Pod 31 has the hottest link and pod 30 the next; the rest reach 91 %."""
    network = built("fat-tree", radix=32, speed="400G")
    load = np.full(len(network.links), 0.91)
    load[link(network, "pod31/edge0", "pod31/agg3")] = 1.5
    load[link(network, "pod30/agg0", "core0")] = 1.2
    drawn = picture(tier_view_dot(routed(network, load), title="t"))
    texts = list(drawn.boxes.values())
    assert "pod 31\n16 x edge, radix 32" in texts
    assert "pod 30\n16 x aggregation, radix 32" in texts
    assert "9 more pods, max 91 %\n144 x edge, radix 32" in texts
    assert "2,304 hosts" in texts
    edges = [text for text in texts if "x edge" in text]
    assert len(edges) == 24
    numbers = [int(text.split()[1]) for text in edges if text.startswith("pod")]
    assert numbers == [*range(21), 30, 31]


def test_the_hottest_direction_colours_its_bundle():
    """225 % down one of two parallel cables: the bundle has the darkest band, all others stay below."""
    network = two_leaves()
    load = np.full(len(network.links), 0.3)
    load[link(network, "s0", "l1")] = 2.25
    drawn = picture(tier_view_dot(routed(network, load), title="t"))
    hot = drawn.between("l1", "1 x spine")
    assert hot.text == "2 x 100G\nmax 225 %"
    assert hot.colour == BANDS[-1].colour
    assert {entry.colour for entry in drawn.lines if entry is not hot} == {band(0.3).colour}


def test_width_grows_with_capacity():
    """2 x 100G up has the width of 1 x 200G down; a fatter bundle is wider."""
    drawn = picture(tier_view_dot(routed(two_leaves()), title="t"))
    assert {entry.width for entry in drawn.lines} == {8.0}
    thin = picture(tier_view_dot(routed(built("clos", radix=8, speed="100G", endpoints=30, tiers=2)), title="t"))
    assert len({entry.width for entry in thin.lines}) > 1


def test_failed_links_are_dashed_and_counted_and_keep_their_width():
    """One of two cables down: dashed, said so; both down: grey, and the spine is down too when it has no other."""
    network = two_leaves()
    one = network.with_down(links=[link(network, "l0", "s0")])
    drawn = picture(tier_view_dot(routed(one, np.where(one.up, 0.5, 0.0)), title="t"))
    hurt, sound = drawn.between("l0", "1 x spine"), drawn.between("l1", "1 x spine")
    assert (hurt.text, hurt.dashed, hurt.width) == ("2 x 100G\nmax 50 %\n1 down", True, sound.width)
    assert not sound.dashed
    dead = network.with_down(nodes=[network.node("s0")])
    drawn = picture(tier_view_dot(routed(dead, 0.0), title="t"))
    assert "1 x spine\n1 down" in drawn.boxes.values()
    assert drawn.between("l0", "1 x spine").text == "2 x 100G\n2 down"


def test_load_on_a_dead_link_is_not_a_number():
    """Offered on nothing is no percentage."""
    network = two_leaves()
    load = np.full(len(network.links), 0.5)
    load[link(network, "l0", "s0")] = np.inf
    line = picture(tier_view_dot(routed(network, load), title="t")).between("l0", "1 x spine")
    assert line.text == "2 x 100G\nmax ∞ (offered on a link without capacity)"
    assert line.colour == BANDS[-1].colour


def test_speeds_that_differ_are_told_apart():
    """A fast and a slow cable, one with unequal directions, one that is one-way."""
    net = assemble("mixed", "test")
    a, b, c = net.nodes("router", ["a", "b", "c"], level=1, nics=1).tolist()
    net.cables([a], [b], 100.0)
    net.cables([a], [b], 40.0)
    net.cables([b], [c], 10.0, back_gbps=2.5)
    drawn = picture(tier_view_dot(routed(net.freeze()), title="t"))
    assert drawn.between("a", "b").text == "1 x 100G + 1 x 40G\nmax 25 %"
    assert drawn.between("b", "c").text == "1 x 10G/2.5G\nmax 25 %"


def test_links_inside_a_box_are_told_by_the_box():
    """Two switches of one unit joined to each other: no line to draw, so the box has the number and the colour."""
    net = assemble("peers", "test")
    leaf = net.switches("leaf", ["l0", "l1"], level=1, unit=0)
    net.full_mesh(leaf, net.switches("spine", ["s0"], level=2), 100.0)
    net.cables([leaf[0]], [leaf[1]], 100.0)
    network = net.freeze()
    load = np.full(len(network.links), 0.2)
    load[link(network, "l1", "l0")] = 1.3
    dot = tier_view_dot(routed(network, load), title="t")
    assert "unit 0\n2 x leaf\ninside: 1 x 100G, max 130 %" in picture(dot).boxes.values()
    assert f'color="{band(1.3).colour}", penwidth=3' in dot


def test_order_is_structural():
    """Boxes of a rank are chained in order of unit, so that two states of one network line up."""
    network = built("fat-tree", radix=4, speed="100G")
    cool, hot = (tier_view_dot(routed(network, load), title="t") for load in (0.1, 1.7))
    chains = [[line for line in dot.splitlines() if "rank=same" in line] for dot in (cool, hot)]
    assert chains[0] == chains[1]
    assert "{ rank=same; n0 -- n1 -- n2 -- n3 [style=invis]; }" in chains[0][0]


def test_the_same_route_gives_the_same_bytes():
    """Nothing random, nothing in set order."""
    first, second = (tier_view_dot(routed(built("fat-tree", radix=8, speed="400G")), title="t") for _ in range(2))
    assert first == second


def test_the_heading_says_what_is_drawn():
    """Names, router, offered load of the endpoints (two hosts at 25 % of 200G), maximum, certificate, lost pairs."""
    route = routed(
        two_leaves(),
        0.25,
        router="optimal",
        certificate=Certificate(0.24, "a cut"),
        partial=True,
        unreachable_pairs=3,
    )
    dot = tier_view_dot(route, title="two <racks>")
    assert "<b>two &lt;racks&gt; · main · shuffle · optimal (if split perfectly)</b>" in dot
    assert "offered load 100 Gb/s; max 25 % on " in dot
    assert "certified: no routing has a maximum below θ = 24 %, gap 4.2 %, stopped by a limit" in dot
    assert "3 pairs have no path; their demand is not in the picture" in dot


def test_the_legend_has_every_band():
    """The bands of the colour scale, and what dashes mean."""
    dot = tier_view_dot(routed(two_leaves()), title="t")
    for text in ("idle", "&lt;10 %", "&lt;50 %", "&lt;90 %", "≤100 %", "&gt;100 %", "≥200 %", "some links down"):
        assert text in dot
    assert all(entry.colour in dot for entry in BANDS)


def test_a_lonely_node_is_drawn():
    """A network may be one switch, and a host may hang on nothing."""
    net = assemble("lonely", "test")
    net.switches("leaf", ["l0"], level=1)
    net.hosts(["h0"])
    assert list(picture(tier_view_dot(routed(net.freeze()), title="t")).boxes.values()) == ["1 host", "l0\nleaf"]


def test_roles_beyond_the_limit_share_a_box():
    """120 roles of one switch each, in a tier that no unit or pod divides: one box, not 120."""
    net = assemble("zoo", "test")
    leaf = net.switches("leaf", ["l0"], level=1)
    for index in range(120):
        net.full_mesh(leaf, net.switches(f"spine{index}", [f"s{index}"], level=2), 100.0)
    drawn = picture(tier_view_dot(routed(net.freeze()), title="t"))
    assert list(drawn.boxes.values()) == ["l0\nleaf", "120 switches of 120 roles"]
