"""Least maximum utilisation by descent on split fractions, for programmes too large for a solver.

The highest utilisation is smoothed to a soft maximum: link l weighs exp(η (u_l / θ − 1)), and its price is that weight
over its capacity. At every switch and for every destination, the fraction of a next hop shrinks by 1 + α δ, where δ is
the mean price from there to the destination: Gallager's distributed gradient ("A minimum delay routing algorithm using
distributed computation", IEEE Trans. Commun. 1977) with multiplicative steps (Kivinen, Warmuth, "Exponentiated gradient
versus gradient descent", Inf. Comput. 1997). One step is two sweeps over the arcs of every destination; η grows as the
gap closes, so that the gap shrinks by a constant factor per step rather than with its square.

The prices are also the proof: Σ demand · dist / Σ capacity · price bounds every routing from below, the dual of the
linear programme. Fractions stay fractions throughout, so whatever step it stops at is a valid, loop-free routing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fabric.optimise.dags import DagColumns, Dags, nodes_in
from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows, PhaseDemand
from fabric.routing.kernels import parallel_loads
from fabric.routing.router import Splits
from topologies.columns import Bools, Floats, Shares, column

SHARPNESS = 3.0  # η times the relative gap
LEAST_ETA = 10.0
FIRST_PACE, LEAST_PACE, MOST_PACE = 4.0, 0.25, 8.0  # α η
PATIENCE = 25  # steps without progress after which η grows beyond what the gap asks for
MEMORY = 0.1  # weight of the newest prices in their running mean
STUCK = 6  # times that happens before the descent gives up


@compiled
def _sweep(
    first: int,
    last: int,
    alpha: float,
    price: Floats,
    dags: DagColumns,
    shares: Shares,
    demand: DemandRows,
    gbps: Floats,
    loads: Floats,
    paid: Floats,
) -> None:
    """Price the next hops and shift fractions by ``alpha`` (0: leave them), then carry the demand along them.

    ``paid[row]`` becomes Σ demand x least price to the destination over the row's arcs.
    """
    row_start, slots, tail, head = dags
    dest, start, entry_src = demand
    nodes = nodes_in(dags, demand)
    total, worth = np.zeros(nodes), np.zeros(nodes)
    to_go, least = np.zeros(nodes), np.zeros(nodes)
    amount = np.zeros(nodes)
    for row in range(first, last):
        begin, end = row_start[row], row_start[row + 1]
        for at in range(begin, end):
            slot = slots[at]
            total[tail[slot]] = 0.0
            worth[tail[slot]] = 0.0
            least[tail[slot]] = np.inf
            to_go[head[slot]] = -1.0
            amount[tail[slot]] = 0.0
            amount[head[slot]] = 0.0
        to_go[dest[row]] = 0.0
        least[dest[row]] = 0.0
        for at in range(end - 1, begin - 1, -1):
            slot = slots[at]
            far, near = tail[slot], head[slot]
            if to_go[near] < 0.0:
                to_go[near] = worth[near] / total[near]
            delta = price[slot] + to_go[near]
            share = shares[at] / (1.0 + alpha * delta)
            shares[at] = share
            total[far] += share
            worth[far] += share * delta
            least[far] = min(least[far], price[slot] + least[near])
        sum_paid = 0.0
        for entry in range(start[row], start[row + 1]):
            if gbps[entry] > 0.0:
                amount[entry_src[entry]] += gbps[entry]
                sum_paid += gbps[entry] * least[entry_src[entry]]
        paid[row] = sum_paid
        for at in range(begin, end):
            slot = slots[at]
            part = shares[at] / total[tail[slot]]
            shares[at] = part
            moved = amount[tail[slot]] * part
            loads[slot] += moved
            amount[head[slot]] += moved


@dataclass(frozen=True, eq=False)
class Step:
    """Where a descent stands: fractions, their loads and utilisation, and the best prices seen."""

    shares: Shares  # shape (nnz,)
    theta: float
    bound: float  # over the paths of the table only
    price: Floats  # shape (A,), by slot; those of ``bound``


class Descent:
    """A table of arcs and the demand on it; ``run`` moves fractions until the gap or the time is used up.

    Parameters
    ----------
    rows, gbps : DemandRows, ndarray of shape (nnz,)
        Who sends to the table's destinations, and how much.
    capacity : ndarray, shape (A,)
        By slot, Gbps.
    theta_min : float
        Utilisation below which nothing is won.
    fixed : ndarray, shape (A,), optional
        Load by slot that stays as it is, Gbps.
    """

    def __init__(
        self,
        table: DagColumns,
        rows: DemandRows,
        gbps: Floats,
        capacity: Floats,
        *,
        theta_min: float,
        fixed: Floats | None = None,
    ) -> None:
        self.table, self.rows, self.gbps, self.capacity = table, rows, gbps, capacity
        self.theta_min, self.fixed = theta_min, fixed

    @staticmethod
    def of(dags: Dags, demand: PhaseDemand, routable: Bools, *, theta_min: float) -> Descent:
        """Over all arcs of a table and the demand that has a path."""
        gbps = column(np.where(routable, demand.total_gbps, 0.0), np.float64)
        capacity = column(dags.arcs.capacity_gbps[dags.arcs.into.edge], np.float64)
        return Descent(dags.columns, demand.rows, gbps, capacity, theta_min=theta_min)

    def sweep(self, shares: Shares, price: Floats, alpha: float) -> tuple[Floats, Floats]:
        """Shift fractions in place; loads by slot, and what each row pays at the least over the table's paths."""
        rows = len(self.rows.dest)
        paid = np.zeros(rows)

        def work(first: int, last: int, loads: Floats) -> None:
            _sweep(first, last, alpha, price, self.table, shares, self.rows, self.gbps, loads[:, 0], paid)

        loads = parallel_loads(rows, (len(self.capacity), 1), work)[:, 0]
        return loads if self.fixed is None else loads + self.fixed, paid

    def run(
        self,
        shares: Shares,
        *,
        bound: float,
        gap: float,
        deadline: float,
        report: Callable[[float, float], None],
        steps: int = 5_000,
    ) -> Step:
        """Descend from ``shares``.

        Parameters
        ----------
        bound : float
            A lower bound on θ known already; steps sharpen towards it.
        gap : float
            Relative distance to the better of ``bound`` and the prices' own bound at which to stop.
        deadline : float
            Of ``time.monotonic()``.
        """
        loads, _ = self.sweep(shares, np.zeros(len(self.capacity)), 0.0)
        theta = self._theta(loads)
        best = Step(shares.copy(), theta, 0.0, np.zeros(len(self.capacity)))
        pace, boost, since, stuck = FIRST_PACE, 1.0, 0, 0
        mean = 1.0 / (self.capacity * len(self.capacity))
        for _ in range(steps):
            known = max(bound, best.bound)
            apart = max(best.theta / known - 1, gap) if known > 0 else 1.0
            if best.theta <= known * (1 + gap) or time.monotonic() > deadline or stuck >= STUCK:
                break
            eta = max(LEAST_ETA, SHARPNESS / apart) * boost
            weight = np.exp(eta * np.minimum(loads / self.capacity / theta - 1, 0.0))
            price = weight * (self.capacity.mean() / self.capacity)
            loads, paid = self.sweep(shares, price, pace / eta)
            before, theta = theta, self._theta(loads)
            proved = self._proved(paid, price)
            since += 1
            if theta < best.theta * (1 - 0.02 * apart) or proved > max(known, best.bound) * (1 + 0.02 * apart):
                since = 0
            if theta < best.theta or proved > best.bound:
                better = theta < best.theta
                best = Step(
                    shares.copy() if better else best.shares,
                    min(theta, best.theta),
                    max(proved, best.bound),
                    price if proved > best.bound else best.price,
                )
                report(best.theta, max(bound, best.bound))
            pace = max(pace * 0.7, LEAST_PACE) if theta > before * (1 + 0.1 / eta) else min(pace * 1.05, MOST_PACE)
            mean += MEMORY * (price / float(self.capacity @ price) - mean)
            if since >= PATIENCE:
                boost, since, stuck = boost * 2.0, 0, stuck + 1
                # Single prices swing around those that prove the most; their mean does not.
                _, paid = self.sweep(shares, mean, 0.0)
                proved = self._proved(paid, mean)
                if proved > best.bound:
                    best = replace(best, bound=proved, price=mean.copy())
        return best

    def _proved(self, paid: Floats, price: Floats) -> float:
        """Utilisation that prices prove when what is fixed stays, over the table's paths."""
        fixed = 0.0 if self.fixed is None else float(self.fixed @ price)
        return (float(paid.sum()) + fixed) / float(self.capacity @ price)

    def _theta(self, loads: Floats) -> float:
        return max(float((loads / self.capacity).max(initial=0.0)), self.theta_min)


def splits_of(dags: Dags, shares: Shares) -> Splits:
    """Fractions per destination over arcs, in topological order."""
    row = np.repeat(np.arange(len(dags.start) - 1), np.diff(dags.start))
    _, point = np.unique(row * dags.arcs.nodes + dags.tail[dags.slot], return_inverse=True)
    exact = shares.astype(np.float64)  # shares of half that precision sum to 1 only nearly
    whole = np.bincount(point, exact)[point]
    return Splits(
        start=dags.start,
        edge=column(dags.arcs.into.edge[dags.slot], np.int32),
        fraction=column(np.divide(exact, whole, out=exact, where=whole > 0), np.float64),
    )
