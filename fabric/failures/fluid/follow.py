"""One destination in one case: the difference followed from the nodes that lose a next hop, or all routed again."""

from __future__ import annotations

import numpy as np

from fabric.failures.fluid.columns import Ends, Lines, Records, Rows, Thread, Work
from fabric.failures.fluid.cut_ends import lose_entry, touch
from fabric.routing.compiled import compiled_inside
from fabric.routing.shortest_splits import measure_parts
from topologies.columns import Floats, Longs

LINK, DOWNSTREAM, COUNT, LOWEST = 1, 2, 3, 4  # codes of ``fabric.routing.shortest_splits``
MOVED, SPLIT, GONE, ENTERS = 1, 2, 4, 8  # amount differs, next hops differ, no next hop left, other demand enters


@compiled_inside
def _live_pairs(pairs: Longs, gone: Longs, entry: int) -> int:
    """Pairs that still send at an entry, -1 for none; (nnz, C) each."""
    left = 0
    if entry >= 0:
        for code in range(pairs.shape[1]):
            left += pairs[entry, code] - gone[entry, code]
    return left


@compiled_inside
def _mark_behind(nodes: Records, hops: Records, links: Records, places: Records, node: int) -> int:
    """Nodes that send to a node divide anew; the farthest of them, -1 for none."""
    farthest = -1
    for index in range(nodes[node].in_start, nodes[node + 1].in_start):
        hop = hops[index].in_hop
        if links[hops[hop].link].dead == 0:
            tail = hops[hop].tail
            places[tail].flag |= SPLIT
            farthest = max(farthest, tail)
    return farthest


@compiled_inside
def _weigh(lines: Lines, rows: Rows, work: Work, row: int, place: int) -> bool:
    """New parts of a node's next hops; whether what nodes behind it see of it is another."""
    base, edges = rows.row[row].node_start, rows.row[row].edge_start
    node = base + place
    first, last = rows.node[node].hop_start, rows.node[node + 1].hop_start
    total = passes = 0.0
    for hop in range(first, last):
        part = 0.0
        head = rows.hop[hop].head
        live = work.link[rows.hop[hop].link].dead == 0
        if live and (lines.frozen or work.place[head].flag & GONE == 0):
            beyond = work.place[head].passes if work.place[head].flag & SPLIT else rows.node[base + head].passes
            if lines.frozen or lines.rule == 0 or lines.rule == LOWEST:
                part = rows.hop[hop].part
            elif lines.rule == LINK:
                part = lines.link[rows.hop[hop].link].capacity * work.link[rows.hop[hop].link].left
            elif lines.rule == COUNT:
                part = beyond
                passes += 1.0
            else:
                width = 0.0
                for other in range(first, last):
                    if rows.hop[other].head == head and work.link[rows.hop[other].link].dead == 0:
                        width += lines.link[rows.hop[other].link].capacity * work.link[rows.hop[other].link].left
                part = (
                    lines.link[rows.hop[hop].link].capacity
                    * work.link[rows.hop[hop].link].left
                    / width
                    * min(width, beyond)
                )
                last_hop = head == 0 and lines.link[rows.hop[hop].link].core == 0
                passes += np.inf if last_hop else part
        work.part[hop - edges] = part
        total += part
    work.place[place].total = total
    work.place[place].passes = passes
    return passes != rows.node[node].passes and not lines.frozen and (lines.rule == DOWNSTREAM or lines.rule == COUNT)


@compiled_inside
def divide_anew(lines: Lines, rows: Rows, ends: Ends, work: Work, row: int, low: int, high: int) -> int:
    """Next hops of all nodes that divide anew, nearest first; the farthest such node, or -1: distances change."""
    base = rows.row[row].node_start
    place = low
    while place <= high:
        if work.place[place].flag & SPLIT:
            behind = _weigh(lines, rows, work, row, place)
            if work.place[place].total == 0.0:
                work.place[place].flag |= GONE
                if not lines.frozen:
                    if _live_pairs(ends.pairs, work.entry_pairs, rows.node[base + place].entry) > 0:
                        return -1
                    node = rows.node[base + place].node
                    behind = work.dead_in[node] < lines.links_in[node]
                else:
                    behind = False
            if behind:
                high = max(high, _mark_behind(rows.node, rows.hop, work.link, work.place, base + place))
        place += 1
    return high


@compiled_inside
def push(lines: Lines, rows: Rows, work: Work, row: int, high: int) -> None:
    """Carry all differences of a row on, farthest first."""
    base, edges = rows.row[row].node_start, rows.row[row].edge_start
    nodes, hops, amounts, places = rows.node, rows.hop, rows.amount, work.place
    change, delta, marks, count = work.change, work.delta, work.link, work.sizes
    columns = amounts.shape[1]
    alone = columns - 1 if lines.sprayed else columns
    for place in range(high, 0, -1):
        flag = places[place].flag
        if flag == 0:
            continue
        node, split, gone = base + place, flag & SPLIT, flag & GONE
        for hop in range(nodes[node].hop_start, nodes[node + 1].hop_start):
            link, head = hops[hop].link, hops[hop].head
            before = hops[hop].part / nodes[node].total
            after = before
            if gone:
                after = 0.0
            elif split:
                after = work.part[hop - edges] / places[place].total
            for code in range(columns):
                old, new = before, after
                if code == alone:
                    old, new = (1.0 if before == 1.0 else 0.0), (1.0 if after == 1.0 else 0.0)
                more = change[place, code] * new
                if split:
                    more += amounts[node, code] * (new - old)
                delta[link, code] += more
                change[head, code] += more
            places[head].flag |= MOVED
            touch(marks, count, link)


