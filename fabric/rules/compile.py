"""Tables of switches from a programme: addresses cut into fewest prefixes, decisions into outputs and groups.

Every address of the host blocks belongs to the site around it. Where no endpoint has it, switches send it as they send
to the endpoint before it, and the switch that endpoint is attached to drops it: tables stay small, and nothing loops.
That switch has one rule per endpoint; everything else is aggregated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from zlib import crc32

import numpy as np

from fabric.routing.tables.decisions import ARRIVED, CUT_OFF
from fabric.routing.tables.programme import Programme
from fabric.rules.addressing import AddressPlan
from fabric.rules.aggregate import aggregate
from fabric.rules.ports import Ports
from fabric.rules.rule_set import RuleSet
from fabric.rules.table import DROP, LOCAL, Action, Bucket, Group, Match, Rule, SwitchTable, cookie_of, priority_of
from topologies.columns import Bools, Ints, Longs, column

Buckets = tuple[Bucket, ...]
_DROPPED: Buckets = ()


@dataclass(frozen=True, eq=False)
class Atoms:
    """The host blocks cut where the destination changes: atom a begins at ``start[a]``."""

    start: Longs  # shape (A,), ascending from 0
    row: Ints  # shape (A,), destination row of the decisions, -1 where no switch has a path to it
    first: Longs  # shape (A + 1,), endpoints of atom a: plan.node_at[first[a]:first[a + 1]]


def atoms(plan: AddressPlan, row_of: Ints) -> Atoms:
    """Atoms of an address plan for destinations ``row_of`` of the endpoints, shape (N,)."""
    node = plan.node_at
    row = row_of[node]
    site = plan.site_of[node]
    new = np.ones(len(node), dtype=np.bool_)
    new[1:] = (row[1:] != row[:-1]) | (site[1:] != site[:-1])
    first = np.flatnonzero(new)
    # A site's first atom begins with its block, others with their first endpoint; the next one ends it.
    opens = np.ones(len(first), dtype=np.bool_)
    opens[1:] = site[first[1:]] != site[first[:-1]]
    start = np.where(opens, plan.sites.start[site[first]], plan.offset[node[first]])
    if len(start):
        start[0] = 0
    return Atoms(column(start, np.int64), column(row[first], np.int32), column(np.append(first, len(node)), np.int64))


@dataclass(frozen=True, eq=False)
class Compiler:
    """Makes the table of one switch at a time."""

    plan: AddressPlan
    programme: Programme
    families: tuple[int, ...]
    seeds: Mapping[int, int]  # of every switch's hash, by topology node
    flows: Mapping[int, Sequence[tuple[Match, int]]]  # by topology node: single flows and their ports

    @cached_property
    def ports(self) -> Ports:
        """Port numbers."""
        return Ports(self.plan.topology)

    @cached_property
    def atoms(self) -> Atoms:
        """The host blocks by destination."""
        return atoms(self.plan, self.programme.decisions.row_of)

    @cached_property
    def _node_of_switch(self) -> dict[int, int]:
        graph = self.programme.decisions.graph
        return {int(node): index for index, node in enumerate(graph.node_of) if not graph.is_terminal[index]}

    @cached_property
    def _access(self) -> dict[tuple[int, int], int]:
        """Link by (switch, endpoint) for single-homed endpoints, and by (access edge, endpoint) for the others."""
        graph = self.programme.decisions.graph
        links = graph.topology.links
        node, up, down = graph.single_homed
        found = {
            (-1 - int(links.dst[there]), int(end)): int(back)
            for end, there, back in zip(node.tolist(), up.tolist(), down.tolist(), strict=True)
        }
        for edge, link in zip(graph.member_edge.tolist(), graph.member_link.tolist(), strict=True):
            found[edge, int(links.dst[link])] = link
            found[edge, int(links.src[link])] = link
        return found

    @cached_property
    def _link_of_edge(self) -> Ints:
        return self.programme.decisions.graph.link_of

    @cached_property
    def _delivers(self) -> Bools:
        """Whether an edge leads to endpoints, shape (E,)."""
        graph = self.programme.decisions.graph
        return graph.is_terminal[graph.dst]

    def table(self, node: int) -> SwitchTable:
        """Table of a switch, a topology node."""
        rules, groups = self.rules(self._node_of_switch[node], node)
        name = self.plan.topology.nodes.name[node]
        return SwitchTable(
            name=name,
            datapath=self.plan.datapath(node),
            hash_basis=self.seeds[node],
            groups=tuple(sorted(groups)),
            rules=tuple(rules),
        )

    def rules(self, graph_node: int, node: int) -> tuple[list[Rule], list[Group]]:
        """Rules and groups of a graph node, as the topology node ``node`` has them."""
        start, action, own, meanings = _canonical(*self._intervals(graph_node, node))
        groups: dict[Buckets, Group] = {}
        taken: set[int] = set()
        acts = [_action(buckets, groups, taken) for buckets in meanings]
        rules: list[Rule] = []
        for offset, bits, index in [*own, *aggregate(start, action, self.plan.span_bits, len(acts)).tolist()]:
            for family in self.families:
                match = Match(family, *self.plan.prefix(family, offset, bits))  # type: ignore[arg-type]
                rules.append(Rule(priority_of(match), match, acts[index], cookie_of(match)))
        for match, port in self.flows.get(node, ()):
            rules.append(Rule(priority_of(match), match, Action("output", port), cookie_of(match)))
        miss = Match(0)
        rules.append(Rule(priority_of(miss), miss, DROP, cookie_of(miss)))
        rules.sort(key=lambda rule: (-rule.priority, rule.match))
        used = {rule.action.value for rule in rules if rule.action.kind == "group"}
        return rules, [group for group in groups.values() if group.id in used]

    # ---- what a switch does with every address --------------------------------------------------------------------

    def _intervals(self, graph_node: int, node: int) -> tuple[Longs, Ints, list[tuple[int, int, int]], list[Buckets]]:
        """First offset and action of every interval, (offset, 0 bits, action) of the switch's own endpoints, and what
        the actions mean. Around its own endpoints a switch drops."""
        cut = self.atoms
        if not len(cut.start):
            return column([0], np.int64), column([0], np.int32), [], [_DROPPED]
        row = self.programme.decisions.code[graph_node]
        codes = np.where(cut.row >= 0, row[cut.row], CUT_OFF) if len(row) else np.full(len(cut.row), CUT_OFF)
        unique, inverse = np.unique(codes, return_inverse=True)
        known: dict[Buckets, int] = {_DROPPED: 0}
        meaning = np.zeros(len(unique), dtype=np.int32)
        mine = np.zeros(len(unique), dtype=np.bool_)
        for index, code in enumerate(unique.tolist()):
            edges = self.programme.buckets(code) if code >= 0 else []
            mine[index] = code == ARRIVED or any(self._delivers[edge] for edge, _ in edges)
            if not mine[index]:
                meaning[index] = known.setdefault(self._buckets(edges, node, -1), len(known))
        own: list[tuple[int, int, int]] = []
        for atom in np.flatnonzero(mine[inverse]).tolist():
            code = int(codes[atom])
            edges = self.programme.buckets(code) if code >= 0 else []
            for endpoint in self.plan.node_at[cut.first[atom] : cut.first[atom + 1]].tolist():
                act = known.setdefault(self._buckets(edges, node, endpoint), len(known))
                own.append((int(self.plan.offset[endpoint]), 0, act))
        return cut.start, column(meaning[inverse], np.int32), own, list(known)

    def _buckets(self, edges: Sequence[tuple[int, int]], node: int, endpoint: int) -> Buckets:
        """Ports and weights of a decision; towards ``endpoint`` where an edge leads to the class it is in."""
        if not edges:
            if endpoint == node:
                return (Bucket(LOCAL, 1),)
            link = self._access.get((-1 - node, endpoint), -1)
            return (Bucket(int(self.ports.of_link[link]), 1),) if link >= 0 else _DROPPED
        found = []
        for edge, weight in edges:
            link = int(self._link_of_edge[edge])
            if link < 0:
                link = self._access.get((edge, endpoint if endpoint >= 0 else node), -1)
            if link >= 0:
                found.append(Bucket(int(self.ports.of_link[link]), weight))
        return tuple(sorted(found))


def _canonical(
    start: Longs, action: Ints, own: list[tuple[int, int, int]], meanings: list[Buckets]
) -> tuple[Longs, Ints, list[tuple[int, int, int]], list[Buckets]]:
    """Actions numbered by what they are, wide groups first: of equally small tables the aggregation takes the one with
    low numbers, so that a change elsewhere does not turn a switch's table over."""
    order = sorted(range(len(meanings)), key=lambda index: (-len(meanings[index]), meanings[index]))
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order))
    numbered = [(offset, bits, int(rank[index])) for offset, bits, index in own]
    return start, column(rank[action], np.int32), numbered, [meanings[index] for index in order]


