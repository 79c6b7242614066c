"""The part of a routing that loads given links, cut out of the table: small where few links are too full.

For every destination, it holds the arcs out of nodes from which traffic reaches a hot link, and out of all nodes that
such traffic, were it split otherwise, could come to. What enters these nodes over other arcs is demand of theirs, and
what the rest of the table carries is a load that stays. So a descent on the part moves exactly the traffic that could
leave the hot links, and its loads are those of the whole fabric.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.optimise.dags import DagColumns, Dags, nodes_in
from fabric.optimise.descent import Descent
from fabric.routing.compiled import compiled, compiled_inside
from fabric.routing.graph import DemandRows
from fabric.routing.kernels import SLICES, parallel_rows
from topologies.columns import Bools, Floats, Ints, Longs, Shares, column

DUST = 1e-9  # a row loads a hot link when it fills more than this part of it


@compiled_inside
def _crosses(slots: Ints, hot: Bools) -> bool:
    """Whether one of a row's arcs is hot."""
    found = False
    for slot in slots:
        if hot[slot]:
            found = True
            break
    return found


@compiled_inside
def _pass_on(
    row: int, table: DagColumns, shares: Shares, demand: DemandRows, gbps: Floats, amount: Floats, total: Floats
) -> None:
    """What comes to every node of a row, Gbps, and the sum of the shares that it splits by."""
    slots, tail, head = table.slot, table.tail, table.head
    begin, end = table.start[row], table.start[row + 1]
    for at in range(begin, end):
        for node in (tail[slots[at]], head[slots[at]]):
            amount[node], total[node] = 0.0, 0.0
    for at in range(begin, end):
        total[tail[slots[at]]] += shares[at]
    for entry in range(demand.start[row], demand.start[row + 1]):
        if gbps[entry] > 0.0:
            amount[demand.src[entry]] += gbps[entry]
    for at in range(begin, end):
        slot = slots[at]
        amount[head[slot]] += amount[tail[slot]] * shares[at] / total[tail[slot]]


@compiled_inside
def _mark(
    row: int, table: DagColumns, shares: Shares, hot: Bools, least: Floats, amount: Floats, total: Floats, marked: Bools
) -> None:
    """The nodes of a row from which more than ``least`` reaches a hot link."""
    slots, tail, head = table.slot, table.tail, table.head
    begin, end = table.start[row], table.start[row + 1]
    for at in range(begin, end):
        marked[tail[slots[at]]] = False
        marked[head[slots[at]]] = False
    for at in range(end - 1, begin - 1, -1):
        slot = slots[at]
        moved = amount[tail[slot]] * shares[at] / total[tail[slot]]
        if moved > least[slot] and (hot[slot] or marked[head[slot]]):
            marked[tail[slot]] = True


@compiled
def _cut_rows(
    first: int,
    last: int,
    hot: Bools,
    least: Floats,
    table: DagColumns,
    shares: Shares,
    demand: DemandRows,
    gbps: Floats,
    counts: Longs,
    positions: Longs,
    nodes_of: Ints,
    amounts: Floats,
    loads: Floats,
) -> None:
    """Positions of the arcs of some rows that are in the part, and what enters its nodes from outside.

    Gbps up to ``least`` by slot do not count as load of a hot link. With empty ``positions`` only the numbers of
    positions and of entering amounts are written, to ``counts[row + 1]``; otherwise ``counts`` says where they go, and
    what the rows' part carries is added to ``loads`` by slot.
    """
    nodes = nodes_in(table, demand)
    amount, total, enters = np.zeros(nodes), np.zeros(nodes), np.zeros(nodes)
    inside = (np.zeros(nodes, np.bool_), np.zeros(nodes, np.bool_))  # marked; in the part
    filling = len(positions) > 0
    for row in range(first, last):
        if filling and counts[row + 1, 0] == counts[row, 0]:
            continue
        if not _crosses(table.slot[table.start[row] : table.start[row + 1]], hot):
            continue
        _pass_on(row, table, shares, demand, gbps, amount, total)
        _mark(row, table, shares, hot, least, amount, total, inside[0])
        arcs, entries = (counts[row, 0], counts[row, 1]) if filling else (0, 0)
        arcs = _take_arcs(row, table, shares, demand, gbps, (amount, total, enters), inside, arcs, positions, loads)
        entries = _take_entries(row, table, demand, inside[1], enters, entries, nodes_of, amounts)
        if not filling:
            counts[row + 1, 0] = arcs
            counts[row + 1, 1] = entries


@compiled_inside
def _take_arcs(
    row: int,
    table: DagColumns,
    shares: Shares,
    demand: DemandRows,
    gbps: Floats,
    of_node: tuple[Floats, Floats, Floats],
    inside: tuple[Bools, Bools],
    arcs: int,
    positions: Longs,
    loads: Floats,
) -> int:
    """Put a row's arcs in the part after the ``arcs`` there are; what its nodes get from outside is in ``enters``."""
    amount, total, enters = of_node
    marked, part = inside
    slots, tail, head = table.slot, table.tail, table.head
    begin, end = table.start[row], table.start[row + 1]
    for at in range(begin, end):
        for node in (tail[slots[at]], head[slots[at]]):
            enters[node], part[node] = 0.0, False
    for entry in range(demand.start[row], demand.start[row + 1]):
        if gbps[entry] > 0.0:
            enters[demand.src[entry]] += gbps[entry]
    for at in range(begin, end):
        slot = slots[at]
        far, near = tail[slot], head[slot]
        moved = amount[far] * shares[at] / total[far]
        if marked[far] or part[far]:
            part[far] = True
            part[near] = True
            if len(positions) > 0:
                positions[arcs] = at
                loads[slot] += moved
            arcs += 1
        else:
            enters[near] += moved
    return arcs


