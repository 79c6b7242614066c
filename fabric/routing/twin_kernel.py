"""The compiled loop of equal splits over sets of twins; see ``fabric.routing.twins`` and ``twin_loads``.

Destinations are taken by groups that end at the same sets. *Ends* are the switches where the distances of a row begin:
the destination itself, or the switches that a destination host is attached to. An end is apart from its set: its twins
are farther away than all that leads to it, so nothing passes through them. What passes a set divides evenly over its
members; what starts at a member is kept apart for its own links, and so is what arrives at an end; what starts next to
where it ends is both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabric.routing.compiled import compiled, compiled_in_place
from fabric.routing.graph import DemandRows
from fabric.routing.twin_columns import Ends, HostLinks, OwnPlaces, TwinLoads
from fabric.routing.twins import TwinNet
from topologies.columns import Bools, Floats, Longs


class _Work(NamedTuple):
    """Arrays of one thread."""

    distance: Longs  # shape (S,), hops to the group's destinations, -1: none
    order: Longs
    steps: Longs  # shape (Q,), slots on shortest paths, from the start of their set's
    found: Longs  # shape (S,), how many, -1: not looked up in this group
    hops: Floats  # shape (S,), links from one member on shortest paths
    next: Longs  # shape (S,), the next set of the same distance in this row
    active: Bools  # shape (S,)
    level: Longs  # shape (S + 2,), the first set of every distance in this row
    passing: Floats  # shape (S, C)
    own: Floats  # shape (S, C)
    started: Floats  # shape (V, C), of the group
    starters: Longs  # shape (V,)
    has_started: Bools  # shape (V,)
    end_at: Longs  # shape (V,), position among the ends of the row, -1: none
    arrived: Floats  # shape (most ends, C)
    ends_in: Longs  # shape (S,), how many ends of the group are in a set


@compiled
def _new_work(sets: int, slots: int, nodes: int, classes: int, most_ends: int) -> _Work:
    return _Work(
        np.empty(sets, np.int64), np.empty(sets, np.int64), np.empty(slots, np.int64), np.empty(sets, np.int64),
        np.empty(sets), np.empty(sets, np.int64), np.zeros(sets, np.bool_), np.full(sets + 3, -1),
        np.zeros((sets, classes)), np.zeros((sets, classes)), np.zeros((nodes, classes)), np.empty(nodes, np.int64),
        np.zeros(nodes, np.bool_), np.full(nodes, -1), np.zeros((most_ends, classes)), np.zeros(sets, np.int64),
    )  # fmt: skip


@compiled_in_place
def _measure(net: TwinNet, ends: Ends, row: int, work: _Work) -> None:
    """Hops of every set to a group, counted from its ends as 0; of the sets that have ends, those of other members."""
    distance, order = work.distance, work.order
    distance[:] = -1
    work.found[:] = -1
    reached = 0
    for place in range(ends.start[row], ends.start[row + 1]):
        own = net.set_of[ends.end[place]]
        for at in range(net.into_start[own], net.into_start[own + 1]):
            tail = net.tail[net.into[at]]
            if distance[tail] < 0:
                distance[tail] = 1
                order[reached] = tail
                reached += 1
    head = 0
    while head < reached:
        near = order[head]
        head += 1
        for at in range(net.into_start[near], net.into_start[near + 1]):
            tail = net.tail[net.into[at]]
            if distance[tail] < 0:
                distance[tail] = distance[near] + 1
                order[reached] = tail
                reached += 1


@compiled_in_place
def _look_up(net: TwinNet, own: int, work: _Work) -> None:
    """Slots of a set that are on shortest paths, and their links from one member; 1 hop away only those to ends."""
    first, hops, count = net.start[own], 0.0, 0
    for slot in range(first, net.start[own + 1]):
        head = net.head[slot]
        if work.distance[own] == 1:
            if work.ends_in[head] > 0:
                work.steps[first + count] = slot
                hops += net.parallel[slot] * work.ends_in[head]
                count += 1
        elif work.distance[head] == work.distance[own] - 1:
            work.steps[first + count] = slot
            hops += net.parallel[slot] * net.size[head]
            count += 1
    work.found[own] = count
    work.hops[own] = hops


@compiled_in_place
def _activate(own: int, work: _Work) -> int:
    """Put a set into the list of its distance; returns the distance."""
    away: int = work.distance[own]
    if not work.active[own]:
        work.active[own] = True
        work.next[own] = work.level[away]
        work.level[away] = own
    return away


@compiled_in_place
def _deliver(
    net: TwinNet, ends: Ends, row: int, node: int, code: int, amount: float, own_places: OwnPlaces, loads: TwinLoads,
    work: _Work,
) -> None:  # fmt: skip
    """Send what starts next to the ends over the links to them, which are this node's and theirs alone."""
    own = net.set_of[node]
    if work.found[own] < 0:
        _look_up(net, own, work)
    for step in range(net.start[own], net.start[own] + work.found[own]):
        slot = work.steps[step]
        head = net.head[slot]
        first = own_places.direct[slot] + own_places.rank[node] * net.size[head]
        for place in range(ends.start[row], ends.start[row + 1]):
            end = ends.end[place]
            if net.set_of[end] == head:
                part = amount * net.parallel[slot] / work.hops[own]
                work.arrived[place - ends.start[row], code] += part
                loads.direct[first + own_places.rank[end], code] += part


