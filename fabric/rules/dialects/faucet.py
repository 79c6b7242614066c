"""Faucet: one ``faucet.yaml`` whose access lists send every prefix out of its port.

Faucet's access lists know ports and fail-over, no weighted groups: a switch that divides traffic is refused. The first
rule of a list that matches decides, so they stand highest priority first; the list is that of the whole datapath.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fabric.rules.dialect import Dialect, File
from fabric.rules.errors import RuleError
from fabric.rules.openflow13.match_fields import match_fields
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import LOCAL, Rule, SwitchTable

VLAN = "fabric"
VLAN_ID = 100


def check_expressible(table: SwitchTable) -> None:
    """Raise FP8030 for what Faucet's access lists cannot say."""
    if table.groups:
        members = max(len(group.buckets) for group in table.groups)
        raise RuleError(
            f"{table.name} divides traffic over up to {members} weighted buckets in {len(table.groups)} groups; access "
            "lists of Faucet send a prefix to one port",
            hint="a router with one path per destination, such as single-path or ftree; or dialect ovs",
            code="FP8030",
        )
    if any(rule.action.kind == "output" and rule.action.value == LOCAL for rule in table.rules):
        raise RuleError(
            f"{table.name} is an endpoint itself; access lists of Faucet do not send to the switch's own port",
            hint="dialect ovs or of13-json",
            code="FP8030",
        )


def switch_entry(table: SwitchTable, access_list: str, ports: int) -> dict[str, Any]:
    """A switch of ``dps``; Faucet wants its ports named and in a VLAN."""
    return {
        "dp_id": table.datapath,
        "hardware": "Open vSwitch",
        "dp_acls": [access_list],
        "interfaces": {port: {"native_vlan": VLAN} for port in range(1, ports + 1)},
    }


def access_rules(table: SwitchTable) -> list[dict[str, Any]]:
    """The access list of one switch."""
    return [{"rule": {**match_fields(rule.match), "actions": _actions(rule)}} for rule in table.rules]


def _actions(rule: Rule) -> dict[str, Any]:
    # allow 0 without output drops; with output the packet goes there and nowhere else.
    return {"allow": 0} if rule.action.kind == "drop" else {"allow": 0, "output": {"port": rule.action.value}}


def write(rules: RuleSet) -> Iterator[File]:
    """``faucet.yaml`` of the whole fabric."""
    import yaml

    stems = safe_names(rules.topology.nodes.name[node] for node in rules.nodes)
    switches: dict[str, Any] = {}
    lists: dict[str, Any] = {}
    for stem, node, table in zip(stems, rules.nodes, rules.tables(), strict=True):
        check_expressible(table)
        switches[stem] = switch_entry(table, f"acl-{stem}", len(rules.ports.links(node)))
        lists[f"acl-{stem}"] = access_rules(table)
    record = {"version": 2, "vlans": {VLAN: {"vid": VLAN_ID}}, "acls": lists, "dps": switches}
    yield File("faucet.yaml", yaml.safe_dump(record, sort_keys=False, width=120))


SUMMARY = "faucet.yaml with an access list per switch, for tables without groups"
DIALECT = Dialect(
    name="faucet",
    format="openflow",
    proof="check_faucet_config of Faucet 1.10",
    carrier="slots",
    write=write,
    loses="groups: refused; cookies",
    failover="lost",
)
