"""Switches that nobody tells a hash seed: loads are those that the export reports, on Open vSwitch and on Linux."""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from ovs_lab import OvsLab
from real_programs import require
from router_lab import RouterLab, wait_for

from fabric.cli.main import run
from fabric.pipeline.prepared import prepare
from fabric.pipeline.tables import plan_tables
from fabric.request import RouteRequest, TablesRequest
from fabric.rules.manifest import read_manifest
from fabric.rules.openflow13.session import Endpoint, Session
from fabric.rules.planned import PlannedRules
from fabric.scenario.load import load_scenario

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ip", "ping", "ethtool", "sysctl")
pytestmark = pytest.mark.real_ovs

FAT_TREE = """\
version: 1
name: ft4
fabrics:
  net:
    topology: {kind: fat-tree, radix: 4, speed: 100G}
    routing: {router: ecmp}
workloads:
  - {id: a2a, kind: all-to-all, fabric: net, size: 1 GB}
"""
_SEND = """
import socket, sys, time
first, count, targets = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
for port in range(first, first + count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.bind(("", port))
        for target in targets:
            out.sendto(b"x" * 64, (target, 4791))
            time.sleep(0.003)
"""


def planned(tmp_path: Path, **tables: object) -> tuple[Path, PlannedRules]:
    """The scenario's file, and its tables."""
    scenario = tmp_path / "ft4.fabric.yaml"
    scenario.write_text(FAT_TREE, encoding="utf-8")
    prepared = prepare(load_scenario(str(scenario), overrides=[]), RouteRequest())
    return scenario, plan_tables(prepared, TablesRequest(**tables))[0]  # type: ignore[arg-type]


def send_all(spaces: Mapping[int, str], address: Callable[[int], object], *, ports: int, first: int = 20_000) -> None:
    """Every host sends to every other, a packet from each of some UDP source ports."""
    running = []
    for host, space in spaces.items():
        targets = [str(address(other)) for other in spaces if other != host]
        words = ["ip", "netns", "exec", space, "python3", "-c", _SEND, str(first), str(ports), *targets]
        running.append(subprocess.Popen(words))
    for process in running:
        assert process.wait(timeout=60) == 0


def of_capacity(made: PlannedRules, packets: Mapping[tuple[int, int], int]) -> np.ndarray:
    """Packets by (switch, port) as parts of capacity, scaled to what the plan sends between switches, shape (L,)."""
    topology, ports = made.plan.topology, made.rules.ports
    links, forwards = topology.links, topology.nodes.forwards
    inner = np.flatnonzero(forwards[links.src] & forwards[links.dst])
    sent = np.zeros(len(links))
    for link in inner.tolist():
        sent[link] = packets[int(links.src[link]), int(ports.of_link[link])]
    sent *= made.planned_gbps[inner].sum() / sent.sum()
    return sent / topology.links.capacity_gbps


def test_open_vswitch_without_a_basis_carries_what_the_export_says(tmp_path):
    """All pairs over messages of OpenFlow 1.3: which links are full and which stay empty is that of links.csv.

    UDP ports are no part of the hash there, so that the pairs of addresses are the flows: the fullest link is among
    the draws over them. The plan is wrong by 80 of 80 Gbps on every link to the core.
    """
    scenario, made = planned(tmp_path, hash_seeds="nobody")
    out = tmp_path / "out"
    words = ["export", "openflow", str(scenario), "--dialect", "of13-binary", "-o", str(out), "-q"]
    assert run(words) == 0
    plan = made.plan
    with OvsLab(plan) as lab:
        for entry in read_manifest(out).switches:
            path = f"{lab.folder}/{lab.bridge(plan.topology.node(entry.name))}.mgmt"
            with Session(Endpoint("unix", path)) as session:
                session.send((out / f"switches/{entry.file}.of13").read_bytes())
                assert session.barrier() == []
        before = {node: lab.sent_packets(node) for node in plan.switches.tolist()}
        send_all(lab.host_names, plan.ipv4, ports=2)
        packets = {
            (node, port): count - before[node].get(port, 0)
            for node in plan.switches.tolist()
            for port, count in lab.sent_packets(node).items()
        }
    measured = of_capacity(made, packets)
    with (out / "links.csv").open(newline="", encoding="utf-8") as file:
        said = np.array([float(row["programmed_utilisation"]) for row in csv.DictReader(file)])
    to_core = said[made.planned_gbps == 80.0]
    assert sorted(set(to_core.round(6))) == [0.0, 1.6]
    chosen = measured[made.planned_gbps == 80.0]
    assert chosen[to_core == 0.0].max() < 0.1
    assert chosen[to_core == 1.6].min() > 0.7
    assert made.alike.drawn[0] - 0.05 <= measured.max() <= made.alike.drawn[-1] + 0.05


