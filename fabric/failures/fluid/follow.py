"""One destination in one case: the difference followed from the nodes that lose a next hop, or all routed again."""

from __future__ import annotations

import numpy as np

from fabric.failures.fluid.columns import Ends, Lines, Rows, Thread, Work
from fabric.failures.fluid.cut_ends import lose_entry, touch
from fabric.routing.compiled import compiled_inside
from fabric.routing.shortest_splits import measure_parts

LINK, DOWNSTREAM, COUNT, LOWEST = 1, 2, 3, 4  # codes of ``fabric.routing.shortest_splits``
MOVED, SPLIT, GONE, ENTERS = 1, 2, 4, 8  # amount differs, next hops differ, no next hop left, other demand enters


@compiled_inside
def _live_pairs(lines: Lines, ends: Ends, work: Work, entry: int) -> int:
    """Pairs that still send at an entry."""
    pairs = 0
    if entry >= 0:
        for code in range(lines.classes):
            pairs += ends.pairs[entry, code] - work.entry_pairs[entry, code]
    return pairs


@compiled_inside
def _mark_behind(rows: Rows, work: Work, row: int, place: int) -> int:
    """Nodes that send to a node divide anew; the farthest of them, -1 for none."""
    base = rows.row[row].node_start
    farthest = -1
    for index in range(rows.node[base + place].in_start, rows.node[base + place + 1].in_start):
        hop = rows.hop[index].in_hop
        if work.link[rows.hop[hop].link].dead == 0:
            tail = rows.hop[hop].tail
            work.place[tail].flag |= SPLIT
            farthest = max(farthest, tail)
    return farthest


@compiled_inside
def _is_live(lines: Lines, rows: Rows, work: Work, hop: int) -> bool:
    """Whether a next hop can still be taken."""
    if work.link[rows.hop[hop].link].dead > 0:
        return False
    return lines.frozen or work.place[rows.hop[hop].head].flag & GONE == 0


@compiled_inside
def _weigh(lines: Lines, rows: Rows, work: Work, row: int, place: int) -> bool:
    """New parts of a node's next hops; whether what nodes behind it see of it is another."""
    base, edges = rows.row[row].node_start, rows.row[row].edge_start
    node = base + place
    first, last = rows.node[node].hop_start, rows.node[node + 1].hop_start
    total = passes = 0.0
    for hop in range(first, last):
        part = 0.0
        if _is_live(lines, rows, work, hop):
            head = rows.hop[hop].head
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
                part = lines.link[rows.hop[hop].link].capacity * work.link[rows.hop[hop].link].left / width * min(width, beyond)
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
                    if _live_pairs(lines, ends, work, rows.node[base + place].entry) > 0:
                        return -1
                    node = rows.node[base + place].node
                    behind = work.dead_in[node] < lines.links_in[node]
                else:
                    behind = False
            if behind:
                high = max(high, _mark_behind(rows, work, row, place))
        place += 1
    return high


@compiled_inside
def _push_node(lines: Lines, rows: Rows, work: Work, row: int, place: int) -> None:
    """Carry the difference at a node on to its next hops."""
    base, edges = rows.row[row].node_start, rows.row[row].edge_start
    node, columns = base + place, rows.amount.shape[1]
    split, gone = work.place[place].flag & SPLIT, work.place[place].flag & GONE
    for hop in range(rows.node[node].hop_start, rows.node[node + 1].hop_start):
        link, head = rows.hop[hop].link, rows.hop[hop].head
        before = rows.hop[hop].part / rows.node[node].total
        after = before
        if gone:
            after = 0.0
        elif split:
            after = work.part[hop - edges] / work.place[place].total
        changed = False
        for code in range(columns):
            old, new = before, after
            if lines.sprayed and code == columns - 1:
                old, new = (1.0 if before == 1.0 else 0.0), (1.0 if after == 1.0 else 0.0)
            amount = rows.amount[node, code]
            more = (amount + work.change[place, code]) * new - amount * old if split else work.change[place, code] * new
            if more != 0.0:
                work.delta[link, code] += more
                work.change[head, code] += more
                changed = True
        if changed:
            work.place[head].flag |= MOVED
            touch(work, link)


@compiled_inside
def push(lines: Lines, rows: Rows, work: Work, row: int, high: int) -> None:
    """Carry all differences of a row on, farthest first."""
    for place in range(high, 0, -1):
        if work.place[place].flag & (MOVED | SPLIT):
            _push_node(lines, rows, work, row, place)


@compiled_inside
def clear_row(work: Work, high: int) -> None:
    """Forget what was noted of the row in hand."""
    for place in range(high + 1):
        if work.place[place].flag:
            work.place[place].flag = 0
            work.change[place] = 0.0


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
                part = work.part[hop - edges] / work.place[place].total if split else rows.hop[hop].part / rows.node[node].total
                if part > 0.0:
                    sum_of += part * work.place[rows.hop[hop].head].arrives
                    lost |= work.place[rows.hop[hop].head].lost > 0
            work.place[place].arrives = sum_of
        work.place[place].lost = 1 if lost else 0
        if lost and _live_pairs(lines, ends, work, entry) > 0:
            lose_entry(lines, ends, work, rows.row[row].dest, entry, 1.0 - work.place[place].arrives)


@compiled_inside
def _take_away(lines: Lines, rows: Rows, work: Work, row: int) -> None:
    """Take a destination's intact loads off its links."""
    first, last, columns = rows.row[row].node_start, rows.row[row + 1].node_start, rows.amount.shape[1]
    for node in range(first + 1, last):
        for hop in range(rows.node[node].hop_start, rows.node[node + 1].hop_start):
            link = rows.hop[hop].link
            share = rows.hop[hop].part / rows.node[node].total
            touch(work, link)
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
        if _live_pairs(lines, ends, work, entry) == 0:
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
        live += _live_pairs(lines, ends, work, entry)
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
            touch(work, link)
            share = sweep.part[slot] / sweep.total[node]
            for code in range(columns):
                part = share
                if lines.sprayed and code == columns - 1 and share < 1.0:
                    part = 0.0
                amount[head, code] += amount[node, code] * part
                work.delta[link, code] += amount[node, code] * part
