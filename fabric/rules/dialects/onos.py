"""ONOS: flows and groups of every switch as its REST interface takes them.

Post every item of ``groups`` to ``/onos/v1/groups/DEVICE``, then the whole of ``flows`` to ``/onos/v1/flows``. ONOS
gives flows its own cookies, and groups an id of its own unless ``givenGroupId`` names it. No ONOS has read this: the
shape is that of the definitions it publishes for its interface (``web/api/.../definitions/GroupsPost.json`` and
``FlowsBatchPost.json``), which say nothing of rules that lead to groups; those follow its decoders (``core/common``,
``DecodeInstructionCodecHelper``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fabric.rules.dialect import Dialect, File
from fabric.rules.openflow13.encode import PORT_NAMES, check_ports
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import LOCAL, Group, Match, Rule, SwitchTable


def device(datapath: int) -> str:
    """ONOS's name of a switch.

    >>> device(21)
    'of:0000000000000015'
    """
    return f"of:{datapath:016x}"


def switch_document(table: SwitchTable) -> dict[str, Any]:
    """The file of one switch."""
    return {
        "device": device(table.datapath),
        "groups": [_group(group) for group in table.groups],
        "flows": {"flows": [_flow(rule, table.datapath) for rule in table.rules]},
    }


def _flow(rule: Rule, datapath: int) -> dict[str, Any]:
    instructions: list[dict[str, Any]] = []  # none: ONOS drops
    if rule.action.kind == "group":
        instructions = [{"type": "GROUP", "groupId": rule.action.value}]
    elif rule.action.kind == "output":
        instructions = [_output(rule.action.value)]
    return {
        "priority": rule.priority,
        "timeout": 0,
        "isPermanent": True,
        "deviceId": device(datapath),
        "tableId": 0,
        "treatment": _treatment(instructions),
        "selector": {"criteria": _criteria(rule.match)},
    }


def _criteria(match: Match) -> list[dict[str, Any]]:
    check_ports(match)
    found: list[dict[str, Any]] = [{"type": "IN_PORT", "port": match.in_port}] if match.in_port else []
    if not match.family:
        return found
    found += [{"type": "ETH_TYPE", "ethType": "0x800" if match.family == 4 else "0x86dd"}]
    if match.protocol:
        found.append({"type": "IP_PROTO", "protocol": match.protocol})
    if match.src_bits:
        found.append({"type": f"IPV{match.family}_SRC", "ip": match.src_text})
    if match.dst_bits:
        found.append({"type": f"IPV{match.family}_DST", "ip": match.dst_text})
    for side, port in (("SRC", match.src_port), ("DST", match.dst_port)):
        if port:
            name = PORT_NAMES[match.protocol]
            found.append({"type": f"{name.upper()}_{side}", f"{name}Port": port})
    return found


def _treatment(instructions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"instructions": instructions, "deferred": []}


def _group(group: Group) -> dict[str, Any]:
    return {
        "type": "SELECT",
        "appCookie": f"0x{group.id:08x}",
        "groupId": str(group.id),
        "givenGroupId": str(group.id),
        "buckets": [
            {
                "weight": bucket.weight,
                "watchPort": "ANY",  # asked for by the definition, read for failover groups only
                "watchGroup": "ANY",
                "treatment": _treatment([_output(bucket.port)]),
            }
            for bucket in group.buckets
        ],
    }


def _output(port: int) -> dict[str, Any]:
    return {"type": "OUTPUT", "port": "LOCAL" if port == LOCAL else str(port)}


def write(rules: RuleSet) -> Iterator[File]:
    """``switches/NAME.json`` of every switch."""
    stems = safe_names(rules.topology.nodes.name[node] for node in rules.nodes)
    for stem, table in zip(stems, rules.tables(), strict=True):
        yield File(f"switches/{stem}.json", json.dumps(switch_document(table), indent=1) + "\n")


SUMMARY = "ONOS REST JSON, flows and groups per switch"
DIALECT = Dialect(
    name="onos",
    format="openflow",
    proof="",
    carrier="slots",
    write=write,
    loses="cookies; the hash basis of switches",
    failover="lost",
)
