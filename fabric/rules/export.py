"""All files of an export: what a dialect writes, and beside it what the folder says about itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from fabric.routing.tables.programme import Overflow
from fabric.rules.dialect import Dialect, File
from fabric.rules.errors import RuleError
from fabric.rules.hash_report import HashReport
from fabric.rules.host_routes import chosen_routes
from fabric.rules.hosts import host_files
from fabric.rules.manifest import (
    FLOW_COLUMNS,
    FLOWS,
    HOST_COLUMNS,
    HOSTS,
    LINK_COLUMNS,
    LINKS,
    MANIFEST,
    SCHEMA,
    SwitchEntry,
    address_files,
    to_csv,
)
from fabric.rules.planned import PlannedRules
from fabric.rules.safe_names import safe_names
from fabric.rules.table import SwitchTable, prefix_text
from fabric.rules.tenants.carried import check_dialect
from fabric.rules.tenants.listed import tenant_files


@dataclass(frozen=True)
class TableSize:
    """How large one switch's table is."""

    node: int  # topology node
    rules: int
    groups: int
    members: int


@dataclass(frozen=True)
class ExportSummary:
    """What an export amounts to, for people."""

    switches: int
    rules: int
    groups: int
    most: TableSize | None  # the switch with most rules
    overflows: tuple[Overflow, ...]


def file_names(planned: PlannedRules) -> list[str]:
    """Stem of every switch's files, in the order of the tables."""
    names = planned.rules.topology.nodes.name
    return safe_names(names[node] for node in planned.rules.nodes)


def measure_tables(planned: PlannedRules) -> tuple[PlannedRules, ExportSummary]:
    """Make every table once and keep it when there are few; how large they are, and which do not fit."""
    topology = planned.rules.topology
    kept: dict[int, SwitchTable] = {}
    sizes: list[TableSize] = []
    overflows = list(planned.overflows)
    for node in planned.rules.nodes:
        table = planned.rules.make(node)
        members = sum(bucket.weight for group in table.groups for bucket in group.buckets)
        sizes.append(TableSize(node, len(table.rules), len(table.groups), members))
        limit = planned.options.of(topology.roles[int(topology.nodes.role[node])])
        if limit.rules is not None and len(table.rules) > limit.rules:
            overflows.append(Overflow(node, "rules", len(table.rules), limit.rules))
        kept[node] = table
    summary = ExportSummary(
        len(sizes),
        sum(size.rules for size in sizes),
        sum(size.groups for size in sizes),
        max(sizes, key=lambda size: (size.rules, -size.node), default=None),
        tuple(overflows),
    )
    return replace(planned, rules=replace(planned.rules, make=kept.__getitem__)), summary


def refuse_overflow(planned: PlannedRules, overflows: tuple[Overflow, ...]) -> None:
    """Raise for tables that do not fit, with what would."""
    if not overflows:
        return
    worst = max(overflows, key=lambda one: one.needed / max(one.available, 1))
    names = planned.rules.topology.nodes.name
    ways = {
        "rules": "router ecmp aggregates best; single flows (router pinned) need a rule each; or a switch with more "
        "entries"
        + (
            "; tenants whose hosts are neighbours need fewest rules at ports"
            if planned.rules.tenancy is not None
            else ""
        ),
        "groups": "router ecmp needs fewest groups; a larger --tolerance makes more groups equal",
        "members": "a larger --tolerance shortens groups",
    }
    count = len({one.node for one in overflows})
    more = f"; so do the tables of {count - 1:,} more switches" if count > 1 else ""
    raise RuleError(
        f"{names[worst.node]} needs {worst.needed:,} {worst.what} and has {worst.available:,}{more}",
        hint=f"{ways[worst.what]}; --allow-overflow exports as it is",
        code="FP8010",
    )


