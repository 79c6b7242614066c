"""Traffic walked along decisions: loads of the edges, and what loops or is lost on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.routing.graph import PhaseDemand
from fabric.routing.kernels import compiled, parallel_loads
from fabric.routing.tables.decisions import Decisions
from topologies.columns import Bools, Floats, Ints, Longs


@compiled
def _walk_slice(
    first: int,
    last: int,
    code: Ints,
    start: Longs,
    edge: Ints,
    part: Floats,
    head: Ints,
    row: Ints,
    entry_start: Longs,
    entry_src: Ints,
    gbps: Floats,
    loads: Floats,
    loops: Bools,
    lost: Floats,
    met: Bools,
) -> None:
    """Walk demands ``first`` to ``last``, one per destination, in depth-first order of the nodes they cross."""
    nodes, classes = len(code), gbps.shape[1]
    state = np.zeros(nodes, dtype=np.int8)  # 0 not met, 1 on the way, 2 done
    stack, place = np.empty(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int64)
    order = np.empty(nodes, dtype=np.int64)
    amount = np.zeros((nodes, classes))
    for index in range(first, last):
        to = row[index]
        done = 0
        for entry in range(entry_start[index], entry_start[index + 1]):
            root = entry_src[entry]
            for column_ in range(classes):
                amount[root, column_] += gbps[entry, column_]
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
            if decision >= 0:
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
    loops: Bools  # shape (D,), destinations of the demand towards which traffic goes in circles; loads then are partial
    lost_gbps: Floats  # shape (D,), what reaches a node without a next hop


def walk(decisions: Decisions, part: Floats, demand: PhaseDemand) -> Walk:
    """Send a demand along decisions whose edges take ``part`` of their node's traffic.

    The demand's destinations are sinks; for decisions by endpoint see ``walk_rows``.
    """
    row = np.searchsorted(decisions.sink, demand.dest).astype(np.int32)
    return walk_rows(decisions, part, row, demand.start, demand.src, demand.gbps)


def walk_rows(
    decisions: Decisions, part: Floats, row: Ints, entry_start: Ints | Longs, entry_src: Ints, gbps: Floats
) -> Walk:
    """Send entries (source node, Gbps per class) to destinations, rows of the decisions.

    Parameters
    ----------
    row : ndarray, shape (n,)
    entry_start : ndarray, shape (n + 1,)
        Entries of destination i are ``entry_start[i]:entry_start[i + 1]``.
    gbps : ndarray, shape (entries, C)
    """
    starts = np.asarray(entry_start, dtype=np.int64)
    head = decisions.graph.dst
    return walk_columns(decisions.code, decisions.start, decisions.edge, part, head, row, starts, entry_src, gbps)


def walk_columns(
    code: Ints,
    start: Longs,
    edge: Ints,
    part: Floats,
    head: Ints,
    row: Ints,
    entry_start: Longs,
    entry_src: Ints,
    gbps: Floats,
    met: Bools | None = None,
) -> Walk:
    """The same for any columns of decisions.

    Parameters
    ----------
    code : ndarray, shape (V, D)
        Decision of a node for a destination; -1: the packet is lost, -2: it has arrived.
    start, edge, part : ndarray
        Edges of decision k and their parts are ``start[k]:start[k + 1]``.
    head : ndarray, shape (E,)
        Node that each edge leads to.
    met : ndarray, shape (V, D), optional
        Filled with which nodes traffic to each destination meets.
    """
    loops, lost = np.zeros(len(row), dtype=np.bool_), np.zeros(len(row))
    seen = np.zeros((0, 0), dtype=np.bool_) if met is None else met
    fixed = (code, start, edge, part, head, row, entry_start, entry_src, gbps)

    def work(first: int, last: int, loads: Floats) -> None:
        _walk_slice(first, last, *fixed, loads, loops, lost, seen)

    loads = parallel_loads(len(row), (len(head), gbps.shape[1]), work)
    return Walk(loads, loops, lost)
