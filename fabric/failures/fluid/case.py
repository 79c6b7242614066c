"""One case after the other: its damage, what it changes, and what comes of it; then everything as before."""

from __future__ import annotations

from fabric.failures.fluid.columns import Ends, Lines, Records, Thread, Work
from fabric.failures.fluid.cut_ends import BLOCKS, CUT, DOWN, ENTRIES, ROWS, TOUCH, cut_ends, mark_row, touch
from fabric.failures.fluid.follow import (
    DOWNSTREAM,
    LINK,
    LOWEST,
    MOVED,
    SPLIT,
    clear_row,
    divide_anew,
    lose_stranded,
    push,
    route_anew,
)
from fabric.routing.compiled import compiled_inside
from topologies.columns import Floats, Ints

DONE, NOT_FOLLOWED = 0, 1


@compiled_inside
def _take_down(lines: Lines, work: Work, dummy: int, link: int) -> None:
    """A link that carries nothing any more."""
    if work.link[link].dead or not lines.link[link].up:
        return
    work.link[link].dead = 1
    work.link[work.sizes[DOWN]].down = link
    work.sizes[DOWN] += 1
    touch(work.link, work.sizes, link)
    slot = lines.link[link].slot
    if slot >= 0:
        work.tail[slot] = dummy
        work.dead_in[lines.link[link].head] += 1
    if lines.link[link].out_end >= 0:
        work.end[lines.link[link].out_end].dead_out += 1
    if lines.link[link].in_end >= 0:
        work.end[lines.link[link].in_end].dead_in += 1


@compiled_inside
def _note_cut(lines: Lines, ends: Ends, work: Work) -> bool:
    """Endpoints that have lost all their links; whether none has lost them one way only."""
    for at in range(work.sizes[DOWN]):
        link = work.link[at].down
        for end in (lines.link[link].out_end, lines.link[link].in_end):
            if end < 0 or work.end[end].cut:
                continue
            out = work.end[end].dead_out == ends.end[end].out_links
            if out != (work.end[end].dead_in == ends.end[end].in_links):
                return False
            if out:
                work.end[end].cut = 1
                work.end[work.sizes[CUT]].listed = end
                work.sizes[CUT] += 1
    return True


@compiled_inside
def _row_of(rows: Records, hop: int) -> int:
    """Row of a hop."""
    low, high = 0, len(rows) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if rows[middle].edge_start <= hop:
            low = middle
        else:
            high = middle
    return low


@compiled_inside
def _note_hops(thread: Thread, slow: Ints) -> None:
    """Hops over links that are dead, or slowed where that changes parts, listed row by row."""
    lines, rows, work = thread.lines, thread.rows, thread.work
    reads = not lines.frozen and (lines.rule == LINK or lines.rule == DOWNSTREAM)
    item, dead = 0, work.sizes[DOWN]
    for at in range(dead + (len(slow) if reads else 0)):
        link = work.link[at].down if at < dead else slow[at - dead]
        first, last = rows.use_start[link], rows.use_start[link + 1]
        if first == last:
            continue
        row = _row_of(rows.row, rows.use[first])
        for place in range(first, last):
            hop = rows.use[place]
            while hop >= rows.row[row + 1].edge_start:
                row += 1
            thread.hops[item] = hop
            thread.following[item] = work.row[row].item
            work.row[row].item = item
            mark_row(work.row, work.sizes, row)
            item += 1


