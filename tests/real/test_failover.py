"""What exported tables do when a link dies, in Open vSwitch and in Linux, against reaction ``exported``."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from ovs_lab import OvsLab
from real_programs import require
from router_lab import RouterLab, wait_for

from fabric.cli.main import run
from fabric.failures.cases import Cases, damage_of
from fabric.failures.choose import engine_of
from fabric.failures.exported import ExportedEngine
from fabric.failures.part import Part
from fabric.failures.phases import sweep_phases
from fabric.failures.reaction import EXPORTED
from fabric.pipeline.run import run_scenario
from fabric.pipeline.tables import address_plans
from fabric.request import RouteRequest
from fabric.rules.dialects.ovs import read
from fabric.rules.manifest import read_manifest
from fabric.scenario.load import load_scenario
from topologies.columns import column

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ip", "ping", "ethtool", "sysctl")
pytestmark = pytest.mark.real_ovs

SCENARIO = """\
version: 1
name: k4
fabrics:
  main:
    topology: {kind: fat-tree, radix: 4, speed: 100G}
    routing: {router: ecmp}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 MB}
"""
CUTS = (("pod0/edge0", "pod0/agg0"), ("pod2/agg1", "core3"))
SLOTS = 16


def export(folder: Path, form: str, dialect: str) -> tuple[Path, Path]:
    """Scenario file and export folder."""
    scenario, out = folder / "k4.fabric.yaml", folder / "out"
    scenario.write_text(SCENARIO, encoding="utf-8")
    assert run(["export", form, str(scenario), "--dialect", dialect, "-o", str(out), "-q"]) == 0
    return scenario, out


def cable(topology, ends) -> list[int]:
    """Both directions between two switches."""
    one, other = (topology.node(name) for name in ends)
    links = topology.links
    return sorted(np.flatnonzero((links.src == one) & (links.dst == other) | (links.src == other) & (links.dst == one)))


def exported(scenario: Path, dialect: str, cuts) -> tuple[ExportedEngine, np.ndarray, np.ndarray]:
    """The engine, loads of the links before, and after cuts."""
    (phase,) = sweep_phases(run_scenario(load_scenario(str(scenario)), RouteRequest()))
    engine = engine_of(phase, EXPORTED, dialect)
    dead = np.concatenate([cable(phase.topology, ends) for ends in cuts])
    part = Part("link", "cuts", {"main": column(np.sort(dead), np.int32)})
    _, after = engine.carried(damage_of(Cases.single((part,)), "main"), 0)
    return engine, engine.phase.intact.link_gbps.sum(axis=1), after.link_gbps.sum(axis=1)


class TracedLoads:
    """Loads of all links by the port that a switch itself says it takes for every destination and slot of its hash."""

    def __init__(self, lab: OvsLab, folder: Path) -> None:
        self.lab, self.topology = lab, lab.plan.topology
        self.groups = {
            lab.plan.topology.node(entry.name): {
                group.id: [bucket.port for bucket in group.buckets] for group in read(folder, entry.file)[1]
            }
            for entry in read_manifest(folder).switches
        }
        self.known: dict[tuple[int, int], dict[int, float]] = {}

    def ports(self, switch: int, dst: int) -> dict[int, float]:
        """Parts of a switch's ports for a destination, by asking about every slot."""
        if (switch, dst) in self.known:
            return self.known[switch, dst]
        found: dict[int, float] = {}
        for slot in range(1, SLOTS + 1):  # a hash of 0 is none
            flow = f"udp,in_port=LOCAL,nw_src=10.99.0.1,nw_dst={self.lab.plan.ipv4(dst)},dp_hash={slot}"
            text = self.lab.trace(switch, flow)
            group, bucket = re.search(r"\bgroup:(\d+)", text), re.findall(r"using bucket (\d+)", text)
            if group:
                ports = self.groups[switch][int(group[1])]
                port = ports[int(bucket[-1])] if bucket else 0
            else:
                output = re.search(r"\boutput:(\d+)", text)
                port = int(output[1]) if output else 0
            found[port] = found.get(port, 0.0) + 1 / SLOTS
        self.known[switch, dst] = found
        return found

    def carried(self, pairs, dead) -> np.ndarray:
        """Follow every pair of hosts; what is sent out of a dead port is lost."""
        links, ports = self.topology.links, self.lab.ports
        loads = np.zeros(len(links))
        self.known.clear()
        for pair in pairs:
            for src, dst, amount in zip(*pair.flows.rows(), strict=True):
                stack = [(int(ports.links(int(src))[0]), amount * pair.gbps_per_unit)]
                while stack:
                    link, gbps = stack.pop()
                    loads[link] += gbps
                    node = int(links.dst[link])
                    if not self.topology.nodes.forwards[node]:
                        assert node == dst
                        continue
                    for port, part in self.ports(node, int(dst)).items():
                        onward = ports.link(node, port) if port else -1
                        if onward >= 0 and onward not in dead:
                            stack.append((onward, gbps * part))
        return loads


