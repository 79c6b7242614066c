"""Least cost over moves: everything is carried, and moves cost what they make paths longer.

Trees of shortest paths cost least; full links force traffic off them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.optimise.arcs import merge_parallel
from fabric.optimise.by_moves import MOST_ENTRIES, MoveNet, MoveRounds
from fabric.optimise.carried import Carried
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Splits
from topologies.columns import Bools, Floats, column

NEAR = 0.97  # slots this close to the maximum of the first routing get a row


@dataclass(frozen=True, eq=False)
class Settled:
    """A routing at the optimum of its programme, and the prices that prove it."""

    carried: Carried
    admitted: Floats  # shape (nnz,)
    price: Floats  # shape (E,), objective per Gbps


def is_too_large(graph: RoutingGraph, demand: PhaseDemand) -> bool:
    """Whether a routing would not fit into memory."""
    return len(demand.dest) * len(graph.src) > MOST_ENTRIES


def least_cost_over_moves(
    graph: RoutingGraph, demand: PhaseDemand, routable: Bools, within: Splits, most: float, deadline: float
) -> Settled | None:
    """The routing of least Σ weight x Gbps with no utilisation above ``most``; prices are per Gbps of capacity.

    Parameters
    ----------
    within : Splits
        Of the graph's edges, a routing that stays within ``most``.

    Returns
    -------
    Settled or None
        None when the time is used up or the programme did not settle.
    """
    arcs = merge_parallel(graph)
    problem = MoveNet.of(arcs, demand, routable)
    net, whole = problem.net, np.where(routable, 1.0, 0.0)
    flow = problem.flows(Splits(within.start, column(arcs.of_edge[within.edge], np.int32), within.fraction), whole)
    unit = float(net.weight @ flow.sum(axis=0)) / max(len(demand.dest), 1)
    if unit <= 0:
        return None
    rounds = MoveRounds(
        problem, flow, capacity=net.capacity * most, scale=1.0, length=net.weight / unit, deadline=deadline
    )
    rounds.begin(whole, np.zeros(len(whole)), 0.0)
    rounds.take_flows(flow)
    use = flow.sum(axis=0) / (net.capacity * most)
    rounds.master.watch(np.flatnonzero(use > NEAR), np.empty(0, dtype=np.int64))
    point = rounds.settle()
    if point is None:
        return None
    return Settled(problem.carried(rounds.kept, whole), whole, unit * problem.by_edge(point.price))
