"""A first routing and first prices for the master programme: one destination at a time goes where it is cheap.

The highest utilisation is smoothed: arc a weighs exp(η (u_a / θ − 1)). Each destination in turn moves part of its
traffic to its cheapest tree under the weights of the moment; the part is the one that lowers the sum of weights the
most (Frank and Wolfe's step, by blocks: Lacoste-Julien et al., "Block-coordinate Frank-Wolfe optimization", ICML
2013). A few passes give a routing within a few per cent and prices that name the arcs that matter.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from fabric.optimise.trees import Slots, TreeNet, Trees, cheapest_paths
from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows
from topologies.columns import Floats, Longs

FIRST_ETA, GROWTH = 10.0, 1.45  # of η from pass to pass
STEEP = 8.0  # η times the relative gap
LEAST_STEEP = 30.0  # η that is always reached
MEMORY = 0.3  # weight of the newest pass's prices in their running mean
ENOUGH = 5e-3  # relative gap after which the master programme is quicker
MOST_PASSES = 4
MOST_WORK = 4e8  # destinations x arcs over all passes: larger networks get fewer
DETOUR = 1e-3  # of the mean price, on every arc: where nothing is full, paths stay short
_CLIP = 200.0  # exponents beyond are as bad as each other


@compiled
def _pass(
    slots: Slots,
    capacity: Floats,
    demand: DemandRows,
    gbps: Floats,
    flow: Floats,
    load: Floats,
    eta: float,
    theta: float,
    price_sum: Floats,
) -> None:
    """Move the traffic of every destination in turn; ``flow`` (D, A) and ``load`` (A,) change in place."""
    nodes, arcs = len(slots.start) - 1, len(slots.tail)
    distance, amount = np.empty(nodes), np.empty(nodes)
    onward, order = np.empty(nodes, np.int32), np.empty(nodes, np.int32)
    heap, place = np.empty(nodes, np.int32), np.empty(nodes, np.int32)
    price, weight, change = np.empty(arcs), np.empty(arcs), np.empty(arcs)
    moved, slope = np.empty(arcs, np.int64), np.empty(arcs)
    for arc in range(arcs):
        weight[arc] = np.exp(min(eta * (load[arc] / capacity[arc] / theta - 1.0), _CLIP))
    for row in range(len(demand.dest)):
        total = weight.sum()
        for arc in range(arcs):
            price[arc] = weight[arc] / capacity[arc]
            price_sum[arc] += price[arc] / total
            price[arc] += DETOUR * total / (capacity[arc] * arcs)
            change[arc] = -flow[row, arc]
        reached = cheapest_paths(demand.dest[row], slots, price, distance, onward, order, heap, place)
        amount[:] = 0.0
        for entry in range(demand.start[row], demand.start[row + 1]):
            amount[demand.src[entry]] += gbps[entry]
        for position in range(reached - 1, 0, -1):
            node = order[position]
            change[onward[node]] += amount[node]
            amount[slots.head[onward[node]]] += amount[node]
        count = 0
        downhill = 0.0
        for arc in range(arcs):
            if change[arc] != 0.0:
                moved[count] = arc
                slope[count] = change[arc] / capacity[arc]
                downhill += weight[arc] * slope[count]
                count += 1
        if downhill >= 0.0:
            continue
        part = _best_part(eta, theta, moved[:count], slope, load, capacity, change)
        for position in range(count):
            arc = moved[position]
            flow[row, arc] += part * change[arc]
            load[arc] += part * change[arc]
            if flow[row, arc] < 1e-15 * capacity[arc]:
                load[arc] -= flow[row, arc]
                flow[row, arc] = 0.0
            weight[arc] = np.exp(min(eta * (load[arc] / capacity[arc] / theta - 1.0), _CLIP))


@compiled
def _best_part(
    eta: float, theta: float, moved: Longs, slope: Floats, load: Floats, capacity: Floats, change: Floats
) -> float:
    """The part of a change in [0, 1] with the least sum of weights, from below; Newton's method and halving."""
    low, high, part = 0.0, 1.0, 1.0
    for attempt in range(30):
        first, second = 0.0, 0.0
        for position in range(len(moved)):
            arc = moved[position]
            use = (load[arc] + part * change[arc]) / capacity[arc] / theta - 1.0
            rise = np.exp(min(eta * use, _CLIP)) * slope[position]
            first += rise
            second += rise * slope[position]
        if first > 0.0:
            high = part
        else:
            low = part
        if low == 1.0 or high - low <= 0.02 * high or high < 1e-9:
            break
        part -= first * theta / (second * eta)
        if attempt % 2 == 1 or not low < part < high:
            part = 0.5 * (low + high)
    return low


@dataclass(frozen=True, eq=False)
class Start:
    """Where the passes ended."""

    flow: Floats  # shape (D, A), Gbps by destination and slot, of the least utilisation seen
    last: Floats  # shape (D, A), of the last pass
    trees: Trees  # the last ones priced
    price: Floats  # shape (A,), of the best bound


def first_routing(net: TreeNet, *, known_bound: float, deadline: float) -> Start:
    """A few passes over all destinations, from shortest paths; ``deadline`` is of ``time.monotonic()``."""
    capacity, arcs, rows = net.capacity, len(net.capacity), len(net.demand.dest)
    price = 1.0 / (capacity * arcs)
    trees = net.cheapest(price)
    flow = np.zeros((rows, arcs))
    row, node = np.nonzero(trees.gbps > 0)
    flow[row, trees.onward[row, node]] = trees.gbps[row, node]
    load = flow.sum(axis=0)
    theta = float((load / capacity).max(initial=0.0))
    best, least, bound = flow.copy(), theta, max(float(trees.paid.sum()), known_bound)
    mean, eta = price.copy(), FIRST_ETA
    for number in range(int(min(MOST_PASSES, max(2.0, MOST_WORK / max(rows * arcs, 1))))):
        if least <= bound * (1 + ENOUGH) or time.monotonic() > deadline or theta <= 0:
            break
        if number:
            eta = min(eta * GROWTH, max(STEEP / (least / bound - 1), LEAST_STEEP))
        price_sum = np.zeros(arcs)
        _pass(net.slots, capacity, net.demand.rows, net.gbps, flow, load, eta, theta, price_sum)
        load = flow.sum(axis=0)
        theta = float((load / capacity).max(initial=0.0))
        if theta < least:
            best, least = flow.copy(), theta
        mean = price_sum / rows if number < 3 else (1 - MEMORY) * mean + MEMORY * price_sum / rows
        tried = mean / float(mean @ capacity)
        trees = net.cheapest(tried)
        if trees.paid.sum() > bound:
            bound, price = float(trees.paid.sum()), tried
    return Start(best, flow, trees, price)
