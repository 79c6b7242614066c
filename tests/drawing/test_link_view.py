"""The links view: every link between switches, straight rows, labels where there is room."""

from __future__ import annotations

import re

import numpy as np
import pytest
from drawn_routes import built, link, picture, ring, routed, two_leaves

from fabric.faces.drawing.views.links import link_view_dot
from fabric.faces.views.bands import band
from topologies.assemble import assemble
from topologies.errors import TopologyError


def leaf_spine(leaves: int, spines: int):
    """One 400G cable a pair, one host a leaf."""
    return built("leaf-spine", leaves=leaves, spines=spines, hosts_per_leaf=1, host_speed="100G", uplink_speed="400G")


def places(dot: str, what: str = "n") -> dict[str, tuple[float, float]]:
    """Positions of boxes or labels."""
    return {
        key: (float(x), float(y))
        for key, x, y in re.findall(rf'^  ({what}\d+) .*?pos="([-\d.]+),([-\d.]+)!"', dot, re.M)
    }


def test_every_pair_has_one_line_and_every_leaf_one_host_box():
    """4 x 2 pairs and 4 host lines; parallel cables are counted."""
    drawn = picture(link_view_dot(routed(leaf_spine(4, 2)), title="t"))
    assert len(drawn.boxes) == 4 + 2 + 4
    assert len(drawn.lines) == 4 * 2 + 4
    parallel = picture(link_view_dot(routed(two_leaves()), title="t"))
    assert parallel.between("l0", "s0").text.split("\n")[-2:] == ["2 x 100G", "max 25 %"]


def test_hosts_on_a_pair_of_leaves_share_a_box():
    """Three hosts on both leaves, two on one of them: two boxes, three lines."""
    net = assemble("pair", "test")
    leaf = net.switches("leaf", ["l0", "l1"], level=1)
    both = net.hosts(["a", "b", "c"], nics=2)
    net.cables(np.repeat(both, 2), np.tile(leaf, 3), 100.0)
    net.cables(net.hosts(["d", "e"]), leaf[0], 100.0)
    drawn = picture(link_view_dot(routed(net.freeze()), title="t"))
    assert sorted(drawn.boxes.values()) == ["2 hosts", "3 hosts, 2 NICs each", "l0", "l1"]
    assert len(drawn.lines) == 3


def test_500_links_are_drawn_and_501_refused():
    """25 x 20 pairs is the most; what to draw instead is said, and force draws it."""
    assert len(picture(link_view_dot(routed(leaf_spine(25, 20)), title="t")).lines) == 500 + 25
    with pytest.raises(TopologyError, match=r"520 links between switches.*fabric draw tier") as caught:
        link_view_dot(routed(leaf_spine(26, 20)), title="t")
    assert caught.value.problems[0].code == "FP3201"
    assert len(picture(link_view_dot(routed(leaf_spine(26, 20)), title="t", all_links=True)).lines) == 520 + 26


def test_tiers_are_rows_in_structural_order_whatever_the_load():
    """Leaves of a fat tree stand from left to right in order of pod, and where they stood before."""
    network = built("fat-tree", radix=4, speed="100G")
    cool, hot = (link_view_dot(routed(network, load), title="t") for load in (0.1, 1.7))
    assert places(cool) == places(hot)
    boxes, at = picture(cool).boxes, places(cool)
    rows = {
        name.rstrip("0123456789").split("/")[-1]: {at[key][1] for key in boxes if boxes[key] == name}
        for name in boxes.values()
    }
    assert rows["edge"] < rows["agg"] or max(rows["edge"]) < min(rows["agg"]) < min(rows["core"])
    edges = [at[key][0] for key, name in boxes.items() if "edge" in name]
    assert edges == sorted(edges)


def test_boxes_of_a_row_do_not_overlap():
    """Neighbours keep the width of a box apart, in every row and for the hosts below."""
    dot = link_view_dot(routed(built("fat-tree", radix=8, speed="400G")), title="t")
    rows: dict[float, list[float]] = {}
    for x, y in places(dot).values():
        rows.setdefault(y, []).append(x)
    assert sorted(len(row) for row in rows.values()) == [16, 32, 32, 32]
    assert all(np.diff(sorted(row)).min() > 0.75 for row in rows.values())


def test_a_crowd_labels_the_failed_and_the_hottest():
    """288 lines, 60 labels: the failed link and the hottest are among them, and the heading owns up to the rest."""
    network = built("fat-tree", radix=8, speed="400G")
    broken = network.with_down(links=[link(network, "pod5/edge1", "pod5/agg2")])
    load = np.where(broken.up, 0.4, 0.0)
    load[link(network, "pod3/edge1", "pod3/agg2")] = 1.75
    dot = link_view_dot(routed(broken, load), title="t")
    plates = re.findall(r'^  label\d+ .*bgcolor="#ffffff">(.*?)</td>', dot, re.M)
    assert len(plates) == 60
    assert {"1 down", "175 %", "40 %"} == set(plates)
    assert "labels on 60 of 288 lines" in dot
    drawn = picture(dot)
    assert drawn.between("pod3/edge1", "pod3/agg2").colour == band(1.75).colour
    assert drawn.between("pod3/edge1", "pod3/agg2").text.startswith("pod3/edge1 - pod3/agg2\n1 x 400G")
    assert drawn.between("pod5/edge1", "pod5/agg2").dashed


def test_labels_do_not_cover_each_other():
    """8 x 4 pairs: no two labels within the height of a line and the width of a number."""
    dot = link_view_dot(routed(leaf_spine(8, 4)), title="t")
    spots = list(places(dot, "label").values())
    assert len(spots) == 8 * 4 + 8
    for index, (x, y) in enumerate(spots):
        assert not any(abs(x - u) < 0.3 and abs(y - v) < 0.14 for u, v in spots[:index])


@pytest.mark.parametrize("size", [3, 12])
def test_a_network_without_tiers_is_placed_by_graphviz(size):
    """A ring has no rows: no positions, whole labels on its lines."""
    dot = link_view_dot(routed(ring(size)), title="t")
    assert "pos=" not in dot
    assert [entry.text for entry in picture(dot).lines] == ["1 x 10G\nmax 25 %"] * size


def test_a_line_never_runs_behind_a_box():
    """A leaf cabled to a core past the spines, or leaves cabled to each other: Graphviz routes round the boxes."""
    for ends in (("l0", "c0"), ("l0", "l1")):
        net = assemble("short-cut", "test")
        leaf = net.switches("leaf", ["l0", "l1"], level=1)
        spine = net.switches("spine", ["s0"], level=2)
        core = net.switches("core", ["c0"], level=3)
        net.full_mesh(leaf, spine, 100.0)
        net.full_mesh(spine, core, 100.0)
        extra = {"l0": leaf[0], "l1": leaf[1], "c0": core[0]}
        net.cables([extra[ends[0]]], [extra[ends[1]]], 100.0)
        assert "pos=" not in link_view_dot(routed(net.freeze()), title="t")


def test_the_same_route_gives_the_same_bytes():
    """Nothing random, nothing in set order."""
    first, second = (link_view_dot(routed(built("fat-tree", radix=4, speed="400G")), title="t") for _ in range(2))
    assert first == second
