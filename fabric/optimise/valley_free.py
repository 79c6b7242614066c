"""Valley-free paths: up, then possibly across, then down; never up again after a step across or down.

The height of a switch is its level in the topology; hosts are below all switches. In a flat network, where all switches
are equally high, every path is valley-free.

A switch forwards by destination and does not see where a packet came from, so a node that some traffic enters from
above must not send that destination's traffic up again. Two answers to that:

* *Climb only as far as needed*: a node that reaches the destination by descending descends; one that reaches it by
  crossing and descending crosses; others climb. Free of valleys whatever the splits, but it forbids the detour over a
  higher tier round a weak link further down, and over the spines beside a direct link between two leaves.
* *Walkers with a state* (climbing, crossed, descending): all valley-free paths, each a path of a graph with three
  copies of every node. Bounds come from this one. Its flows are a routing for switches when no node sends traffic up,
  or across, that it also receives in a later state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.optimise.flow_blocks import Steps
from fabric.routing.compiled import compiled
from fabric.routing.graph import Adjacency, DemandRows, PhaseDemand, RoutingGraph
from fabric.routing.kernels import priced_distances
from fabric.routing.router import Splits
from topologies.columns import Bools, Floats, Ints, Longs, column

UP, ACROSS, DOWN = 0, 1, 2
STATES = 3


def arc_kinds(graph: RoutingGraph, arcs: Arcs) -> Ints:
    """Whether an arc goes up, across or down, shape (A,)."""
    level = np.where(graph.is_terminal, -1, graph.topology.nodes.level[graph.node_of])
    rise = level[arcs.dst] - level[arcs.src]
    return column(np.where(rise > 0, UP, np.where(rise < 0, DOWN, ACROSS)), np.int32)


@compiled
def _needs(dest: int, kind: Ints, into_start: Ints, into_arc: Ints, src: Ints, need: Longs, queue: Longs) -> None:
    """What every node has to do towards ``dest``: DOWN, ACROSS or UP, whichever is latest and possible, or -1."""
    need[:] = -1
    need[dest] = 2
    queue[0] = dest
    size = 1
    for step in (2, 1, 0):
        head = 0
        while head < size:
            node = queue[head]
            head += 1
            for slot in range(into_start[node], into_start[node + 1]):
                arc = into_arc[slot]
                if kind[arc] == step and need[src[arc]] < 0:
                    need[src[arc]] = step
                    queue[size] = src[arc]
                    size += 1


@compiled
def _needed_arcs(
    kind: Ints,
    src: Ints,
    dst: Ints,
    into_start: Ints,
    into_arc: Ints,
    out_start: Ints,
    out_arc: Ints,
    dest: Ints,
    start: Ints,
    entry_src: Ints,
    reaches: Bools,
    rows: Ints,
    used: Ints,
) -> int:
    """Arcs that climb only as far as needed and that a destination's sources reach; empty ``used`` only counts."""
    nodes = len(out_start) - 1
    need = np.empty(nodes, dtype=np.int64)
    queue = np.empty(nodes, dtype=np.int64)
    total = 0
    for row in range(len(dest)):
        _needs(dest[row], kind, into_start, into_arc, src, need, queue)
        active = np.zeros(nodes, dtype=np.bool_)
        size = 0
        for entry in range(start[row], start[row + 1]):
            node = entry_src[entry]
            reaches[entry] = need[node] >= 0
            if need[node] >= 0 and not active[node]:
                active[node] = True
                queue[size] = node
                size += 1
        head = 0
        while head < size:
            node = queue[head]
            head += 1
            if node == dest[row]:
                continue
            for slot in range(out_start[node], out_start[node + 1]):
                arc = out_arc[slot]
                if kind[arc] == need[node] and need[dst[arc]] >= kind[arc]:
                    if len(used) > 0:
                        rows[total] = row
                        used[total] = arc
                    total += 1
                    if not active[dst[arc]]:
                        active[dst[arc]] = True
                        queue[size] = dst[arc]
                        size += 1
    return total


def needed_arcs(arcs: Arcs, kind: Ints, demand: PhaseDemand) -> tuple[Ints, Ints, Bools]:
    """Pairs (destination index, arc) that climb only as far as needed, and which entries have a valley-free path."""
    out = Adjacency.by(arcs.src, arcs.nodes)
    reaches = np.zeros(len(demand.src), dtype=np.bool_)
    fixed = (
        kind, arcs.src, arcs.dst, arcs.into.start, arcs.into.edge, out.start, out.edge,
        demand.dest, demand.start, demand.src, reaches,
    )  # fmt: skip
    none = np.empty(0, dtype=np.int32)
    count = _needed_arcs(*fixed, none, none)
    rows, used = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    if count:
        _needed_arcs(*fixed, rows, used)
    return column(rows, np.int32), column(used, np.int32), column(reaches, np.bool_)


