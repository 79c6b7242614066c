"""Compiled: where hashed flows go on a damaged fabric; the choice is that of ``routing/hashing/walk.py``."""

from __future__ import annotations

import numpy as np

from fabric.failures.hashed_columns import FlowColumns, HashRule, Wires
from fabric.routing.compiled import compiled, compiled_in_place, inlined
from fabric.routing.hashing.functions import lasting_pick, most_picks, next_hop
from fabric.routing.kernels import NEAR, is_step
from topologies.columns import Bools, Floats, Ints, Longs


@compiled_in_place
def measure(dest: int, wires: Wires, up: Bools, dead_in: Longs, case: int, distance: Floats, queue: Longs) -> None:
    """Distances to ``dest`` over links that are up and not dead in the case; ``queue`` has room for 2 V + 1.

    Nodes whose distance became less wait in a ring, each once: breadth-first with equal weights, and by few repeats
    with others (Bellman and Ford's, as a queue).
    """
    room = len(distance)
    waiting = queue[room:]
    distance[:] = np.inf
    waiting[:] = 0
    distance[dest], queue[0], first, last = 0.0, dest, 0, 1
    while first < last:
        node = queue[first % room]
        first += 1
        waiting[node] = 0
        for slot in range(wires.in_start[node], wires.in_start[node + 1]):
            link, tail = wires.in_link[slot], wires.tail[slot]
            further = distance[node] + (1.0 if wires.equal else wires.in_weight[slot])
            if further < distance[tail] and up[link] and dead_in[link] != case:
                distance[tail] = further
                if waiting[tail] == 0:
                    waiting[tail] = 1
                    queue[last % room] = tail
                    last += 1


@inlined
def leads_on(
    slot: int | np.int32 | np.int64,
    distance: float,
    wires: Wires,
    up: Bools,
    dead_in: Longs,
    case: int,
    now: Floats,
    hops: Ints,
) -> bool:
    """Whether a slot of a node at ``distance`` is on a shortest path and up.

    ``hops``, by node, are next hops that are left by the distances ``now``; nodes without any are not gone to, unless
    that is empty.
    """
    link, head = wires.out_link[slot], wires.head[slot]
    good = up[link] and dead_in[link] != case and is_step(now[head], distance, wires.out_weight[slot], wires.equal)
    if good and len(hops) > 0 and now[head] > 0:
        good = hops[head] > 0
    return good


@inlined
def choose(
    node: int,
    row: int,
    key: np.uint64,
    wires: Wires,
    rule: HashRule,
    up: Bools,
    dead_in: Longs,
    case: int,
    now: Floats,
    whole: Floats,
    hops: Ints,
    group_start: Longs,
    group: Ints,
    slots: Ints,
) -> np.int64:
    """Slot of the next hop of a flow; -1 where there is none. ``group`` may be empty: members are then looked for."""
    stands = now[node] == whole[node] if wires.equal else now[node] <= whole[node] * (1 + NEAR)
    seed, distance, chosen = rule.seed[node], now[node], np.int64(-1)
    cell = np.int64(row) * (len(wires.out_start) - 1) + node
    if rule.resilient:
        first, count = np.int64(wires.out_start[node]), np.int64(wires.out_start[node + 1] - wires.out_start[node])
        kept, listed = False, False
        if stands:
            kept = len(group_start) > 0
            listed = not kept
        if kept:
            first, count = group_start[cell], group_start[cell + 1] - group_start[cell]
        if listed:
            filled = np.int64(0)
            for port in range(first, first + count):
                if is_step(whole[wires.head[port]], whole[node], wires.out_weight[port], wires.equal):
                    slots[filled] = port
                    filled += 1
            count = filled
        for number in range(most_picks(count)):
            pick = lasting_pick(key, seed, rule.bits, count, number)
            slot = group[first + pick] if kept else (slots[pick] if listed else first + pick)
            if leads_on(slot, distance, wires, up, dead_in, case, now, hops):
                chosen = np.int64(slot)
                break
    else:
        kept = len(group_start) > 0 and len(hops) > 0
        first, last = np.int64(wires.out_start[node]), np.int64(wires.out_start[node + 1])
        if kept:
            first, last = group_start[cell], group_start[cell + 1]
        filled = np.int64(0)
        for at in range(first, last):
            slot = group[at] if kept else at
            if leads_on(slot, distance, wires, up, dead_in, case, now, hops):
                slots[filled] = slot
                filled += 1
        if filled > 0:
            chosen = np.int64(slots[next_hop(key, seed, rule.bits, filled)])
    return chosen


@compiled
def group_slots(first: int, last: int, wires: Wires, distance: Floats, known: Bools, start: Longs, group: Ints) -> None:
    """Slots of the groups towards destinations ``first`` to ``last``, written from ``start`` on by row and node.

    With ``group`` empty, ``start`` becomes how many there are instead.
    """
    nodes = len(wires.out_start) - 1
    for row in range(first, last):
        for node in range(nodes):
            filled = 0
            for slot in range(wires.out_start[node], wires.out_start[node + 1]):
                near = distance[row, wires.head[slot]]
                if near == np.inf or not known[wires.out_link[slot]]:
                    continue
                if is_step(near, distance[row, node], wires.out_weight[slot], wires.equal):
                    if len(group) > 0:
                        group[start[row * nodes + node] + filled] = slot
                    filled += 1
            if len(group) == 0:
                start[row * nodes + node] = filled


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
    slots = np.empty(len(wires.head), dtype=np.int32)
    no_groups = np.empty(0, dtype=np.int64)
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
            slot = choose(
                node,
                row,
                flows.key[flow],
                wires,
                rule,
                up,
                dead_in,
                0,
                now[row],
                whole[row],
                none,
                no_groups,
                none,
                slots,
            )
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
    dead_in, queue = np.full(len(up), -1, dtype=np.int64), np.empty(2 * len(wires.in_start), dtype=np.int64)
    for row in range(first, last):
        measure(dest[row], wires, known, dead_in, 0, now[row], queue)
        for link in range(len(up)):
            tail, head = wires.link_tail[link], wires.link_head[link]
            if tail < 0 or not up[link] or now[row, head] == np.inf:
                continue
            if is_step(now[row, head], now[row, tail], wires.link_weight[link], wires.equal):
                hops[row, tail] += 1
