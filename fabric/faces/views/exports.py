"""Exported tables: what was written, addresses, dialects; packets followed, findings, what switches have, pushes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabric.output.columns import Special, counts, from_records, named, ratios
from fabric.output.table import Column, Mark, Table
from fabric.routing.router import router_label
from fabric.rules.manifest import ADDRESS_COLUMNS
from fabric.rules.openflow13.result import SwitchResult
from fabric.rules.openflow13.rounds import RoundResult
from fabric.rules.probes import match_text
from fabric.rules.trace import Path as Walk

Record = Mapping[str, Any]

_EXPORT: dict[str, Special] = {
    "router": (named, "router", {"text": router_label}),
    "phase": (named, "phase", {"flexible": True}),
    "switches": (counts, "switches", {}),
    "rules": (counts, "rules", {}),
    "groups": (counts, "groups", {}),
    "most_rules_at": (named, "most at", {"flexible": True, "priority": 1}),
    "most_rules": (counts, "most", {}),
    "planned_max_utilisation": (ratios, "plan", {}),
    "programmed_max_utilisation": (ratios, "programmed", {}),
    "oversubscription": (ratios, "oversubscription", {"priority": 2}),
    "hash_seeds": (named, "hash seeds", {"priority": 2}),
}


def export_table(rows: Sequence[Record], names: Sequence[str]) -> Table:
    """What was written, fabric by fabric."""
    return Table.of(from_records(rows, names, _EXPORT), len(rows), title="tables")


_ADDRESSES: dict[str, Special] = {
    "node": (named, "node", {"text": str, "flexible": True}),
    "ipv4": (named, "IPv4", {"text": str}),
    "ipv6": (named, "IPv6", {"text": str, "flexible": True, "priority": 1}),
    "mac": (named, "MAC", {"text": str, "priority": 1}),
    "asn": (named, "AS", {"text": str}),
    "interface": (named, "interface", {"text": str}),
}


def address_table(rows: Sequence[Record]) -> Table:
    """Addresses of endpoints, loopbacks and links."""
    return Table.of(from_records(rows, ("fabric", *ADDRESS_COLUMNS), _ADDRESSES), len(rows), title="addresses")


def dialect_table(rows: Sequence[Record]) -> Table:
    """All dialects, and what has taken their output."""
    special: dict[str, Special] = {
        "summary": (named, "what it is", {"flexible": True}),
        "proof": (named, "proved with", {"flexible": True, "texts": [row["proof"] or "experimental" for row in rows]}),
        "loses": (named, "cannot say", {"flexible": True, "priority": 1}),
        "hash_seeds": (named, "hash seeds by", {"priority": 1}),
        "failover": (named, "when a link dies", {"priority": 1}),
    }
    names = ("format", "dialect", "summary", "loses", "hash_seeds", "failover", "proof", "experimental", "followed")
    return Table.of(from_records(rows, names, special), len(rows), title="dialects")


def profile_table(rows: Sequence[Record]) -> Table:
    """All profiles of cables."""
    special: dict[str, Special] = {
        "summary": (named, "what it is", {"flexible": True}),
        "suffixes": (named, "files", {"priority": 1}),
        "read_by": (named, "read by", {"flexible": True}),
    }
    names = ("format", "profile", "summary", "suffixes", "read_by")
    return Table.of(from_records(rows, names, special), len(rows), title="profiles of cables")


# ---- what was found ------------------------------------------------------------------------------------------------


def finding_table(rows: Sequence[Record], names: Sequence[str]) -> Table:
    """What following the tables found: loops, black holes, leaks, wrong loads."""
    return Table.of(from_records(rows, names, {}), len(rows), title="findings")


def installed_table(rows: Sequence[Record], names: Sequence[str]) -> Table:
    """What switches have that differs from what was planned."""
    special: dict[str, Special] = {
        "about": (named, "about", {"text": str, "flexible": True}),
        "ours": (named, "planned", {"text": str, "flexible": True}),
        "theirs": (named, "has", {"text": str, "flexible": True}),
    }
    return Table.of(from_records(rows, names, special), len(rows), title="differences")


HOPS_SHOWN = ("switch", "in_port", "rule", "group", "bucket", "out_port", "part")
_HOPS: dict[str, Special] = {
    "in_port": (named, "in", {"numeric": True}),
    "rule": (named, "rule", {"text": str, "flexible": True}),
    "group": (named, "group", {"numeric": True, "priority": 1}),
    "bucket": (named, "bucket", {"numeric": True}),
    "out_port": (named, "out", {"numeric": True}),
    "part": (ratios, "part", {}),
    "probability": (ratios, "probability", {}),
    "end": (named, "end", {"text": str}),
}


def hop_table(paths: Sequence[Walk], names: Sequence[str]) -> Table:
    """The hops of packets that were followed, path by path."""
    rows = [
        {
            "path": number,
            "probability": path.probability,
            "hop": at,
            "switch": hop.switch,
            "in_port": hop.in_port,
            "rule": "" if hop.rule is None else match_text(hop.rule.match),
            "group": None if hop.group is None else hop.group.id,
            "bucket": hop.bucket,
            "out_port": hop.out_port,
            "part": hop.part,
            "end": path.end if at == len(path.hops) else "",
        }
        for number, path in enumerate(paths, 1)
        for at, hop in enumerate(path.hops, 1)
    ]
    return Table.of(from_records(rows, names, _HOPS), len(rows), title="hops")


def hops_of(table: Table, path: int) -> Table:
    """The hops of one path."""
    return table.ordered([row for row in table.order.tolist() if table.column("path").values[row] == path])


# ---- push ----------------------------------------------------------------------------------------------------------

_VERBS = ("add", "change", "remove")


def push_mark(result: SwitchResult) -> Mark:
    """Good where a switch has its table, a warning where nothing was sent to it, bad where something is wrong."""
    waits = ("planned", "unchanged", "stopped", "kept")
    return "good" if result.state == "done" else "warn" if result.state in waits else "bad"


def round_table(rounds: Sequence[RoundResult]) -> Table:
    """The rounds of a change over several switches."""
    rows = [
        {"round": number, "what": part.title, "switches": part.switches, "messages": part.messages, "state": part.state}
        for number, part in enumerate(rounds, 1)
    ]
    special: dict[str, Special] = {
        "round": (counts, "round", {}),
        "what": (named, "what", {"text": str, "flexible": True}),
        "switches": (counts, "switches", {}),
        "messages": (counts, "messages", {}),
        "state": (named, "state", {"text": str}),
    }
    marks: Mapping[str, Mark] = {"done": "good", "stopped": "bad"}
    columns = from_records(rows, ("round", "what", "switches", "messages", "state"), special)
    return Table.of(columns, len(rows), title="rounds", marks=[marks.get(part.state, "warn") for part in rounds])


def push_table(results: Sequence[SwitchResult], names: Sequence[str]) -> Table:
    """What was sent to every switch, and what it had afterwards; None where it could not be asked."""
    rows = [_push(result) for result in results]
    special: dict[str, Special] = {
        name: (counts, name, {}) for name in ("confirmed", "installed", "missing", "unexpected")
    }
    sums: list[Column] = [
        counts(verb, verb, [_sum(row[f"rules_to_{verb}"], row[f"groups_to_{verb}"]) for row in rows]) for verb in _VERBS
    ]
    columns = [*from_records(rows, names, special), *sums]
    return Table.of(columns, len(rows), title="switches", marks=[push_mark(result) for result in results])


def _sum(rules: int | None, groups: int | None) -> int | None:
    return None if rules is None or groups is None else rules + groups


def _push(result: SwitchResult) -> dict[str, Any]:
    before, after = result.before, result.after
    steps = {
        f"{kind}s_to_{verb}": before.count(verb, kind) if before is not None else None
        for kind in ("group", "rule")
        for verb in _VERBS
    }
    return {
        "switch": result.switch,
        "address": result.address,
        "datapath": f"{result.datapath:016x}",
        "state": result.state,
        "tables": result.tables,
        **steps,
        "confirmed": result.confirmed,
        "unsure": result.unsure,
        "unsent": result.unsent,
        "installed": after.installed if after is not None else None,
        "missing": after.missing if after is not None else None,
        "unexpected": after.unexpected if after is not None else None,
        "shared_hash": result.shared_hash,
        "words": result.words,
    }
