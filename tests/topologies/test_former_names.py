"""Former default names, made here by the rules of the time, against what the same nodes are called now."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from naming_fabrics import FABRICS

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.former_names import present_name, renamed, renamed_listed
from topologies.hosts import HostGroup
from topologies.topology import Topology, role_nodes

# Names by role, in the order of the nodes; roles that are left out kept their names.
Names = dict[str, list[str]]


def of_clos(net: Topology, _: dict[str, Any]) -> Names:
    planes = net.nodes.plane[role_nodes(net, "core")]
    cores = int((planes == 0).sum())
    return {"core": [f"core{plane}/{core}" for plane in range(len(set(planes.tolist()))) for core in range(cores)]}


def of_rail_optimised(net: Topology, spec: dict[str, Any]) -> Names:
    units, rails = spec["units"], spec["rails"]
    nodes = [f"su{unit}/n{node}" for unit in range(units) for node in range(spec["nodes_per_unit"])]
    found: Names = {
        "leaf": [f"su{unit}-r{rail}-leaf" for unit in range(units) for rail in range(rails)],
        "host": [f"{node}.nic{rail}" for node in nodes for rail in range(rails)],
    }
    return found | upper_rails(net, rails, "spine{index:02d}")


def of_superpod(net: Topology, spec: dict[str, Any]) -> Names:
    units, rails, each = spec["scalable_units"], spec["gpus_per_node"], spec["nodes_per_unit"]
    nodes = [f"su{unit}/n{node}" for unit in range(units) for node in range(each)]
    nodes = nodes[: len(nodes) - spec.get("reserved_nodes", 0)]
    found: Names = {
        "leaf": [f"su{unit}/leaf{rail}" for unit in range(units) for rail in range(rails)],
        "host": [f"{node}.nic{rail}" for node in nodes for rail in range(rails)],
    }
    return found | upper_rails(net, rails, "spine{index}")


def upper_rails(net: Topology, rails: int, spine: str) -> Names:
    spines, cores = len(role_nodes(net, "spine")), len(role_nodes(net, "core"))
    if not cores:
        return {"spine": [spine.format(index=index) for index in range(spines)]}
    pods = int(net.nodes.pod.max()) + 1
    each = spines // (pods * rails)
    return {
        "spine": [f"pod{p}-r{r}-spine{i:02d}" for p in range(pods) for r in range(rails) for i in range(each)],
        "core": [f"core{index:03d}" for index in range(cores)],
    }


def of_rail_only(net: Topology, spec: dict[str, Any]) -> Names:
    rails, domains = spec["domain_size"], spec["gpus"] // spec["domain_size"]
    found: Names = {
        "host": [
            f"d{domain}" + (f".nic{rail}" if rails > 1 else "") for domain in range(domains) for rail in range(rails)
        ]
    }
    for role in ("leaf", "spine"):
        ids = role_nodes(net, role).tolist()
        per_rail = len(ids) // rails
        pods = int(net.nodes.pod[ids].max()) + 1 if ids else 0
        in_pods = [f"pod{p}/{role}{i}" for p in range(pods) for i in range(per_rail // max(pods, 1))]
        inside = in_pods or [f"{role}{index}" for index in range(per_rail)]
        found[role] = [f"r{rail}/{name}" for rail in range(rails) for name in inside]
    cores = len(role_nodes(net, "core")) // rails
    planes = int(net.nodes.plane.max()) + 1
    each = range(cores // planes if planes else 0)
    found["core"] = [f"r{r}/core{p}/{core}" for r in range(rails) for p in range(planes) for core in each]
    return found


def of_dual_plane(_: Topology, spec: dict[str, Any]) -> Names:
    pods, segments, rails = spec.get("pods", 1), spec["segments"], spec["gpus_per_host"]
    hosts = [f"seg{unit}/h{host}" for unit in range(pods * segments) for host in range(spec["hosts_per_segment"])]
    return {
        "tor": [f"pod{p}/seg{s}/r{r}/tor{t}" for p, s, r, t in np.ndindex(pods, segments, rails, 2)],
        "host": [host + (f".nic{rail}" if rails > 1 else "") for host in hosts for rail in range(rails)],
        "backup": [f"pod{p}/seg{s}/backup{i}" for p, s, i in np.ndindex(pods, segments, spec.get("backup_ports", 0))],
    }


def of_grid(_: Topology, spec: dict[str, Any]) -> Names:
    switches = ["s" + ".".join(map(str, place)) for place in np.ndindex(*spec["dims"])]
    dims = len(spec["dims"])
    places = spec["cube"] ** (dims - 1) if spec.get("ocs") else 0
    return {
        "switch": switches,
        "host": [f"{name}/h{host}" for name in switches for host in range(spec.get("endpoints_per_switch", 1))],
        "ocs": [f"ocs{dimension}.{place}" for dimension in range(dims) for place in range(places)],
    }


def of_slim_fly(_: Topology, spec: dict[str, Any]) -> Names:
    switches = [f"{side}/{x}.{y}" for side in ("a", "b") for x in range(spec["q"]) for y in range(spec["q"])]
    return {"switch": switches, "host": [f"{name}/h{host}" for name in switches for host in range(spec["p"])]}


def of_bcube(net: Topology, spec: dict[str, Any]) -> Names:
    n, k = spec["n"], spec["k"]
    return {
        "host": [f"h{index}" for index in range(len(net.endpoint_nodes))],
        "switch": [f"layer{layer}/switch{index}" for layer in range(k + 1) for index in range(n**k)],
    }


def of_dcell(net: Topology, spec: dict[str, Any]) -> Names:
    hosts = len(net.endpoint_nodes)
    return {
        "host": [f"h{index}" for index in range(hosts)],
        "switch": [f"cell{cell}/switch" for cell in range(hosts // spec["n"])],
    }


FORMER = {
    "clos": of_clos,
    "rail-optimised": of_rail_optimised,
    "superpod": of_superpod,
    "rail-only": of_rail_only,
    "dual-plane": of_dual_plane,
    "torus": of_grid,
    "hyperx": of_grid,
    "slim-fly": of_slim_fly,
    "bcube": of_bcube,
    "dcell": of_dcell,
}


def former_names(net: Topology, kind: str, spec: dict[str, Any]) -> list[str]:
    """Former name of every node, in the order of the nodes."""
    names = list(net.nodes.name)
    by_role = FORMER[kind](net, spec) if kind in FORMER else {}
    for role, former in by_role.items():
        nodes = role_nodes(net, role).tolist()
        assert len(nodes) == len(former)
        for node, name in zip(nodes, former, strict=True):
            names[node] = name
    return names


def former_names_of_planes(net: Topology, spec: dict[str, Any]) -> list[str]:
    """The same of planes: those of one plane, hosts as they are, switches with their plane before them."""
    inner = {key: value for key, value in spec["plane"].items() if key != "kind"}
    plane = TOPOLOGIES[spec["plane"]["kind"]](inner)
    former = dict(zip(plane.nodes.name, former_names(plane, spec["plane"]["kind"], inner), strict=True))
    names = []
    for name in net.nodes.name:
        outer, _, rest = name.partition("/")
        names.append(former[name] if name in former else f"{outer}/{former[rest]}")
    return names


LATER = {"rails_per_switch", "planes"}  # keys of fabrics that there were not when names were others
OLD = [(kind, spec) for kind, spec in FABRICS if kind == "multi-plane" or not LATER & set(spec)]


@pytest.mark.parametrize(("kind", "spec"), OLD)
def test_every_former_name_leads_to_the_node_at_its_place(kind: str, spec: dict[str, Any]) -> None:
    """And none of them is the present name of another node, which would be taken for it."""
    net = TOPOLOGIES[kind](spec)
    former = former_names_of_planes(net, spec) if kind == "multi-plane" else former_names(net, kind, spec)
    assert len(former) == len(set(former))
    for name, now in zip(former, net.nodes.name, strict=True):
        if name == now:
            continue
        assert not net.has_node(name)
        assert present_name(net, name) == now


def test_the_builders_whose_names_changed_are_those_with_former_names() -> None:
    """Of the others every former name is the present one, by the tables of builders and of this test; one is new."""
    kept = {
        "leaf-spine",
        "fat-tree",
        "dragonfly",
        "dragonfly-plus",
        "xpander",
        "jellyfish",
        "single-switch",
        "explicit",
        "zcube",
    }
    assert set(FORMER) | kept | {"multi-plane"} == set(TOPOLOGIES.names())


@pytest.mark.parametrize("text", ["su9-r9-leaf", "su2-r3-spine", "su2-r3-leaf/x", "leaf", "", "spine99"])
def test_a_name_that_never_was_has_no_present_one(text: str) -> None:
    """Neither a place that does not exist nor a word that only looks like it."""
    net = TOPOLOGIES["rail-optimised"](dict(TOPOLOGIES["rail-optimised"].example))
    assert present_name(net, text) is None
    assert renamed(net, text) == ""


def test_the_sentence_says_the_role_and_both_names() -> None:
    """Leaf 3 of unit 1 of the example."""
    net = TOPOLOGIES["rail-optimised"](dict(TOPOLOGIES["rail-optimised"].example))
    assert renamed(net, "su1-r3-leaf") == "leaf names follow one rule now: su1-r3-leaf is unit1/leaf3"


def test_a_written_cable_to_a_former_node_name_is_answered_with_the_present_one() -> None:
    """Cables of an explicit network name the scenario's nodes, which had three digits; with a port and without."""
    net = {
        "switches": [{"name": "s0"}],
        "cables": [{"ends": ["gpu000:1", "s0"], "speed": "100G"}, {"ends": ["gpu001", "s0"], "speed": "100G"}],
    }
    group = HostGroup("gpu", ("gpu0", "gpu1"), 1, 100.0)
    with pytest.raises(TopologyError) as caught:
        TOPOLOGIES["explicit"](net, hosts=[group])
    hints = [problem.hint for problem in caught.value.problems if "no node is called" in problem.message]
    assert hints == [f"node names follow one rule now: gpu00{index} is gpu{index}" for index in range(2)]


def test_a_host_list_of_former_node_names_is_answered_with_the_present_ones() -> None:
    """Only where the node exists."""
    known = {"n7", "n10"}
    assert renamed_listed("n007", known) == "node names follow one rule now: n007 is n7"
    assert renamed_listed("n010", known) == "node names follow one rule now: n010 is n10"
    assert renamed_listed("n008", known) == renamed_listed("n7", known) == renamed_listed("", known) == ""