def export_files(
    planned: PlannedRules, dialect: Dialect, *, about: Mapping[str, Any], summary: ExportSummary
) -> Iterator[File]:
    """All files of an export folder.

    Parameters
    ----------
    about : mapping
        What the manifest says of the scenario: its name, digest and seed.
    """
    if planned.rules.tenancy is not None:
        check_dialect(dialect)
    yield from dialect.write(planned.rules)
    yield from tenant_files(planned.rules)
    yield from address_files(planned.plan)
    yield File(LINKS, to_csv(LINK_COLUMNS, _link_rows(planned)))
    yield File(HOSTS, to_csv(HOST_COLUMNS, _host_rows(planned)))
    yield from host_files(planned, dialect)
    if planned.flows:
        yield File(FLOWS, to_csv(FLOW_COLUMNS, _flow_rows(planned)))
    record = _manifest(planned, dialect, summary)
    yield File(MANIFEST, json.dumps({**record, **about}, indent=1, ensure_ascii=False) + "\n")


def _manifest(planned: PlannedRules, dialect: Dialect, summary: ExportSummary) -> dict[str, Any]:
    topology = planned.rules.topology
    names = topology.nodes.name
    switches = [
        SwitchEntry(names[node], stem, planned.plan.datapath(node))
        for node, stem in zip(planned.rules.nodes, file_names(planned), strict=True)
    ]
    return {
        "schema": SCHEMA,
        "kind": "RulesExport",
        "fabric": planned.plan.fabric,
        "fabric_number": planned.plan.number,
        "phase": planned.route.phase if planned.route is not None else None,
        "router": planned.rules.router,
        "dialect": dialect.name,
        "experimental": dialect.experimental,
        "families": list(planned.rules.families),
        "tolerance": float(planned.programme.tolerance.max(initial=0.0)),
        "oversubscription": planned.programme.oversubscription,
        "planned_max_utilisation": planned.planned_utilisation,
        "programmed_max_utilisation": planned.programmed_utilisation,
        "hash": asdict(HashReport.of(planned, dialect)),
        "rules": summary.rules,
        "groups": summary.groups,
        "most_rules": summary.most.rules if summary.most else 0,
        "down": [topology.link_name(int(link)) for link in np.flatnonzero(topology.is_cable & ~topology.up)],
        "switches": [{"name": one.name, "file": one.file, "datapath": one.datapath} for one in switches],
    }


def _link_rows(planned: PlannedRules) -> Iterator[tuple[object, ...]]:
    """Every directed link that begins or ends at a switch, with its loads."""
    topology = planned.rules.topology
    names, links = topology.nodes.name, topology.links
    port = planned.rules.ports.of_link
    capacity = topology.capacity_gbps
    rows = zip(
        links.src.tolist(),
        port.tolist(),
        links.dst.tolist(),
        links.reverse.tolist(),
        capacity.tolist(),
        planned.planned_gbps.tolist(),
        planned.programmed_gbps.tolist(),
        strict=True,
    )
    for src, src_port, dst, back, gbps, plan, made in rows:
        far = int(port[back]) if back >= 0 else ""
        use = (round(plan / gbps, 9), round(made / gbps, 9)) if gbps > 0 else ("", "")
        yield names[src], src_port, names[dst], far, gbps, round(plan, 9), round(made, 9), *use


def _host_rows(planned: PlannedRules) -> Iterator[tuple[object, ...]]:
    """Routes of endpoints with several links, which choose between them themselves."""
    topology = planned.rules.topology
    for route in chosen_routes(planned):
        for port, weight in route.ways:
            link = planned.rules.ports.link(route.node, port)
            via = topology.nodes.name[int(topology.links.dst[link])]
            yield topology.nodes.name[route.node], route.prefix, via, port, weight


def _flow_rows(planned: PlannedRules) -> Iterator[tuple[object, ...]]:
    """Single flows with rules of their own."""
    names = planned.rules.topology.nodes.name
    for flow in planned.flows:
        match = flow.match
        src = prefix_text(4, match.src, 32).removesuffix("/32")
        dst = prefix_text(4, match.dst, 32).removesuffix("/32")
        yield names[flow.src], names[flow.dst], src, dst, match.src_port, match.dst_port, flow.gbps
