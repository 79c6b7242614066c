"""Linear programmes over flows, one function per objective, each on the blocks of ``flow_blocks``.

All are minimisations ``min cost·z, lower_row ≤ matrix·z ≤ upper_row, lower ≤ z ≤ upper`` whose first rows are the
conservation of flow and whose last A rows are the utilisations of the arcs, so that the duals of the latter are prices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from fabric.optimise.flow_blocks import FlowBlocks
from fabric.optimise.programme import Programme
from fabric.optimise.solve import Solution
from topologies.columns import Bools, Floats


@dataclass(frozen=True, eq=False)
class LinearProgramme(Programme):
    """A programme whose last rows are the utilisations of the arcs."""

    arcs: int


def arc_prices(programme: LinearProgramme, solution: Solution, capacity_gbps: Floats) -> Floats:
    """Price of every arc, objective per Gbps of capacity, shape (A,); zero where the solver gave none."""
    if solution.row_prices is None:
        return np.zeros(programme.arcs)
    dual = solution.row_prices[len(solution.row_prices) - programme.arcs :]
    return np.asarray(np.maximum(-dual, 0.0) / capacity_gbps)


def _stack(
    blocks: FlowBlocks, beside: csr_array, above: csr_array, *, target: Floats, most: Floats
) -> tuple[csr_array, Floats, Floats]:
    """Matrix and row bounds: conserve·y − beside·z = target above load·y − above·z ≤ most."""
    upper = hstack([blocks.conserve, -beside], format="csr")
    lower = hstack([blocks.load, -above], format="csr")
    free = np.full(len(most), -np.inf)
    return csr_array(vstack([upper, lower], format="csr")), np.append(target, free), np.append(target, most)


def least_utilisation(
    blocks: FlowBlocks, routable: Bools, *, scale: float, least: float, length_cost: float = 0.0
) -> LinearProgramme:
    """min θ with every entry admitted whole; θ is in units of ``scale`` and at least ``least``.

    ``length_cost`` is what Σ weight x Gbps costs beside θ: small, it settles which of many optima, in one programme.
    """
    arcs, flows = blocks.load.shape
    whole = blocks.supply @ routable.astype(np.float64)
    theta = csr_array(np.ones((arcs, 1)))
    nothing = csr_array((len(whole), 1))
    scaled = FlowBlocks(
        blocks.conserve, blocks.supply, csr_array(blocks.load / scale), blocks.cost, blocks.gbps_of_unit
    )
    matrix, low, high = _stack(scaled, nothing, theta, target=whole, most=np.zeros(arcs))
    cost, lower = np.append(length_cost * blocks.cost, 1.0), np.append(np.zeros(flows), least / scale)
    return LinearProgramme(matrix, low, high, cost, lower, np.full(flows + 1, np.inf), flows, arcs)


def most_admitted(blocks: FlowBlocks, gbps: Floats, *, least: Floats, most: Floats) -> LinearProgramme:
    """max Σ gbps[e] x[e] / Σ gbps, least ≤ x ≤ most, no arc above its capacity; columns are y, then x."""
    arcs, flows = blocks.load.shape
    above = csr_array((arcs, len(gbps)))
    rows = blocks.conserve.shape[0]
    matrix, low, high = _stack(blocks, blocks.supply, above, target=np.zeros(rows), most=np.ones(arcs))
    cost = np.append(np.zeros(flows), -gbps / max(float(gbps.sum()), np.finfo(np.float64).tiny))
    lower = np.append(np.zeros(flows), least)
    return LinearProgramme(matrix, low, high, cost, lower, np.append(np.full(flows, np.inf), most), flows, arcs)


def highest_multiple(blocks: FlowBlocks, parts: Floats) -> LinearProgramme:
    """max t ≤ 1 with x = t · parts and no arc above its capacity; columns are y, then t."""
    arcs, flows = blocks.load.shape
    together = csr_array((blocks.supply @ parts).reshape(-1, 1))
    target = np.zeros(blocks.conserve.shape[0])
    matrix, low, high = _stack(blocks, together, csr_array((arcs, 1)), target=target, most=np.ones(arcs))
    cost = np.append(np.zeros(flows), -1.0)
    upper = np.append(np.full(flows, np.inf), 1.0)
    return LinearProgramme(matrix, low, high, cost, np.zeros(flows + 1), upper, flows, arcs)


def least_cost(blocks: FlowBlocks, routable: Bools, *, most: float) -> LinearProgramme:
    """min Σ weight x Gbps, in units of its mean per column, with every utilisation at most ``most``."""
    arcs, flows = blocks.load.shape
    whole = blocks.supply @ routable.astype(np.float64)
    none, rows = csr_array((arcs, 0)), csr_array((len(whole), 0))
    matrix, low, high = _stack(blocks, rows, none, target=whole, most=np.full(arcs, most))
    return LinearProgramme(
        matrix, low, high, blocks.cost / cost_unit(blocks), np.zeros(flows), np.full(flows, np.inf), flows, arcs
    )


def cost_unit(blocks: FlowBlocks) -> float:
    """Routing weight x Gbps that one unit of the cost in ``least_cost`` stands for."""
    return float(blocks.cost.mean()) if len(blocks.cost) else 1.0
