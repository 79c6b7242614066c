"""Exports for SONiC: what the configuration says makes hosts reach each other, on Linux and FRR."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from real_programs import require
from router_lab import wait_for
from sonic_lab import SonicLab

from fabric.cli.main import run
from fabric.pipeline.tables import address_plans
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario

require("vtysh", "zebra", "bgpd", "staticd", "ip", "ping", "sysctl")
pytestmark = pytest.mark.real_frr

SCENARIO = """\
version: 1
name: pod
nodes:
  - {group: gpu, count: 6, nics: {main: {speed: 100G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 3, spines: 2, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 MB}
"""


def test_sites_are_announced_and_first_pings_are_answered(tmp_path: Path) -> None:
    """Three leaves, two spines: every leaf learns the other sites over both spines; nothing is set by hand."""
    scenario, folder = tmp_path / "pod.fabric.yaml", tmp_path / "sonic"
    scenario.write_text(SCENARIO, encoding="utf-8")
    words = ["export", "routes", str(scenario), "--dialect", "sonic", "--family", "both", "-o", str(folder), "-q"]
    assert run(words) == 0
    plan = address_plans(load_scenario(str(scenario), overrides=[]), RouteRequest())[0]
    with SonicLab(plan) as lab:
        lab.start_sonic(folder)
        leaves = [plan.topology.node(f"leaf{index}") for index in range(3)]

        def ways(node: int, family: int) -> list[int]:
            """Next hops of each prefix that BGP brought, loopbacks aside."""
            rows = json.loads(lab.run(node, "ip", "-j", f"-{family}", "route", "show", "proto", "bgp") or "[]")
            whole = {"/32", "/128"}
            return [
                len(row.get("nexthops", [row])) for row in rows if "/" in row["dst"] and row["dst"][-3:] not in whole
            ]

        assert wait_for(lambda: all(ways(leaf, family) == [2, 2] for leaf in leaves for family in (4, 6)), 60)
        assert lab.ping_all() == []
