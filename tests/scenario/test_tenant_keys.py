"""Tenants of a scenario: who is of which, what is refused, and what answers say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fabric.cli.main import run
from fabric.pipeline.prepared import prepare
from fabric.pipeline.tenants import tenancies
from fabric.scenario.load import load_scenario
from topologies.builder import TOPOLOGIES
from topologies.errors import FabricError

BASE = """\
version: 1
name: shared
fabrics:
  main:
    topology: {kind: rail-optimised, tiers: 2, nodes_per_unit: 4, leaf: {radix: 8, speed: 100G, down: 4, up: 4},
               spine: {radix: 8, speed: 100G, count: 4}}
  disks:
    topology: {kind: leaf-spine, leaves: 2, spines: 1, hosts_per_leaf: 8, host_speed: 100G, uplink_speed: 100G}
nodes:
  - {group: gpu, count: 8, gpus: 4, nics: {main: {count: 4, speed: 100G, rail: per-gpu}, disks: {speed: 100G}}}
  - {group: store, count: 2, nics: {disks: {speed: 100G}}}
"""
TENANTS = """\
tenants:
  - {name: hospital, members: ["gpu[0-2]", gpu3]}
  - {name: bank, members: "gpu[4-6]"}
  - {name: storage, members: store, shared_with: all}
"""


def loaded(folder: Path, text: str):
    """The scenario, from a file."""
    path = folder / "shared.fabric.yaml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(str(path), overrides=[])


def test_every_nic_of_a_host_is_of_its_tenant_on_every_fabric(tmp_path):
    """4 NICs a host on main: 16 of the hospital, 12 of the bank, 4 of gpu7, of none; one a host on disks."""
    made = loaded(tmp_path, BASE + TENANTS)
    found = tenancies(made, prepare(made).network.inventory)
    assert found["main"].names == ["hospital", "bank", "storage", "unassigned"]
    assert found["main"].sizes == [16, 12, 0, 4]
    assert found["disks"].sizes == [4, 3, 2, 1]
    assert found["disks"].meets.tolist() == [
        [True, False, True, False],
        [False, True, True, False],
        [True, True, True, False],
        [False, False, False, True],
    ]


def test_hosts_that_a_builder_names_can_be_members(tmp_path):
    """A scenario without nodes: endpoints by their own names, with ranges."""
    text = "version: 1\nname: x\nfabrics:\n  main: {topology: {kind: fat-tree, radix: 4, speed: 100G}}\n"
    made = loaded(tmp_path, text + 'tenants:\n  - {name: a, members: "pod[0-1]/edge[0-1]/h0"}\n')
    tenancy = tenancies(made, prepare(made).network.inventory)["main"]
    assert tenancy.sizes == [4, 12]
    assert np.flatnonzero(np.asarray(tenancy.of) == 0).size == 4


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("{name: a, members: gpus}", "FP8061", "'gpus' is neither a node group nor a host"),
        ('{name: a, members: "gpu[6-9]"}', "FP8061", "'gpu8' of 'gpu\\[6-9\\]' is neither a node group nor a host"),
        ('{name: a, members: "gpu[6-"}', "FP8061", "brackets of 'gpu\\[6-' do not match"),
        (
            "{name: a, members: gpu7}\n  - {name: b, members: [gpu]}",
            "FP8062",
            "host gpu7 is of tenant a and of tenant b",
        ),
        ("{name: a, members: gpu7}\n  - {name: a, members: gpu6}", "FP2107", "name 'a' is used twice"),
        ("{name: a, members: gpu7, key: 2}\n  - {name: b, members: gpu6}", "FP2107", "partition key 2 is that of two"),
        ("{name: a, members: gpu7, shared_with: [c]}", "FP2105", "unknown tenant 'c'"),
        ("{name: a, members: gpu7, shared_with: [a]}", "FP2105", "unknown tenant 'a'"),
        ("{name: a, members: []}", "FP2102", "the list is empty"),
        ("{name: unassigned, members: gpu7}", "FP2102", "'unassigned' is the name of other hosts"),
        ("{name: a, members: gpu7, key: 32767}", "FP2102", "32766"),
    ],
)
def test_what_no_tenant_can_be_is_refused_with_its_place(tmp_path, line, code, words):
    """File, line and a way out."""
    with pytest.raises(FabricError, match=words) as caught:
        prepare(loaded(tmp_path, f"{BASE}tenants:\n  - {line}\n"))
    problem = caught.value.problems[0]
    assert problem.code == code
    assert problem.line


def test_a_workload_of_two_tenants_is_refused_with_a_pair_and_one_with_a_shared_service_is_not(tmp_path, capsys):
    """All-to-all over the GPUs; then storage, which both are served by."""
    path = tmp_path / "shared.fabric.yaml"
    job = "workloads:\n  - {id: w, kind: all-to-all, members: gpu, fabric: main, size: 1 GB}\n"
    path.write_text(BASE + TENANTS + job, encoding="utf-8")
    assert run(["route", str(path)]) == 3
    text = capsys.readouterr().err
    assert "FP8063" in text
    assert "w sends from gpu0.nic0 (tenant hospital) to gpu4.nic0 (tenant bank) on main" in text
    storage = "{id: w, kind: storage, servers: store, clients: gpu, fabric: disks, read: 4 Gb/s, replication: 1}"
    whole = TENANTS.replace('"gpu[4-6]"', '"gpu[4-7]"')
    path.write_text(f"{BASE}{whole}workloads:\n  - {storage}\n", encoding="utf-8")
    assert run(["route", str(path), "--json"]) == 0
    said = [one["text"] for one in json.loads(capsys.readouterr().out)["assumptions"]]
    assert "tenant storage is shared by design with hospital, bank" in said


def test_a_report_lists_tenants_and_has_no_such_section_without_them(tmp_path, capsys):
    """One row a tenant and fabric."""
    path = tmp_path / "shared.fabric.yaml"
    for text, wanted in ((BASE + TENANTS, 7), (BASE, 0)):
        path.write_text(text, encoding="utf-8")
        assert run(["report", str(path), "-f", "json"]) == 0
        sections = {one["anchor"]: one for one in json.loads(capsys.readouterr().out)["sections"]}
        rows = sections["tenants"]["blocks"][0]["rows"] if "tenants" in sections else []
        assert len(rows) == wanted


def test_hosts_that_forward_are_refused(tmp_path, capsys):
    """A BCube, whose hosts forward: what passes a tenant's machine is not decided by a switch."""
    topology = {"kind": "bcube", **TOPOLOGIES["bcube"].example}
    text = f"version: 1\nname: x\nfabrics:\n  main: {{topology: {json.dumps(topology)}}}\n"
    path = tmp_path / "bcube.fabric.yaml"
    path.write_text(text + "tenants:\n  - {name: a, members: all-of-it}\n", encoding="utf-8")
    assert run(["export", "openflow", str(path), "-o", str(tmp_path / "out")]) == 3
    hint = capsys.readouterr().err
    name = hint.partition("node groups and hosts: ")[2].partition(",")[0].strip()
    path.write_text(f"{text}tenants:\n  - {{name: a, members: '{name}'}}\n", encoding="utf-8")
    code = run(["export", "openflow", str(path), "-o", str(tmp_path / "out")])
    assert (code, "FP8060" in capsys.readouterr().err) == (3, True)
