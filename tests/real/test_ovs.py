"""Exported tables in Open vSwitch: accepted, equal to what was meant, crossed by packets, split as planned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ovs_lab import OvsLab
from real_programs import require

from fabric.cli.main import run
from fabric.pipeline.tables import address_plans
from fabric.request import RouteRequest
from fabric.routing.tables.slot_table import slot_parts
from fabric.rules.addressing import AddressPlan
from fabric.rules.dialects.ovs import read
from fabric.rules.manifest import read_manifest
from fabric.rules.ovs_text import parse_groups, parse_rules
from fabric.scenario.load import load_scenario

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ip", "ping", "ethtool")
pytestmark = pytest.mark.real_ovs

FAT_TREE = """\
version: 1
name: k4
fabrics:
  main:
    topology: {kind: fat-tree, radix: 4, speed: 100G}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 MB}
"""
LEAF_SPINE = """\
version: 1
name: pods
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {count: 4, radix: 8, speed: 100G, down: 2, up: 6}
      spine: {count: 2, radix: 12, speed: 100G}
    routing: {router: wcmp}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 MB}
nodes:
  - {group: hosts, count: 8, nics: {main: {speed: 100G}}}
"""


def export(tmp_path: Path, text: str, *flags: str, folder: str = "out") -> tuple[Path, Path]:
    """Scenario file and export folder."""
    scenario = tmp_path / "lab.fabric.yaml"
    scenario.write_text(text, encoding="utf-8")
    out = tmp_path / folder
    assert run(["export", "openflow", str(scenario), "-o", str(out), "-q", *flags]) == 0
    return scenario, out


def plan_of(scenario: Path) -> AddressPlan:
    """Addresses of the fabric as built."""
    return address_plans(load_scenario(str(scenario), overrides=[]), RouteRequest())[0]


def check_installed(lab: OvsLab, folder: Path) -> None:
    """What the switches have is what the files say, by their own diff and by ours."""
    for entry in read_manifest(folder).switches:
        bridge = lab.bridge(lab.plan.topology.node(entry.name))
        assert lab.diff_flows(bridge, folder / "switches" / f"{entry.file}.flows") == ""
        rules, groups = read(folder, entry.file)
        assert sorted(parse_rules(lab.dump_flows(bridge), bridge)) == sorted(rules)
        assert parse_groups(lab.dump_groups(bridge), bridge) == groups


@pytest.fixture(scope="module")
def fat_tree(tmp_path_factory):
    """A k = 4 fat tree with the tables of router ecmp for both IP versions."""
    scenario, folder = export(tmp_path_factory.mktemp("ovs"), FAT_TREE, "--family", "both")
    with OvsLab(plan_of(scenario)) as lab:
        lab.load(folder)
        yield lab, folder, scenario


def test_installed_tables_equal_the_files(fat_tree):
    """20 switches: diff-flows finds nothing, and the dump parses to the same rules and groups."""
    lab, folder, _ = fat_tree
    check_installed(lab, folder)


@pytest.mark.parametrize("family", [4, 6])
def test_every_host_reaches_every_host(fat_tree, family):
    """16 hosts, 256 pings."""
    assert fat_tree[0].ping_all(family=family) == []


def test_flows_split_evenly_and_tiers_do_not_polarise(fat_tree):
    """2,000 flows to another pod: half on each uplink of the edge switch, and again at both aggregation switches.

    Sampling error of a half of n flows is 0.5 / sqrt(n); five of them are allowed.
    """
    lab, _, _ = fat_tree
    topology = lab.plan.topology
    src, dst = topology.node("pod0/edge0/h0"), topology.node("pod3/edge1/h1")
    switches = [topology.node(name) for name in ("pod0/edge0", "pod0/agg0", "pod0/agg1")]
    before = [lab.bucket_packets(switch) for switch in switches]
    lab.send(src, dst, flows=2000)
    for switch, old in zip(switches, before, strict=True):
        (sent,) = [np.array(now) - old[group] for group, now in lab.bucket_packets(switch).items()]
        assert sent.sum() > 800
        assert sent / sent.sum() == pytest.approx([0.5, 0.5], abs=5 * 0.5 / np.sqrt(sent.sum()))


def test_a_cut_link_is_left_at_once_and_the_new_tables_agree(tmp_path):
    """4 leaves x 2 spines x 3 parallel links, one failed: weights 3 : 2 where they matter, traffic follows them.

    From leaf1 to leaf0 the spine that lost a link to leaf0 gets 2 of 5.
    """
    scenario, whole = export(tmp_path, LEAF_SPINE)
    plan = plan_of(scenario)
    topology = plan.topology
    leaf0, leaf1 = topology.node("leaf0"), topology.node("leaf1")
    link = int(np.flatnonzero((topology.links.src == leaf0) & (topology.links.dst == topology.node("spine0")))[0])
    _, damaged = export(tmp_path, LEAF_SPINE, "--down", "link=leaf0:spine0#1", folder="damaged")
    with OvsLab(plan) as lab:
        lab.load(whole)
        assert lab.ping_all() == []
        lab.cut(link)
        assert lab.ping_all() == []  # buckets watch their ports
        lab.load(damaged)
        check_installed(lab, damaged)
        assert lab.ping_all() == []
        hosts = [node for node in lab.host_names if topology.links.dst[lab.ports.link(node, 1)] == leaf1]
        target = next(node for node in lab.host_names if topology.links.dst[lab.ports.link(node, 1)] == leaf0)
        before = lab.bucket_packets(leaf1)
        lab.send(hosts[0], target, flows=3000)
        entry = next(one for one in read_manifest(damaged).switches if one.name == "leaf1")
        groups = {group.id: group for group in read(damaged, entry.file)[1]}
        after = lab.bucket_packets(leaf1)
        (used,) = [group for group in after if sum(after[group]) - sum(before[group]) > 1000]
        sent = np.array(after[used]) - before[used]
        parts = np.array(slot_parts([bucket.weight for bucket in groups[used].buckets]))
        error = 5 * np.sqrt(parts * (1 - parts) / sent.sum())
        assert np.all(np.abs(sent / sent.sum() - parts) <= error)
        by_spine: dict[int, float] = {}
        for bucket, part in zip(groups[used].buckets, parts, strict=True):
            to = int(topology.links.dst[lab.ports.link(leaf1, bucket.port)])
            by_spine[to] = by_spine.get(to, 0.0) + part
        assert by_spine[topology.node("spine0")] == pytest.approx(0.4, abs=0.01)