class Routers(RouterLab):
    """Hosts with nothing but their NICs."""

    def _address_host(self, node: int) -> None:
        pass


def test_linux_with_the_seeds_of_the_export_and_with_one_seed(tmp_path):
    """Static routes, settings and hosts of the export: all answer, IPv4 and IPv6, and loads are those of links.csv.

    240 pairs x 12 ports: a link to the core gets 192 x 12 / 8 packets or so, 80 Gbps within five standard deviations.
    With one seed on all switches they are those of a shared hash, 160 or nothing.
    """
    scenario, made = planned(tmp_path, carrier="exact", families=(4, 6))
    out = tmp_path / "out"
    words = ["export", "routes", str(scenario), "--dialect", "static", "--family", "both", "-o", str(out), "-q"]
    assert run(words) == 0
    plan = made.plan
    with Routers(plan) as lab:
        lab.load_static(out)
        for entry in read_manifest(out).switches:
            lab.run(plan.topology.node(entry.name), "sysctl", "-q", "-p", str(out / "sysctl" / f"{entry.file}.conf"))
        for host in lab.hosts:
            lab.run(host, "sh", str(out / "hosts/apply.sh"), plan.topology.nodes.name[host])
        assert wait_for(lambda: lab.ping_all() == [], 20)
        for host in lab.hosts[1::5]:
            lab.run(lab.hosts[0], "ping", "-6", "-n", "-c", "1", "-W", "2", str(plan.ipv6(host)))
        separate = _loads(lab, made)
        np.testing.assert_allclose(separate, made.separate_gbps / 100, atol=0.25)
        for node in lab.switches:
            lab.run(node, "sysctl", "-q", "-w", "net.ipv4.fib_multipath_hash_seed=7")
        alike = _loads(lab, made)
        np.testing.assert_allclose(alike, made.alike.gbps / 100, atol=0.25)
        assert made.alike.gbps.max() == pytest.approx(160)


def _sent(lab: RouterLab, node: int) -> dict[int, int]:
    """Packets sent out of every port so far."""
    rows = [line.split() for line in lab.run(node, "cat", "/proc/net/dev").splitlines()]
    return {int(row[0][3:-1]): int(row[10]) for row in rows if re.fullmatch(r"eth\d+:", row[0])}


def _loads(lab: RouterLab, made: PlannedRules) -> np.ndarray:
    counted = {node: list(range(1, len(lab.ports.links(node)) + 1)) for node in lab.switches}
    before = {node: _sent(lab, node) for node in counted}
    send_all({host: lab.space(host) for host in lab.hosts}, made.plan.ipv4, ports=12)
    after = {node: _sent(lab, node) for node in counted}
    packets = {
        (node, port): after[node][port] - before[node][port] for node, ports in counted.items() for port in ports
    }
    links, forwards = made.plan.topology.links, made.plan.topology.nodes.forwards
    loads = of_capacity(made, packets)
    return np.where(forwards[links.src] & forwards[links.dst], loads, made.planned_gbps / 100)