@compiled_inside
def _follow_row(thread: Thread, row: int) -> None:
    """All that a case changes for one destination."""
    lines, rows, ends, work = thread.lines, thread.rows, thread.ends, thread.work
    base, low, high = rows.row[row].node_start, rows.row[row + 1].node_start, -1
    item = work.row[row].item
    while item >= 0:
        place = rows.hop[thread.hops[item]].tail
        work.place[place].flag |= SPLIT
        low, high = min(low, place), max(high, place)
        item = thread.following[item]
    farthest = high
    entry = work.row[row].entry
    while entry >= 0:
        place = thread.ends.entry[entry].place
        farthest = max(farthest, place)
        work.place[place].flag |= MOVED
        for code in range(lines.classes):
            work.change[place, code] += work.entry_gbps[entry, code]
            if lines.sprayed:
                work.change[place, work.change.shape[1] - 1] += work.entry_gbps[entry, code]
        entry = work.entry[entry].following
    if high >= 0:
        highest = divide_anew(lines, rows, ends, work, row, low, high)
        if highest < 0:
            clear_row(work.place, work.change, rows.row[row + 1].node_start - base - 1)
            route_anew(thread, row)
            return
        farthest = max(farthest, highest)
    push(lines, rows, work, row, farthest)
    if lines.frozen and high >= 0:
        lose_stranded(lines, rows, ends, work, row)
    clear_row(work.place, work.change, farthest)


@compiled_inside
def take_case(thread: Thread, dead: Ints, slow: Ints, left: Floats) -> int:
    """Do the damage of one case and follow it; whether it was ``NOT_FOLLOWED``, as plain routing has to do it."""
    lines, ends, work = thread.lines, thread.ends, thread.work
    dummy = len(thread.net.into_start) - 2
    for link in dead:
        _take_down(lines, work, dummy, link)
        if lines.link[link].reverse >= 0:
            _take_down(lines, work, dummy, lines.link[link].reverse)
    for at in range(len(slow)):
        link = slow[at]
        work.link[link].left *= left[at]
        touch(work.link, work.sizes, link)
        if lines.link[link].slot >= 0:
            work.capacity[lines.link[link].slot] *= left[at]
            if lines.rule == LOWEST and lines.link[link].access:
                return NOT_FOLLOWED
    if not _note_cut(lines, ends, work):
        return NOT_FOLLOWED
    cut_ends(lines, ends, work)
    _note_hops(thread, slow)
    for at in range(work.sizes[ROWS]):
        _follow_row(thread, work.row[at].listed)
    return DONE


@compiled_inside
def undo_case(thread: Thread, slow: Ints) -> None:
    """Everything as it is intact."""
    lines, ends, work = thread.lines, thread.ends, thread.work
    for at in range(work.sizes[DOWN]):
        link = work.link[at].down
        work.link[link].dead = 0
        slot = lines.link[link].slot
        if slot >= 0:
            work.dead_in[lines.link[link].head] = 0
            work.tail[slot] = lines.tail[slot]
        for end in (lines.link[link].out_end, lines.link[link].in_end):
            if end >= 0:
                work.end[end].dead_out = 0
                work.end[end].dead_in = 0
    for link in slow:
        work.link[link].left = 1.0
        if lines.link[link].slot >= 0:
            work.capacity[lines.link[link].slot] = lines.link[link].capacity
    for at in range(work.sizes[TOUCH]):
        work.link[work.link[at].touch].touched = 0
        work.delta[work.link[at].touch] = 0.0
    for at in range(work.sizes[CUT]):
        work.end[work.end[at].listed].cut = 0
    for at in range(work.sizes[ENTRIES]):
        entry = work.entry[at].listed
        work.entry[entry].marked = 0
        work.entry_gbps[entry] = 0.0
        work.entry_pairs[entry] = 0
    for at in range(work.sizes[ROWS]):
        row = work.row[at].listed
        work.row[row].marked = 0
        work.row[row].entry = -1
        work.row[row].item = -1
    for at in range(work.sizes[BLOCKS]):
        block = work.block[at].listed
        work.block[block].marked = 0
        for group in range(ends.block[block].senders_start, ends.block[block + 1].senders_start):
            work.sender[group].gone = 0
        for group in range(ends.block[block].receivers_start, ends.block[block + 1].receivers_start):
            work.receiver[group].gone = 0
    work.hurt[:] = 0
    work.sizes[:] = 0
