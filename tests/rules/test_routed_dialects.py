"""Routes for Linux, FRR and SONiC: what is in the files, what is refused, what reads back."""

from __future__ import annotations

import json
import re
from ipaddress import ip_interface, ip_network

import jsonschema
import pytest
from rule_cases import DAMAGE, scenario_file, verdict_on

from fabric.cli.main import run

CONFIG_DB = {
    "type": "object",
    "additionalProperties": False,
    "required": ["DEVICE_METADATA", "PORT", "INTERFACE", "LOOPBACK_INTERFACE", "BGP_NEIGHBOR"],
    "properties": {
        "DEVICE_METADATA": {
            "type": "object",
            "required": ["localhost"],
            "properties": {
                "localhost": {
                    "type": "object",
                    "required": ["hostname", "bgp_asn", "type", "mac"],
                    "properties": {
                        "bgp_asn": {"type": "string", "pattern": r"^\d+$"},
                        "mac": {"type": "string", "pattern": "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"},
                    },
                }
            },
        },
        "PORT": {
            "type": "object",
            "patternProperties": {
                r"^Ethernet\d+$": {
                    "type": "object",
                    "required": ["lanes", "speed", "mtu", "admin_status"],
                    "properties": {"lanes": {"pattern": r"^\d+(,\d+){3}$"}, "speed": {"pattern": r"^\d+$"}},
                }
            },
            "additionalProperties": False,
        },
        "INTERFACE": {"patternProperties": {r"^Ethernet\d+(\|\S+/\d+)?$": {}}, "additionalProperties": False},
        "LOOPBACK_INTERFACE": {"patternProperties": {r"^Loopback0(\|\S+/\d+)?$": {}}, "additionalProperties": False},
        "BGP_NEIGHBOR": {
            "additionalProperties": {"type": "object", "required": ["asn", "local_addr", "name", "admin_status"]}
        },
    },
}


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


def test_sonics_configuration_has_the_shape_of_its_tables(tmp_path):
    """Against a schema of ours: SONiC's own models are not to be had offline."""
    _, folder = routes(tmp_path, "rails", "sonic", "--family", "both")
    for path in (folder / "switches").iterdir():
        jsonschema.validate(json.loads(path.read_text()), CONFIG_DB)


@pytest.mark.parametrize(
    ("dialect", "router", "words"),
    [
        ("frr", "wcmp", "BGP chooses its own paths"),
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
