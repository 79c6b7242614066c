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
from fabric.failures.cases import Cases, damage_of
from fabric.failures.choose import engine_of
from fabric.failures.part import Part
from fabric.failures.phases import sweep_phases
from fabric.failures.plain import PlainEngine
from fabric.failures.reaction import EXPORTED
from fabric.pipeline.prepared import prepare
from fabric.pipeline.run import run_scenario
from fabric.pipeline.tables import address_plans, plan_tables
from fabric.request import RouteRequest, TablesRequest
from fabric.rules.manifest import read_manifest
from fabric.rules.planned import PlannedRules
from fabric.scenario.load import load_scenario
from topologies.columns import column

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
CUTS = (("pod1/agg0", "core0"), ("pod0/edge1", "pod0/agg1"), ("pod2/agg1", "core3"))


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


def percents(parts: dict[int, float]) -> dict[int, float]:
    """Parts as FRR hands them to the kernel: whole percents of the sum, rounded down."""
    whole = {port: max(int(100 * part + 1e-9), 1) for port, part in parts.items()}
    return {port: weight / sum(whole.values()) for port, weight in whole.items()}


def kernel_loads(lab: RouterLab, pairs) -> tuple[np.ndarray, int]:
    """Loads of all links when every pair follows the kernels' routes by their weights, and pairs that lose anything."""
    topology = lab.plan.topology
    links, loads, lost = topology.links, np.zeros(len(topology.links)), 0
    tables = {node: lab.routes(node) for node in lab.switches}
    hops = {
        (node, dst): kernel_hops(tables[node], str(lab.plan.ipv4(dst))) for node in lab.switches for dst in lab.hosts
    }
    for pair in pairs:
        for src, dst, amount in zip(*pair.flows.rows(), strict=True):
            stack, arrived = [(int(lab.ports.links(int(src))[0]), 1.0)], 0.0
            while stack:
                link, part = stack.pop()
                loads[link] += part * amount * pair.gbps_per_unit
                node = int(links.dst[link])
                if not topology.nodes.forwards[node]:
                    arrived += part
                    continue
                stack += [(lab.ports.link(node, port), part * share) for port, share in hops[node, int(dst)].items()]
            lost += arrived < 1 - 1e-9
    return loads, lost


def test_kernel_routes_after_three_cuts_are_what_converged_says(scenario):
    """Every switch's kernel has the next hops of ``converged`` and its weights in whole percents, cut after cut.

    All-to-all walked along the kernels' routes loads every link as the converged engine does, to what percents round
    off: at most 2 % of a decision, in at most two decisions on the way up.
    """
    folder = export(scenario, "frr")
    (phase,) = sweep_phases(run_scenario(load_scenario(str(scenario), overrides=[]), RouteRequest()))
    plan = address_plans(load_scenario(str(scenario), overrides=[]), RouteRequest())[0]
    links, topology = plan.topology.links, plan.topology
    dead: list[int] = []
    with RouterLab(plan) as lab:
        lab.start_frr(folder)
        assert wait_for(lambda: agrees(lab, planned(scenario), within=0.011), 60)
        for number, (one, other) in enumerate(CUTS, 1):
            a, b = topology.node(one), topology.node(other)
            dead += np.flatnonzero((links.src == a) & (links.dst == b) | (links.src == b) & (links.dst == a)).tolist()
            lab.cut(int(np.flatnonzero((links.src == a) & (links.dst == b))[0]))
            after = planned(scenario, *(f"link={x}:{y}" for x, y in CUTS[:number]))
            assert wait_for(lambda after=after: agrees(lab, after, within=0.011), 60)
        for node in lab.switches:
            routes = lab.routes(node)
            for host in lab.hosts:
                address = str(plan.ipv4(host))
                assert kernel_hops(routes, address) == pytest.approx(percents(next_hops(after, node, address)))
        part = Part("link", "three", {"main": column(sorted(dead), np.int32)})
        damage = damage_of(Cases.single((part,)), "main")
        for engine in (PlainEngine(phase), engine_of(phase, EXPORTED, "frr")):
            utilisation = engine.utilisation(damage, 0)
            loads, lost = kernel_loads(lab, phase.intact.routed.pairs)
            assert lost == 0
            np.testing.assert_allclose(loads / 100, utilisation, rtol=0.04, atol=1e-9)
