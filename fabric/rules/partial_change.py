"""Which switches keep their tables when some that belong to the change cannot be read or changed.

A switch that is not in reach forwards on by tables that nobody can read. Two facts hold without them. As long as a
packet takes next hops that its switches had before, it is on a way that it could take before. And from a new next hop
on it is delivered if all ways from there end at the destination without crossing a switch whose table is not known. So
a switch changes only if all its new next hops are *sure* in that sense; the others keep their tables, and so does, in
turn, who leads to them anew. Switches that dropped what they now lead on are let change: what they lead was lost
before. The last switch of a destination is sure though its table is not known, as there is no other way to that
destination; so is everything about addresses that nobody has, but for cycles of switches that are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.rules.addressing import AddressPlan
from fabric.rules.change_plan import read_by_name
from fabric.rules.table import SwitchTable
from fabric.rules.transitions import affected_atoms, behaviour_of, next_links
from fabric.rules.verify.behaviour import Behaviour, Parts, Ways
from fabric.rules.verify.tables import ReadTables
from topologies.columns import Bools, Ints, Longs


def switches_that_keep(
    plan: AddressPlan,
    old: Mapping[str, SwitchTable],
    new: Mapping[str, SwitchTable],
    *,
    changeable: Sequence[str],
    unread: Sequence[str],
    families: Sequence[int],
    parts: Parts,
) -> frozenset[str]:
    """Switches of ``changeable`` that have to keep their old tables, lest packets circle or are lost.

    Parameters
    ----------
    old : mapping
        Tables of all switches that are known, as they run.
    new : mapping
        Tables of all switches of the export.
    unread : sequence of str
        Switches whose tables are not known and stay as they are.
    """
    node = plan.topology.node
    before = read_by_name(plan, old, families, parts)
    target = {name: new[name] for name in (*old, *unread) if name in new}
    after = read_by_name(plan, target, families, parts)
    outside = frozenset(node(name) for name in unread)
    changing = {node(name) for name in changeable}
    for index in range(len(families)):
        atoms = _Atoms.of(before, after, index, outside)
        everywhere = set(atoms.nodes)
        # What the export loses when all have it is not lost by the order.
        meant = atoms.reached(everywhere, frozenset()) & ~atoms.sure(everywhere, frozenset())
        while True:
            counts = atoms.reached(changing, outside) & ~meant
            sure = atoms.sure(changing, outside)
            unsafe = {
                row: np.flatnonzero(atoms.leads_wrong(row, sure) & counts[row])
                for row, at in enumerate(atoms.nodes)
                if at in changing
            }
            wrong = {row for row, columns in unsafe.items() if len(columns)}
            if not wrong:
                break
            # Those nearest to what is not sure keep their tables first: others may be sure without them.
            last = {row for row in wrong if not atoms.leads_to(row, unsafe[row], wrong, unsafe)}
            changing -= {atoms.nodes[row] for row in last or wrong}
    return frozenset(name for name in changeable if node(name) not in changing)


@dataclass(frozen=True, eq=False)
class _Atoms:
    """Next hops of all nodes for every set of addresses that some switch treats otherwise than before."""

    nodes: list[int]  # topology nodes: those with known tables, then the others
    owned: Bools  # shape (A,), whether somebody has an address of it
    ends: Bools  # shape (nodes, A), whether a node is the only switch of the destination
    heads: tuple[list[list[tuple[int, ...] | None]], ...]  # before and after: [row][way] -> rows; None: dropped
    ways: tuple[Ints, Ints]  # before and after, shape (nodes, A)
    fresh: list[
        list[tuple[Longs, tuple[int, ...] | None]]
    ]  # by row: columns, rows led to anew; None: drops what it led
    begins: Bools  # shape (nodes,), whether packets of an endpoint come to a node first
    beside: tuple[tuple[int, ...], ...]  # rows that each node has links to

    @classmethod
    def of(cls, before: ReadTables, after: ReadTables, index: int, outside: frozenset[int]) -> _Atoms:
        plan = before.plan
        nodes = sorted({*before.nodes, *after.nodes} - outside) + sorted(outside)
        points, ends_at = _points(plan, affected_atoms(before, after, index))
        row = {at: number for number, at in enumerate(nodes)}
        heads: tuple[list[list[tuple[int, ...] | None]], ...] = ([], [])
        ways = np.zeros((2, len(nodes), len(points)), dtype=np.int32)
        fresh: list[list[tuple[Longs, tuple[int, ...] | None]]] = []
        for number, at in enumerate(nodes):
            both = behaviour_of(before, at, index), behaviour_of(after, at, index)
            for side, (tables, made) in enumerate(zip((before, after), both, strict=True)):
                heads[side].append([_heads(tables, at, made, way, row) for way in range(len(made.ways))])
                ways[side, number] = made.way[np.searchsorted(made.start, points, side="right") - 1]
            fresh.append([])
            for was, will in sorted(set(zip(ways[0, number].tolist(), ways[1, number].tolist(), strict=True))):
                columns = np.flatnonzero((ways[0, number] == was) & (ways[1, number] == will))
                if both[0].ways[was]:
                    new_heads = _fresh_heads(before, after, at, both[0].ways[was], both[1].ways[will], row)
                    fresh[-1].append((columns, new_heads))
        ends = np.zeros((len(nodes), len(points)), dtype=np.bool_)
        for column_, last in enumerate(ends_at):
            if len(last) == 1 and last[0] in row:
                ends[row[last[0]], column_] = True
        owned = np.array([bool(last) for last in ends_at], dtype=np.bool_)
        links, topology = plan.topology.links, plan.topology
        first = np.unique(np.concatenate([links.dst[topology.nodes.nics[links.src] > 0], topology.endpoint_nodes]))
        begins = np.isin(np.array(nodes), first)
        beside = [
            tuple(sorted({row[head] for head in links.dst[before.ports.links(at)].tolist() if head in row}))
            for at in nodes
        ]
        return cls(nodes, owned, ends, heads, (ways[0], ways[1]), fresh, begins, tuple(beside))

    def reached(self, changing: set[int], outside: frozenset[int]) -> Bools:
        """Which nodes packets can come to, shape (nodes, A); one of ``outside`` may lead them to any neighbour."""
        reached = np.zeros((len(self.nodes), len(self.owned)), dtype=np.bool_)
        reached[self.begins] = True
        grown = True
        while grown:
            before = reached.copy()
            for number, at in enumerate(self.nodes):
                if at in outside:
                    reached[list(self.beside[number])] |= reached[number] & ~self.ends[number]
                    continue
                side = int(at in changing)
                for way, heads in enumerate(self.heads[side][number]):
                    if heads:
                        reached[list(heads)] |= reached[number] & (self.ways[side][number] == way)
            grown = bool((reached != before).any())
        return reached

    def sure(self, changing: set[int], outside: frozenset[int]) -> Bools:
        """Where all ways on from a node end at the destination, shape (nodes, A); ``changing`` have new tables."""
        sure = np.zeros((len(self.nodes), len(self.owned)), dtype=np.bool_)
        for number, at in enumerate(self.nodes):
            if at in outside:
                sure[number] = self.ends[number] | ~self.owned
        grown = True
        while grown:
            grown = False
            for number, at in enumerate(self.nodes):
                if at in outside:
                    continue
                side = int(at in changing)
                for way, heads in enumerate(self.heads[side][number]):
                    columns = np.flatnonzero((self.ways[side][number] == way) & ~sure[number])
                    if not len(columns):
                        continue
                    good = ~self.owned[columns] if heads is None else sure[list(heads)][:, columns].all(axis=0)
                    sure[number, columns] = good
                    grown |= bool(good.any())
        return sure

    def leads_wrong(self, row: int, sure: Bools) -> Bools:
        """Where a node leads to a new next hop that is not sure, or drops what it led on, shape (A,)."""
        found = np.zeros(len(self.owned), dtype=np.bool_)
        for columns, heads in self.fresh[row]:
            found[columns] = self.owned[columns] if heads is None else ~sure[list(heads)][:, columns].all(axis=0)
        return found

    def leads_to(self, row: int, columns: Longs, wrong: set[int], unsafe: Mapping[int, Longs]) -> bool:
        """Whether for all of ``columns`` a node's new next hops include another node that is wrong there."""
        for column_ in columns.tolist():
            heads = self.heads[1][row][int(self.ways[1][row, column_])] or ()
            if not any(head in wrong and head != row and column_ in unsafe[head] for head in heads):
                return False
        return True


