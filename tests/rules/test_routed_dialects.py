"""Routes for Linux, FRR and SONiC: what is in the files, what is refused, what reads back."""

from __future__ import annotations

import json
import re
from ipaddress import ip_interface, ip_network

import pytest
from rule_cases import DAMAGE, scenario_file, verdict_on

from fabric.cli.main import run


def routes(folder, name, dialect, *flags, code=0):
    """Scenario and folder of an export of routes."""
    scenario, target = scenario_file(folder, name), folder / dialect
    words = ["export", "routes", str(scenario), "--dialect", dialect, "-o", str(target), "-q", *flags]
    assert run(words) == code
    return scenario, target


@pytest.mark.parametrize("name", ["fat-tree", "leaf-spine", "dual-homed", "rails"])
@pytest.mark.parametrize("router", ["wcmp", "optimal", "single-path"])
def test_static_routes_carry_the_plan(tmp_path, name, router):
    """Read back and followed by the verifier, whole and damaged, for both IP versions; weights are 1 to 256."""
    for flags in ((), tuple(word for thing in DAMAGE[name] for word in ("--down", thing))):
        scenario, folder = routes(tmp_path, name, "static", "--router", router, "--family", "both", *flags, "--force")
        verdict = verdict_on(scenario, folder)
        assert verdict.holds, verdict.findings
        for path in (folder / "switches").iterdir():
            weights = [int(weight) for weight in re.findall(r"weight (\d+)", path.read_text())]
            assert all(1 <= weight <= 256 for weight in weights)


def test_frr_speaks_to_every_live_neighbour_and_announces_its_sites(tmp_path):
    """k = 4 with a link down: an edge switch has two sessions, the one that lost a link has one."""
    _, folder = routes(tmp_path, "fat-tree", "frr", "--down", "link=pod1/edge0:pod1/agg1")
    texts = {path.name.rsplit("-", 1)[0]: path.read_text() for path in (folder / "switches").iterdir()}
    assert len(re.findall("remote-as", texts["pod0_edge0"])) == 2
    assert len(re.findall("remote-as", texts["pod1_edge0"])) == 1
    networks = [ip_network(found) for found in re.findall(r"  network (\S+)", texts["pod0_edge0"])]
    assert [network.prefixlen for network in networks] == [32, 29]
    assert "route-map" not in texts["pod0_edge0"]
    asns = [re.search(r"router bgp (\d+)", text)[1] for text in texts.values() if "router bgp" in text]
    assert len(set(asns)) == len(asns)


def test_both_ends_of_a_session_agree(tmp_path):
    """Addresses of one link are one /31, and each names the AS of the other."""
    _, folder = routes(tmp_path, "leaf-spine", "frr", "--router", "bgp-ucmp")
    own: dict[str, str] = {}
    sessions: list[tuple[str, str]] = []
    for path in (folder / "switches").iterdir():
        text = path.read_text()
        asn = re.search(r"router bgp (\d+)", text)[1]
        addresses = [ip_interface(found) for found in re.findall(r" ip address (\S+/31)", text)]
        own |= {str(address.ip): asn for address in addresses}
        sessions += re.findall(r" neighbor (\S+) remote-as (\d+)", text)
        assert "set extcommunity bandwidth num-multipaths" in text
    assert len(sessions) == 24 * 2
    assert all(own[address] == asn for address, asn in sessions)


def test_sonic_announces_its_sites_and_answers_at_the_gateway(tmp_path):
    """A leaf of a fat tree: its site's prefix and its loopback are announced; its VLAN has the gateway's address."""
    _, folder = routes(tmp_path, "fat-tree", "sonic", "--family", "both")
    texts = {path.name.rsplit("-", 1)[0]: path.read_text() for path in (folder / "switches").iterdir()}
    config = json.loads(texts["pod0_edge0"])
    networks = [ip_network(key.split("|")[2]) for key in config["BGP_GLOBALS_AF_NETWORK"]]
    assert [network.prefixlen for network in networks if network.version == 4] == [32, 29]
    gateways = [ip_interface(key.split("|")[1]) for key in config["VLAN_INTERFACE"] if "|" in key]
    assert [gateway.network for gateway in gateways] == [
        network for network in networks if network.prefixlen in (29, 64)
    ]
    assert [gateway.ip for gateway in gateways] == [gateway.network[1] for gateway in gateways]
    assert len(config["VLAN_MEMBER"]) == 2
    core = next(json.loads(text) for text in texts.values() if '"SpineRouter",\n      "bgp_asn"' in text)
    assert "VLAN" not in core
    assert len(core["BGP_GLOBALS_AF_NETWORK"]) == 2


