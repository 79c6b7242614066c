"""Behaviours of all switches and multi-homed hosts of an export, read back from its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from fabric.routing.table_options import Carrier
from fabric.routing.tables.shared_hash import buckets_by_hash
from fabric.rules.addressing import AddressPlan
from fabric.rules.dialect import Dialect, read_switch, switch_seed
from fabric.rules.errors import RuleError
from fabric.rules.manifest import HOST_COLUMNS, HOSTS, Manifest
from fabric.rules.own_files import read_rows
from fabric.rules.ports import Ports
from fabric.rules.table import Action, Bucket, Group, Match, Rule
from fabric.rules.verify.behaviour import Behaviour, Parts, behaviour
from fabric.rules.verify.findings import Finding
from topologies.columns import Ints, column
from topologies.topology import Topology


@dataclass(eq=False)
class ReadTables:
    """Nodes that forward or choose a link, each with what it does; ``index`` finds them by topology node."""

    plan: AddressPlan
    nodes: list[int] = field(default_factory=list)
    behaviours: list[list[Behaviour]] = field(default_factory=list)  # by node, then by family
    flows: dict[int, dict[Match, int]] = field(default_factory=dict)  # by topology node: single flows -> port
    rules: int = 0
    groups: int = 0
    findings: list[Finding] = field(default_factory=list)
    seeds: list[int | None] = field(default_factory=list)  # of every node's hash; None: a host, which has its own
    carrier: Carrier = "exact"  # of the switches
    entries: dict[int, tuple[list[Rule], list[Group]]] = field(default_factory=dict)  # of switches, where kept

    @cached_property
    def ports(self) -> Ports:
        """Port numbers."""
        return Ports(self.plan.topology)

    @cached_property
    def index(self) -> Ints:
        """Place of every topology node among ``nodes``, shape (N,), -1 for the rest."""
        found = np.full(len(self.plan.topology.nodes), -1, dtype=np.int32)
        found[self.nodes] = np.arange(len(self.nodes))
        return column(found, np.int32)

    def name(self, place: int) -> str:
        """Name of the node at a place."""
        return self.plan.topology.nodes.name[self.nodes[place]]

    def add(
        self,
        node: int,
        families: Sequence[int],
        rules: Sequence[Rule],
        groups: Sequence[Group],
        parts: Parts,
        *,
        seed: int | None = None,
    ) -> None:
        """One more node; ``seed`` of its hash, None for a host."""

        def by_hash(weights: tuple[int, ...]) -> tuple[int, ...]:
            return () if seed is None else buckets_by_hash(weights, self.carrier)

        self.nodes.append(node)
        self.seeds.append(seed)
        self.behaviours.append([behaviour(self.plan, family, rules, groups, parts, by_hash) for family in families])
        single = {
            rule.match: rule.action.value for rule in rules if rule.match.is_flow and rule.action.kind == "output"
        }
        if single:
            self.flows[node] = single
        name = self.plan.topology.nodes.name[node]
        for made in self.behaviours[-1]:
            self.findings += [Finding("broken-group", name, "", fault) for fault in dict.fromkeys(made.faults)]
            self.findings += [
                Finding("ambiguous", name, "", f"two rules of one priority disagree at offset {offset} of the underlay")
                for offset in made.ambiguous[:3]
            ]


def read_tables(
    folder: Path,
    manifest: Manifest,
    dialect: Dialect,
    plan: AddressPlan,
    *,
    progress: Callable[[str], None],
    keep: bool = False,
) -> ReadTables:
    """Read the tables of all switches and the routes of multi-homed hosts.

    Parameters
    ----------
    keep : bool
        Whether rules and groups are kept beside what they do.

    Raises
    ------
    RuleError
        When a file cannot be read back; tables that are missing are findings.
    """
    if dialect.read is None:
        raise RuleError(
            f"dialect {dialect.name} cannot be read back, so its files cannot be verified",
            hint="export --dialect ovs as well: it is made from the same tables",
            code="FP8024",
        )
    topology = plan.topology
    found = ReadTables(plan, carrier=dialect.carrier)
    parts = parts_of(dialect)
    forwarding = {topology.nodes.name[node]: node for node in plan.switches.tolist()}
    for number, entry in enumerate(manifest.switches):
        if number % 256 == 0:
            progress(f"reading tables: {number:,} of {len(manifest.switches):,}")
        node = forwarding.pop(entry.name, -1)
        if node < 0:
            found.findings.append(Finding("missing-table", entry.name, "", "the scenario has no such switch"))
            continue
        if plan.datapath(node) != entry.datapath:
            words = f"datapath id {entry.datapath:x} in the export, {plan.datapath(node):x} in the plan"
            found.findings.append(Finding("missing-table", entry.name, "", words))
        rules, groups = read_switch(dialect, folder, entry.file)
        if keep:
            found.entries[node] = rules, groups
        found.rules += len(rules)
        found.groups += len(groups)
        found.add(node, manifest.families, rules, groups, parts, seed=switch_seed(dialect, folder, entry.file))
    for name in forwarding:
        found.findings.append(Finding("missing-table", name, "", "the export has no table for this switch"))
    _read_hosts(folder / HOSTS, found, manifest.families)
    return found


def parts_of(dialect: Dialect) -> Parts:
    """How a dialect's carrier turns weights into parts; remembered, since few vectors are met often."""
    known: dict[tuple[int, ...], Sequence[float]] = {}

    def parts(weights: Sequence[int]) -> Sequence[float]:
        key = tuple(weights)
        if key not in known:
            if dialect.carrier == "slots":
                from fabric.routing.tables.slot_table import slot_parts

                known[key] = slot_parts(weights)
            else:
                known[key] = [weight / sum(weights) for weight in weights]
        return known[key]

    return parts


def _read_hosts(path: Path, found: ReadTables, families: Sequence[int]) -> None:
    """Routes of endpoints with several links."""
    topology: Topology = found.plan.topology
    rows: dict[str, dict[tuple[int, int, int], list[Bucket]]] = {}
    for row in read_rows(path, HOST_COLUMNS):
        prefix = row.prefix("prefix")
        bucket = Bucket(row.whole("port"), row.whole("weight"))
        key = (prefix.version, int(prefix.network_address), prefix.prefixlen)
        rows.setdefault(row.text("host"), {}).setdefault(key, []).append(bucket)
    for host, routes in rows.items():
        if not topology.has_node(host):
            found.findings.append(Finding("missing-table", host, "", "the scenario has no such host"))
            continue
        rules, groups = [], []
        for number, ((family, address, bits), buckets) in enumerate(routes.items()):
            match = Match(family, address, bits)  # type: ignore[arg-type]
            rules.append(Rule(bits, match, Action("group", number), 0))
            groups.append(Group(number, tuple(buckets)))
        found.add(topology.node(host), families, rules, groups, lambda weights: [w / sum(weights) for w in weights])
