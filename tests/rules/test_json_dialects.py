"""JSON and YAML for controllers: what is in the files, what reads back, what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from rule_cases import scenario_file
from test_openflow13 import TABLE

from fabric.cli.main import run
from fabric.rules.dialects import faucet, of13_json, onos
from fabric.rules.errors import RuleError
from fabric.rules.table import Action, Match, Rule, SwitchTable

_ID = {"type": "integer", "minimum": 1, "maximum": 2**32 - 1}
_OUTPUT = {
    "type": "object", "additionalProperties": False, "required": ["type", "port"],
    "properties": {"type": {"const": "OUTPUT"}, "port": {"pattern": r"^([1-9]\d*|LOCAL)$"}},
}  # fmt: skip
_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
ONOS = {
    "type": "object", "additionalProperties": False, "required": ["device", "groups", "flows"],
    "properties": {
        "device": {"pattern": "^of:[0-9a-f]{16}$"},
        "groups": {"type": "array", "items": {
            "type": "object", "additionalProperties": False,
            "required": ["type", "appCookie", "groupId", "givenGroupId", "buckets"],
            "properties": {
                "type": {"const": "SELECT"}, "appCookie": {"pattern": "^0x([0-9a-f]{2})+$"},
                "groupId": {"type": "string", "pattern": r"^[1-9]\d*$"},
                "givenGroupId": {"type": "string", "pattern": r"^[1-9]\d*$"},
                "buckets": {"type": "array", "minItems": 2, "items": {
                    "type": "object", "additionalProperties": False,
                    "required": ["weight", "treatment", "watchPort", "watchGroup"],
                    "properties": {
                        "weight": {"type": "integer", "minimum": 1, "maximum": 65535},
                        "watchPort": {"const": "ANY"}, "watchGroup": {"const": "ANY"},
                        "treatment": {
                            "required": ["instructions", "deferred"],
                            "properties": {
                                "instructions": {"minItems": 1, "maxItems": 1, "items": _OUTPUT},
                                "deferred": {"maxItems": 0},
                            },
                        },
                    },
                }},
            },
        }},
        "flows": {"type": "object", "additionalProperties": False, "properties": {"flows": {"items": {
            "type": "object", "additionalProperties": False,
            "required": ["priority", "timeout", "isPermanent", "deviceId", "tableId", "treatment", "selector"],
            "properties": {
                "priority": {"type": "integer", "minimum": 0, "maximum": 65535},
                "timeout": {"const": 0}, "isPermanent": {"const": True}, "tableId": {"const": 0},
                "deviceId": {"pattern": "^of:[0-9a-f]{16}$"},
                "treatment": {"required": ["instructions", "deferred"], "properties": {
                    "instructions": {"maxItems": 1, "items": {"oneOf": [
                        _OUTPUT,
                        {"properties": {"type": {"const": "GROUP"}, "groupId": _ID}, "required": ["groupId"]},
                    ]}},
                    "deferred": {"maxItems": 0},
                }},
                "selector": {"properties": {"criteria": {"items": {"oneOf": [
                    {"properties": {"type": {"const": "ETH_TYPE"}, "ethType": {"enum": ["0x800", "0x86dd"]}},
                     "required": ["ethType"]},
                    {"properties": {"type": {"const": "IP_PROTO"}, "protocol": {"type": "integer"}},
                     "required": ["protocol"]},
                    {"properties": {"type": {"pattern": "^IPV[46]_(SRC|DST)$"}, "ip": {"pattern": r"/\d+$"}},
                     "required": ["ip"]},
                    {"properties": {"type": {"pattern": "^UDP_(SRC|DST)$"}, "udpPort": _PORT}, "required": ["udpPort"]},
                    {"properties": {"type": {"pattern": "^TCP_(SRC|DST)$"}, "tcpPort": _PORT}, "required": ["tcpPort"]},
                ]}}}},
            },
        }}}},
    },
}  # fmt: skip


def test_ofctl_rest_json_reads_back_as_the_table(tmp_path: Path) -> None:
    """Rules with prefixes, five-tuples, IPv6 and LOCAL; groups of several buckets."""
    (tmp_path / "switches").mkdir()
    text = json.dumps(of13_json.switch_document(TABLE))
    (tmp_path / "switches" / "leaf0.json").write_text(text, encoding="utf-8")
    assert of13_json.read(tmp_path, "leaf0") == (list(TABLE.rules), list(TABLE.groups))


DAMAGE: dict[str, Any] = {
    "another match": lambda one: one["flows"][0]["match"].update(vlan_vid=1),
    "two actions": lambda one: one["flows"][0]["actions"].append({"type": "OUTPUT", "port": 1}),
    "an action that sets a field": lambda one: one["flows"][0]["actions"][0].update(type="SET_FIELD"),
    "a group of type all": lambda one: one["groups"][0].update(type="ALL"),
    "host bits in a prefix": lambda one: one["flows"][4]["match"].update(ipv4_dst="10.64.0.1/26"),
    "no flows": lambda one: one.pop("flows"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_json_that_is_not_of_ours_is_refused(tmp_path: Path, damage: Any) -> None:
    """Nothing is guessed: FP8020 with the file."""
    record = of13_json.switch_document(TABLE)
    damage(record)
    (tmp_path / "switches").mkdir()
    (tmp_path / "switches" / "leaf0.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(RuleError, match=r"leaf0\.json cannot be read"):
        of13_json.read(tmp_path, "leaf0")


@pytest.mark.parametrize("dialect", ["of13-json", "of13-binary"])
def test_the_verifier_follows_dialects_of_openflow_1_3(tmp_path: Path, dialect: str) -> None:
    """A k=4 fat tree, exported and followed from the files."""
    scenario = scenario_file(tmp_path, "fat-tree")
    out = tmp_path / "out"
    assert run(["export", "openflow", str(scenario), "--dialect", dialect, "-o", str(out), "-q"]) == 0
    assert run(["verify", "rules", str(scenario), str(out), "-q"]) == 0


def test_onos_json_follows_the_schema_and_has_every_rule() -> None:
    """Stricter than the definitions that ONOS publishes; no ONOS runs here, the dialect is experimental."""
    record = onos.switch_document(TABLE)
    jsonschema.validate(record, ONOS)
    assert onos.DIALECT.experimental
    flows = record["flows"]["flows"]
    assert [flow["priority"] for flow in flows] == [rule.priority for rule in TABLE.rules]
    assert [len(group["buckets"]) for group in record["groups"]] == [len(group.buckets) for group in TABLE.groups]
    given = {int(group["givenGroupId"]) for group in record["groups"]}  # without it ONOS numbers groups itself
    led = [one for flow in flows for one in flow["treatment"]["instructions"] if one["type"] == "GROUP"]
    assert {one["groupId"] for one in led} <= given
    assert all(group["groupId"] == group["givenGroupId"] for group in record["groups"])
    assert flows[-1]["treatment"]["instructions"] == []
    assert flows[0]["selector"]["criteria"][1:] == [
        {"type": "IP_PROTO", "protocol": 17},
        {"type": "IPV4_SRC", "ip": "10.64.1.1/32"},
        {"type": "IPV4_DST", "ip": "10.64.0.2/32"},
        {"type": "UDP_SRC", "udpPort": 49152},
        {"type": "UDP_DST", "udpPort": 4791},
    ]


def test_faucet_refuses_what_it_cannot_express() -> None:
    """Groups, and ports of the switch itself: FP8030 names the switch and what it is."""
    with pytest.raises(RuleError, match="leaf0 divides traffic over up to 3 weighted buckets in 2 groups"):
        faucet.check_expressible(TABLE)
    local = SwitchTable("leaf0", 7, 0, (), (Rule(1, Match(0), Action("output", -2), 0),))
    with pytest.raises(RuleError, match="leaf0 is an endpoint itself"):
        faucet.check_expressible(local)


def faucet_export(tmp_path: Path) -> Path:
    """``faucet.yaml`` of a fat tree with one path per destination."""
    scenario = scenario_file(tmp_path, "fat-tree")
    out = tmp_path / "out"
    flags = ["--set", "fabrics.main.routing.router=single-path", "--dialect", "faucet"]
    assert run(["export", "openflow", str(scenario), *flags, "-o", str(out), "-q"]) == 0
    return out / "faucet.yaml"


def test_faucet_yaml_has_every_switch_and_ends_in_a_drop(tmp_path: Path) -> None:
    """20 switches of 4 ports; the first rule that matches decides, the last drops."""
    record = yaml.safe_load(faucet_export(tmp_path).read_text(encoding="utf-8"))
    assert len(record["dps"]) == 20
    for entry in record["dps"].values():
        assert list(entry["interfaces"]) == [1, 2, 3, 4]
        assert record["acls"][entry["dp_acls"][0]][-1] == {"rule": {"actions": {"allow": 0}}}


def test_faucet_takes_the_file(tmp_path: Path) -> None:
    """``check_faucet_config`` of the real Faucet accepts it, and refuses it with a misspelt key."""
    ours = Path(__file__).parents[2] / ".venv/faucet/bin/check_faucet_config"
    program = str(ours) if ours.exists() else shutil.which("check_faucet_config")
    if program is None:
        why = "not installed: faucet; scripts/faucet.sh installs it"
        if os.environ.get("FABRIC_REQUIRE_REAL"):
            pytest.fail(why, pytrace=False)
        pytest.skip(why)
    file = faucet_export(tmp_path)
    good = subprocess.run([program, str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert good.returncode == 0, good.stdout[-500:]
    bad = tmp_path / "bad.yaml"
    bad.write_text(file.read_text(encoding="utf-8").replace("allow:", "alow:"), encoding="utf-8")
    refused = subprocess.run([program, str(bad)], capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert "alow field unknown" in refused.stdout