@compiled_in_place
def _start_at(
    net: TwinNet, ends: Ends, row: int, node: int, code: int, amount: float, started: int, own_places: OwnPlaces,
    loads: TwinLoads, work: _Work,
) -> int:  # fmt: skip
    """Take in what starts at a switch, or ends there at once; returns how many nodes have started anything."""
    if work.end_at[node] >= 0:
        work.arrived[work.end_at[node], code] += amount
        return started
    own = net.set_of[node]
    if net.size[own] > 1 and work.distance[own] == 1:
        _deliver(net, ends, row, node, code, amount, own_places, loads, work)
        return started
    work.own[own, code] += amount
    if net.size[own] > 1:
        work.started[node, code] += amount
        if not work.has_started[node]:
            work.has_started[node] = True
            work.starters[started] = node
            started += 1
    return started


@compiled_in_place
def _away(net: TwinNet, node: int, work: _Work) -> int:
    """Hops of a switch to an end, -1: none leads there."""
    return 0 if work.end_at[node] >= 0 else int(work.distance[net.set_of[node]])


@compiled_in_place
def _pass_on(
    net: TwinNet, ends: Ends, row: int, own: int, own_places: OwnPlaces, loads: TwinLoads, work: _Work
) -> None:
    """Hand on what a set has for a row."""
    if work.found[own] < 0:
        _look_up(net, own, work)
    classes, alone, first = work.own.shape[1], net.size[own] == 1, net.start[own]
    at_end = work.distance[own] == 1
    for step in range(first, first + work.found[own]):
        slot = work.steps[step]
        head = net.head[slot]
        if not at_end:
            _activate(head, work)
            part = net.parallel[slot] * net.size[head] / work.hops[own]
            for code in range(classes):
                passed = work.passing[own, code] * part
                started = work.own[own, code] * part
                loads.passing[slot, code] += passed + (started if alone else 0.0)
                work.passing[head, code] += passed + started
            continue
        part = net.parallel[slot] / work.hops[own]
        for place in range(ends.start[row], ends.start[row + 1]):
            end = ends.end[place]
            if net.set_of[end] != head:
                continue
            into = own_places.received[end]
            for code in range(classes):
                amount = (work.passing[own, code] + work.own[own, code]) * part
                work.arrived[place - ends.start[row], code] += amount
                if into < 0:
                    loads.passing[slot, code] += amount
                else:
                    loads.received[into + net.rank[slot], code] += amount
    work.active[own] = False
    for code in range(classes):
        work.passing[own, code] = 0.0
        work.own[own, code] = 0.0