@compiled_inside
def _take_entries(
    row: int,
    table: DagColumns,
    demand: DemandRows,
    part: Bools,
    enters: Floats,
    entries: int,
    nodes_of: Ints,
    amounts: Floats,
) -> int:
    """Put what enters the part of a row after the ``entries`` there are."""
    for at in range(table.start[row], table.start[row + 1]):
        node = table.tail[table.slot[at]]
        if part[node] and enters[node] > 0.0 and node != demand.dest[row]:
            if len(amounts) > 0:
                nodes_of[entries] = node
                amounts[entries] = enters[node]
            entries += 1
            enters[node] = 0.0
    return entries


@dataclass(frozen=True, eq=False)
class HotPart:
    """A part of a table with a descent of its own; ``position`` says where its arcs stand in the table."""

    descent: Descent
    position: Longs  # shape (nnz of the part,)
    row: Ints  # rows of the table that have a part
    slot: Ints  # shape (arcs of the part,), slot of the table for each of its own

    @property
    def size(self) -> int:
        """Number of destinations' arcs."""
        return len(self.position)


def hot_part(
    dags: Dags, shares: Shares, whole: Descent, loads: Floats, most: float, *, dust: float = DUST
) -> HotPart | None:
    """The part of a table that loads arcs above utilisation ``most``; None when there is none.

    Parameters
    ----------
    whole : Descent
        Of the whole table.
    loads : ndarray, shape (A,)
        By slot, of ``shares``.
    """
    hot = loads > most * whole.capacity
    rows = len(whole.rows.dest)
    counts = np.zeros((rows + 1, 2), dtype=np.int64)
    fixed = (hot, dust * whole.capacity, dags.columns, shares, whole.rows, whole.gbps, counts)
    nowhere = (np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0), np.empty(0))
    parallel_rows(rows, lambda first, last: _cut_rows(first, last, *fixed, *nowhere))
    np.cumsum(counts, axis=0, out=counts)
    arcs, entries = (int(count) for count in counts[-1])
    if not arcs:
        return None
    position, nodes_of, amounts = np.empty(arcs, np.int64), np.empty(entries, np.int32), np.empty(entries)
    parts = np.zeros((SLICES, len(hot)))
    bounds = [rows * part // SLICES for part in range(SLICES + 1)]
    parallel_rows(
        rows,
        lambda first, last: _cut_rows(first, last, *fixed, position, nodes_of, amounts, parts[bounds.index(first)]),
    )
    return _compact(dags, whole, loads - parts.sum(axis=0), counts, position, nodes_of, amounts)


def _compact(
    dags: Dags, whole: Descent, fixed: Floats, counts: Longs, position: Longs, nodes_of: Ints, amounts: Floats
) -> HotPart:
    """The part with slots of its own, so that a step costs what the part is large."""
    used = np.zeros(len(fixed), dtype=np.bool_)
    slots = dags.slot[position]
    used[slots] = True
    slot = column(np.flatnonzero(used), np.int32)
    number = np.cumsum(used) - 1
    row = column(np.flatnonzero(np.diff(counts[:, 0])), np.int32)
    capacity = column(whole.capacity[slot], np.float64)
    beside = float((fixed / whole.capacity)[~used].max(initial=0.0))
    keep = np.append(0, row + 1)
    descent = Descent(
        DagColumns(
            column(counts[keep, 0], np.int64), column(number[slots], np.int32),
            column(dags.tail[slot], np.int32), column(dags.head[slot], np.int32),
        ),
        DemandRows(column(whole.rows.dest[row], np.int32), column(counts[keep, 1], np.int64), nodes_of),
        column(amounts, np.float64),
        capacity,
        theta_min=max(whole.theta_min, beside),
        fixed=column(np.maximum(fixed[slot], 0.0), np.float64),
    )  # fmt: skip
    return HotPart(descent, position, row, slot)


@compiled
def _carry(table: DagColumns, shares: Shares, demand: DemandRows, gbps: Floats, chosen: Ints, flow: Floats) -> None:
    """Gbps over every arc of the chosen rows, one row after the other."""
    nodes = nodes_in(table, demand)
    amount, total = np.zeros(nodes), np.zeros(nodes)
    written = 0
    for row in chosen:
        _pass_on(row, table, shares, demand, gbps, amount, total)
        for at in range(table.start[row], table.start[row + 1]):
            node = table.tail[table.slot[at]]
            flow[written] = amount[node] * shares[at] / total[node]
            written += 1


def carried(descent: Descent, shares: Shares, rows: Ints | None = None) -> Floats:
    """Gbps over the arcs of some rows of a table, or of all, in its order."""
    start = descent.table.start
    chosen = np.arange(len(start) - 1, dtype=np.int32) if rows is None else rows
    flow = np.zeros(int((start[chosen + 1] - start[chosen]).sum()))
    _carry(descent.table, shares, descent.rows, descent.gbps, column(chosen, np.int32), flow)
    return flow
