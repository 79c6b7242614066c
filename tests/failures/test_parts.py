"""Parts of every kind on several fabrics: their links by counting, and their selectors by routing them down."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from fabric.failures.cases import Cases, damage_of
from fabric.failures.engine import LinkWorst
from fabric.failures.part import PART_KINDS
from fabric.failures.part_finder import PartFinder
from fabric.failures.phases import sweep_phases
from fabric.failures.plain import PlainEngine, damaged_topology
from fabric.failures.scenario_sets import set_of
from fabric.pipeline.degraded import apply_slowed, read_slow
from fabric.pipeline.network import apply_failures, build_network
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario
from topologies.builder import TOPOLOGIES

SWITCH = {"radix": 16, "speed": "100G"}
LEAF_SPINE = {
    "kind": "leaf-spine",
    "leaf": {**SWITCH, "count": 4, "down": 8, "up": 4, "ports_per_card": 4},
    "spine": {**SWITCH, "count": 2},
}
SPLIT = {**LEAF_SPINE, "leaf": {"radix": 16, "speed": "200G", "count": 4, "down_breakout": "2x100", "up": 4}}
GROUPS = [
    {"name": "feed-a", "kind": "power-feed", "members": ["leaf0", "rack=r00c01"]},
    {"name": "batch", "kind": "optics-batch", "members": ["leaf1 -> spine0", "leaf2 -> spine1 #1"]},
    {"name": "r00c00", "kind": "rack", "members": ["leaf3"]},
    {"name": "both", "members": ["group=feed-a", "group=batch"]},
]


def example(kind: str) -> dict:
    """A fabric as its builder shows it."""
    return {"kind": kind, **TOPOLOGIES[kind].example}


def scenario(*topologies: dict, nodes: list | None = None, **keys) -> dict:
    """Fabrics f0, f1, …, with an all-to-all on the first."""
    fabrics = {f"f{number}": {"topology": topology} for number, topology in enumerate(topologies)}
    members = {"members": nodes[0]["group"]} if nodes else {}
    loads = [{"id": "shuffle", "kind": "alltoall", "size": "1 GB", "fabric": "f0", **members}]
    return {"version": 1, "name": "parts", "fabrics": fabrics, "nodes": nodes or [], "workloads": loads, **keys}


def hosts(**nics: dict) -> list:
    """A node group of eight hosts, two in a rack."""
    return [{"group": "h", "count": 8, "gpus": 2, "per_rack": 2, "nics": nics}]


SCENARIOS = {
    "two fabrics of the same names": scenario(
        LEAF_SPINE,
        SPLIT,
        nodes=hosts(f0={"speed": "100G", "count": 2, "rail": "per-gpu"}, f1={"speed": "100G", "count": 2}),
        risk_groups=[*GROUPS],
    ),
    "dual-homed hosts": scenario({**LEAF_SPINE, "dual_home": ["h"]}, nodes=hosts(f0={"speed": "100G", "count": 2})),
    "NICs of two ports, a plane each": scenario(
        example("multi-plane"),
        nodes=[{"group": "h", "count": 2, "gpus": 1, "nics": {"f0": {"speed": "100G", "count": 2, "ports": 2}}}],
    ),
    "hosts on planes": scenario(example("multi-plane")),
    "units and rails": scenario(example("rail-optimised")),
    "a ToR of each plane": scenario(example("dual-plane")),
    "pods": scenario(example("fat-tree")),
    "optical circuit switches": scenario(example("torus")),
    "groups that forward": scenario(example("dragonfly-plus")),
    "servers that forward": scenario(example("bcube")),
}


@cache
def loaded_of(name: str):
    """A scenario, read from a file."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parts.yaml"
        path.write_text(json.dumps(SCENARIOS[name]), encoding="utf-8")
        return load_scenario(path)


@cache
def network_of(name: str):
    """Its fabrics."""
    return build_network(loaded_of(name))


def some(parts, most: int = 12):
    """Some of many, the first and the last among them."""
    return [parts[at] for at in sorted(set(np.linspace(0, len(parts) - 1, most).astype(int).tolist()))] if parts else []


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("kind", PART_KINDS)
def test_the_selectors_of_a_part_take_its_links_down_and_no_others(name, kind):
    """What is up after ``--down`` of a part's texts is all but the part's links, on every fabric."""
    network = network_of(name)
    for part in some(PartFinder(network).of_kind(kind)):
        after = apply_failures(network.topologies, part.selectors, sets=network.sets)
        for fabric, topology in network.topologies.items():
            gone = np.flatnonzero(topology.up & ~after[fabric].up)
            assert gone.tolist() == part.links.get(fabric, np.empty(0)).tolist(), (part.name, part.selectors)


@pytest.mark.parametrize("name", SCENARIOS)
def test_routing_with_a_part_down_is_its_case(name):
    """``fabric route --down`` with the texts of a part, and the engine that routes its case."""
    loaded = loaded_of(name)
    run = run_scenario(loaded)
    finder = PartFinder(run.network)
    (phase,) = sweep_phases(run)
    parts = [part for kind in PART_KINDS for part in some(finder.of_kind(kind), 2)]
    answers = PlainEngine(phase).outcomes(
        damage_of(Cases.single(tuple(parts)), phase.fabric), LinkWorst.empty(len(phase.topology.links))
    )
    for case, part in enumerate(parts):
        (route,) = run_scenario(loaded, RouteRequest(down=part.selectors)).result.routes
        assert answers.max_utilisation[case] == pytest.approx(route.max_utilisation, rel=1e-9)
        assert answers.unreachable_pairs[case] == route.unreachable_pairs