@compiled_inside
def clear_row(places: Records, change: Floats, high: int) -> None:
    """Forget what was noted of the row in hand."""
    for place in range(high + 1):
        if places[place].flag:
            places[place].flag = 0
            for code in range(change.shape[1]):
                change[place, code] = 0.0


@compiled_inside
def lose_stranded(lines: Lines, rows: Rows, ends: Ends, work: Work, row: int) -> None:
    """Of frozen groups: pairs whose traffic meets a node without a next hop, and how much of it arrives."""
    base, edges = rows.row[row].node_start, rows.row[row].edge_start
    size = rows.row[row + 1].node_start - base
    work.place[0].arrives = 1.0
    for place in range(1, size):
        node = base + place
        entry = rows.node[node].entry
        lost = False
        if work.place[place].flag & GONE:
            lost = True
            work.place[place].arrives = 0.0
        else:
            split, sum_of = work.place[place].flag & SPLIT, 0.0
            for hop in range(rows.node[node].hop_start, rows.node[node + 1].hop_start):
                part = (
                    work.part[hop - edges] / work.place[place].total
                    if split
                    else rows.hop[hop].part / rows.node[node].total
                )
                if part > 0.0:
                    sum_of += part * work.place[rows.hop[hop].head].arrives
                    lost |= work.place[rows.hop[hop].head].lost > 0
            work.place[place].arrives = sum_of
        work.place[place].lost = 1 if lost else 0
        if lost and _live_pairs(ends.pairs, work.entry_pairs, entry) > 0:
            lose_entry(lines, ends, work, rows.row[row].dest, entry, 1.0 - work.place[place].arrives)


@compiled_inside
def _take_away(lines: Lines, rows: Rows, work: Work, row: int) -> None:
    """Take a destination's intact loads off its links."""
    first, last, columns = rows.row[row].node_start, rows.row[row + 1].node_start, rows.amount.shape[1]
    for node in range(first + 1, last):
        for hop in range(rows.node[node].hop_start, rows.node[node + 1].hop_start):
            link = rows.hop[hop].link
            share = rows.hop[hop].part / rows.node[node].total
            touch(work.link, work.sizes, link)
            for code in range(columns):
                part = share
                if lines.sprayed and code == columns - 1 and share < 1.0:
                    part = 0.0
                work.delta[link, code] -= rows.amount[node, code] * part


@compiled_inside
def _enter(thread: Thread, row: int) -> None:
    """Demand of a destination where it enters; that without a path is lost."""
    lines, rows, ends, work = thread.lines, thread.rows, thread.ends, thread.work
    amount, columns = thread.amount, thread.amount.shape[1]
    for entry in range(ends.start[row], ends.start[row + 1]):
        if _live_pairs(ends.pairs, work.entry_pairs, entry) == 0:
            continue
        node = ends.entry[entry].src
        if thread.sweep.distance[node] == np.inf:
            lose_entry(lines, ends, work, rows.row[row].dest, entry, 1.0)
            continue
        thread.active[node] = 1
        for code in range(lines.classes):
            gbps = ends.gbps[entry, code] + work.entry_gbps[entry, code]
            amount[node, code] += gbps
            if lines.sprayed:
                amount[node, columns - 1] += gbps


@compiled_inside
def route_anew(thread: Thread, row: int) -> None:
    """Take a destination's loads away and route its demand again on what is left."""
    lines, rows, ends, work, net = thread.lines, thread.rows, thread.ends, thread.work, thread.net
    sweep, amount, active = thread.sweep, thread.amount, thread.active
    _take_away(lines, rows, work, row)
    live = 0
    for entry in range(ends.start[row], ends.start[row + 1]):
        live += _live_pairs(ends.pairs, work.entry_pairs, entry)
    if live == 0:
        return
    reached, columns = measure_parts(net, rows.row[row].dest, sweep), amount.shape[1]
    amount[:] = 0.0
    active[:] = 0
    _enter(thread, row)
    for position in range(reached - 1, -1, -1):
        head = sweep.order[position]
        for slot in range(net.into_start[head], net.into_start[head + 1]):
            node = net.tail[slot]
            if sweep.part[slot] == 0.0 or active[node] == 0:
                continue
            active[head] = 1
            link = lines.slot_link[slot]
            touch(work.link, work.sizes, link)
            share = sweep.part[slot] / sweep.total[node]
            for code in range(columns):
                part = share
                if lines.sprayed and code == columns - 1 and share < 1.0:
                    part = 0.0
                amount[head, code] += amount[node, code] * part
                work.delta[link, code] += amount[node, code] * part
