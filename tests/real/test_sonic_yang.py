"""``config_db.json`` against YANG: what we write is valid, and each kind of damage is refused by ``yanglint``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from config_db_yang import yang_data
from real_programs import require

from fabric.cli.main import run

require("yanglint", root=False)
MODEL = Path(__file__).parent / "config-db.yang"
SCENARIO = """\
version: 1
name: pod
nodes:
  - {group: gpu, count: 8, gpus: 2, nics: {main: {count: 2, speed: 400G, rail: per-gpu}}}
fabrics:
  main:
    topology:
      kind: rail-optimised
      tiers: 2
      nodes_per_unit: 4
      leaf: {radix: 8, speed: 400G, down: 4, up: 4}
      spine: {radix: 8, speed: 400G, count: 2}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
"""


TENANTS = """\
tenants:
  - {name: the-university-hospital, members: "gpu[0-3]"}
  - {name: bank, members: "gpu[4-7]"}
"""


def exported(home: Path, text: str, *flags: str) -> dict[str, dict[str, Any]]:
    """Configurations by host name."""
    scenario, folder = home / "pod.fabric.yaml", home / "out"
    scenario.write_text(text, encoding="utf-8")
    assert run(["export", "routes", str(scenario), "--dialect", "sonic", "-o", str(folder), "-q", *flags]) == 0
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "switches").iterdir())]
    return {record["DEVICE_METADATA"]["localhost"]["hostname"]: record for record in records}


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Configurations by host name, IPv4 and IPv6, with a link down."""
    home = tmp_path_factory.mktemp("sonic")
    return exported(home, SCENARIO, "--family", "both", "--down", "link=unit0/leaf0:spine0#1")


@pytest.fixture(scope="module")
def with_tenants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The same with two tenants."""
    text = SCENARIO.partition("workloads:")[0] + TENANTS
    return exported(tmp_path_factory.mktemp("sonic-tenants"), text, "--family", "both")


def refused(config: dict[str, Any], folder: Path) -> str:
    """What ``yanglint`` says against a configuration; empty: it is valid."""
    path = folder / "data.json"
    path.write_text(json.dumps(yang_data(config)), encoding="utf-8")
    words = ["yanglint", "-t", "config", str(MODEL), str(path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode or not done.stderr, done.stderr
    return done.stderr


def test_every_switch_has_a_valid_configuration(configs: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    assert len(configs) == 6
    assert {name: refused(config, tmp_path) for name, config in configs.items()} == dict.fromkeys(configs, "")


def test_every_switch_with_vrfs_has_a_valid_configuration(
    with_tenants: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """Long names of tenants as well."""
    assert all(len(config["VRF"]) == 2 for config in with_tenants.values())
    assert {name: refused(config, tmp_path) for name, config in with_tenants.items()} == dict.fromkeys(with_tenants, "")


VRF_DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a VRF of another name": lambda config: config["VRF"].update({"bank": {}}),
    "a VRF that is not there": lambda config: config["VRF"].pop("Vrf-bank"),
    "a sub-interface of no port": lambda config: config["VLAN_SUB_INTERFACE"].update({"Ethernet999.101": {}}),
    "a VLAN beyond what there is": lambda config: config["VLAN_SUB_INTERFACE"]["Ethernet16.102"].update(vlan="4095"),
    "an address on no sub-interface": lambda config: config["VLAN_SUB_INTERFACE"].pop("Ethernet16.102"),
    "a neighbour of no BGP": lambda config: config["BGP_GLOBALS"].pop("Vrf-bank"),
}


@pytest.mark.parametrize("damage", VRF_DAMAGE.values(), ids=VRF_DAMAGE)
def test_damage_to_vrfs_is_refused(
    with_tenants: dict[str, dict[str, Any]], tmp_path: Path, damage: Callable[..., Any]
) -> None:
    """By a reference, a pattern or a range."""
    leaf = json.loads(json.dumps(next(config for config in with_tenants.values() if "VLAN" in config)))
    assert refused(leaf, tmp_path) == ""
    damage(leaf)
    assert refused(leaf, tmp_path)


def _first(table: str, **values: Any) -> Callable[[dict[str, Any]], None]:
    """Change the first row of a table that has columns."""

    def change(config: dict[str, Any]) -> None:
        next(row for row in config[table].values() if row).update(values)

    return change


DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a device type of no tier": lambda config: config["DEVICE_METADATA"]["localhost"].update(type="Leaf"),
    "no speed": lambda config: config["PORT"]["Ethernet0"].pop("speed"),
    "a speed in words": _first("PORT", speed="400G"),
    "an MTU above what ports take": _first("PORT", mtu="9500"),
    "lanes twice": _first("PORT", lanes="4,5,6,7"),
    "an address on no port": lambda config: config["INTERFACE"].update({"Ethernet99|10.0.0.0/31": {}}),
    "a router port in a VLAN": lambda config: config["INTERFACE"].update({"Ethernet0": {}}),
    "a VLAN with another number": _first("VLAN", vlanid="7"),
    "a member of no VLAN": lambda config: config["VLAN_MEMBER"].update({"Vlan9|Ethernet0": {"tagging_mode": "tagged"}}),
    "a member without a mode": lambda config: next(iter(config["VLAN_MEMBER"].values())).clear(),
    "another AS of its own": _first("BGP_GLOBALS", local_asn="4200000099"),
    "a neighbour without an AS": lambda config: next(iter(config["BGP_NEIGHBOR"].values())).pop("asn"),
    "a neighbour that nobody is": _first("BGP_NEIGHBOR", name="elsewhere"),
    "a policy that is not there": lambda config: config["ROUTE_MAP_SET"].clear(),
    "paths beyond what there can be": _first("BGP_GLOBALS_AF", max_ebgp_paths="257"),
    "a network that is none": lambda config: config["BGP_GLOBALS_AF_NETWORK"].update({"default|ipv4_unicast|10": {}}),
    "a field that nobody knows": _first("BGP_NEIGHBOR", weight="7"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_refused(configs: dict[str, dict[str, Any]], tmp_path: Path, damage: Callable[..., Any]) -> None:
    leaf = json.loads(json.dumps(next(config for config in configs.values() if "VLAN" in config)))
    assert refused(leaf, tmp_path) == ""
    damage(leaf)
    assert refused(leaf, tmp_path)
