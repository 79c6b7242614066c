"""Hashed flows of a phase and where they go, as the loops over failure cases read them."""

from __future__ import annotations

import numpy as np

from fabric.evaluation.phases import PreparedPhase
from fabric.failures.engine import SweepPhase
from fabric.failures.hashed_columns import FlowColumns, HashRule, Routes, Wires
from fabric.failures.hashed_walk import group_slots, measure_all, walk_all
from fabric.routing.graph import Adjacency, RoutingGraph
from fabric.routing.hashing.flows import FlowTable
from fabric.routing.hashing.headers import draw
from fabric.routing.hashing.slices import on_threads
from fabric.routing.utilisation import SAME, over_capacity, ranks
from topologies.columns import Bools, Floats, Ints, Longs, column

_MOST_GROUP_SLOTS = 100_000_000  # 4 bytes each
_AMOUNT_BITS = 60  # of the sum of all amounts, so that no sum of some overflows


def flow_columns(phase: SweepPhase, prepared: PreparedPhase, *, frozen: bool) -> tuple[FlowColumns, HashRule, float]:
    """The flows, how switches hash them, and the Gbps that one part of an amount is."""
    graph, options = prepared.graph, phase.options
    table = FlowTable.of(graph, prepared.pairs)
    drawn = draw(graph, (table.src_endpoint, table.dst_endpoint), table.name, options.hash, (options.seed,))
    total = float(table.gbps.sum())
    part = 2.0 ** (np.ceil(np.log2(total)) - _AMOUNT_BITS) if total > 0 else 1.0
    node, up, down = graph.single_homed
    access = np.full((2, len(graph.topology.nodes)), -1, dtype=np.int32)
    access[0, node], access[1, node] = up, down
    carries, cuts = _job_bits(phase, prepared)
    flows = FlowColumns(
        dest=table.dest.astype(np.int32),
        row=np.repeat(np.arange(len(table.dest), dtype=np.int32), np.diff(table.start)),
        src=table.src.astype(np.int32),
        key=drawn.keys[0],
        amount=np.round(table.gbps / part).astype(np.int64),
        up_link=access[0][table.src_endpoint],
        down_link=access[1][table.dst_endpoint],
        pair=_pairs(prepared, table),
        carries=carries[table.code],
        cuts=cuts[table.code],
    )
    return flows, HashRule(drawn.bits, drawn.seeds[0], options.hash.resilient, frozen), part


def _pairs(prepared: PreparedPhase, table: FlowTable) -> Ints:
    """Number of every flow's pair, shape (F,); rows of one class that name the same ends are several pairs."""
    nodes = len(prepared.graph.topology.nodes)
    ends = (table.code.astype(np.int64) * nodes + table.src_endpoint) * nodes + table.dst_endpoint
    _, which, count = np.unique(ends, return_inverse=True, return_counts=True)
    order = np.argsort(which, kind="stable")
    rank = np.empty(len(which), dtype=np.int64)
    rank[order] = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    per_pair = np.array([pair.flows_per_pair for pair in prepared.pairs], dtype=np.int64)[table.code]
    rows = count[which] // np.maximum(per_pair, 1)  # flows of equal ends take turns over their rows
    _, number = np.unique(which * (int(rows.max(initial=0)) + 1) + rank % np.maximum(rows, 1), return_inverse=True)
    return number.astype(np.int32)


def _job_bits(phase: SweepPhase, prepared: PreparedPhase) -> tuple[Longs, Longs]:
    """Of every class the columns of the outcomes that its links count in, and those that it cuts; shape (C,) each."""
    carries, cuts = np.zeros((2, len(prepared.classes)), dtype=np.int64)
    for code, entry in enumerate(prepared.classes):
        for bit, (job, steady) in enumerate(phase.jobs):
            if job == entry.job:
                cuts[code] |= 1 << bit
                carries[code] |= (steady == entry.steady) << bit
    return carries, cuts


def distances(graph: RoutingGraph, wires: Wires, flows: FlowColumns, known: Bools, up: Bools) -> tuple[Floats, Ints]:
    """Distance of every node to every destination over links that are known, and its next hops that are up; (D, V)."""
    now = np.empty((len(flows.dest), graph.nodes))
    hops = np.zeros((len(flows.dest), graph.nodes), dtype=np.int32)
    on_threads(len(flows.dest), lambda first, last: measure_all(first, last, wires, flows.dest, known, up, now, hops))
    return now, hops


def groups(wires: Wires, distance: Floats, known: Bools) -> tuple[Longs, Ints]:
    """Start and slots of every group, by destination and node; nothing where they are too many to be kept."""
    rows, nodes = distance.shape
    if rows * len(wires.head) > _MOST_GROUP_SLOTS:
        return np.empty(0, dtype=np.int64), _none(0)
    start, none = np.zeros(rows * nodes + 1, dtype=np.int64), _none(0)
    on_threads(rows, lambda first, last: group_slots(first, last, wires, distance, known, start, none))
    start = np.concatenate([[0], np.cumsum(start[:-1])])
    slots = np.empty(max(int(start[-1]), 1), dtype=np.int32)
    on_threads(rows, lambda first, last: group_slots(first, last, wires, distance, known, start, slots))
    return start, slots


