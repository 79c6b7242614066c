"""Blocks that linear programmes over flows share, whatever the objective and whatever paths traffic may take.

Sets: demand entries e (source, destination), arcs a, columns j. A column is a flow to one destination on one step of a
graph, or a whole path. Data: n[e], Gbps offered; c[a] > 0, capacity in Gbps. Variables: y[j] ≥ 0, flow in units of what
is offered to the column's destination (of its entry, for a path); x[e] in [0, 1], the part of e that is admitted::

    conserve · y = supply · x           a row per destination and node, or per entry for paths
    utilisation[a] = load[a, :] · y     offered over capacity

An objective adds a bound on the utilisation and says which x are given. Solver tolerances are absolute, so everything
is in units near 1. Arrays in, arrays out, no solver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from fabric.optimise.arcs import Arcs
from fabric.routing.graph import PhaseDemand
from topologies.columns import Bools, Floats, Ints, column


@dataclass(frozen=True, eq=False)
class FlowBlocks:
    """The shared blocks; R rows, F flow columns, A arcs, nnz entries of the demand."""

    conserve: csr_array  # shape (R, F)
    supply: csr_array  # shape (R, nnz)
    load: csr_array  # shape (A, F), utilisation of an arc per unit of a column
    cost: Floats  # shape (F,), routing weight x Gbps per unit of a column
    gbps_of_unit: Floats  # shape (F,)


@dataclass(frozen=True, eq=False)
class Steps:
    """A directed graph whose steps use arcs: the arcs themselves, or copies of them for walkers in different states."""

    nodes: int
    src: Ints  # shape (S,)
    dst: Ints
    arc: Ints  # arc that a step uses, -1 for a step that needs none

    @staticmethod
    def of_arcs(arcs: Arcs) -> Steps:
        """Every arc is a step of its own."""
        return Steps(arcs.nodes, arcs.src, arcs.dst, column(np.arange(len(arcs.src)), np.int32))


def step_blocks(
    steps: Steps, arcs: Arcs, demand: PhaseDemand, dest: Ints, routable: Bools, rows: Ints, used: Ints
) -> FlowBlocks:
    """Blocks with a column per allowed pair (destination index ``rows[i]``, step ``used[i]``).

    Parameters
    ----------
    dest : ndarray, shape (D,)
        Node of the steps' graph where traffic to each destination of the demand ends; it starts at ``demand.src``.
    routable : ndarray, shape (nnz,)
        Entries that have a path; the others get no supply.
    """
    gbps = np.where(routable, demand.total_gbps, 0.0)
    unit = np.maximum(np.bincount(demand.row_of_entry, gbps, len(demand.dest)), np.finfo(np.float64).tiny)
    count, variables, entries = len(used), np.arange(len(used)), np.flatnonzero(routable)
    node_key = np.concatenate([rows.astype(np.int64) * steps.nodes + end[used] for end in (steps.src, steps.dst)])
    entry_key = demand.row_of_entry[entries] * steps.nodes + demand.src[entries]
    keys = np.unique(np.concatenate([node_key, entry_key]))
    keys = keys[keys % steps.nodes != dest[keys // steps.nodes]]
    inner = steps.dst[used] != dest[rows]
    leave = np.searchsorted(keys, node_key[:count])
    enter = np.searchsorted(keys, node_key[count:][inner])
    signs = np.concatenate([np.ones(count), -np.ones(len(enter))])
    conserve = coo_array(
        (signs, (np.concatenate([leave, enter]), np.concatenate([variables, variables[inner]]))),
        shape=(len(keys), count),
    )
    share = gbps[entries] / unit[demand.row_of_entry[entries]]
    supply = coo_array((share, (np.searchsorted(keys, entry_key), entries)), shape=(len(keys), len(demand.src)))
    arc = steps.arc[used]
    real = arc >= 0
    load = coo_array(
        (unit[rows[real]] / arcs.capacity_gbps[arc[real]], (arc[real], variables[real])), shape=(len(arcs.src), count)
    )
    return FlowBlocks(
        csr_array(conserve),
        csr_array(supply),
        csr_array(load),
        cost=np.where(real, arcs.weight[arc], 0.0) * unit[rows],
        gbps_of_unit=np.asarray(unit[rows], dtype=np.float64),
    )