@dataclass(frozen=True, eq=False)
class StateSteps:
    """The graph of walkers with a state; node v in state s is ``s * V + v``, and ``3 * V + v`` is the end at v."""

    steps: Steps
    state: Ints  # shape (S,), state after the step; the steps to an end have none, -1
    dest: Ints  # shape (D,)


def state_steps(arcs: Arcs, kind: Ints, demand: PhaseDemand) -> StateSteps:
    """All valley-free walks: a step of kind k may follow steps of kinds up to k."""
    nodes = arcs.nodes
    src, dst, arc, state = [], [], [], []
    for after in (UP, ACROSS, DOWN):
        mine = np.flatnonzero(kind == after)
        for before in range(after + 1):
            src.append(before * nodes + arcs.src[mine])
            dst.append(after * nodes + arcs.dst[mine])
            arc.append(mine)
            state.append(np.full(len(mine), after))
    for before in range(STATES):
        src.append(before * nodes + demand.dest)
        dst.append(STATES * nodes + demand.dest)
        arc.append(np.full(len(demand.dest), -1))
        state.append(np.full(len(demand.dest), -1))
    src_all, dst_all, arc_all = (column(np.concatenate(part), np.int32) for part in (src, dst, arc))
    steps = Steps((STATES + 1) * nodes, src_all, dst_all, arc_all)
    return StateSteps(steps, column(np.concatenate(state), np.int32), column(STATES * nodes + demand.dest, np.int32))


def valley_free_prices(states: StateSteps, demand: PhaseDemand, price: Floats) -> Floats:
    """Least price over all valley-free paths of every entry, shape (nnz,); ``price`` is by arc."""
    steps = states.steps
    into = Adjacency.by(steps.dst, steps.nodes)
    arc = steps.arc[into.edge]
    by_slot = np.where(arc >= 0, price[arc], 0.0) if len(price) else np.zeros(len(arc))
    least, rows = np.zeros(len(demand.src)), DemandRows(states.dest, demand.start, demand.src)
    priced_distances(0, len(states.dest), into.start, steps.src[into.edge], by_slot, rows, least)
    return least


@dataclass(frozen=True)
class Mixture:
    """A node that receives a destination's traffic in a later state than it sends some of it on in."""

    row: int  # destination index
    node: int
    latest: int  # kind of the latest step in
    earliest: int  # kind of the earliest step out
    late_gbps: float  # arrives by steps later than the earliest out
    early_gbps: float  # leaves by steps earlier than the latest in


def mixtures(arcs: Arcs, kind: Ints, rows: Ints, used: Ints, gbps: Floats, dest: Ints) -> list[Mixture]:
    """Where flows f[row, arc] > 0, taken together per node, would make valleys."""
    nodes = arcs.nodes
    inner = arcs.dst[used] != dest[rows]
    into = rows.astype(np.int64) * nodes + arcs.dst[used]
    out = rows.astype(np.int64) * nodes + arcs.src[used]
    latest, earliest = np.full(len(dest) * nodes, -1), np.full(len(dest) * nodes, STATES)
    np.maximum.at(latest, into[inner], kind[used[inner]])
    np.minimum.at(earliest, out, kind[used])
    found = []
    for key in np.flatnonzero((latest > earliest) & (earliest < STATES)).tolist():
        late = (into == key) & (kind[used] > earliest[key])
        early = (out == key) & (kind[used] < latest[key])
        row, node = divmod(key, nodes)
        amounts = float(gbps[late].sum()), float(gbps[early].sum())
        found.append(Mixture(row, node, int(latest[key]), int(earliest[key]), *amounts))
    return found


def is_valley_free(splits: Splits, src: Ints, dst: Ints, kind: Ints) -> bool:
    """Whether no path that the splits allow goes up after across or down, or across after down.

    ``src``, ``dst`` and ``kind`` are by the edges that the splits are over.
    """
    for row in range(len(splits.start) - 1):
        latest: dict[int, int] = {}
        for edge in splits.edge[splits.start[row] : splits.start[row + 1]].tolist():
            # In topological order of the sources: all arrivals are known.
            if kind[edge] < latest.get(int(src[edge]), UP):
                return False
            latest[int(dst[edge])] = max(latest.get(int(dst[edge]), UP), int(kind[edge]))
    return True
