"""``fabric build`` says who is attached where, leaf by leaf and host by host."""

from __future__ import annotations

import csv
import io
import json

import pytest

from fabric.cli.main import run as fabric
from traffic.hostlist import expand_hosts

SCENARIO = """
version: 1
name: two-groups
fabrics:
  main:
    topology: {kind: leaf-spine, spines: 2, hosts_per_leaf: 8, uplink_speed: 400G}
  pairs:
    topology: {kind: leaf-spine, leaves: 2, spines: 1, hosts_per_leaf: 20, uplink_speed: 400G, dual_home: [osd]}
  rails:
    attach: [gpu]
    topology: {kind: rail-optimised, nodes_per_unit: 4, leaf: {radix: 8}, speed: 400G}
nodes:
  - group: gpu
    count: 8
    name: "gpu{index:02d}"
    nics: {main: {speed: 100G}, pairs: {speed: 100G}, rails: {speed: 400G, count: 2, rail: per-gpu}}
  - {group: osd, count: 4, name: "osd{index:02d}", nics: {main: {speed: 100G}, pairs: {speed: 100G, count: 2}}}
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "two.fabric.yaml"
    path.write_text(SCENARIO)
    return str(path)


def run(capsys, *words):
    assert fabric(words) == 0
    return capsys.readouterr().out


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_every_leaf_has_its_hosts_in_order(scenario, capsys):
    """8 + 4 hosts on leaves of 8; 8 + 4 pairs of ports on two leaves; 2 NICs of 4 nodes a unit on two rails."""
    text = run(capsys, "build", scenario)
    for line in (
        "leaf0\t8\tgpu[00-07]",
        "leaf1\t4\tosd[00-03]",
        "leaf0\t12\tgpu[00-07], osd[00-03]",
        "leaf1\t4\tosd[00-03]",
        "unit1/leaf1\t4\tgpu[04-07].nic1",
    ):
        assert line in text


def test_leaf_by_leaf_and_host_by_host_say_the_same(scenario, capsys):
    """Both tables, and the record, as sets of pairs."""
    leaves = rows_of(run(capsys, "build", scenario, "--by", "leaf", "--format", "csv"))
    hosts = rows_of(run(capsys, "build", scenario, "--by", "host", "--format", "csv"))
    record = json.loads(run(capsys, "build", scenario, "--json"))
    pairs = {(row["fabric"], row["endpoint"], row["switch"]) for row in hosts}
    assert pairs == {
        (row["fabric"], name, row["switch"]) for row in leaves for name in expand_hosts(row["hosts"].replace(", ", ","))
    }
    assert pairs == {
        (fabric["name"], entry["endpoint"], switch)
        for fabric in record["fabrics"]
        for entry in fabric["attached"]
        for switch in entry["switches"]
    }
    nic = next(row for row in hosts if row["endpoint"] == "gpu03.nic1")
    assert (nic["host"], nic["group"], nic["links"]) == ("gpu03", "gpu", "1")
    assert sum(int(row["ports"]) for row in leaves) == sum(int(row["links"]) for row in hosts) == 12 + 16 + 16


def test_leaves_without_hosts_are_listed_and_said(tmp_path, capsys):
    path = tmp_path / "empty.fabric.yaml"
    path.write_text(
        "version: 1\nname: e\nfabrics: {main: {topology: {kind: leaf-spine, leaves: 4, spines: 1, hosts_per_leaf: 4, "
        "uplink_speed: 100G}}}\nnodes: [{group: node, count: 6, nics: {main: {speed: 100G}}}]\n"
    )
    assert fabric(["build", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "leaf1\t2\tnode[4-5]" in out
    assert "leaf3\t0\t-" in out
    assert "leave 2 of 4 leaf switches without any (leaf2, leaf3); attach_order: spread uses all" in err


def test_hosts_that_a_builder_makes_up_are_counted(tmp_path, capsys):
    path = tmp_path / "none.fabric.yaml"
    path.write_text("version: 1\nname: none\nfabrics: {main: {topology: {kind: fat-tree, radix: 4, speed: 100G}}}\n")
    assert "no nodes are listed: 2 host links on each of 8 switches" in run(capsys, "build", str(path))
