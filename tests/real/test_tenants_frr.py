"""Exported VRFs in FRR: real BGP per VRF, who answers a ping, and the way of a counter-example."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from real_programs import SEARCHED, require
from router_lab import wait_for
from sonic_vrf_lab import SonicVrfLab
from vrf_lab import VrfLab

from fabric.cli.main import run
from fabric.pipeline.tables import export_baseline
from fabric.rules.export_baseline import ExportBaseline
from fabric.rules.manifest import read_manifest
from fabric.rules.verify.vrf_proof import prove_vrfs
from fabric.scenario.load import load_scenario

require("vtysh", "zebra", "bgpd", "staticd", "ip", "ping", "sysctl", "nsenter", "unshare")
pytestmark = pytest.mark.real_frr

SCENARIO = """\
version: 1
name: two
fabrics:
  main:
    topology: {kind: leaf-spine, leaf: {count: 2, radix: 8, speed: 100G, down: 2, up: 2},
               spine: {count: 2, radix: 8, speed: 100G}}
nodes:
  - {group: h, count: 4, nics: {main: {speed: 100G}}}
tenants:
  - {name: hospital, members: "h[0,2]"}
  - {name: bank, members: "h[1,3]"}
"""
SHARED = SCENARIO.replace('"h[1,3]"}', "h1}\n  - {name: storage, members: h3, shared_with: all}")


def export(folder: Path, text: str = SCENARIO, *flags: str) -> tuple[Path, ExportBaseline]:
    """An export folder, with its addresses and tenants."""
    path, out = folder / "two.fabric.yaml", folder / "out"
    path.write_text(text, encoding="utf-8")
    assert run(["export", "routes", str(path), "-o", str(out), "-q", *flags]) == 0
    return out, export_baseline(out, load_scenario(str(path), overrides=[]))


@pytest.mark.parametrize("router", ["ecmp", "bgp-ucmp"])
def test_configurations_with_vrfs_pass_frrs_own_check(tmp_path, router):
    """``vtysh -C`` on every file, with routes into the VRF of a shared service, both IP versions."""
    out, _ = export(tmp_path, SHARED, "--family", "both", "--router", router)
    texts = []
    for entry in read_manifest(out).switches:
        path = out / "switches" / f"{entry.file}.conf"
        done = subprocess.run(
            ["vtysh", "-C", "-f", str(path)], capture_output=True, text=True, env={"PATH": SEARCHED}, check=False
        )
        assert done.returncode == 0, done.stderr
        texts.append(path.read_text())
    assert any("nexthop-vrf vrf-storage" in text for text in texts)


def answered(lab: VrfLab) -> set[tuple[str, str]]:
    """Pairs of hosts that answer each other, each once; a ping needs both directions."""
    names = lab.plan.topology.nodes.name
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = [
        (names[src], names[dst], subprocess.Popen(
            ["ip", "netns", "exec", lab.space(src), "ping", "-n", "-c", "2", "-i", "0.2", "-W", "1",
             str(lab.plan.ipv4(dst))], **quiet,
        )) for src in lab.hosts for dst in lab.hosts if src < dst
    ]  # fmt: skip
    return {(src, dst) for src, dst, process in running if process.wait(30) == 0}


def ways(lab: VrfLab, leaf: str, vrf: str) -> dict[str, int]:
    """Prefixes that BGP brought to a VRF of a leaf, with the number of their next hops."""
    text = lab.inside(lab.plan.topology.node(leaf), "ip", "-n", vrf, "-j", "-4", "route", "show", "proto", "bgp")
    return {row["dst"]: len(row.get("nexthops", [row])) for row in json.loads(text or "[]")}


def test_each_vrf_learns_its_tenants_hosts_over_all_spines_and_others_do_not_answer(tmp_path):
    """Two leaves, two spines, two tenants of a host at each leaf: 2 of 6 pairs meet, with a link cut as well."""
    out, ground = export(tmp_path)
    host = {name: str(ground.plan.ipv4(ground.plan.topology.node(name))) for name in ("h0", "h1", "h2", "h3")}
    with VrfLab(ground.plan) as lab:
        lab.start_vrfs(out)
        wanted = {("leaf0", "vrf-hospital"): "h2", ("leaf0", "vrf-bank"): "h3"}
        wanted |= {("leaf1", "vrf-hospital"): "h0", ("leaf1", "vrf-bank"): "h1"}
        assert wait_for(lambda: all(ways(lab, *at) == {host[name]: 2} for at, name in wanted.items()), 40)
        assert answered(lab) == {("h0", "h2"), ("h1", "h3")}
        lab.cut_vlans("leaf0", 3)
        assert wait_for(lambda: ways(lab, "leaf1", "vrf-hospital") == {host["h0"]: 1}, 20)
        assert answered(lab) == {("h0", "h2"), ("h1", "h3")}


def test_vlans_swapped_at_one_end_join_two_tenants_as_the_counter_example_says(tmp_path):
    """Of eth3 and eth4 at leaf0: BGP comes up between VRFs of two tenants, and h0 answers h3 as h1 answers h2."""
    out, ground = export(tmp_path)
    path = out / "links" / "leaf0.ip"
    other = {"101": "102", "102": "101"}
    path.write_text(re.sub(r"vlan id (\d+)", lambda match: f"vlan id {other[match[1]]}", path.read_text()))
    found = prove_vrfs(out, ground.manifest, ground.plan, ground.tenancy).crossings
    assert {(one.src, one.dst) for one in found} <= {("h0", "h3"), ("h3", "h0"), ("h1", "h2"), ("h2", "h1")}
    assert {(one.src_tenant, one.dst_tenant) for one in found} == {("hospital", "bank"), ("bank", "hospital")}
    with VrfLab(ground.plan) as lab:
        lab.start_vrfs(out)
        h3 = str(ground.plan.ipv4(ground.plan.topology.node("h3")))
        assert wait_for(lambda: ways(lab, "leaf0", "vrf-hospital").get(h3) == 2, 40)
        assert wait_for(lambda: answered(lab) == {("h0", "h3"), ("h1", "h2")}, 20)


def test_sites_of_every_vrf_of_sonic_are_announced_and_others_do_not_answer(tmp_path):
    """The same fabric by ``config_db.json``: nothing is set by hand; VLANs of two VRFs have one gateway address."""
    out, ground = export(tmp_path, SCENARIO, "--dialect", "sonic")
    with SonicVrfLab(ground.plan) as lab:
        lab.start_sonic_vrfs(out)
        sites = [f"10.64.0.{8 * index}/29" for index in (1, 0)]
        at = [(leaf, vrf) for leaf in ("leaf0", "leaf1") for vrf in ("Vrf-hospital", "Vrf-bank")]
        assert wait_for(lambda: all(ways(lab, *one) == {sites[one[0] == "leaf1"]: 2} for one in at), 40)
        assert answered(lab) == {("h0", "h2"), ("h1", "h3")}
