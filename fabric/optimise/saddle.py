"""The least highest utilisation as a saddle point: prices against flows, by the method of multipliers.

Arc a has the utilisation u_a and a multiplier y_a, Σ y = 1. For fixed multipliers the flows minimise the augmented
Lagrangian ``θ + Σ_a ([y_a + ρ_a (u_a − θ)]₊² − y_a²) / (2 ρ_a)``; then y_a becomes ``[y_a + ρ_a (u_a − θ)]₊``
(Hestenes 1969; Powell 1969; Rockafellar, "Augmented Lagrangians", Math. Oper. Res. 1976). What is minimised is smooth
and quadratic in pieces, so one destination after another shifts traffic between two paths by Newton's step, as in the
assignment of road traffic (Bar-Gera, "Traffic assignment by paired alternative segments", Transp. Res. B 2010). Flows
stay flows throughout, and any multipliers prove a bound, so whatever it stops at is a valid routing and a valid proof.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fabric.optimise.block_descent import first_routing
from fabric.optimise.carry_over import Begun
from fabric.optimise.path_shifts import Costs, Paths, level, sweep
from fabric.optimise.trees import Slots, TreeNet
from topologies.columns import Floats, column

FIRST_PENALTY, BEGUN_PENALTY = 50.0, 200.0  # ρ times arcs times utilisation; where prices are near already
SWEEPS = 12  # over all destinations between two updates of the multipliers; the first searches cheapest paths
DEAR = 1.5  # arcs looked at by a sweep without a search, of all arcs: where more are, only searches pay
PRICED_EVERY = 2  # updates between two proofs
BALANCE, MOST_CHANGE = 2.0, 3.0  # penalty changes where one of both sides lags this much, at most by this factor
CHECKED_EVERY = 20  # updates between two looks at the gap
SLOW, STALLED, MOST_STALLS = 0.2, 0.99, 5  # it is slow, or stands still, where more than this part of it is left
MOST_UPDATES, BEGUN_UPDATES = 100_000, 40  # from a start that leads nowhere soon, nothing is the better start
MOST_FALLS, RESPONSE = 4, 0.7  # after so many falls in a row the bound has to be this much nearer, or they are undone
FAR, LOOKS, NO_NEARER = 0.05, 2, 0.9  # far is this much or more, no nearer above this part of it so many looks ago
DETOUR = 1e-9  # price of an arc beside its multiplier, of the mean


@dataclass(frozen=True, eq=False)
class Saddle:
    """Where the method ended."""

    flow: Floats  # shape (D, A), Gbps by destination and slot
    theta: float
    price: Floats  # shape (A,), by slot, Σ capacity x price = 1
    bound: float


def find_saddle(
    net: TreeNet,
    *,
    gap: float,
    aim: float,
    least: float,
    known_bound: float,
    deadline: float,
    report: Callable[[float, float], None],
    begun: Begun | None = None,
    patience: int = MOST_STALLS,
    searches: int = 1,
) -> Saddle:
    """Flows and prices within a relative gap of each other.

    Parameters
    ----------
    gap : float
        Relative gap that is enough.
    aim : float
        Relative gap that is wanted; the method goes on towards it while it gains quickly.
    least : float
        Utilisation of links that no routing changes.
    known_bound : float
        What is proven already.
    deadline : float
        Of ``time.monotonic()``.
    report : callable
        Called with the utilisation and the bound between sweeps.
    begun : Begun, optional
        Where to start; its flows change in place. None: from a few passes over all destinations.
    patience : int
        Looks at the gap that may find it standing still.
    searches : int
        Sweeps between two updates where only those with a search pay. Where most arcs are at the maximum at once, flows
        that lag behind the multipliers never settle, and several are quicker than one.
    """
    capacity, out, paths = net.capacity, _leaving(net.slots), _no_paths(net)
    flow, best = _begin(net, least, known_bound, deadline, begun)
    load, theta = flow.sum(axis=0), best.theta
    multiplier = best.price * capacity
    penalty = (FIRST_PENALTY if begun is None else BEGUN_PENALTY) / theta * capacity / capacity.sum()
    detour = DETOUR * net.weight / float(net.weight @ capacity)
    dear = False  # whether following paths in use takes longer than a search that says which are worth it
    change, pace = _Change(), _Pace(gap, aim, patience)
    for update in range(1, (MOST_UPDATES if begun is None else BEGUN_UPDATES) + 1):
        if pace.enough(best) or time.monotonic() > deadline:
            break
        costs = Costs(capacity, multiplier, penalty, detour)
        theta, dear = _settle(net, out, costs, theta, flow, load, paths, dear, searches, deadline)
        load = flow.sum(axis=0)
        theta = level(costs, load, theta)
        multiplier = np.maximum(multiplier + penalty * (load / capacity - theta), 0.0)
        multiplier /= multiplier.sum()
        if update % PRICED_EVERY == 0 or time.monotonic() > deadline:
            highest = max(float((load / capacity).max()), least)
            best, bound = _better(best, net, flow, highest, multiplier / capacity)
            report(best.theta, best.bound)
            change.follow(highest / theta - 1.0, 1.0 - bound / theta)
            penalty = penalty * change.factor
    return best


def _settle(
    net: TreeNet, out: Slots, costs: Costs, theta: float, flow: Floats, load: Floats, paths: Paths,
    dear: bool, searches: int, deadline: float,
) -> tuple[float, bool]:  # fmt: skip
    """Sweeps under fixed multipliers, in place; θ and whether only sweeps with a search pay."""
    looked_at = 0
    for number in range(searches if dear else SWEEPS):
        theta = level(costs, load, theta)
        work = sweep(dear or number == 0, net.slots, out, costs, theta, net.demand.rows, flow, load, paths)
        dear = dear or (number > 0 and work > DEAR * flow.size)
        looked_at += work
        if looked_at > searches * flow.size or time.monotonic() > deadline:
            break
    return theta, dear


def _leaving(slots: Slots) -> Slots:
    """Slots by the node they leave: those of node v are ``tail[start[v]:start[v + 1]]``."""
    order = np.argsort(slots.tail, kind="stable")
    start = np.searchsorted(slots.tail[order], np.arange(len(slots.start)))
    return Slots(column(start, np.int32), column(order, np.int32), column(order, np.int32))


def _no_paths(net: TreeNet) -> Paths:
    rows, nodes = len(net.demand.dest), len(net.slots.start) - 1
    return Paths(np.full((rows, nodes), -1, np.int32), np.zeros((rows, nodes), np.int32), np.zeros(rows, np.int32))


def _begin(
    net: TreeNet, least: float, known_bound: float, deadline: float, begun: Begun | None
) -> tuple[Floats, Saddle]:
    """A first routing, to be changed in place, and what it and its prices are worth."""
    if begun is not None:
        theta = max(float((begun.flow.sum(axis=0) / net.capacity).max(initial=0.0)), least)
        return begun.flow, Saddle(begun.flow.copy(), theta, begun.price, max(begun.bound, known_bound))
    start = first_routing(net, known_bound=known_bound, deadline=deadline)
    theta = max(float((start.flow.sum(axis=0) / net.capacity).max(initial=0.0)), least)
    price = start.price / float(start.price @ net.capacity)
    bound = max(float(net.cheapest(price).paid.sum()), known_bound)
    return start.flow, Saddle(start.flow.copy(), theta, price, bound)


def _better(best: Saddle, net: TreeNet, flow: Floats, theta: float, price: Floats) -> tuple[Saddle, float]:
    """The best of what there is and of new flows and prices, and the bound that the prices prove."""
    price = price / float(price @ net.capacity)
    bound = float(net.cheapest(price).paid.sum())
    kept = (flow.copy(), theta) if theta < best.theta else (best.flow, best.theta)
    proof = (price, bound) if bound > best.bound else (best.price, best.bound)
    return Saddle(*kept, *proof), bound


class _Pace:
    """When to stop: at the gap aimed at, or where the gap falls too slowly to wait for it."""

    def __init__(self, gap: float, aim: float, patience: int) -> None:
        self._gap, self._aim, self._patience = gap, aim, patience
        self._before, self._calls = np.inf, 0
        self._slow, self._stalls = False, 0

    def enough(self, best: Saddle) -> bool:
        """Asked once an update."""
        left = best.theta / best.bound - 1.0 if best.bound > 0 else np.inf
        if best.theta <= 0 or left <= self._aim:
            return True
        self._calls += 1
        if self._calls % CHECKED_EVERY == 0:
            self._slow = left > SLOW * self._before
            self._stalls = self._stalls + 1 if left > STALLED * self._before else 0
            self._before = left
        return (self._slow and left <= self._gap) or self._stalls >= self._patience


class _Change:
    """By how much the penalty changes: it grows where loads lag behind prices, and falls where prices lag behind.

    Prices that a smaller penalty does not help are far from where they belong, and travel faster under a large one; so
    do those that are far and come no nearer though both lag alike.
    """

    def __init__(self) -> None:
        self.factor = 1.0
        self._falls, self._first = 0, 0.0
        self._balanced: list[float] = []  # what is left, at every look since the penalty last changed

    def follow(self, above: float, below: float) -> None:
        """Take notice of how far, relatively, the highest utilisation lies above θ and the bound below it."""
        above, below = max(above, 1e-12), max(below, 1e-12)
        self.factor = 1.0
        if above > BALANCE * below:
            self.factor = min(float(np.sqrt(above / below)), MOST_CHANGE)
            self._falls = 0
        elif below > BALANCE * above:
            self.factor = 1.0 / min(float(np.sqrt(below / above)), MOST_CHANGE)
            self._first = below if self._falls == 0 else self._first
            self._falls += 1
            if self._falls > MOST_FALLS:
                self._falls = 0
                if below > RESPONSE * self._first:
                    self.factor = MOST_CHANGE ** (MOST_FALLS + 2)
        else:
            self._falls = 0
            self._balanced.append(above + below)
            stays = len(self._balanced) > LOOKS and above + below > NO_NEARER * self._balanced[-LOOKS - 1]
            if stays and above + below > FAR:
                self.factor = MOST_CHANGE
        if self.factor != 1.0:
            self._balanced.clear()
