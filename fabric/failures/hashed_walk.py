"""Compiled: where hashed flows go on a damaged fabric; the choice is that of ``routing/hashing/walk.py``."""

from __future__ import annotations

import heapq

import numpy as np

from fabric.failures.hashed_columns import FlowColumns, HashRule, Wires
from fabric.routing.compiled import compiled
from fabric.routing.hashing.functions import lasting_pick, next_hop
from fabric.routing.kernels import NEAR, is_step
from topologies.columns import Bools, Floats, Ints, Longs


@compiled
def measure(dest: int, wires: Wires, up: Bools, dead_in: Longs, case: int, distance: Floats, queue: Longs) -> None:
    """Distances to ``dest`` over links that are up and not dead in the case."""
    distance[:] = np.inf
    distance[dest] = 0.0
    if wires.equal:
        queue[0] = dest
        reached, at = 1, 0
        while at < reached:
            node = queue[at]
            at += 1
            for slot in range(wires.in_start[node], wires.in_start[node + 1]):
                link, tail = wires.in_link[slot], wires.tail[slot]
                if distance[tail] == np.inf and up[link] and dead_in[link] != case:
                    distance[tail] = distance[node] + 1.0
                    queue[reached] = tail
                    reached += 1
        return
    heap = [(0.0, np.int64(dest))]
    while len(heap) > 0:
        near, node = heapq.heappop(heap)
        if near > distance[node]:
            continue
        for slot in range(wires.in_start[node], wires.in_start[node + 1]):
            link, tail = wires.in_link[slot], wires.tail[slot]
            if up[link] and dead_in[link] != case and near + wires.in_weight[slot] < distance[tail]:
                distance[tail] = near + wires.in_weight[slot]
                heapq.heappush(heap, (distance[tail], np.int64(tail)))


@compiled
def stands(now: Floats, whole: Floats, node: int, equal: bool) -> bool:
    """Whether a node is as near as with everything up."""
    return now[node] == whole[node] if equal else now[node] <= whole[node] * (1 + NEAR)


@compiled
def choose(
    node: int,
    key: np.uint64,
    wires: Wires,
    rule: HashRule,
    up: Bools,
    dead_in: Longs,
    case: int,
    now: Floats,
    whole: Floats,
    hops: Ints,
    slots: Ints,
    usable: Bools,
) -> int:
    """Slot of the next hop of a flow; -1 where there is none.

    ``hops``, by node, are next hops that are left by the distances ``now``; nodes without any are not gone to, unless
    that is empty.
    """
    whole_group = rule.resilient and stands(now, whole, node, wires.equal)
    filled = 0
    for slot in range(wires.out_start[node], wires.out_start[node + 1]):
        head, weight, link = wires.head[slot], wires.out_weight[slot], wires.out_link[slot]
        if whole_group and not is_step(whole[head], whole[node], weight, wires.equal):
            continue
        good = up[link] and dead_in[link] != case and is_step(now[head], now[node], weight, wires.equal)
        if good and len(hops) > 0 and now[head] > 0:
            good = hops[head] > 0
        if good or rule.resilient:
            slots[filled], usable[filled] = slot, good
            filled += 1
    if filled == 0:
        return -1
    seed = rule.seed[node]
    pick = (
        lasting_pick(key, seed, rule.bits, usable, 0, filled)
        if rule.resilient
        else next_hop(key, seed, rule.bits, filled)
    )
    return slots[pick] if pick >= 0 else -1


@compiled
def walk_all(
    first: int,
    last: int,
    wires: Wires,
    flows: FlowColumns,
    rule: HashRule,
    up: Bools,
    now: Floats,
    whole: Floats,
    lost: Bools,
    start: Longs,
    path: Ints,
) -> None:
    """Paths of flows ``first`` to ``last``, written from ``start[flow]`` on; -1 after the last link.

    With ``path`` empty, ``start[flow]`` becomes the length of the path instead.
    """
    nodes = len(wires.out_start) - 1
    dead_in, none = np.full(len(up), -1, dtype=np.int64), np.empty(0, dtype=np.int32)
    slots, usable = np.empty(len(wires.head), dtype=np.int32), np.empty(len(wires.head), dtype=np.bool_)
    count = len(path) == 0
    for flow in range(first, last):
        row, node, length = flows.row[flow], flows.src[flow], 0
        dest, first_link, last_link = flows.dest[row], flows.up_link[flow], flows.down_link[flow]
        gone = (first_link >= 0 and not up[first_link]) or now[row, node] == np.inf
        if not rule.frozen:
            gone = gone or (last_link >= 0 and not up[last_link])
        at = 0 if count else start[flow]
        if not gone and first_link >= 0:
            if not count:
                path[at] = first_link
            length += 1
        while not gone and node != dest and length <= nodes:
            slot = choose(node, flows.key[flow], wires, rule, up, dead_in, 0, now[row], whole[row], none, slots, usable)
            gone = slot < 0
            if not gone:
                if not count:
                    path[at + length] = wires.out_link[slot]
                length += 1
                node = wires.head[slot]
        gone = gone or (last_link >= 0 and not up[last_link])
        if not gone and last_link >= 0:
            if not count:
                path[at + length] = last_link
            length += 1
        lost[flow] = gone
        if count:
            start[flow] = length


@compiled
def measure_all(
    first: int, last: int, wires: Wires, dest: Ints, known: Bools, up: Bools, now: Floats, hops: Ints
) -> None:
    """Distances to destinations ``first`` to ``last`` over links that are known, and next hops that are up."""
    dead_in, queue = np.full(len(up), -1, dtype=np.int64), np.empty(len(wires.in_start), dtype=np.int64)
    for row in range(first, last):
        measure(dest[row], wires, known, dead_in, 0, now[row], queue)
        for link in range(len(up)):
            tail, head = wires.link_tail[link], wires.link_head[link]
            if tail >= 0 and up[link] and is_step(now[row, head], now[row, tail], wires.link_weight[link], wires.equal):
                if now[row, head] < np.inf:
                    hops[row, tail] += 1
