"""One test per check, each on the smallest fabric that breaks it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from topologies.assemble import assemble
from topologies.columns import column
from topologies.validate import (
    check_capacities,
    check_connectivity,
    check_port_budget,
    check_self_loops,
    check_symmetry,
    validate,
)


def leaf_spine(spine_radix=4, parallel=1):
    """Four leaves under two spines, one host under each leaf; every spine needs 4 x ``parallel`` ports."""
    net = assemble("ls", "test")
    leaf = net.switches("leaf", [f"leaf{i}" for i in range(4)], level=1, radix=8)
    spine = net.switches("spine", ["spine0", "spine1"], level=2, radix=spine_radix)
    net.full_mesh(leaf, spine, 100.0, parallel=parallel)
    net.cables(net.hosts([f"h{i}" for i in range(4)]), leaf, 100.0)
    return net.freeze()


def with_links(net, **columns):
    """The topology with link columns replaced."""
    values = {key: column(np.asarray(value), getattr(net.links, key).dtype) for key, value in columns.items()}
    return replace(net, links=replace(net.links, **values))


def test_a_sound_fabric_has_no_problems():
    """Spines use 4 of 4 ports, leaves 3 of 8."""
    assert validate(leaf_spine()) == []


def test_a_spine_with_too_many_cables_is_found():
    """Two cables to each of 4 leaves are 8 ports on a 4-port spine; both spines are over."""
    (problem,) = check_port_budget(leaf_spine(parallel=2))
    assert problem.code == "FP3011"
    assert problem.message == "spine0 needs 8 ports but has 4 (and 1 more switches)"
    assert "at least 8 ports" in problem.hint
    assert problem in validate(leaf_spine(parallel=2))


def test_an_unknown_radix_is_not_checked():
    """Radix 0 means not known."""
    assert check_port_budget(leaf_spine(spine_radix=0, parallel=2)) == []


def test_half_ports_of_breakouts_add_up():
    """Three breakout cables take 1.5 ports, which do not fit one."""
    net = assemble("breakout", "test")
    leaf = net.switches("leaf", ["leaf"], level=1, radix=1)
    net.cables(net.hosts(["a", "b", "c"]), leaf, 100.0, upper_ports=0.5)
    (problem,) = check_port_budget(net.freeze())
    assert problem.message == "leaf needs 1.5 ports but has 1"
    assert "at least 2 ports" in problem.hint


def test_directions_that_do_not_name_each_other_are_found():
    """Link 1 claims to be the way back of link 2, which it is not."""
    net = leaf_spine()
    reverse = net.links.reverse.copy()
    reverse[1] = 2
    found = check_symmetry(with_links(net, reverse=reverse))
    assert {problem.code for problem in found} == {"FP3012"}
    assert "leaf0 -> spine0" in found[0].message


def test_a_cable_that_is_down_in_one_direction_is_found():
    """Both directions of a cable fail together."""
    net = leaf_spine()
    up = net.up.copy()
    up[5] = False
    assert [problem.code for problem in check_symmetry(replace(net, up=column(up, np.bool_)))] == ["FP3012"] * 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_a_capacity_that_is_no_rate_is_found(value):
    """Unknown, infinite and negative capacities would make every utilisation look right."""
    net = leaf_spine()
    capacity = net.links.capacity_gbps.copy()
    capacity[3] = value
    (problem,) = check_capacities(with_links(net, capacity_gbps=capacity))
    assert problem.code == "FP3013"
    assert problem.message == f"spine1 -> leaf0 has capacity {value:g} Gb/s"


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -2.0])
def test_a_weight_that_is_no_metric_is_found(value):
    """Shortest paths need positive weights."""
    net = leaf_spine()
    weight = net.links.weight.copy()
    weight[0] = value
    (problem,) = check_capacities(with_links(net, weight=weight))
    assert problem.message == f"leaf0 -> spine0 has routing weight {value:g}; weights are positive"


def test_a_dead_cable_of_capacity_zero_is_allowed():
    """Capacity 0 is a fact, not a mistake."""
    net = leaf_spine()
    assert check_capacities(with_links(net, capacity_gbps=np.zeros(len(net.links)))) == []


def test_a_cable_to_itself_is_found():
    """A loop cable on one switch."""
    net = assemble("loop", "test")
    ids = net.switches("leaf", ["a", "b"], level=1)
    net.cables(ids[[0, 0]], ids[[0, 1]], 100.0)
    found = check_self_loops(net.freeze())
    assert {problem.message for problem in found} == {"a is cabled to itself"}
    assert found[0].code == "FP3014"


def test_parts_that_cannot_reach_each_other_are_a_warning():
    """leaf3 without uplinks leaves its host alone: parts of 3 and 1 endpoints."""
    net = leaf_spine()
    uplinks = [link for link in range(len(net.links)) if net.link_name(link).startswith("leaf3 -> spine")]
    assert len(uplinks) == 2
    (problem,) = check_connectivity(net.with_down(links=uplinks))
    assert problem.severity == "warning"
    assert problem.code == "FP3015"
    assert "2 parts" in problem.message
    assert "such as h3" in problem.message


def test_a_topology_without_endpoints_is_connected():
    """There is nobody to reach anybody."""
    net = assemble("switches", "test")
    net.switches("leaf", ["a", "b"], level=1)
    assert check_connectivity(net.freeze()) == []


def test_many_parallel_cables_are_still_a_connection():
    """256 cables between two nodes: a count kept in 8 bits would wrap to 0."""
    net = assemble("trunk", "test")
    ids = net.nodes("router", ["a", "b"], level=1, nics=1)
    net.cables(ids[:1], ids[1:], 100.0, parallel=256)
    assert check_connectivity(net.freeze()) == []
