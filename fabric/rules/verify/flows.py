"""Single flows with rules of their own, walked by their 5-tuples."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fabric.rules.errors import RuleError
from fabric.rules.manifest import FLOW_COLUMNS, FLOWS
from fabric.rules.own_files import read_rows
from fabric.rules.table import UDP, Match
from fabric.rules.verify.findings import Finding
from fabric.rules.verify.tables import ReadTables
from topologies.columns import Floats


def walk_flows(folder: Path, tables: ReadTables) -> tuple[Floats, int, list[Finding]]:
    """Follow every flow of ``flows.csv`` from its source's first switch; loads of all links, Gbps, shape (L,).

    Raises
    ------
    RuleError
        FP8020, when the tables have such rules and the export has no flows.
    """
    topology = tables.plan.topology
    if not (folder / FLOWS).exists():
        raise _not_exported(tables)
    loads = np.zeros(len(topology.links))
    findings: list[Finding] = []
    rows = list(read_rows(folder / FLOWS, FLOW_COLUMNS))
    for row in rows:
        src, dst = int(row.address("src_address")), int(row.address("dst_address"))
        ports = row.whole("src_port", most=65_535), row.whole("dst_port", most=65_535)
        match, gbps = Match(4, dst, 32, src, 32, UDP, *ports), row.number("gbps")
        first, last = (tables.plan.endpoint_at(tables.plan.offset_of(4, address)) for address in (src, dst))
        if first < 0 or last < 0:
            message = f"line {row.line}: nobody has one of its addresses"
            findings.append(Finding("flow", row.text("src"), row.text("dst"), message))
            continue
        found = _walk(tables, match, first, last)
        if isinstance(found, Finding):
            findings.append(found)
        else:
            loads[found] += gbps
    return loads, len(rows), findings


def _not_exported(tables: ReadTables) -> RuleError:
    """That a rule asks for more than a destination, in an export without single flows: nobody can follow it."""
    node, rules = next((node, rules) for node, rules in tables.flows.items() if rules)
    match = next(iter(rules))
    asked = {
        "the source address": match.src_bits, "the protocol": match.protocol, "the source port": match.src_port,
        "the destination port": match.dst_port, "the port that packets come in by": match.in_port,
    }  # fmt: skip
    which = ", ".join(field for field, value in asked.items() if value)
    name = tables.plan.topology.nodes.name[node]
    to = f" to {match.dst_text}" if match.dst_bits else ""
    return RuleError(
        f"{name} has a rule for packets{to} that asks for {which} too; such a match is "
        "not one of this export and cannot be followed, and so nothing is proved of the tables",
        hint="remove it and verify again; export again writes tables without it",
        code="FP8020",
    )


def _walk(tables: ReadTables, match: Match, src: int, dst: int) -> list[int] | Finding:
    """Links between the first switch and the last; a finding when the flow leaves its rules."""
    topology = tables.plan.topology
    starts = [int(link) for link in tables.ports.links(src) if topology.up[link]]
    nodes = [src] if topology.nodes.forwards[src] else [int(topology.links.dst[link]) for link in starts]
    begun = [node for node in nodes if match in tables.flows.get(node, {})]
    label = f"UDP source port {match.src_port} to {match.dst_text.removesuffix('/32')}"
    if len(begun) != 1:
        words = f"{len(begun)} switches of the source have a rule for it"
        return Finding("flow", topology.nodes.name[src], label, words)
    node, path, steps = begun[0], [], [topology.nodes.name[src]]
    if len(starts) > 1:
        path += [link for link in starts if int(topology.links.dst[link]) == node][:1]
    while node != dst:
        port = tables.flows.get(node, {}).get(match)
        steps.append(topology.nodes.name[node])
        if port is None:
            return Finding("flow", steps[-1], label, "leaves its pinned path: no rule for it", tuple(steps))
        link = tables.ports.link(node, port)
        if link < 0 or not topology.up[link]:
            return Finding("flow", steps[-1], label, f"port {port} is down or does not exist", tuple(steps))
        path.append(link)
        node = int(topology.links.dst[link])
        if len(path) > len(topology.nodes):
            return Finding("flow", steps[-1], label, "forwarding loop", tuple(steps[:20]))
        if not topology.nodes.forwards[node] and node != dst:
            return Finding("flow", steps[-1], label, f"delivered to {topology.nodes.name[node]}", tuple(steps))
    return path
