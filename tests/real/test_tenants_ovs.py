"""Exported tables with tenants in Open vSwitch: who answers a ping, and where packets of a counter-example go."""

from __future__ import annotations

import json
import re
import subprocess
from ipaddress import ip_network

import pytest
from ovs_lab import OvsLab
from real_programs import require
from rule_cases import verdict_on

from fabric.cli.main import run
from fabric.pipeline.tables import export_baseline
from fabric.scenario.load import load_scenario

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ip", "ping", "ethtool")
pytestmark = pytest.mark.real_ovs

SCENARIO = """\
version: 1
name: shared
fabrics:
  main:
    topology: {kind: leaf-spine, leaf: {count: 2, radix: 8, speed: 100G, down: 3, up: 4},
               spine: {count: 2, radix: 8, speed: 100G}}
nodes:
  - {group: h, count: 6, nics: {main: {speed: 100G}}}
tenants:
  - {name: hospital, members: "h[0,3]"}
  - {name: bank, members: "h[1,4]"}
  - {name: storage, members: h5, shared_with: [hospital, bank]}
"""
MEET = {("h0", "h3"), ("h1", "h4"), ("h0", "h5"), ("h3", "h5"), ("h1", "h5"), ("h4", "h5")}  # h2 is of no tenant


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Scenario, folder and plan of an export, both IP versions."""
    folder = tmp_path_factory.mktemp("ovs-tenants")
    path, out = folder / "shared.fabric.yaml", folder / "out"
    path.write_text(SCENARIO, encoding="utf-8")
    assert run(["export", "openflow", str(path), "--family", "both", "-o", str(out), "-q"]) == 0
    return path, out, export_baseline(out, load_scenario(str(path), overrides=[])).plan


@pytest.fixture(scope="module")
def lab(exported):
    """Four bridges and six hosts with the exported tables."""
    _, out, plan = exported
    with OvsLab(plan, wires="patch") as made:
        made.load(out)
        yield made


def answered(lab, family=4):
    """Pairs of hosts that answer each other, each once; a ping needs both directions."""
    names = list(lab.host_names)
    running = []
    for src in names:
        for dst in names:
            if src < dst:
                to = str(lab.plan.ipv4(dst) if family == 4 else lab.plan.ipv6(dst))
                command = [
                    "ip",
                    "netns",
                    "exec",
                    lab.host_names[src],
                    "ping",
                    f"-{family}",
                    "-n",
                    "-c",
                    "2",
                    "-i",
                    "0.2",
                ]
                quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
                running.append((src, dst, subprocess.Popen([*command, "-W", "1", to], **quiet)))
    name = lab.plan.topology.nodes.name
    return {(name[src], name[dst]) for src, dst, process in running if process.wait(30) == 0}


@pytest.mark.parametrize("family", [4, 6])
def test_hosts_of_one_tenant_answer_and_those_of_others_do_not(lab, family):
    """15 pairs, 6 of which meet."""
    assert answered(lab, family) == MEET


def test_bridges_have_the_rules_of_the_files(lab, exported):
    """No flow of a file that a bridge has not, and none that it has besides."""
    _, out, plan = exported
    for node in plan.switches.tolist():
        assert lab.diff_flows(lab.bridge(node), out / "switches" / f"{plan.topology.nodes.name[node]}.flows") == ""


def test_with_an_uplink_cut_the_same_pairs_answer(lab, exported):
    """leaf0's first uplink goes down: groups leave it, tenants meet as before."""
    _, _, plan = exported
    leaf = plan.topology.node("leaf0")
    port = lab.port_name(leaf, 4)
    lab.run("ovs-ofctl", "-O", "OpenFlow13", "mod-port", lab.bridge(leaf), port, "down")
    try:
        assert answered(lab) == MEET
    finally:
        lab.run("ovs-ofctl", "-O", "OpenFlow13", "mod-port", lab.bridge(leaf), port, "up")


def test_the_packet_of_a_counter_example_takes_its_hops_through_the_bridges(lab, exported):
    """One rule at a port taken out of the file and the bridge: ofproto/trace meets the rules that are named."""
    path, out, plan = exported
    flows = out / "switches" / "leaf0.flows"
    kept = flows.read_text()
    theirs = plan.ipv4(plan.topology.node("h4"))
    prefix = re.compile(r"in_port=1,nw_dst=([0-9./]+)")
    lines = kept.splitlines(keepends=True)
    gone = [line for line in lines if (match := prefix.search(line)) and theirs in ip_network(match[1])]
    assert len(gone) == 1
    flows.write_text("".join(line for line in lines if line not in gone))
    try:
        found = verdict_on(path, out).isolation.crossings
        one = next(one for one in found if (one.src, one.dst_tenant, one.packet.family) == ("h0", "bank", 4))
        assert (one.packet.dst_text, len(one.hops)) == (str(theirs), 3)
        lab.load(out)
        for hop in one.hops:
            packet = f"udp,in_port={hop.in_port},nw_src={one.packet.src_text},nw_dst={one.packet.dst_text},nw_ttl=64"
            text = lab.trace(plan.topology.node(hop.switch), packet)
            assert f"priority {hop.rule.priority}" in text
            # Of this bridge first; a group hashes again, where the trace ends.
            acts = re.findall(r"(output|group):(\d+)", text)
            assert acts[0] == (hop.rule.action.kind, str(hop.rule.action.value))
        assert acts == [("output", str(one.hops[-1].out_port))]
        assert one.hops[-1].to == "h4"
    finally:
        flows.write_text(kept)
        lab.load(out)
    assert answered(lab) == MEET


def test_a_push_reads_the_rules_at_ports_back_and_has_nothing_to_send(lab, exported, capsys):
    """OpenFlow 1.3 statistics of the bridges that load.sh filled are the tables of the files."""
    _, out, plan = exported
    names = [plan.topology.nodes.name[node] for node in plan.switches.tolist()]
    sockets = [f"{name}=unix:{lab.folder / lab.bridge(plan.topology.node(name))}.mgmt" for name in names]
    capsys.readouterr()
    assert run(["push", str(out), *(word for one in sockets for word in ("--switch", one)), "--json"]) == 0
    items = json.loads(capsys.readouterr().out)["items"]
    assert [(item["state"], item["confirmed"], item["missing"], item["unexpected"]) for item in items] == [
        ("done", 0, 0, 0)
    ] * len(names)