@compiled_in_place
def _start_row(
    net: TwinNet, ends: Ends, host: HostLinks, own_places: OwnPlaces, rows: DemandRows, row: int, gbps: Floats,
    loads: TwinLoads, unreachable: Bools, started: int, work: _Work,
) -> tuple[int, int]:  # fmt: skip
    """Take in a row's demand; returns how many nodes have started anything, and the farthest distance of a source."""
    farthest = 0
    for entry in range(rows.start[row], rows.start[row + 1]):
        node = rows.src[entry]
        if net.set_of[node] >= 0:
            away = _away(net, node, work)
            if away < 0:
                unreachable[entry] = True
                continue
            for code in range(gbps.shape[1]):
                started = _start_at(net, ends, row, node, code, gbps[entry, code], started, own_places, loads, work)
            if away > 0:
                farthest = max(farthest, _activate(net.set_of[node], work))
            continue
        nearest, links = -1, 0
        for at in range(host.out_start[node], host.out_start[node + 1]):
            away = _away(net, host.out_head[at], work)
            if away >= 0 and (nearest < 0 or away < nearest):
                nearest, links = away, 0
            if away >= 0 and away == nearest:
                links += 1
        if nearest < 0:
            unreachable[entry] = True
            continue
        for at in range(host.out_start[node], host.out_start[node + 1]):
            head = host.out_head[at]
            if _away(net, head, work) != nearest:
                continue
            for code in range(gbps.shape[1]):
                amount = gbps[entry, code] / links
                loads.host[host.out_link[at], code] += amount
                started = _start_at(net, ends, row, head, code, amount, started, own_places, loads, work)
            if nearest > 0:
                farthest = max(farthest, _activate(net.set_of[head], work))
    return started, farthest


@compiled_in_place
def _end_row(host: HostLinks, ends: Ends, row: int, dest: int, loads: TwinLoads, work: _Work) -> None:
    """Hand what has arrived at the ends to a destination host, and clear them."""
    for at in range(ends.start[row], ends.start[row + 1]):
        place, end = at - ends.start[row], ends.end[at]
        if not ends.is_switch[row]:
            links = 0
            for one in range(host.into_start[dest], host.into_start[dest + 1]):
                links += host.into_tail[one] == end
            for one in range(host.into_start[dest], host.into_start[dest + 1]):
                if host.into_tail[one] == end:
                    for code in range(work.arrived.shape[1]):
                        loads.host[host.into_link[one], code] += work.arrived[place, code] / links
        for code in range(work.arrived.shape[1]):
            work.arrived[place, code] = 0.0
        work.end_at[end] = -1


@compiled_in_place
def _send_started(net: TwinNet, started: int, own_places: OwnPlaces, loads: TwinLoads, work: _Work) -> None:
    """Put what members have started in a group onto their own links, and clear it."""
    for at in range(started):
        node = work.starters[at]
        own = net.set_of[node]
        first = net.start[own]
        for step in range(first, first + max(work.found[own], 0)):
            slot = work.steps[step]
            part = net.parallel[slot] * net.size[net.head[slot]] / work.hops[own]
            for code in range(work.own.shape[1]):
                loads.sent[own_places.sent[node] + slot - first, code] += work.started[node, code] * part
        for code in range(work.own.shape[1]):
            work.started[node, code] = 0.0
        work.has_started[node] = False


@compiled
def twin_slice(
    first: int, last: int, net: TwinNet, ends: Ends, host: HostLinks, own_places: OwnPlaces, rows: DemandRows,
    gbps: Floats, most_ends: int, loads: TwinLoads, unreachable: Bools,
) -> None:  # fmt: skip
    """Equal split over the next hops of all shortest paths, for groups ``first`` to ``last``; all links count alike."""
    work = _new_work(len(net.size), len(net.head), len(net.set_of), gbps.shape[1], most_ends)
    for group in range(first, last):
        lead = ends.row[ends.group_start[group]]
        for place in range(ends.start[lead], ends.start[lead + 1]):
            work.ends_in[net.set_of[ends.end[place]]] += 1
        _measure(net, ends, lead, work)
        started = 0
        for number in range(ends.group_start[group], ends.group_start[group + 1]):
            row = ends.row[number]
            for place in range(ends.start[row], ends.start[row + 1]):
                work.end_at[ends.end[place]] = place - ends.start[row]
            started, away = _start_row(net, ends, host, own_places, rows, row, gbps, loads, unreachable, started, work)
            while away > 0:
                own = work.level[away]
                if own < 0:
                    away -= 1
                    continue
                work.level[away] = work.next[own]
                _pass_on(net, ends, row, own, own_places, loads, work)
            _end_row(host, ends, row, rows.dest[row], loads, work)
        _send_started(net, started, own_places, loads, work)
        for place in range(ends.start[lead], ends.start[lead + 1]):
            work.ends_in[net.set_of[ends.end[place]]] = 0
