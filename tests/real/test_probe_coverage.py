"""Probe packets in Open vSwitch: each hits the rule it was made for, and counts there once."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from ovs_lab import OvsLab
from real_programs import require

from fabric.cli.main import run
from fabric.pipeline.tables import address_plans
from fabric.request import RouteRequest
from fabric.rules.dialects.ovs import read
from fabric.rules.manifest import read_manifest
from fabric.rules.probes import frame_bytes, plan_probes
from fabric.rules.table import LOCAL, SwitchTable
from fabric.scenario.load import load_scenario

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ovs-appctl", "ip", "ethtool")
pytestmark = pytest.mark.real_ovs

SCENARIO = """\
version: 1
name: k4
fabrics:
  main:
    topology: {kind: fat-tree, radix: 4, speed: 100G}
workloads:
  - {id: shuffle, kind: permutation, fabric: main, size: 1 GB}
"""
SWITCHES = ("pod0/edge0", "pod1/agg1", "core0")


@pytest.mark.parametrize("flags", [("--family", "both"), ("--router", "pinned")], ids=["prefixes", "single flows"])
def test_every_rule_is_hit_once_by_its_probe(tmp_path, flags):
    """``ofproto/trace`` of the bytes names the rule's cookie; sent through the table, every rule counts one packet.

    Frames that leave for a neighbour are dropped there, since only the switch under test has a table.
    """
    scenario, folder = tmp_path / "lab.fabric.yaml", tmp_path / "out"
    scenario.write_text(SCENARIO, encoding="utf-8")
    assert run(["export", "openflow", str(scenario), "-o", str(folder), "-q", *flags]) == 0
    plan = address_plans(load_scenario(str(scenario), overrides=[]), RouteRequest())[0]
    entries = {entry.name: entry for entry in read_manifest(folder).switches}
    with OvsLab(plan, wires="patch") as lab:
        for host in lab.host_names:  # they would answer, and their answers would count
            lab.on_host(host, "ip", "link", "set", "eth0", "down")
        control = next(lab.folder.glob("ovs-vswitchd.*.ctl"))
        for name in SWITCHES:
            rules, groups = read(folder, entries[name].file)
            table = SwitchTable(name, entries[name].datapath, 1, tuple(groups), tuple(rules))
            bridge = lab.bridge(plan.topology.node(name))
            stem = folder / "switches" / entries[name].file
            lab.run("ovs-ofctl", "-O", "OpenFlow15", "del-flows", bridge)
            lab.load_files(bridge, stem.with_name(f"{stem.name}.groups"), stem.with_name(f"{stem.name}.flows"))
            probes = plan_probes(table, plan)
            assert probes.unreachable == ()
            for probe in probes.probes:
                in_port = "LOCAL" if probe.in_port == LOCAL else probe.in_port
                data = frame_bytes(probe).hex()
                text = lab.run("ovs-appctl", "-t", str(control), "ofproto/trace", bridge, f"in_port={in_port}", data)
                assert int(re.findall(r"cookie (0x[0-9a-f]+)", text)[0], 16) == probe.rule.cookie, text
                out = f"in_port={in_port},packet={data},actions=table"
                lab.run("ovs-ofctl", "-O", "OpenFlow15", "packet-out", bridge, out)
            lab.run("ovs-appctl", "-t", str(control), "revalidator/purge")
            dump = lab.run("ovs-ofctl", "-O", "OpenFlow15", "dump-flows", bridge)
            counted = Counter()
            for line in dump.splitlines():
                if found := re.search(r"cookie=(0x[0-9a-f]+),.* n_packets=(\d+)", line):
                    counted[int(found[1], 16)] += int(found[2])
            assert counted == {rule.cookie: 1 for rule in table.rules}
            lab.run("ovs-ofctl", "-O", "OpenFlow15", "del-flows", bridge)
