"""The multicommodity flow as a sparse linear programme, by destination; arrays in, arrays out, no solver.

Sets: destinations d, nodes v, arcs a = (v, u); A_d, the arcs that traffic to d may use.
Data: b[v, d] ≥ 0, Gbps from v to d; c[a] > 0, capacity in Gbps; ℓ[a] > 0, length (routing weight).
Variables: f[a, d] ≥ 0, Gbps to d on arc a in A_d; θ ≥ θ_min, the highest utilisation.

Least maximum utilisation::

    min θ
    balance[v, d]:   Σ_{a out of v} f[a, d] − Σ_{a into v} f[a, d] = b[v, d]    for all d and v ≠ d that A_d touches
    capacity[a]:     Σ_d f[a, d] − c[a] θ ≤ 0                                   for all arcs a

Shortest detours at that utilisation: min Σ ℓ[a] f[a, d] with θ fixed. Solver tolerances are absolute, so flows to d are
in units of all demand to d, and θ in units of an estimate of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array, csr_array

from fabric.optimise.arcs import Arcs
from fabric.optimise.programme import Programme
from fabric.routing.graph import PhaseDemand
from topologies.columns import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class FlowProgramme(Programme):
    """A programme whose columns are f[a, d] in order, then θ."""

    row_of_var: Ints  # destination index of every flow column
    arc_of_var: Ints
    balance_rows: int  # the first rows are balances, the rest capacities
    capacity_arcs: Ints  # arc of every capacity row
    gbps_of_unit: Floats  # Gbps of one unit of every flow column


def formulate(
    arcs: Arcs,
    demand: PhaseDemand,
    routable: Bools,
    rows: Ints,
    used: Ints,
    *,
    theta_scale: float,
    theta_min: float,
    length_cost: float = 0.0,
) -> FlowProgramme:
    """Build the programme over the allowed pairs (destination index ``rows[i]``, arc ``used[i]``).

    Parameters
    ----------
    routable : ndarray, shape (nnz,)
        Entries of the demand that have a path; the others are left out.
    theta_scale : float
        An estimate of θ; the programme's θ is in units of it.
    theta_min : float
        Lower end of θ, for what no routing can change (access links).
    length_cost : float
        Cost of Σ length x Gbps beside θ: small, it settles which of many optima, in one programme instead of two.
    """
    row_of_entry = demand.row_of_entry[routable]
    gbps = demand.total_gbps[routable]
    unit = np.maximum(np.bincount(row_of_entry, gbps, len(demand.dest)), np.finfo(np.float64).tiny)
    count = len(used)
    variables = np.arange(count)

    node_key = np.concatenate([rows.astype(np.int64) * arcs.nodes + end[used] for end in (arcs.src, arcs.dst)])
    entry_key = row_of_entry * arcs.nodes + demand.src[routable]
    keys = np.unique(np.concatenate([node_key, entry_key]))
    keys = keys[keys % arcs.nodes != demand.dest[keys // arcs.nodes]]
    balances = len(keys)

    leaves = np.searchsorted(keys, node_key[:count])
    enters = np.searchsorted(keys, node_key[count:])
    at_dest = arcs.dst[used] == demand.dest[rows]
    enters, entering = enters[~at_dest], variables[~at_dest]
    capacity_arcs, capacity_row = np.unique(used, return_inverse=True)
    used_share = unit[rows] / (arcs.capacity_gbps[used] * theta_scale)
    data = [np.ones(count), -np.ones(len(entering)), used_share, -np.ones(len(capacity_arcs))]
    row = [leaves, enters, balances + capacity_row, balances + np.arange(len(capacity_arcs))]
    col = [variables, entering, variables, np.full(len(capacity_arcs), count)]
    shape = (balances + len(capacity_arcs), count + 1)
    matrix = coo_array((np.concatenate(data), (np.concatenate(row), np.concatenate(col))), shape=shape).tocsr()

    supply = np.zeros(balances)
    np.add.at(supply, np.searchsorted(keys, entry_key), gbps / unit[row_of_entry])
    cost = np.zeros(count + 1)
    cost[:count] = length_cost * arcs.weight[used] * unit[rows]
    cost[count] = 1.0
    lower = np.zeros(count + 1)
    lower[count] = theta_min / theta_scale
    return FlowProgramme(
        matrix=csr_array(matrix),
        lower_row=np.concatenate([supply, np.full(len(capacity_arcs), -np.inf)]),
        upper_row=np.concatenate([supply, np.zeros(len(capacity_arcs))]),
        cost=cost,
        lower=lower,
        upper=np.full(count + 1, np.inf),
        flow_columns=count,
        row_of_var=np.asarray(rows, dtype=np.int32),
        arc_of_var=np.asarray(used, dtype=np.int32),
        balance_rows=balances,
        capacity_arcs=np.asarray(capacity_arcs, dtype=np.int32),
        gbps_of_unit=np.asarray(unit[rows], dtype=np.float64),
    )


def shorten(programme: FlowProgramme, arcs: Arcs, theta: float) -> FlowProgramme:
    """The second step: least Σ length x flow with θ (in the programme's units) fixed at ``theta``."""
    cost = np.zeros(len(programme.cost))
    length = arcs.weight[programme.arc_of_var] * programme.gbps_of_unit
    cost[: programme.flow_columns] = length / length.mean()
    lower, upper = programme.lower.copy(), programme.upper.copy()
    lower[-1] = upper[-1] = theta
    return replace(programme, cost=cost, lower=lower, upper=upper)