def _action(buckets: Buckets, groups: dict[Buckets, Group], taken: set[int]) -> Action:
    """What a rule does to send along buckets; groups are numbered by their content."""
    if not buckets:
        return DROP
    if len({bucket.port for bucket in buckets}) == 1:
        return Action("output", buckets[0].port)
    if buckets not in groups:
        groups[buckets] = Group(_group_id(buckets, taken), buckets)
        taken.add(groups[buckets].id)
    return Action("group", groups[buckets].id)


def _group_id(buckets: Buckets, taken: set[int]) -> int:
    """31 bits of a hash of the content: the same buckets have the same id in every export of a switch."""
    digest = blake2b(repr([tuple(bucket) for bucket in buckets]).encode(), digest_size=4).digest()
    found = int.from_bytes(digest, "big") >> 1
    while found in taken or found == 0:
        found = (found + 1) & 0x7FFFFFFF
    return found


def compile_tables(
    plan: AddressPlan,
    programme: Programme,
    *,
    router: str,
    families: tuple[int, ...] = (4,),
    seed: int = 0,
    flows: Mapping[int, Sequence[tuple[Match, int]]] | None = None,
) -> RuleSet:
    """Tables of all switches of a fabric.

    Parameters
    ----------
    seed : int
        Decides every switch's hash basis.
    flows : mapping, optional
        By topology node: single flows as (match, port), above all prefixes.
    """
    graph = programme.decisions.graph
    nodes = [int(node) for index, node in enumerate(graph.node_of) if not graph.is_terminal[index]]
    seeds = hash_seeds(plan, nodes, seed)
    compiler = Compiler(plan, programme, families, seeds, flows or {})
    return RuleSet(plan, families, router, nodes, compiler.table, seeds)


def hash_seeds(plan: AddressPlan, nodes: Sequence[int], seed: int) -> dict[int, int]:
    """A seed of 32 bits for the hash of every node: never 0, which means none, and no two alike."""
    names, taken, found = plan.topology.nodes.name, {0}, {}
    for node in nodes:
        value = crc32(f"{seed}/{plan.fabric}/{names[node]}".encode())
        while value in taken:
            value = (value + 1) & 0xFFFFFFFF
        taken.add(value)
        found[node] = value
    return found
