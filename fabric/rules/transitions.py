"""Which addresses change their way when tables are replaced, and for which of them the order of switches matters.

While tables are replaced every switch does for an address what it did before or what it will do. Where the union of
old and new next hops has no cycle, no mixture of the two has one either. Then any order will do, but for switches that
begin to have a way, which change before all others, as nothing leads to them yet, and those that cease to have one,
which change last. Where the union has a cycle, or a switch begins for some addresses and ceases for others, switches
nearer to the destination along the new ways go first, address by address (R. Mahajan, R. Wattenhofer, "On consistent
updates in software defined networks", HotNets 2013).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.routing.tables.walk import DecisionColumns, every_row, walk_columns
from fabric.rules.table import LOCAL
from fabric.rules.verify.behaviour import Behaviour, Ways
from fabric.rules.verify.tables import ReadTables
from topologies.columns import Bools, Ints, Longs, column

_ARRIVED = -2


@dataclass(frozen=True)
class Detour:
    """Addresses that need an order: per switch that changes, the step in which it may take its new way."""

    first: int  # offsets of the host blocks
    last: int
    step: dict[int, int]  # by topology node, from 0


@dataclass(frozen=True)
class Transition:
    """What has to be minded when tables are replaced."""

    affected: int  # intervals of addresses that some switch treats otherwise than before
    detours: tuple[Detour, ...]
    first: frozenset[int]  # topology nodes that begin to have ways
    last: frozenset[int]  # those that cease to have them


def affected_atoms(old: ReadTables, new: ReadTables, family_index: int) -> Longs:
    """First and last offset of all intervals that some switch treats otherwise than before, shape (A, 2).

    Inside of one, every switch has one set of next hops before and one after; ports to hosts and drops are not
    distinguished where nothing changes.
    """
    bounds: set[int] = set()
    spans: list[tuple[int, int]] = []
    end = 1 << new.plan.span_bits
    for node in sorted(set(old.nodes) | set(new.nodes)):
        before, after = behaviour_of(old, node, family_index), behaviour_of(new, node, family_index)
        starts = np.union1d(before.start, after.start)
        was = before.way[np.searchsorted(before.start, starts, side="right") - 1]
        will = after.way[np.searchsorted(after.start, starts, side="right") - 1]
        differs = {
            pair: before.ways[pair[0]] != after.ways[pair[1]]
            for pair in set(zip(was.tolist(), will.tolist(), strict=True))
        }
        bounds.update(_cuts(old, node, before), _cuts(new, node, after))
        for at, pair in enumerate(zip(was.tolist(), will.tolist(), strict=True)):
            if differs[pair]:
                span = (int(starts[at]), int(starts[at + 1]) if at + 1 < len(starts) else end)
                spans.append(span)
                bounds.update(span)
    if not spans:
        return np.empty((0, 2), dtype=np.int64)
    cuts = np.array(sorted(bounds), dtype=np.int64)
    inside = np.zeros(len(cuts), dtype=np.int64)
    np.add.at(inside, np.searchsorted(cuts, [span[0] for span in spans]), 1)
    np.add.at(inside, np.searchsorted(cuts, [span[1] for span in spans]), -1)
    held = np.flatnonzero(np.cumsum(inside)[:-1] > 0)
    return np.column_stack([cuts[held], cuts[held + 1]])


def _cuts(tables: ReadTables, node: int, behaviour: Behaviour) -> list[int]:
    """Offsets where a switch begins to lead to other switches than before them."""
    links, forwards = tables.plan.topology.links, tables.plan.topology.nodes.forwards
    known: dict[tuple[int, ...], int] = {}
    kind = np.empty(len(behaviour.ways), dtype=np.int64)
    for way, ways in enumerate(behaviour.ways):
        used = tuple(sorted(link for link in next_links(tables, node, ways) if forwards[links.dst[link]]))
        kind[way] = known.setdefault(used, len(known))
    kinds = kind[behaviour.way]
    found: list[int] = behaviour.start[1:][kinds[1:] != kinds[:-1]].tolist()
    return found


_NOTHING = Behaviour(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int32), ((),), (), ())


def behaviour_of(tables: ReadTables, node: int, family_index: int) -> Behaviour:
    """What a switch does with every address; one without a table drops."""
    place = int(tables.index[node])
    return tables.behaviours[place][family_index] if place >= 0 else _NOTHING


def transition(
    old: ReadTables, new: ReadTables, family_index: int, sources: Ints, unread: Sequence[int] = ()
) -> Transition:
    """What has to be minded from old to new tables.

    Parameters
    ----------
    sources : ndarray
        Topology nodes where traffic meets the first table.
    unread : sequence of int
        Switches whose tables are not known and stay as they are. Addresses that may cross one are led in order: a
        switch takes its new way once all that it leads to have theirs.
    """
    atoms = affected_atoms(old, new, family_index)
    if not len(atoms):
        return Transition(0, (), frozenset(), frozenset())
    nodes = sorted({*old.nodes, *new.nodes, *unread})
    index = np.full(len(new.plan.topology.nodes), len(nodes), dtype=np.int32)
    index[nodes] = np.arange(len(nodes))
    code, start, link, begins, ceases = _unions(old, new, nodes, family_index, atoms[:, 0])
    head = index[new.plan.topology.links.dst][link]
    count, width = len(atoms), len(sources)
    decisions = DecisionColumns(code, start, np.arange(len(link), dtype=np.int32), np.ones(len(link)), head)
    walks = every_row(count, index[sources])
    met = np.zeros((len(code), count if len(unread) else 0), dtype=np.bool_)
    walked = walk_columns(decisions, walks, np.zeros((count * width, 1)), met if len(unread) else None)
    ordered = walked.loops.copy()
    if len(unread):
        ordered |= met[index[list(unread)]].any(axis=0)
    plain = ~ordered
    both = begins[:, plain].any(axis=1) & ceases[:, plain].any(axis=1)
    torn = np.asarray((begins | ceases)[both]).any(axis=0)
    hard = np.asarray(ordered | torn)
    rows = np.array(nodes)
    return Transition(
        count,
        tuple(_order(old, new, nodes, family_index, atoms[at]) for at in np.flatnonzero(hard).tolist()),
        frozenset(rows[begins[:, ~hard].any(axis=1)].tolist()),
        frozenset(rows[ceases[:, ~hard].any(axis=1)].tolist()),
    )


def _unions(
    old: ReadTables, new: ReadTables, nodes: list[int], family_index: int, points: Longs
) -> tuple[Ints, Longs, Ints, Bools, Bools]:
    """Links that every node uses for every point before or after, as columns for the walk; which nodes begin and which
    cease to have a way, shape (nodes, points) each."""
    code = np.full((len(nodes) + 1, len(points)), _ARRIVED, dtype=np.int32)
    starts, links = [0], []
    begins, ceases = (np.zeros((len(nodes), len(points)), dtype=np.bool_) for _ in range(2))
    for row, node in enumerate(nodes):
        before, after = behaviour_of(old, node, family_index), behaviour_of(new, node, family_index)
        was = before.way[np.searchsorted(before.start, points, side="right") - 1].astype(np.int64)
        will = after.way[np.searchsorted(after.start, points, side="right") - 1]
        pairs, inverse = np.unique(was * len(after.ways) + will, return_inverse=True)
        kinds = np.full(len(pairs), _ARRIVED, dtype=np.int32)
        starting, ending = (np.zeros(len(pairs), dtype=np.bool_) for _ in range(2))
        for at, pair in enumerate(pairs.tolist()):
            earlier, later = before.ways[pair // len(after.ways)], after.ways[pair % len(after.ways)]
            starting[at], ending[at] = bool(later) and not earlier, bool(earlier) and not later
            used = sorted({*next_links(old, node, earlier), *next_links(new, node, later)})
            if used:
                kinds[at] = len(starts) - 1
                links += used
                starts.append(len(links))
        code[row] = kinds[inverse]
        begins[row], ceases[row] = starting[inverse], ending[inverse]
    return column(code, np.int32), np.array(starts, np.int64), np.array(links, np.int32), begins, ceases


def next_links(tables: ReadTables, node: int, ways: Ways) -> list[int]:
    """Links that a switch sends out of, those to itself and to no port left out."""
    found = [tables.ports.link(node, port) for port, _ in ways if port != LOCAL]
    return [link for link in found if link >= 0]


def _order(old: ReadTables, new: ReadTables, nodes: list[int], family_index: int, atom: Longs) -> Detour:
    """Steps of the switches that change for some addresses: after all that their new ways lead to; those that will
    have no way last."""
    point = int(atom[0])
    links = new.plan.topology.links
    ways = {node: behaviour_of(new, node, family_index).at(point) for node in nodes}
    changed = [node for node in nodes if behaviour_of(old, node, family_index).at(point) != ways[node]]
    depth: dict[int, int] = {}
    for root in changed:
        stack = [(root, False)]
        while stack:
            node, done = stack.pop()
            heads = [int(links.dst[link]) for link in next_links(new, node, ways.get(node, ()))]
            if done:
                below = max((depth[head] for head in heads if head in ways), default=0)
                depth[node] = below + (node in set(changed))
            elif node not in depth:
                depth[node] = 0
                stack.append((node, True))
                stack += [(head, False) for head in heads if head in ways and head not in depth]
    last = max((depth[node] for node in changed), default=0) + 1
    return Detour(int(atom[0]), int(atom[1]), {node: depth[node] - 1 if ways[node] else last - 1 for node in changed})
