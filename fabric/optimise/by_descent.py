"""Closing the gap by descent: shortest paths first, and further arcs where prices show that they could help."""

from __future__ import annotations

import time

import numpy as np

from fabric.optimise.changed_rows import with_cheap_arcs
from fabric.optimise.dags import Dags, shortest_dags
from fabric.optimise.descent import Descent, Step, splits_of
from fabric.optimise.incumbent import Incumbent
from fabric.optimise.proofs import entry_prices
from topologies.columns import Floats, Ints, column

ROUNDS = 20  # of adding arcs
WORTH = 1e-4  # a destination gets more arcs when its demand could pay this much less, relative to all that is paid
LEAST_WORTH = 1e-9  # capacity x price of a link, relative to the dearest, below which it has no price
FEW = 2_000  # destinations extended in one round


def improve_by_descent(best: Incumbent, gap: float) -> Dags:
    """Descend until the gap is reached, no arc helps any more, or the time is used up; returns the arcs in use."""
    dags = shortest_dags(best.arcs, best.demand, best.routable)
    shares = np.ones(len(dags.slot), dtype=np.float32)
    best.solver = "descent"
    for number in range(ROUNDS):
        descent = Descent.of(dags, best.demand, best.routable, theta_min=best.access)
        step = descent.run(
            shares,
            bound=best.certificate.lower_bound,
            gap=gap / 2,
            deadline=best.deadline,
            report=lambda theta, _: best.report("optimal: descent", theta),
        )
        best.take_splits(splits_of(dags, step.shares))
        if best.gap <= gap or time.monotonic() > best.deadline:
            return dags
        prove_by_slot(best, step.price)
        if best.gap <= gap or best.options.paths == "shortest" or number + 1 == ROUNDS:
            return dags
        rows, price = _rows_worth_more_arcs(best, descent, step)
        if not len(rows):
            return dags
        before = len(dags.slot)
        dags, shares = with_cheap_arcs(dags, step.shares, best.demand, best.routable, price, rows)
        if len(dags.slot) == before:
            break
    return dags


def prove_by_slot(best: Incumbent, by_slot: Floats) -> None:
    """What prices of the slots say about all routings; those too small to matter are left out."""
    arcs = best.arcs
    price = np.zeros(len(arcs.src))
    worth = by_slot * arcs.capacity_gbps[arcs.into.edge]
    price[arcs.into.edge] = np.where(worth > LEAST_WORTH * worth.max(initial=0.0), by_slot, 0.0)
    best.prove_prices(price[arcs.of_edge])


def _rows_worth_more_arcs(best: Incumbent, descent: Descent, step: Step) -> tuple[Ints, Floats]:
    """Destinations whose demand has cheaper paths than those of the table, and the prices by slot to find them with."""
    arcs, demand = best.arcs, best.demand
    # A little length in the price keeps cheapest paths short, and free of cycles where nothing has a price.
    nudge = 1e-3 * step.price.max(initial=0.0) * arcs.weight / arcs.weight.max()
    price = step.price + nudge[arcs.into.edge]
    by_arc = np.zeros(len(arcs.src))
    by_arc[arcs.into.edge] = price
    _, paid = descent.sweep(step.shares.copy(), column(price, np.float64), 0.0)
    cheapest = entry_prices(best.graph, demand, by_arc[arcs.of_edge])
    least = np.bincount(
        demand.row_of_entry,
        np.where(best.routable & np.isfinite(cheapest), cheapest, 0.0) * demand.total_gbps,
        len(demand.dest),
    )
    saved = paid - least
    rows = np.flatnonzero(saved > WORTH * paid.sum() / max(len(paid), 1))
    rows = rows[np.argsort(-saved[rows], kind="stable")][:FEW]
    return column(np.sort(rows), np.int32), price