def test_open_vswitch_carries_what_exported_says_before_and_after_two_ports_go_down(tmp_path):
    """20 switches, every slot of every destination by ``ofproto/trace``: loads of all 96 directed links agree.

    1,000 packets from another pod to a host below the cut: those that came by its aggregation switch are lost, half.
    """
    scenario, out = export(tmp_path, "openflow", "ovs")
    plan = address_plans(load_scenario(str(scenario)), RouteRequest())[0]
    engine, before, after = exported(scenario, "ovs", CUTS)
    pairs = engine.walk.pairs
    with OvsLab(plan) as lab:
        lab.load(out)
        traced = TracedLoads(lab, out)
        np.testing.assert_allclose(traced.carried(pairs, ()), before, atol=1e-9)
        dead: list[int] = []
        for ends in CUTS:
            dead += cable(plan.topology, ends)
            lab.cut(dead[-1])
        np.testing.assert_allclose(traced.carried(pairs, dead), after, atol=1e-9)
        src, dst = (plan.topology.node(name) for name in ("pod3/edge1/h1", "pod0/edge0/h0"))
        count = int(lab.on_host(dst, "cat", "/sys/class/net/eth0/statistics/rx_packets"))
        lab.send(src, dst, flows=1000)
        arrived = int(lab.on_host(dst, "cat", "/sys/class/net/eth0/statistics/rx_packets")) - count
        assert arrived == pytest.approx(500, abs=5 * np.sqrt(250) + 10)


def test_linux_leaves_a_next_hop_whose_cable_is_cut_at_the_far_end(tmp_path):
    """With the settings of the export a switch divides over what is left, as exported says; without them it goes on
    sending half of all flows into the cable that has no carrier."""
    scenario, out = export(tmp_path, "routes", "static")
    plan = address_plans(load_scenario(str(scenario)), RouteRequest())[0]
    engine, before, after = exported(scenario, "static", CUTS[:1])
    topology = plan.topology
    edge, agg = (topology.node(name) for name in CUTS[0])
    up = np.flatnonzero((topology.links.src == edge) & (topology.direction > 0))
    assert after[up].max() == pytest.approx(2 * before[up].max())
    with RouterLab(plan) as lab:
        lab.load_static(out)
        away = next(str(plan.ipv4(host)) for host in lab.hosts if topology.nodes.name[host].startswith("pod3"))
        file = next(entry.file for entry in read_manifest(out).switches if entry.name == CUTS[0][0])

        def taken() -> set[str]:
            """Interfaces that the kernel takes for many flows to another pod."""
            texts = (
                lab.run(edge, "ip", "route", "get", away, "ipproto", "udp", "sport", str(port), "dport", "4791")
                for port in range(20000, 20030)
            )
            return {match[1] for text in texts if (match := re.search(r"dev (\S+)", text))}

        lab.run(edge, "sysctl", "-qw", "net.ipv4.fib_multipath_hash_policy=1")
        names = {f"eth{lab.ports.of_link[link]}" for link in up.tolist()}
        assert taken() == names
        (link,) = [link for link in cable(topology, CUTS[0]) if topology.links.src[link] == agg]
        far = f"eth{lab.ports.of_link[link]}"
        lab.run(agg, "ip", "link", "set", far, "down")
        assert wait_for(lambda: "linkdown" in lab.run(edge, "ip", "route"), 5)
        assert taken() == names  # the kernel sees that the carrier is gone, and sends there all the same
        lab.run(agg, "ip", "link", "set", far, "up")
        lab.run(edge, "sysctl", "-q", "-p", str(out / "sysctl" / f"{file}.conf"))
        assert wait_for(lambda: "linkdown" not in lab.run(edge, "ip", "route"), 5)
        lab.run(agg, "ip", "link", "set", far, "down")
        assert wait_for(lambda: len(taken()) == 1, 5)