COUNTS = {
    # 4 leaves of 4 uplinks to 2 spines, 8 hosts of 2 NICs; hosts fill two leaves of the first fabric, whose other
    # leaves have cables on one card; the second fabric has 2 links in a cable to hosts
    "two fabrics of the same names": {
        "link": 2 * (16 + 16), "cable": 32 + 16 + 8, "switch": 12, "line-card": 3 + 3 + 1 + 1, "nic": 16 + 16,
        "nic-port": 32, "host": 8, "unit": 0, "pod": 0, "rack": 4, "power-feed": 1, "optics-batch": 1, "group": 1,
    },
    "dual-homed hosts": {"link": 32, "switch": 6, "nic": 16, "host": 8, "rack": 4},
    "NICs of two ports, a plane each": {"nic": 4, "nic-port": 8, "host": 2, "plane": 2},
    "units and rails": {"switch": 12, "nic": 32, "host": 8, "unit": 2, "rail": 4},
    "optical circuit switches": {"switch": 128 + 48, "pod": 2},
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, counts in COUNTS.items() for kind in counts])
def test_there_are_as_many_parts_as_the_wiring_has(name, kind):
    """Counted by hand from the keys of the scenario."""
    assert len(PartFinder(network_of(name)).of_kind(kind)) == COUNTS[name][kind]


def test_a_rack_holds_its_hosts_on_all_fabrics_and_what_a_group_adds():
    """Two hosts with two NICs on each of two fabrics, and leaf3, which both fabrics have."""
    finder = PartFinder(network_of("two fabrics of the same names"))
    first, second, *_ = finder.of_kind("rack")
    assert (first.name, first.hosts, second.hosts) == ("r00c00", ("h0", "h1"), ("h2", "h3"))
    assert {fabric: len(links) for fabric, links in second.links.items()} == {"f0": 8, "f1": 8}
    for fabric, topology in finder.topologies.items():
        leaf = topology.node("leaf3")
        of_leaf = (topology.links.src == leaf) | (topology.links.dst == leaf)
        assert set(np.flatnonzero(of_leaf)) <= set(first.links[fabric].tolist())


def test_the_cards_of_a_switch_are_all_its_links_once():
    """16 ports, 4 a card: host ports on the first two, uplinks on the third."""
    finder = PartFinder(network_of("two fabrics of the same names"))
    cards = [part for part in finder.of_kind("line-card") if part.name.startswith("leaf0/")]
    (switch,) = [part for part in finder.of_kind("switch", "f0") if part.name == "leaf0" and part.fabric == "f0"]
    together = np.concatenate([card.links["f0"] for card in cards])
    assert sorted(together.tolist()) == switch.links["f0"].tolist()
    assert [len(card.links["f0"]) for card in cards] == [8, 8, 8]


def test_a_degraded_part_is_what_slow_leaves(tmp_path):
    """Three of four lanes: 75 % of the capacity, both directions, in the engine and with ``--slow``."""
    keys = {"failures": [{"name": "lane", "select": "fabric=f0 tier=leaf-spine", "slow": "75%"}]}
    path = tmp_path / "lane.yaml"
    path.write_text(json.dumps(scenario(LEAF_SPINE, **keys)), encoding="utf-8")
    loaded = load_scenario(path)
    run = run_scenario(loaded)
    chosen = set_of(loaded, PartFinder(run.network), "lane")
    assert len(chosen.parts) == 16
    (phase,) = sweep_phases(run)
    damage = damage_of(Cases.single(chosen.parts), "f0")
    for case in (0, 7):
        part = chosen.parts[case]
        slowed = apply_slowed(run.network.topologies, [read_slow(text) for text in part.slow_selectors])["f0"]
        np.testing.assert_allclose(damaged_topology(phase.topology, damage, case).capacity_gbps, slowed.capacity_gbps)
        assert sorted(set(slowed.capacity_gbps / phase.topology.capacity_gbps)) == [0.75, 1.0]
        route = run_scenario(loaded, RouteRequest(slow=part.slow_selectors)).result.routes[0]
        np.testing.assert_allclose(PlainEngine(phase).utilisation(damage, case), route.utilisation, rtol=1e-9)


def test_a_link_at_half_rate_is_twice_as_full():
    """One uplink of a leaf at 50 % under an equal split that does not know: twice the utilisation of before."""
    loaded = loaded_of("dual-homed hosts")
    before = run_scenario(loaded).result.routes[0]
    link = before.topology.links
    row = int(np.flatnonzero(before.topology.links.tier == before.topology.tiers.index("leaf-spine"))[0])
    after = run_scenario(loaded, RouteRequest(slow=(f"{before.topology.link_name(row)}=50%",))).result.routes[0]
    assert after.utilisation[row] == pytest.approx(2 * before.utilisation[row])
    assert after.topology.capacity_gbps[row] == link.capacity_gbps[row] / 2