def walked(
    wires: Wires, flows: FlowColumns, rule: HashRule, up: Bools, now: Floats, whole: Floats
) -> tuple[Longs, Ints, Bools]:
    """Paths of all flows (start, links) and which of them do not arrive."""
    count = len(flows.src)
    start, lost, none = np.zeros(count + 1, dtype=np.int64), np.zeros(count, dtype=np.bool_), np.empty(0, np.int32)
    on_threads(count, lambda first, last: walk_all(first, last, wires, flows, rule, up, now, whole, lost, start, none))
    start[1:] = np.cumsum(start[:-1])
    start[0] = 0
    path = np.empty(max(int(start[-1]), 1), dtype=np.int32)
    on_threads(count, lambda first, last: walk_all(first, last, wires, flows, rule, up, now, whole, lost, start, path))
    return start, path[: int(start[-1])], lost


def routes_of(
    phase: SweepPhase,
    prepared: PreparedPhase,
    wires: Wires,
    flows: FlowColumns,
    rule: HashRule,
    *,
    known: Bools,
    up: Bools,
    capacity: Floats,
) -> Routes:
    """Where the flows go over links that are up, where routing takes ``known`` ones to be there."""
    graph, jobs, links = prepared.graph, len(phase.jobs), len(up)
    every = np.ones(links, dtype=np.bool_)
    whole, _ = distances(graph, wires, flows, every, every)
    now, hops = distances(graph, wires, flows, known, up)
    start, path, lost = walked(wires, flows, rule, up, now, whole)
    flow = np.repeat(np.arange(len(flows.src), dtype=np.int32), np.diff(start))
    group_start, group = groups(wires, whole, every) if rule.resilient else groups(wires, now, known)
    lists = Adjacency.by(path, links)
    load = np.zeros(links, dtype=np.int64)
    np.add.at(load, path, flows.amount[flow])
    carried = np.zeros((links, jobs), dtype=np.int32)
    for job in range(jobs):
        carried[:, job] = np.bincount(path[flows.carries[flow] >> job & 1 > 0], minlength=links)
    utilisation = np.divide(load, capacity, out=np.zeros(links), where=load > 0)
    order = _falling(utilisation)
    of_job = [order[carried[order, job] > 0] for job in range(jobs)]
    intact = phase.intact.utilisation
    unlike = up & (abs(utilisation - intact) > SAME * np.maximum(utilisation, intact))
    visits = _visits(graph, wires, flows, flow, path) if not rule.resilient else Adjacency(_none(1), _none(0))
    lost_of_pair = np.bincount(flows.pair[lost], minlength=int(flows.pair.max(initial=-1)) + 1).astype(np.int32)
    missing = {entry.job for code, entry in enumerate(prepared.classes) if code in prepared.lost.classes}
    return Routes(
        up=up,
        known=known,
        whole=whole,
        now=now,
        hops=hops,
        group_start=group_start,
        group=group,
        path_start=start,
        path=path,
        lost=lost,
        list_start=lists.start.astype(np.int64),
        listed=flow[lists.edge],
        visit_start=visits.start.astype(np.int64),
        visits=visits.edge.astype(np.int32),
        lost_of_pair=lost_of_pair,
        lost_of_job=np.array(
            [int((flows.cuts[lost] >> at & 1).sum()) + (job in missing) for at, (job, _) in enumerate(phase.jobs)],
            dtype=np.int32,
        ),
        lost_pairs=prepared.lost.pairs + int((lost_of_pair > 0).sum()),
        load=load,
        carried=carried,
        capacity=capacity,
        utilisation=utilisation,
        intact=np.array(intact),
        over=int(over_capacity(utilisation).sum()),
        order=order,
        job_start=np.concatenate([[0], np.cumsum([len(part) for part in of_job])]).astype(np.int64),
        job_order=np.concatenate([_none(0), *of_job]).astype(np.int32),
        unlike=np.flatnonzero(unlike).astype(np.int32),
    )


def _none(length: int) -> Ints:
    return np.zeros(length, dtype=np.int32)


def _falling(utilisation: Floats) -> Ints:
    """Links that carry anything, fullest first, equally full ones by number."""
    used = np.flatnonzero(utilisation > 0)
    return used[np.lexsort((used, ranks(utilisation[used])))].astype(np.int32)


def _visits(graph: RoutingGraph, wires: Wires, flows: FlowColumns, flow: Ints, path: Ints) -> Adjacency:
    """Flows by destination row and node that they are hashed at."""
    inside = wires.link_tail[path] >= 0
    cell = flows.row[flow[inside]].astype(np.int64) * graph.nodes + wires.link_tail[path[inside]]
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange(len(flows.dest) * graph.nodes + 1))
    return Adjacency(column(start, np.int64), column(flow[inside][order], np.int32))
