"""The folder ``hosts/`` of an export: after ``load.sh`` and ``apply.sh`` every endpoint answers every other."""

from __future__ import annotations

from pathlib import Path

import pytest
from ovs_lab import OvsLab
from real_programs import require

from fabric.cli.main import run
from fabric.pipeline.tables import address_plans
from fabric.request import RouteRequest
from fabric.rules.addressing import AddressPlan
from fabric.scenario.load import load_scenario

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ip", "ping", "ethtool", "sysctl")
pytestmark = pytest.mark.real_ovs

POD = """\
version: 1
name: pod
fabrics:
  net:
    topology: {kind: leaf-spine, leaves: 3, spines: 2, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
    routing: {router: wcmp}
nodes:
  - {group: hosts, count: 6, nics: {net: {speed: 100G}}}
workloads:
  - {id: a2a, kind: all-to-all, fabric: net, rate: 30 Gb/s}
"""
DUAL_HOMED = """\
version: 1
name: dual
nodes:
  - {group: osd, count: 3, nics: {net: {count: 2, speed: 100G}}}
  - {group: gpu, count: 2, nics: {net: {speed: 100G}}}
fabrics:
  net:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 4, host_speed: 100G, uplink_speed: 100G,
               dual_home: [osd]}
workloads:
  - {id: a2a, kind: all-to-all, fabric: net, size: 1 GB}
"""
RAILS = """\
version: 1
name: rails
nodes:
  - {group: gpu, count: 4, gpus: 2, nics: {net: {count: 2, speed: 100G, rail: per-gpu}}}
fabrics:
  net:
    topology:
      kind: rail-optimised
      tiers: 2
      nodes_per_unit: 2
      leaf: {radix: 4, speed: 100G, down: 2, up: 2}
      spine: {radix: 4, speed: 100G, count: 2}
workloads:
  - {id: a2a, kind: all-to-all, fabric: net, size: 1 GB}
"""


class BareHosts(OvsLab):
    """Machines with their NICs, ``nicN`` for their Nth, and nothing else: what they need is in the export."""

    def __init__(self, plan: AddressPlan) -> None:
        super().__init__(plan)
        self.machines: dict[str, str] = {}  # namespace by name of the machine
        self.interfaces: dict[int, list[str]] = {}  # of every endpoint, in the order of its ports

    def _host(self, node: int, port: str) -> list[str]:
        machine = self.plan.topology.nodes.name[node].partition(".nic")[0]
        if machine not in self.machines:
            self.machines[machine] = f"{self.name}h{len(self.machines)}"
            self._space(self.machines[machine])
        self.host_names[node] = self.machines[machine]
        inside = self._interface(machine, node, port)
        return [
            f"link add {port} type veth peer name {inside} netns {self.machines[machine]}",
            f"link set {port} up",
        ]

    def _interface(self, machine: str, node: int, port: str) -> str:
        """Name of a NIC; its place among those of the endpoint is its port's number."""
        switch, number = port[1:].split("p")
        link = self.ports.link(int(self.plan.switches[int(switch)]), int(number))
        own = int(self.ports.of_link[int(self.plan.topology.links.reverse[link])])
        taken = sum(len(names) for other, names in self.interfaces.items() if other != node and (
            self.host_names[other] == self.machines[machine]
        ))  # fmt: skip
        names = self.interfaces.setdefault(node, [""] * len(self.ports.links(node)))
        names[own - 1] = f"nic{taken + own}"
        return names[own - 1]

    def _address(self, node: int) -> None:
        for nic in self.interfaces[node]:  # of the lab: checksums of veths, see OvsLab
            self.on_host(node, "ethtool", "-K", nic, "tx", "off", "tso", "off", "gso", "off")

    def apply(self, folder: Path) -> None:
        """Run ``apply.sh`` for every endpoint, on its machine."""
        for node in self.host_names:
            names = [f"eth{number}={nic}" for number, nic in enumerate(self.interfaces[node], 1)]
            self.on_host(node, "sh", str(folder / "hosts/apply.sh"), self.plan.topology.nodes.name[node], *names)


def exported(tmp_path: Path, text: str, *words: str) -> tuple[AddressPlan, Path]:
    """Addresses, and an export folder for both IP versions."""
    scenario, out = tmp_path / "lab.fabric.yaml", tmp_path / "out"
    scenario.write_text(text, encoding="utf-8")
    assert run(["export", *words[:1], str(scenario), "--family", "both", "-o", str(out), "-q", *words[1:]]) == 0
    return address_plans(load_scenario(str(scenario), overrides=[]), RouteRequest())[0], out


@pytest.mark.parametrize("text", [POD, DUAL_HOMED, RAILS], ids=["pod", "dual-homed", "rails"])
def test_after_loading_and_applying_all_answer(tmp_path, text):
    """Every endpoint pings every other, IPv4 and IPv6; once more after all has been applied again."""
    plan, folder = exported(tmp_path, text, "openflow")
    with BareHosts(plan) as lab:
        lab.load(folder)
        lab.apply(folder)
        assert lab.ping_all() == []
        assert lab.ping_all(family=6) == []
        lab.apply(folder)
        lab.settle()
        assert lab.ping_all(family=6) == []
