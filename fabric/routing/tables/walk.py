"""Traffic walked along decisions: loads of the edges, and what loops or is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows, PhaseDemand
from fabric.routing.kernels import parallel_loads
from fabric.routing.tables.decisions import Decisions
from topologies.columns import Bools, Floats, Ints, Longs, column

NO_CHOICES: Ints = column(np.empty((0, 0)), np.int32)


class DecisionColumns(NamedTuple):
    """Decisions as compiled loops read them."""

    code: Ints  # shape (V, D), decision of a node for a destination; -1: the packet is lost, -2: it has arrived
    start: Longs  # edges of decision k and their parts are ``start[k]:start[k + 1]``
    edge: Ints
    part: Floats
    head: Ints  # shape (E,), node that each edge leads to
    choice: Ints = NO_CHOICES  # shape (K, H), place in ``edge`` by value of a shared hash, -1: split by ``part``


@compiled
def _walk_slice(
    first: int,
    last: int,
    decisions: DecisionColumns,
    rows: DemandRows,
    gbps: Floats,
    loads: Floats,
    loops: Bools,
    lost: Floats,
    met: Bools,
) -> None:
    """Walk demands ``first`` to ``last``, one per destination, in depth-first order of the nodes they cross.

    With a shared hash the columns of ``loads`` are its values, over which demand of one column is spread evenly.
    """
    code, start, edge, part, head, choice = decisions
    nodes, classes, values = len(code), loads.shape[1], choice.shape[1]
    evenly = classes > gbps.shape[1]
    state = np.zeros(nodes, dtype=np.int8)  # 0 not met, 1 on the way, 2 done
    stack, place = np.empty(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int64)
    order = np.empty(nodes, dtype=np.int64)
    amount = np.zeros((nodes, classes))
    for index in range(first, last):
        to = rows.dest[index]
        done = 0
        for entry in range(rows.start[index], rows.start[index + 1]):
            root = rows.src[entry]
            for column_ in range(classes):
                amount[root, column_] += gbps[entry, 0] / classes if evenly else gbps[entry, column_]
            if state[root] != 0:
                continue
            depth = 0
            stack[0], state[root] = root, 1
            place[0] = start[code[root, to]] if code[root, to] >= 0 else -1
            while depth >= 0:
                node = stack[depth]
                decision = code[node, to]
                if decision < 0 or place[depth] == start[decision + 1]:
                    state[node] = 2
                    order[done] = node
                    done += 1
                    depth -= 1
                    continue
                at = place[depth]
                place[depth] += 1
                if part[at] == 0.0:
                    continue
                nxt = head[edge[at]]
                if state[nxt] == 1:
                    loops[index] = True
                elif state[nxt] == 0:
                    depth += 1
                    stack[depth], state[nxt] = nxt, 1
                    place[depth] = start[code[nxt, to]] if code[nxt, to] >= 0 else -1
        for position in range(done - 1, -1, -1):
            node = order[position]
            decision = code[node, to]
            if decision >= 0 and values > 0 and choice[decision, 0] >= 0:
                for column_ in range(classes):
                    at = choice[decision, column_]
                    loads[edge[at], column_] += amount[node, column_]
                    amount[head[edge[at]], column_] += amount[node, column_]
            elif decision >= 0:
                for at in range(start[decision], start[decision + 1]):
                    if part[at] > 0.0:
                        for column_ in range(classes):
                            share = amount[node, column_] * part[at]
                            loads[edge[at], column_] += share
                            amount[head[edge[at]], column_] += share
            elif decision == -1:
                for column_ in range(classes):
                    lost[index] += amount[node, column_]
        for position in range(done):
            if len(met) > 0:
                met[order[position], to] = True
            state[order[position]] = 0
            for column_ in range(classes):
                amount[order[position], column_] = 0.0


@dataclass(frozen=True, eq=False)
class Walk:
    """What became of a demand."""

    edge_gbps: Floats  # shape (E, C)
    loops: Bools  # shape (D,), destinations of the demand towards which traffic loops; loads are then partial
    lost_gbps: Floats  # shape (D,), what reaches a node without a next hop


def walk(
    decisions: Decisions, part: Floats, demand: PhaseDemand, *, choice: Ints = NO_CHOICES, gbps: Floats | None = None
) -> Walk:
    """Send a demand along decisions whose edges take ``part`` of their node's traffic.

    The demand's destinations are sinks; decisions by endpoint are walked by ``walk_columns``.

    Parameters
    ----------
    choice : ndarray, shape (K, H), optional
        See ``fabric.routing.tables.shared_hash.choices_by_hash``.
    gbps : ndarray, shape (nnz, C) or (nnz, H), optional
        Instead of the demand's own.
    """
    rows = DemandRows(np.searchsorted(decisions.sink, demand.dest).astype(np.int32), demand.start, demand.src)
    columns = DecisionColumns(decisions.code, decisions.start, decisions.edge, part, decisions.graph.dst, choice)
    return walk_columns(columns, rows, demand.gbps if gbps is None else gbps)


def walk_adder(decisions: Decisions, part: Floats, demand: PhaseDemand) -> Callable[[int, Floats], None]:
    """What adds the walk towards a destination of the demand, by its row, to loads of shape (E, C), Gbps."""
    rows = DemandRows(np.searchsorted(decisions.sink, demand.dest).astype(np.int32), demand.start, demand.src)
    columns = DecisionColumns(decisions.code, decisions.start, decisions.edge, part, decisions.graph.dst)
    loops, lost = np.zeros(len(rows.dest), dtype=np.bool_), np.zeros(len(rows.dest))
    met = np.zeros((0, 0), dtype=np.bool_)

    def add(row: int, loads: Floats) -> None:
        _walk_slice(row, row + 1, columns, rows, demand.gbps, loads, loops, lost, met)

    return add


def every_row(count: int, sources: Ints) -> DemandRows:
    """An entry from every source to each of ``count`` destinations."""
    start = np.arange(count + 1, dtype=np.int64) * len(sources)
    return DemandRows(np.arange(count, dtype=np.int32), start, np.tile(sources, count).astype(np.int32))


def walk_columns(decisions: DecisionColumns, rows: DemandRows, gbps: Floats, met: Bools | None = None) -> Walk:
    """Send entries (source node, Gbps per class) along any columns of decisions.

    Parameters
    ----------
    rows : DemandRows
        ``dest`` are columns of the decisions' ``code``.
    gbps : ndarray, shape (entries, C)
        With choices by a shared hash of H values, C is 1 (all values get a like part) or H.
    met : ndarray, shape (V, D), optional
        Filled with which nodes traffic to each destination meets.
    """
    loops, lost = np.zeros(len(rows.dest), dtype=np.bool_), np.zeros(len(rows.dest))
    seen = np.zeros((0, 0), dtype=np.bool_) if met is None else met

    def work(first: int, last: int, loads: Floats) -> None:
        _walk_slice(first, last, decisions, rows, gbps, loads, loops, lost, seen)

    classes = decisions.choice.shape[1] or gbps.shape[1]
    loads = parallel_loads(len(rows.dest), (len(decisions.head), classes), work)
    return Walk(loads, loops, lost)
