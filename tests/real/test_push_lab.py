"""``fabric push`` into the 20 switches of a k = 4 fat tree, over their management sockets and over TCP."""

from __future__ import annotations

import json

import pytest
from ovs_lab import OvsLab
from real_programs import require
from test_ovs import FAT_TREE, export, plan_of

from fabric.cli.main import run
from fabric.rules.dialects.ovs import read
from fabric.rules.manifest import read_manifest
from fabric.rules.ovs_text import parse_groups, parse_rules

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ip", "ping", "ethtool")
pytestmark = pytest.mark.real_ovs


def test_pushed_tables_are_the_exported_ones_and_every_host_answers(tmp_path, capsys):
    """Read back by ovs-ofctl: rules and groups of all switches; 240 pings; a second push has nothing to send."""
    scenario, folder = export(tmp_path, FAT_TREE)
    with OvsLab(plan_of(scenario)) as lab:
        flags = []
        for entry in read_manifest(folder).switches:
            bridge = lab.bridge(lab.plan.topology.node(entry.name))
            flags += ["--switch", f"{entry.name}=unix:{lab.folder}/{bridge}.mgmt"]
        assert run(["push", str(folder), *flags]) == 0
        for entry in read_manifest(folder).switches:
            bridge = lab.bridge(lab.plan.topology.node(entry.name))
            rules, groups = read(folder, entry.file)
            assert sorted(parse_rules(lab.dump_flows(bridge), bridge)) == sorted(rules)
            assert parse_groups(lab.dump_groups(bridge), bridge) == groups
        assert lab.ping_all() == []
        capsys.readouterr()
        assert run(["push", str(folder), *flags, "--json"]) == 0
        items = json.loads(capsys.readouterr().out)["items"]
        assert len(items) == 20
        assert all(item["rules_to_add"] == item["groups_to_add"] == 0 for item in items)


def test_files_that_changed_after_the_check_are_not_pushed(tmp_path, capsys):
    """One byte of one flows file."""
    _, folder = export(tmp_path, FAT_TREE)
    path = next((folder / "switches").glob("*.flows"))
    path.write_text(path.read_text() + "\n")
    name = next(entry.name for entry in read_manifest(folder).switches if entry.file == path.stem)
    assert run(["push", str(folder), "--switch", f"{name}=127.0.0.1:1"]) == 3
    assert "FP8042" in capsys.readouterr().err
