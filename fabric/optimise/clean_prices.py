"""Prices made exact: near-optimal ones say which arcs matter, and the programme of those few alone has exact duals.

Rows of all other arcs are left out, whatever their load, so the programme has as many rows as arcs have a price, beside
one a destination, and its prices prove at most what the whole one's would.
"""

from __future__ import annotations

import numpy as np

from fabric.optimise.master import Columns, Master
from fabric.optimise.saddle import Saddle
from fabric.optimise.trees import TreeNet
from topologies.columns import Floats

MATTERS = 1e-3  # of the dearest arc's price x capacity, from which an arc has a row
NUDGE = 1e-12  # price of length beside the duals', relative: of equally cheap paths it picks a short one
HELPS = 1e-10  # reduced cost, in units of the programme, that a column has to save
MOST_ROUNDS = 40


def clean_prices(net: TreeNet, near: Saddle, deadline: float) -> Floats:
    """Prices of the slots, shape (A,), that prove a maximum utilisation; those given where the time is used up."""
    rows, worth = len(net.demand.dest), near.price * net.capacity
    master = Master(net.capacity, net.weight, rows, scale=near.theta, least=0.0)
    master.add(Columns.of_flows(near.flow))
    master.add(Columns.of_trees(net.cheapest(near.price), np.ones(rows, dtype=np.bool_)))
    master.watch(np.flatnonzero(worth > MATTERS * worth.max(initial=0.0)))
    best, price = float(net.cheapest(near.price).paid.sum()) / float(worth.sum()), near.price
    for _ in range(MOST_ROUNDS):
        point = master.solve(deadline)
        if point is None:
            return price
        trees = net.cheapest(point.price + NUDGE * float(point.price.mean()) * net.weight / net.weight.max())
        earned = float(point.price @ net.capacity)
        bound = float(trees.priced(point.price).sum()) / earned if earned > 0 else 0.0
        if bound > best:
            best, price = bound, point.price
        helps = trees.priced(point.price) / near.theta < point.worth - HELPS
        if not helps.any():
            return point.price
        master.add(Columns.of_trees(trees, helps))
    return price
