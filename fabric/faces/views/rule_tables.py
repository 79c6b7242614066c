"""Tables of planned flow tables: the switches, the rules and groups of one, what differs from an export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fabric.output.table import Column, Table
from fabric.pipeline.prepared import PreparedScenario
from fabric.pipeline.tables import plan_tables
from fabric.routing.progress import Reporter, silent
from fabric.rules.changes import read_tables_of
from fabric.rules.errors import RuleError
from fabric.rules.manifest import read_manifest
from fabric.rules.ovs_text import format_group, format_rule
from fabric.rules.planned import PlannedRules
from fabric.rules.table import SwitchTable
from topologies.errors import RoutingError

MOST_COUNTED = 600  # switches whose tables are all made for the list; of more, a table is made when it is looked at


class PlannedTables:
    """Tables of one fabric, made when asked for."""

    def __init__(self, planned: PlannedRules) -> None:
        self.planned = planned
        self.nodes = list(planned.rules.nodes)
        names = planned.rules.topology.nodes.name
        self.names = [names[node] for node in self.nodes]
        self._made: dict[int, SwitchTable] = {}
        if len(self.nodes) <= MOST_COUNTED:
            self._made = dict(enumerate(planned.rules.tables()))

    def table(self, at: int) -> SwitchTable:
        """Table of the switch at a place of the list."""
        if at not in self._made:
            self._made[at] = self.planned.rules.make(self.nodes[at])
        return self._made[at]

    def made(self, at: int) -> SwitchTable | None:
        """The table where it is made already."""
        return self._made.get(at)


def planned_tables(prepared: PreparedScenario, progress: Reporter = silent) -> PlannedTables:
    """Tables of the fabric and phase that the request names.

    Raises
    ------
    FabricError
        Where a router cannot be programmed, with those that can.
    """
    found = plan_tables(prepared, progress=progress)
    if not found:
        raise RoutingError("there is no fabric to write tables for", hint="name one", code="FP9002")
    return PlannedTables(found[0])


def differences(tables: PlannedTables, folder: Path) -> dict[str, tuple[int, int]]:
    """Rules and groups added and removed per switch, against an export folder.

    Raises
    ------
    RuleError
        Where the folder is not an export that can be read back.
    """
    fabric = read_manifest(folder).fabric
    if fabric != tables.planned.plan.fabric:
        raise RuleError(
            f"{folder} was written for fabric {fabric}, these tables are for {tables.planned.plan.fabric}",
            hint="f looks at another fabric",
            code="FP8050",
        )
    old = read_tables_of(folder)
    found: dict[str, tuple[int, int]] = {}
    for at, name in enumerate(tables.names):
        new, before = _lines(tables.table(at)), _lines(old[name]) if name in old else set()
        if new != before:
            found[name] = (len(new - before), len(before - new))
    for name in old.keys() - set(tables.names):
        found[name] = (0, len(_lines(old[name])))
    return found


def _lines(table: SwitchTable) -> set[str]:
    """All rules and groups as text; the basis of the hash is not part of it, a read-back export has none."""
    return {*map(format_rule, table.rules), *(format_group(group, 0) for group in table.groups)}


def switch_table(tables: PlannedTables, changed: Mapping[str, tuple[int, int]] | None = None) -> Table:
    """One row per switch; figures of tables that are not made yet are missing."""
    made = [tables.made(at) for at in range(len(tables.names))]

    def count(value: int | None) -> str:
        return "…" if value is None else f"{value:,}"

    columns = [
        Column("switch", "switch", tables.names, width=16),
        Column("rules", "rules", [len(table.rules) if table else None for table in made], count, True, 7),
        Column("groups", "groups", [len(table.groups) if table else None for table in made], count, True, 7, 1),
        Column(
            "members",
            "members",
            [sum(len(group.buckets) for group in table.groups) if table else None for table in made],
            count,
            True,
            8,
            2,
        ),
    ]
    if changed is not None:
        texts = [f"+{changed[name][0]} -{changed[name][1]}" if name in changed else "=" for name in tables.names]
        columns.append(Column("difference", "to export", texts, numeric=True, width=11))
    return Table.of(columns, len(tables.names))


def rule_table(table: SwitchTable) -> Table:
    """Rules, then groups, of a switch as ``ovs-ofctl`` reads them."""
    flows = [format_rule(rule) for rule in table.rules]
    groups = [format_group(group, table.hash_basis) for group in table.groups]
    kinds = ["rule"] * len(flows) + ["group"] * len(groups)
    return Table.of(
        (
            Column("kind", "", kinds, width=5),
            Column("text", "as ovs-ofctl reads it", [*flows, *groups], width=60),
        ),
        len(kinds),
    )
