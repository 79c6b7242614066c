"""JSON of ``ofctl_rest``, the REST controller of Ryu and os-ken: one file per switch.

Post every item of ``groups`` to ``/stats/groupentry/add``, then every item of ``flows`` to ``/stats/flowentry/add``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from fabric.rules.dialect import Dialect, File
from fabric.rules.errors import RuleError
from fabric.rules.openflow13.encode import ETHER_IPV4, ETHER_IPV6, PORT_NAMES, wire_port
from fabric.rules.openflow13.match_fields import match_fields
from fabric.rules.openflow13.readback import port_of_wire
from fabric.rules.own_files import read_record
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import Action, Bucket, Group, Match, Rule, SwitchTable


def flow_entry(rule: Rule, datapath: int) -> dict[str, Any]:
    """Body of ``/stats/flowentry/add``; no actions drop.

    Examples
    --------
    >>> flow_entry(Rule(126, Match(4, 0x0A400000, 26), Action("group", 7), 1), 2)["match"]
    {'eth_type': 2048, 'ipv4_dst': '10.64.0.0/26'}
    """
    actions: list[dict[str, Any]] = []
    if rule.action.kind == "group":
        actions = [{"type": "GROUP", "group_id": rule.action.value}]
    elif rule.action.kind == "output":
        actions = [{"type": "OUTPUT", "port": wire_port(rule.action.value)}]
    return {
        "dpid": datapath,
        "cookie": rule.cookie,
        "table_id": 0,
        "priority": rule.priority,
        "match": match_fields(rule.match),
        "actions": actions,
    }


def group_entry(group: Group, datapath: int) -> dict[str, Any]:
    """Body of ``/stats/groupentry/add``."""
    ports = [(bucket.weight, wire_port(bucket.port)) for bucket in group.buckets]
    return {
        "dpid": datapath,
        "type": "SELECT",
        "group_id": group.id,
        "buckets": [
            {"weight": weight, "watch_port": port, "actions": [{"type": "OUTPUT", "port": port}]}
            for weight, port in ports
        ],
    }


def switch_document(table: SwitchTable) -> dict[str, Any]:
    """The file of one switch."""
    return {
        "groups": [group_entry(group, table.datapath) for group in table.groups],
        "flows": [flow_entry(rule, table.datapath) for rule in table.rules],
    }


def write(rules: RuleSet) -> Iterator[File]:
    """``switches/NAME.json`` of every switch."""
    stems = safe_names(rules.topology.nodes.name[node] for node in rules.nodes)
    for stem, table in zip(stems, rules.tables(), strict=True):
        yield File(f"switches/{stem}.json", json.dumps(switch_document(table), indent=1) + "\n")


def read(folder: Path, stem: str) -> tuple[list[Rule], list[Group]]:
    """Rules and groups of one switch."""
    path = folder / "switches" / f"{stem}.json"
    try:
        record = read_record(path, code="FP8020").value
        return [_rule(entry) for entry in record["flows"]], sorted(_group(entry) for entry in record["groups"])
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise RuleError(f"{path} cannot be read: {error}", hint="export again", code="FP8020") from None


def _rule(entry: dict[str, Any]) -> Rule:
    asks = dict(entry["match"])
    values: dict[str, int] = {}
    in_port = port_of_wire(int(asks.pop("in_port", 0)))
    family = {None: 0, ETHER_IPV4: 4, ETHER_IPV6: 6}[asks.pop("eth_type", None)]
    values["protocol"] = int(asks.pop("ip_proto", 0))
    for side in ("src", "dst"):
        if f"ipv{family}_{side}" in asks:
            network = ip_network(asks.pop(f"ipv{family}_{side}"))
            values |= {side: int(network.network_address), f"{side}_bits": network.prefixlen}
        if name := PORT_NAMES.get(values["protocol"]):
            values[f"{side}_port"] = int(asks.pop(f"{name}_{side}", 0))
    if asks:
        raise ValueError(f"a match with {', '.join(asks)}")
    if len(entry["actions"]) > 1:
        raise ValueError("a flow with several actions")
    action = Action("drop")
    for act in entry["actions"]:
        action = Action("group", int(act["group_id"])) if act["type"] == "GROUP" else Action("output", _out_of(act))
    match = Match(4 if family == 4 else 6 if family == 6 else 0, **values, in_port=in_port)
    return Rule(int(entry["priority"]), match, action, int(entry["cookie"]))


def _group(entry: dict[str, Any]) -> Group:
    if entry["type"] != "SELECT":
        raise ValueError(f"a group of type {entry['type']}")
    buckets = tuple(Bucket(_out_of(one["actions"][0]), int(one["weight"])) for one in entry["buckets"])
    return Group(int(entry["group_id"]), buckets)


def _out_of(act: dict[str, Any]) -> int:
    if act["type"] != "OUTPUT":
        raise ValueError(f"an action {act['type']}")
    return port_of_wire(int(act["port"]))


SUMMARY = "ofctl_rest JSON of Ryu and os-ken per switch"
DIALECT = Dialect(
    name="of13-json",
    format="openflow",
    proof="os-ken 4.2's REST library into Open vSwitch 3.1",
    carrier="slots",
    write=write,
    loses="the hash basis of switches: tiers with the same hash basis polarise",
    read=read,
    failover="next-slot",
    tenants="rules",
)
