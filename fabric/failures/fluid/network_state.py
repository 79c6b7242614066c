"""A phase as the compiled loops read it: links, rows, ends, and working arrays for every thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.failures.engine import SweepPhase
from fabric.failures.fluid.columns import (
    BLOCK_WORK,
    END_WORK,
    ENTRY_WORK,
    GROUP_WORK,
    LINK,
    LINK_WORK,
    PLACE_WORK,
    ROW_WORK,
    Ends,
    Lines,
    Rows,
    Thread,
    Work,
)
from fabric.failures.fluid.judge import Ranking
from fabric.failures.frozen_splits import link_of_edge
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.shortest_splits import SweepNet, new_sweep, sweep_net
from fabric.routing.traits import Rule
from fabric.routing.utilisation import over_capacity, ranks
from topologies.columns import Floats, Ints
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class FluidState:
    """The intact state of a phase."""

    lines: Lines
    rows: Rows
    ends: Ends
    net: SweepNet
    ranking: Ranking


def dummy_net(graph: RoutingGraph, rule: Rule) -> SweepNet:
    """The graph with one more node that leads nowhere: links that are dead come from it."""
    net = sweep_net(graph, rule)
    return SweepNet(
        net.rule,
        bool(net.equal),
        np.append(net.into_start, net.into_start[-1]).astype(np.int32),
        np.array(net.tail, np.int32),
        np.array(net.weight, np.float64),
        np.array(net.capacity, np.float64),
        np.append(net.out_start, net.out_start[-1]).astype(np.int32),
        np.array(net.out_edge, np.int32),
        np.array(net.slot_of, np.int32),
        np.array(net.head_of, np.int32),
        np.append(net.is_terminal, False),
    )


def lines_of(graph: RoutingGraph, net: SweepNet, columns: int, *, frozen: bool, classes: int, extra: float) -> Lines:
    """Links of a fabric; loads and utilisation are filled in later."""
    topology, edge_link = graph.topology, link_of_edge(graph)
    links = len(topology.links)
    link = np.zeros(links, LINK)
    link["slot"] = link["head"] = -1
    link["slot"][edge_link], link["head"][edge_link] = net.slot_of, graph.dst
    link["core"][graph.link_of[graph.link_of >= 0]] = 1
    link["access"][graph.member_link] = 1
    link["out_end"], link["in_end"] = _ends_of_links(topology)
    link["up"], link["reverse"], link["capacity"] = topology.up, topology.links.reverse, topology.capacity_gbps
    return Lines(
        frozen=frozen,
        rule=net.rule,
        classes=classes,
        extra=extra,
        sprayed=columns > classes,
        link=link,
        gbps=np.zeros((links, columns)),
        tail=net.tail.copy(),
        slot_link=edge_link[graph.into.edge].astype(np.int32),
        links_in=np.bincount(graph.dst, minlength=graph.nodes + 1).astype(np.int32),
    )


def _ends_of_links(topology: Topology) -> tuple[Ints, Ints]:
    """Endpoint that sends over every link, and that receives from it; -1 for none, or for links between hosts."""
    links, forwards = topology.links, topology.nodes.forwards
    is_end = np.zeros(len(topology.nodes), np.bool_)
    is_end[topology.endpoint_nodes] = True
    live = topology.up & (links.capacity_gbps > 0)
    out = np.where(live & is_end[links.src] & forwards[links.dst], links.src, -1)
    into = np.where(live & is_end[links.dst] & forwards[links.src], links.dst, -1)
    return out.astype(np.int32), into.astype(np.int32)


def utilisation_of(lines: Lines, gbps: Floats) -> Floats:
    """Room that loads (L, K) take over capacity, shape (L,)."""
    room = gbps[:, : lines.classes].sum(axis=1)
    if lines.sprayed:
        room = room + np.where(lines.link["core"] > 0, np.maximum(room - gbps[:, -1], 0.0) * lines.extra, 0.0)
    return np.asarray(np.divide(room, lines.link["capacity"], out=np.zeros(len(room)), where=room > 0))


def ranking_of(phase: SweepPhase, lines: Lines) -> Ranking:
    """Links from the fullest on, of all traffic and of every job that is measured."""
    classes, jobs = phase.intact.classes, phase.jobs
    of_job = np.array(
        [[entry.job == job and entry.steady == steady for entry in classes] for job, steady in jobs], np.uint8
    ).reshape(len(jobs), len(classes))
    hurts = np.array([[entry.job == job for entry in classes] for job, _ in jobs], np.uint8)
    order = np.lexsort((np.arange(len(lines.link["utilisation"])), ranks(lines.link["utilisation"])))
    order = order[lines.link["utilisation"][order] > 0]
    lists = [order]
    for mask in of_job:
        carried = np.asarray((lines.gbps[:, : lines.classes][:, mask > 0] > 0).any(axis=1))
        lists.append(order[carried[order]])
    return Ranking(
        start=np.concatenate([[0], np.cumsum([len(part) for part in lists])]).astype(np.int64),
        link=np.concatenate(lists).astype(np.int32),
        of_job=of_job,
        hurts=hurts.reshape(of_job.shape),
        over=int(over_capacity(lines.link["utilisation"]).sum()),
        pairs=phase.intact.unreachable_pairs,
        cut=np.array([job in phase.intact.jobs_cut for job, _ in jobs], np.uint8),
    )


def end_loads(graph: RoutingGraph, demand: PhaseDemand, loads: Floats) -> None:
    """Loads (L, K) of the links of endpoints with one."""
    node, up, down = graph.single_homed
    classes = demand.gbps.shape[1]
    loads[up, :classes] = demand.sent_gbps[node]
    loads[down, :classes] = demand.received_gbps[node]


def work_of(state: FluidState) -> Work:
    """Working arrays of one thread."""
    lines, rows, ends = state.lines, state.rows, state.ends
    links, columns = lines.gbps.shape
    entries, classes = ends.gbps.shape
    most_nodes = int(np.diff(rows.row["node_start"]).max(initial=0)) + 1
    most_hops = int(np.diff(rows.row["edge_start"]).max(initial=0)) + 1
    link, row = np.zeros(links, LINK_WORK), np.zeros(len(rows.row), ROW_WORK)
    link["left"], row["entry"], row["item"] = 1.0, -1, -1
    return Work(
        link=link,
        delta=np.zeros((links, columns)),
        tail=state.net.tail.copy(),
        capacity=state.net.capacity.copy(),
        dead_in=np.zeros(len(state.net.into_start), np.int32),
        end=np.zeros(len(ends.end), END_WORK),
        hurt=np.zeros(classes, np.int64),
        entry_gbps=np.zeros((entries, classes)),
        entry_pairs=np.zeros((entries, classes), np.int64),
        entry=np.zeros(entries, ENTRY_WORK),
        row=row,
        sender=np.zeros(len(ends.sender), GROUP_WORK),
        receiver=np.zeros(len(ends.receiver), GROUP_WORK),
        block=np.zeros(len(ends.block), BLOCK_WORK),
        place=np.zeros(most_nodes, PLACE_WORK),
        change=np.zeros((most_nodes, columns)),
        part=np.zeros(most_hops),
        sizes=np.zeros(6, np.int64),
    )


def thread_of(state: FluidState) -> Thread:
    """All that one thread follows cases with."""
    work = work_of(state)
    net = state.net._replace(tail=work.tail, capacity=work.capacity)
    nodes = len(net.into_start) - 1
    return Thread(
        lines=state.lines,
        rows=state.rows,
        ends=state.ends,
        work=work,
        net=net,
        sweep=new_sweep(net),
        amount=np.zeros((nodes, state.lines.gbps.shape[1])),
        active=np.zeros(nodes, np.uint8),
        hops=np.zeros(0, np.int64),
        following=np.zeros(0, np.int64),
    )
