"""VRFs per tenant in SONiC's configuration: what is in it, and what the proof finds in edited ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rule_cases import SCENARIOS
from tenant_cases import SHARED, tenant_file

from fabric.cli.main import run
from fabric.pipeline.tables import export_baseline
from fabric.rules.errors import RuleError
from fabric.rules.verify.vrf_proof import prove_vrfs
from fabric.scenario.load import load_scenario

# leaf0 has a0 of hospital and a1 of bank, leaf1 b0 of bank and b1 of hospital, leaf2 s0 of storage and free0.
APART = SHARED.replace(", shared_with: [hospital, bank]", "")
Config = dict[str, Any]


@pytest.fixture
def made(tmp_path):
    """Folder of an export, and its ground."""
    path, out = tenant_file(tmp_path, APART), tmp_path / "out"
    assert run(["export", "routes", str(path), "--dialect", "sonic", "-o", str(out), "-q"]) == 0
    return out, export_baseline(out, load_scenario(str(path), overrides=[]))


def edit(out: Path, name: str, change: Callable[[Config], object]) -> None:
    """Edit the configuration of a switch."""
    path = out / "switches" / f"{name}.config_db.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def found(made) -> tuple[set[tuple[str, str]], set[str]]:
    """Pairs of tenants that cross, and the kinds of findings."""
    out, ground = made
    proof = prove_vrfs(out, ground.manifest, ground.plan, ground.tenancy)
    return {(one.src_tenant, one.dst_tenant) for one in proof.crossings}, {one.kind for one in proof.findings}


def test_exported_vrfs_hold_and_each_has_the_vlan_of_its_hosts(made):
    """leaf0: a VLAN for a0 and one for a1, with one gateway in two VRFs; 4 VRFs and the default announce."""
    out, _ = made
    assert found(made) == (set(), set())
    config = json.loads((out / "switches" / "leaf0.config_db.json").read_text())
    assert config["VLAN_MEMBER"] == {
        "Vlan2001|Ethernet0": {"tagging_mode": "untagged"},
        "Vlan2002|Ethernet4": {"tagging_mode": "untagged"},
    }
    assert [config["VLAN_INTERFACE"][vlan] for vlan in ("Vlan2001", "Vlan2002")] == [
        {"vrf_name": "Vrf-hospital"},
        {"vrf_name": "Vrf-bank"},
    ]
    assert set(config["BGP_GLOBALS"]) == {"default", "Vrf-hospital", "Vrf-bank", "Vrf-storage", "Vrf-unassigned"}
    assert set(config["BGP_GLOBALS_AF_NETWORK"]) == {
        "default|ipv4_unicast|172.16.0.1/32",
        "Vrf-hospital|ipv4_unicast|10.64.0.0/29",
        "Vrf-bank|ipv4_unicast|10.64.0.0/29",
    }


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("fat-tree", "pod[0-1]/edge[0-1]/h0", "pod[0-3]/edge[0-1]/h1"),
        ("dual-homed", "osd[0-3],gpu[0,2,4]", "osd[4-7],gpu[1,3]"),
        ("rails", "gpu[0,3]", "gpu[1,2]"),
    ],
)
def test_vrfs_of_sonic_hold_on_three_tiers_with_two_links_a_host_and_with_rails(tmp_path, name, one, other):
    """Both IP versions, by the command."""
    text = SCENARIOS[name].split("workloads:")[0]
    text += f"tenants:\n  - {{name: one, members: '{one}'}}\n  - {{name: other, members: '{other}'}}\n"
    path, out = tenant_file(tmp_path, text), tmp_path / "out"
    words = ["export", "routes", str(path), "--dialect", "sonic", "--family", "both", "-o", str(out), "-q"]
    assert run(words) == 0
    assert run(["verify", "rules", str(path), str(out)]) == 0


BOTH = {("hospital", "bank"), ("bank", "hospital")}
FAULTS: dict[str, tuple[Callable[[Config], object], set[tuple[str, str]]]] = {
    "a sub-interface in another VRF": (
        lambda config: config["VLAN_SUB_INTERFACE"]["Ethernet8.101"].update(vrf_name="Vrf-bank"),
        BOTH,
    ),
    "VLANs swapped at one end": (
        lambda config: [
            config["VLAN_SUB_INTERFACE"][f"Ethernet8.{one}"].update(vlan=str(other))
            for one, other in ((101, 102), (102, 101))
        ],
        BOTH,
    ),
    "an import too many": (
        lambda config: config["BGP_GLOBALS_AF"]["Vrf-bank|ipv4_unicast"].update(import_vrf="Vrf-hospital"),
        {("bank", "hospital")},
    ),
    "a host's port in the VLAN of another tenant": (
        lambda config: config["VLAN_MEMBER"].update(
            {"Vlan2001|Ethernet4": config["VLAN_MEMBER"].pop("Vlan2002|Ethernet4")}
        ),
        BOTH,
    ),
    "a tagged VLAN of another tenant at a host's port": (
        lambda config: config["VLAN_MEMBER"].update({"Vlan2001|Ethernet4": {"tagging_mode": "tagged"}}),
        BOTH,
    ),
    "the VLAN of a tenant in the VRF of another": (
        lambda config: config["VLAN_INTERFACE"]["Vlan2002"].update(vrf_name="Vrf-hospital"),
        BOTH,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_seeded_fault_in_config_db_is_found(made, fault):
    """At leaf0; the pairs are those whose packets get through."""
    change, wanted = FAULTS[fault]
    edit(made[0], "leaf0", change)
    crossings, kinds = found(made)
    assert crossings == wanted
    assert "crossing" in kinds


def test_a_vlan_in_the_default_vrf_cuts_its_host_off(made):
    """a0 meets b1 no more; in the VRF of the switches there is no other host."""
    edit(made[0], "leaf0", lambda config: config["VLAN_INTERFACE"]["Vlan2001"].clear())
    assert found(made) == (set(), {"cut-off"})


def test_two_vlans_in_the_default_vrf_make_their_hosts_meet(made):
    """a0 and a1 at one switch; the VRF does not have to be announced for that."""
    edit(made[0], "leaf0", lambda config: [config["VLAN_INTERFACE"][one].clear() for one in ("Vlan2001", "Vlan2002")])
    assert found(made)[0] == BOTH


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.update({"ACL_TABLE": {}}),
        lambda config: config.update({"STATIC_ROUTE": {"Vrf-bank|10.0.0.0/8": {"nexthop": "10.72.0.1"}}}),
        lambda config: config["VLAN_INTERFACE"]["Vlan2001"].update(proxy_arp="enabled"),
        lambda config: config["VLAN_MEMBER"].update({"Vlan2001|Ethernet8": {"tagging_mode": "tagged"}}),
        lambda config: config["VLAN_SUB_INTERFACE"]["Ethernet8.102"].update(vlan="101"),
        lambda config: config["VLAN_SUB_INTERFACE"]["Ethernet8.102"].update(vrf_name="Vrf-nobody"),
        lambda config: config["VLAN_INTERFACE"].pop("Vlan2001"),
        lambda config: config["BGP_GLOBALS"].pop("Vrf-bank"),
        lambda config: config["BGP_GLOBALS_AF"].update({"Vrf-bank|l2vpn_evpn": {"import_vrf": "default"}}),
        lambda config: config["PORT"].pop("Ethernet0"),
        lambda config: config["INTERFACE"].update({"Ethernet0": {}, "Ethernet0|10.9.9.9/31": {}}),
    ],
)
def test_what_no_export_writes_is_refused(made, change):
    """It might make tenants meet."""
    edit(made[0], "leaf0", change)
    with pytest.raises(RuleError, match=r"tenants might meet|what comes of its packets") as caught:
        found(made)
    assert caught.value.problems[0].code == "FP8057"


def test_a_shared_service_is_refused_with_the_way_out(tmp_path, capsys):
    """Its hosts are in a VLAN of one VRF."""
    path = tenant_file(tmp_path)
    assert run(["export", "routes", str(path), "--dialect", "sonic", "-o", str(tmp_path / "out")]) == 3
    text = capsys.readouterr().err
    assert "FP8059" in text
    assert "storage is shared with hospital" in text
    assert "dialect frr" in text
    assert not (tmp_path / "out").exists()


def test_long_names_of_ports_get_the_short_form(tmp_path):
    """Port 257 is Ethernet1024, and Ethernet1024.101 has 16 characters: one too many for Linux."""
    from fabric.rules.dialects.sonic import sub_interface
    from fabric.rules.tenants.vrfs import Vrf

    assert sub_interface(257, Vrf("Vrf-a", 0, 101, 1001)) == "Eth1024.101"
    assert sub_interface(256, Vrf("Vrf-a", 0, 101, 1001)) == "Eth1020.101"
    assert sub_interface(250, Vrf("Vrf-a", 0, 101, 1001)) == "Ethernet996.101"