def test_sonic_has_both_ends_of_every_link(tmp_path):
    """What one switch says of its neighbour's port, the neighbour says of it."""
    _, folder = routes(tmp_path, "rails", "sonic")
    configs = [json.loads(path.read_text()) for path in (folder / "switches").iterdir()]
    ends = {
        (config["DEVICE_METADATA"]["localhost"]["hostname"], row["local_port"], row["name"], row["port"])
        for config in configs
        for row in config["DEVICE_NEIGHBOR"].values()
    }
    assert ends == {(far, far_port, near, port) for near, port, far, far_port in ends}
    assert len(ends) == 2 * 32
    own = {config["DEVICE_METADATA"]["localhost"]["hostname"]: config for config in configs}
    for config in configs:
        for row in config["BGP_NEIGHBOR"].values():
            assert own[row["name"]]["BGP_GLOBALS"]["default"]["local_asn"] == row["asn"]


TIERS = {
    "leaf-spine": {"leaf": "ToRRouter", "spine": "LeafRouter"},
    "fat-tree": {"edge": "ToRRouter", "agg": "LeafRouter", "core": "SpineRouter"},
    "rails": {"leaf": "ToRRouter", "spine": "LeafRouter"},
}


@pytest.mark.parametrize("name", TIERS)
def test_sonics_device_types_follow_the_tier(tmp_path, name):
    """Above the hosts: ToRRouter, LeafRouter, SpineRouter; what a switch says of its neighbours agrees."""
    _, folder = routes(tmp_path, name, "sonic")
    types: dict[str, str] = {}
    said: dict[str, str] = {}
    for path in (folder / "switches").iterdir():
        config = json.loads(path.read_text())
        local = config["DEVICE_METADATA"]["localhost"]
        types[local["hostname"]] = local["type"]
        said |= {name: row["type"] for name, row in config["DEVICE_NEIGHBOR_METADATA"].items()}
    assert said == types
    for hostname, kind in types.items():
        assert [kind] == [wanted for role, wanted in TIERS[name].items() if role in hostname]


def test_sonic_refuses_two_links_of_a_host_to_one_switch(tmp_path, capsys):
    """One address on two ports of a VLAN would jump; the way out is named."""
    text = """\
version: 1
name: twice
nodes:
  - {group: gpu, count: 4, nics: {main: {count: 2, speed: 100G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 4, host_speed: 100G, uplink_speed: 100G}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
"""
    scenario, folder = tmp_path / "twice.fabric.yaml", tmp_path / "out"
    scenario.write_text(text, encoding="utf-8")
    assert run(["export", "routes", str(scenario), "--dialect", "sonic", "-o", str(folder), "-q"]) == 3
    assert "has 2 links to leaf0" in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.parametrize(
    ("dialect", "router", "words"),
    [
        ("frr", "wcmp", "BGP chooses its own paths"),
        ("sonic", "bgp-ucmp", "cannot send the link bandwidth"),
        ("frr", "optimal", "router optimal"),
        ("static", "pinned", "single flows"),
    ],
)
def test_what_a_dialect_cannot_say_is_refused(tmp_path, capsys, dialect, router, words):
    """With the way out, and nothing is left behind."""
    _, folder = routes(tmp_path, "fat-tree", dialect, "--router", router, code=3)
    error = capsys.readouterr().err
    assert "FP8030" in error
    assert words in error
    assert not folder.exists()
