"""Shifting traffic between two paths until their prices are even: the inner loops of ``saddle.py``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabric.optimise.trees import Slots, cheapest_paths
from fabric.routing.compiled import compiled, compiled_inside
from fabric.routing.graph import DemandRows
from topologies.columns import Floats, Ints, Longs

SAME = 1e-9  # relative; of paths that differ less in price none is worth a shift


class Costs(NamedTuple):
    """Everything an arc's price is made of, shape (A,) each, by slot."""

    capacity: Floats
    multiplier: Floats
    penalty: Floats
    detour: Floats


class Paths(NamedTuple):
    """What is kept of the last search of every destination, shape (D, V) each; see ``cheapest_paths``."""

    onward: Ints
    order: Ints
    reached: Ints  # shape (D,)


@compiled_inside
def _price(arc: int, costs: Costs, load: Floats, theta: float) -> float:
    use = load[arc] / costs.capacity[arc] - theta
    price: float = max(0.0, costs.multiplier[arc] + costs.penalty[arc] * use) / costs.capacity[arc] + costs.detour[arc]
    return price


@compiled_inside
def _room(arc: int, costs: Costs, load: Floats, theta: float) -> float:
    """Gbps that an arc takes before its price moves; 0 or less where it does at once."""
    room: float = (theta - costs.multiplier[arc] / costs.penalty[arc]) * costs.capacity[arc] - load[arc]
    return room


@compiled
def level(costs: Costs, load: Floats, start: float) -> float:
    """The θ at which the updated multipliers sum to 1, by Newton's method on a convex falling function."""
    theta = start
    for _ in range(100):
        total, slope = 0.0, 0.0
        for arc in range(len(load)):
            value = costs.multiplier[arc] + costs.penalty[arc] * (load[arc] / costs.capacity[arc] - theta)
            if value > 0.0:
                total += value
                slope += costs.penalty[arc]
        if slope == 0.0:  # beyond all: the arc that is first to matter from above
            theta = -np.inf
            for arc in range(len(load)):
                use = load[arc] / costs.capacity[arc] + costs.multiplier[arc] / costs.penalty[arc]
                theta = max(theta, use - 1.0 / costs.penalty[arc])
            continue
        if abs(total - 1.0) < 1e-12:
            break
        theta += (total - 1.0) / slope
    return theta


@compiled
def sweep(
    search: bool,
    slots: Slots,
    out: Slots,
    costs: Costs,
    theta: float,
    demand: DemandRows,
    flow: Floats,
    load: Floats,
    paths: Paths,
) -> int:
    """Shift traffic of every destination in turn between the cheapest tree and other paths in use.

    ``flow`` (D, A) and ``load`` (A,) change in place, and ``paths`` where ``search`` is set; otherwise the trees are
    those of the last search, and traffic moves both ways. ``out`` lists the slots that leave every node in ``tail``.
    Returns how many arcs were looked at.
    """
    nodes, head = len(slots.start) - 1, slots.head
    distance = np.empty(nodes)
    heap, place = np.empty(nodes, np.int32), np.empty(nodes, np.int32)
    mark, chain = np.full(nodes, -1, np.int64), np.empty(nodes + 1, np.int64)
    price = np.empty(len(load))
    for arc in range(len(load)):
        price[arc] = _price(arc, costs, load, theta)
    stamp, work = 0, 0
    for row in range(len(demand.dest)):
        dest, carried, onward = demand.dest[row], flow[row], paths.onward[row]
        if search:
            paths.reached[row] = cheapest_paths(dest, slots, price, distance, onward, paths.order[row], heap, place)
        for position in range(1, paths.reached[row]):
            node = paths.order[row, position]
            stamped = False
            for at in range(out.start[node], out.start[node + 1]):
                arc = out.tail[at]
                if carried[arc] <= 0.0 or arc == onward[node]:
                    continue
                if search and price[arc] + distance[head[arc]] - distance[node] <= SAME * distance[node]:
                    continue
                if not stamped:
                    stamp += 1
                    stamped = True
                    on = node
                    while on != dest:
                        mark[on] = stamp
                        on = head[onward[on]]
                    mark[dest] = stamp
                size = _follow(arc, stamp, mark, head, out, carried, chain)
                work += size
                if size > 0:
                    work += _shift(node, chain[:size], head, onward, costs, theta, carried, load, price)
    return work


@compiled_inside
def _follow(arc: int, stamp: int, mark: Longs, head: Ints, out: Slots, carried: Floats, chain: Longs) -> int:
    """From an arc along those that carry most, to the first marked node; returns the length, 0 where none is met."""
    chain[0] = arc
    size, on = 1, head[arc]
    while mark[on] != stamp:
        best, most = -1, 0.0
        for at in range(out.start[on], out.start[on + 1]):
            if carried[out.tail[at]] > most:
                best, most = out.tail[at], carried[out.tail[at]]
        if best < 0 or size >= len(chain) - 1:
            return 0
        chain[size] = best
        size += 1
        on = head[best]
    return size


@compiled_inside
def _shift(
    node: int,
    chain: Longs,
    head: Ints,
    onward: Ints,
    costs: Costs,
    theta: float,
    carried: Floats,
    load: Floats,
    price: Floats,
) -> int:
    """Even out the prices of a chain of arcs and the tree's path between the same nodes; returns the path's length."""
    end = head[chain[-1]]
    cost, total, least, least_back = 0.0, 0.0, np.inf, np.inf
    bend, bend_now = 0.0, 0.0  # of all arcs, and of those whose price moves at once
    room, room_back = np.inf, np.inf  # Gbps before the price of a further arc begins to move
    for arc in chain:
        cost += price[arc]
        curve = costs.penalty[arc] / (costs.capacity[arc] * costs.capacity[arc])
        bend += curve
        free = _room(arc, costs, load, theta)
        if free > 0.0:
            room_back = min(room_back, free)
        else:
            bend_now += curve
        least = min(least, carried[arc])
    total = cost
    on, length = node, 0
    while on != end:
        arc = onward[on]
        length += 1
        cost -= price[arc]
        total += price[arc]
        curve = costs.penalty[arc] / (costs.capacity[arc] * costs.capacity[arc])
        bend += curve
        free = _room(arc, costs, load, theta)
        if free > 0.0:
            room = min(room, free)
        else:
            bend_now += curve
        least_back = min(least_back, carried[arc])
        on = head[arc]
    if end == node:  # a circle: what runs in it goes nowhere
        step = least
    elif abs(cost) <= SAME * total:
        return length
    elif cost > 0.0:
        quick = cost / bend_now if bend_now > 0.0 else np.inf
        step = min(max(cost / bend, min(quick, room)), least)
    else:
        quick = -cost / bend_now if bend_now > 0.0 else np.inf
        step = -min(max(-cost / bend, min(quick, room_back)), least_back)
    if step != 0.0:
        _apply(step, node, chain, head, onward, costs, theta, carried, load, price)
    return length


@compiled_inside
def _apply(
    step: float,
    node: int,
    chain: Longs,
    head: Ints,
    onward: Ints,
    costs: Costs,
    theta: float,
    carried: Floats,
    load: Floats,
    price: Floats,
) -> None:
    """Move ``step`` Gbps from a chain of arcs to the tree's path between the same nodes."""
    for arc in chain:
        carried[arc] -= step
        load[arc] -= step
        price[arc] = _price(arc, costs, load, theta)
    on, end = node, head[chain[-1]]
    while on != end:
        arc = onward[on]
        carried[arc] += step
        load[arc] += step
        price[arc] = _price(arc, costs, load, theta)
        on = head[arc]
