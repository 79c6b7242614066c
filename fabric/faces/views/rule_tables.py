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
from fabric.rules.table import LOCAL, Action, Group, Match, Rule, SwitchTable
from topologies.errors import RoutingError

MOST_COUNTED = 600  # switches whose tables are all made for the list; of more, a table is made when it is looked at
_WIDEST_MATCH = 25  # cells; a prefix of IPv6 fits as a rule


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
    """Rules, then groups, of a switch: what they match, where out, by which group, at which priority.

    A rule with a group has the ports of the group as its ways out; ``text`` is the line that ``ovs-ofctl`` reads.
    """
    ways = {group.id: _ways_text(group) for group in table.groups}
    rules, groups = table.rules, table.groups
    kind = ["rule"] * len(rules) + ["group"] * len(groups)
    priority = [*(rule.priority for rule in rules), *[None] * len(groups)]
    match = [*(_match_text(rule.match) for rule in rules), *[""] * len(groups)]
    out = [*(_out_text(rule.action, ways) for rule in rules), *(ways[group.id] for group in groups)]
    group_ids = [*(_group_of(rule) for rule in rules), *(group.id for group in groups)]
    text = [*map(format_rule, rules), *(format_group(group, table.hash_basis) for group in groups)]
    match_width = min(max((len(entry) for entry in match), default=0), _WIDEST_MATCH)
    return Table.of(
        (
            Column("kind", "", kind, width=5, priority=1),
            Column("priority", "prio", priority, _number, True, 5),
            Column("match", "match", match, width=max(match_width, len("match"))),
            Column("out", "out of port", out, width=_WIDEST_MATCH + 1),
            Column("group", "group", group_ids, _number, True, 10),
            Column("text", "as ovs-ofctl reads it", text, width=120, priority=9),
        ),
        len(kind),
    )


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _group_of(rule: Rule) -> int | None:
    return rule.action.value if rule.action.kind == "group" else None


def _out_text(action: Action, ways: Mapping[int, str]) -> str:
    """Where a rule sends to.

    >>> _out_text(Action("output", 7), {}), _out_text(Action("drop"), {}), _out_text(Action("group", 1), {1: "3 4"})
    ('7', 'drop', '3 4')
    """
    if action.kind == "group":
        return ways.get(action.value, "no such group")
    return _port_text(action.value) if action.kind == "output" else "drop"


def _port_text(port: int) -> str:
    return "LOCAL" if port == LOCAL else str(port)


def _ways_text(group: Group) -> str:
    """The ports of a group, with their weights where these differ; weights of one port are added.

    >>> from fabric.rules.table import Bucket, Group
    >>> _ways_text(Group(1, (Bucket(3, 1), Bucket(4, 1))))
    '3 4'
    >>> _ways_text(Group(1, (Bucket(3, 2), Bucket(4, 1), Bucket(3, 1))))
    '3×3 4×1'
    """
    weight: dict[int, int] = {}
    for bucket in group.buckets:
        weight[bucket.port] = weight.get(bucket.port, 0) + bucket.weight
    even = len(set(weight.values())) < 2
    return " ".join(_port_text(port) + ("" if even else f"×{part}") for port, part in weight.items())


def _match_text(match: Match) -> str:
    """What a rule asks of a packet, in short.

    >>> _match_text(Match(4, 0x0A000300, 26)), _match_text(Match(0))
    ('10.0.3.0/26', 'anything else')
    >>> _match_text(Match(4, 0x0A000301, 32, 0x0A000001, 32, 17, 49152, 4791))
    '10.0.3.1/32 from 10.0.0.1/32 protocol 17 49152 > 4791'
    """
    if not match.family:
        return "anything else"
    parts = [match.dst_text if match.dst_bits else f"IPv{match.family}"]
    if match.in_port:
        parts.append(f"in {match.in_port}")
    if match.src_bits:
        parts.append(f"from {match.src_text}")
    if match.protocol:
        parts.append(f"protocol {match.protocol}")
    if match.src_port or match.dst_port:
        parts.append(f"{match.src_port or 'any'} > {match.dst_port or 'any'}")
    return " ".join(parts)
