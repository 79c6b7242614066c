"""Exported routes in Linux: static ones as they are, and BGP of FRR that converges to the planned next hops."""

from __future__ import annotations

import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path

import numpy as np
import pytest
from real_programs import SEARCHED, require
from router_lab import RouterLab, wait_for

from fabric.cli.main import run
from fabric.pipeline.prepared import prepare
from fabric.pipeline.tables import address_plans, plan_tables
from fabric.request import RouteRequest, TablesRequest
from fabric.rules.manifest import read_manifest
from fabric.rules.planned import PlannedRules
from fabric.scenario.load import load_scenario

require("vtysh", "zebra", "bgpd", "staticd", "ip", "ping", "sysctl")
pytestmark = pytest.mark.real_frr

SCENARIO = """\
version: 1
name: k4
fabrics:
  main:
    topology: {kind: fat-tree, radix: 4, speed: 100G}
    routing: {router: bgp-ucmp}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 MB}
"""
CUT = "link=pod1/agg0:core0"


@pytest.fixture
def scenario(tmp_path):
    """The scenario as a file."""
    path = tmp_path / "k4.fabric.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def export(scenario: Path, dialect: str) -> Path:
    """An export folder."""
    folder = scenario.parent / dialect
    assert run(["export", "routes", str(scenario), "--dialect", dialect, "-o", str(folder), "-q"]) == 0
    return folder


def planned(scenario: Path, *down: str) -> PlannedRules:
    """Tables with exact weights."""
    loaded = load_scenario(str(scenario), overrides=[])
    return plan_tables(prepare(loaded, RouteRequest(down=down)), TablesRequest(carrier="exact"))[0]


def next_hops(made: PlannedRules, node: int, address: str) -> dict[int, float]:
    """Ports and parts of an address by our table."""
    table = made.rules.make(node)
    number = int(ip_address(address))
    for rule in table.rules:  # highest priority first
        match = rule.match
        if match.family == 0 or (number >> (32 - match.dst_bits)) == (match.dst >> (32 - match.dst_bits)):
            break
    if rule.action.kind == "group":
        (group,) = [group for group in table.groups if group.id == rule.action.value]
        total = sum(bucket.weight for bucket in group.buckets)
        return {bucket.port: bucket.weight / total for bucket in group.buckets}
    return {rule.action.value: 1.0} if rule.action.kind == "output" else {}


def kernel_hops(routes: dict[str, dict[int, int]], address: str) -> dict[int, float]:
    """Ports and parts of an address by the kernel's routes."""
    matching = [ip_network(prefix) for prefix in routes if prefix != "default/32"]
    matching = [network for network in matching if ip_address(address) in network]
    if not matching:
        return {}
    ports = routes[str(max(matching, key=lambda network: network.prefixlen))]
    return {port: weight / sum(ports.values()) for port, weight in ports.items()}


def agrees(lab: RouterLab, made: PlannedRules, *, within: float) -> bool:
    """Whether every switch's kernel sends to every host as our tables say."""
    for node in lab.switches:
        routes = lab.routes(node)
        for host in lab.hosts:
            address = str(lab.plan.ipv4(host))
            ours, theirs = next_hops(made, node, address), kernel_hops(routes, address)
            if set(ours) != set(theirs) or any(abs(ours[port] - theirs[port]) > within for port in ours):
                return False
    return True


def test_configurations_pass_frrs_own_check(scenario):
    """``vtysh -C`` on every file."""
    folder = export(scenario, "frr")
    for entry in read_manifest(folder).switches:
        done = subprocess.run(
            ["vtysh", "-C", "-f", str(folder / "switches" / f"{entry.file}.conf")],
            capture_output=True, text=True, env={"PATH": SEARCHED}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_static_routes_are_taken_and_reach_everywhere(scenario):
    """The kernel's routes are our tables, and 16 hosts ping each other."""
    folder, made = export(scenario, "static"), planned(scenario)
    with RouterLab(made.plan) as lab:
        lab.load_static(folder)
        assert agrees(lab, made, within=1e-9)
        assert lab.ping_all() == []


def test_bgp_converges_to_the_plan_and_follows_a_failure(scenario):
    """20 routers. After a link of pod1/agg0 to the core is cut, edges of other pods send it 1 of 3, as planned.

    FRR keeps weights in percent, so parts agree to a percent. 3,000 flows from pod0/edge0 split that way within five
    standard deviations.
    """
    folder, made = export(scenario, "frr"), planned(scenario)
    topology = made.plan.topology
    plan = address_plans(load_scenario(str(scenario), overrides=[]), RouteRequest())[0]
    with RouterLab(plan) as lab:
        lab.start_frr(folder)
        assert wait_for(lambda: agrees(lab, made, within=0.011), 60)
        assert lab.ping_all() == []
        links = topology.links
        ends = (topology.node("pod1/agg0"), topology.node("core0"))
        lab.cut(int(np.flatnonzero((links.src == ends[0]) & (links.dst == ends[1]))[0]))
        after = planned(scenario, CUT)
        assert wait_for(lambda: agrees(lab, after, within=0.011), 60)
        assert lab.ping_all() == []
        edge, src, dst = (topology.node(name) for name in ("pod0/edge0", "pod0/edge0/h0", "pod1/edge1/h1"))
        parts = next_hops(after, edge, str(plan.ipv4(dst)))
        assert sorted(parts.values()) == pytest.approx([1 / 3, 2 / 3])
        ports = sorted(parts)
        before = lab.sent(edge, ports)
        lab.send(src, dst, flows=3000)
        sent = lab.sent(edge, ports) - before
        wanted = np.array([parts[port] for port in ports])
        assert sent.sum() >= 3000
        assert np.all(np.abs(sent / sent.sum() - wanted) <= 5 * np.sqrt(wanted * (1 - wanted) / sent.sum()) + 0.01)