def _points(plan: AddressPlan, atoms: Longs) -> tuple[Longs, list[tuple[int, ...]]]:
    """An address of each interval, somebody's where it can be; the switches that its owner is attached to."""
    links, forwards = plan.topology.links, plan.topology.nodes.forwards
    owners = plan.node_at
    offsets = plan.offset[owners]
    points = atoms[:, 0].copy()
    ends: list[tuple[int, ...]] = []
    attached: dict[int, tuple[int, ...]] = {}
    place = np.searchsorted(offsets, atoms[:, 0])
    for number, at in enumerate(place.tolist()):
        if at >= len(offsets) or offsets[at] >= atoms[number, 1]:
            ends.append(())
            continue
        points[number] = offsets[at]
        owner = int(owners[at])
        if owner not in attached:
            far = links.src[links.dst == owner]
            attached[owner] = (owner,) if forwards[owner] else tuple(sorted(set(far[forwards[far]].tolist())))
        ends.append(attached[owner])
    return points, ends


def _heads(tables: ReadTables, node: int, made: Behaviour, way: int, row: Mapping[int, int]) -> tuple[int, ...] | None:
    """Rows of the switches that a way leads to; those without a table are left out, None where it drops."""
    if not made.ways[way]:
        return None
    heads = tables.plan.topology.links.dst[next_links(tables, node, made.ways[way])]
    return tuple(sorted({row[head] for head in heads.tolist() if head in row}))


def _fresh_heads(
    before: ReadTables, after: ReadTables, node: int, was: Ways, will: Ways, row: Mapping[int, int]
) -> tuple[int, ...] | None:
    """Rows of the switches that a node leads to by links it did not use; None where it drops."""
    if not will:
        return None
    fresh = sorted(set(next_links(after, node, will)) - set(next_links(before, node, was)))
    heads = before.plan.topology.links.dst[fresh]
    return tuple(sorted({row[head] for head in heads.tolist() if head in row}))
