"""Endpoints that a case cuts off: their demand is taken out, pair by pair or block by block.

Where routing converges, nobody sends to an endpoint that is gone. Where groups are frozen, what others send to it goes
as far as it can and is lost there, so that only what the endpoint itself sent is taken out.
"""

from __future__ import annotations

from fabric.failures.fluid.columns import Ends, Lines, Records, Work
from fabric.routing.compiled import compiled_inside
from topologies.columns import Floats, Longs

DOWN, TOUCH, CUT, ENTRIES, ROWS, BLOCKS = range(6)


@compiled_inside
def touch(marks: Records, count: Longs, link: int) -> None:
    """Note that a link's load changes."""
    if marks[link].touched == 0:
        marks[link].touched = 1
        marks[count[TOUCH]].touch = link
        count[TOUCH] += 1


@compiled_inside
def mark_row(marks: Records, count: Longs, row: int) -> None:
    """Note that a destination's traffic changes."""
    if marks[row].marked == 0:
        marks[row].marked = 1
        marks[count[ROWS]].listed = row
        count[ROWS] += 1


@compiled_inside
def change_entry(
    lines: Lines, ends: Ends, work: Work, row: int, entry: int, code: int, gbps: float, pairs: int
) -> None:
    """Take demand and pairs out of an entry; exactly nothing is left where no pair is."""
    if work.entry[entry].marked == 0:
        work.entry[entry].marked = 1
        work.entry[work.sizes[ENTRIES]].listed = entry
        work.sizes[ENTRIES] += 1
        work.entry[entry].following = work.row[row].entry
        work.row[row].entry = entry
        mark_row(work.row, work.sizes, row)
    work.entry_gbps[entry, code] -= gbps
    work.entry_pairs[entry, code] += pairs
    if work.entry_pairs[entry, code] == ends.pairs[entry, code] and not lines.frozen:
        work.entry_gbps[entry, code] = -ends.gbps[entry, code]


@compiled_inside
def find_entry(start: Longs, entries: Records, row: int, source: int) -> int:
    """Entry of a row from a graph node, -1 where there is none."""
    low, high = start[row], start[row + 1]
    while low < high:
        middle = (low + high) // 2
        if entries[middle].src < source:
            low = middle + 1
        else:
            high = middle
    return low if low < start[row + 1] and entries[low].src == source else -1


@compiled_inside
def carry_less(delta: Floats, marks: Records, count: Longs, link: int, code: int, gbps: float) -> None:
    """Of the link of an endpoint with one, -1 where it has several: what the endpoint sends or receives over it."""
    if link >= 0:
        delta[link, code] -= gbps
        touch(marks, count, link)


@compiled_inside
def _cut_pair(lines: Lines, ends: Ends, work: Work, pair: int) -> None:
    """One pair that loses an end; asked once a pair."""
    src, dst, code, gbps = ends.pair[pair].src, ends.pair[pair].dst, ends.pair[pair].code, ends.pair[pair].gbps
    work.hurt[code] += 1
    gone = work.end[src].cut > 0
    carry_less(work.delta, work.link, work.sizes, ends.end[dst].in_link, code, gbps)
    if gone or not lines.frozen:
        carry_less(work.delta, work.link, work.sizes, ends.end[src].out_link, code, gbps)
    sink, source = ends.end[dst].sink, ends.end[src].source
    row = ends.node[sink].row
    entry = find_entry(ends.start, ends.entry, row, source) if row >= 0 and sink != source else -1
    if entry >= 0:
        change_entry(lines, ends, work, row, entry, code, gbps if gone or not lines.frozen else 0.0, 1)


@compiled_inside
def _cut_block_entries(lines: Lines, ends: Ends, work: Work, block: int) -> None:
    """What the nodes of a block's members exchange less."""
    code, gbps = ends.block[block].code, ends.block[block].gbps
    for group in range(ends.block[block].receivers_start, ends.block[block + 1].receivers_start):
        sink, here, gone_here = ends.receiver[group].node, ends.receiver[group].size, work.receiver[group].gone
        row = ends.node[sink].row
        if row < 0:
            continue
        for other in range(ends.block[block].senders_start, ends.block[block + 1].senders_start):
            gone = work.sender[other].gone
            if gone == 0 and gone_here == 0:
                continue
            source = ends.sender[other].node
            entry = find_entry(ends.start, ends.entry, row, source) if sink != source else -1
            if entry < 0:
                continue
            there = ends.sender[other].size
            pairs = here * there - (here - gone_here) * (there - gone)
            less = here * gone if lines.frozen else pairs
            change_entry(lines, ends, work, row, entry, code, less * gbps, pairs)


@compiled_inside
def _cut_block(lines: Lines, ends: Ends, work: Work, block: int) -> None:
    """A block some of whose members are gone."""
    first, last = ends.block[block].start, ends.block[block + 1].start
    size, gone = last - first, 0
    for place in range(first, last):
        if work.end[ends.member[place].end].cut > 0:
            gone += 1
            work.sender[ends.member[place].sender].gone += 1
            work.receiver[ends.member[place].receiver].gone += 1
    code, gbps, left = ends.block[block].code, ends.block[block].gbps, size - gone
    work.hurt[code] += size * (size - 1) - left * (left - 1)
    for place in range(first, last):
        end = ends.member[place].end
        cut = work.end[end].cut > 0
        carry_less(work.delta, work.link, work.sizes, ends.end[end].in_link, code, gbps * (size - 1 if cut else gone))
        if cut or not lines.frozen:
            carry_less(
                work.delta, work.link, work.sizes, ends.end[end].out_link, code, gbps * (size - 1 if cut else gone)
            )
    _cut_block_entries(lines, ends, work, block)


@compiled_inside
def cut_ends(lines: Lines, ends: Ends, work: Work) -> None:
    """Take out the demand of all endpoints that are cut off in the case."""
    for at in range(work.sizes[CUT]):
        end = work.end[at].listed
        for place in range(ends.end[end].by_src_start, ends.end[end + 1].by_src_start):
            _cut_pair(lines, ends, work, ends.pair[place].by_src)
        for place in range(ends.end[end].by_dst_start, ends.end[end + 1].by_dst_start):
            pair = ends.pair[place].by_dst
            if work.end[ends.pair[pair].src].cut == 0:
                _cut_pair(lines, ends, work, pair)
        for place in range(ends.end[end].of_start, ends.end[end + 1].of_start):
            block = ends.member[ends.member[place].of_end].block
            if work.block[block].marked == 0:
                work.block[block].marked = 1
                work.block[work.sizes[BLOCKS]].listed = block
                work.sizes[BLOCKS] += 1
    for at in range(work.sizes[BLOCKS]):
        _cut_block(lines, ends, work, work.block[at].listed)


@compiled_inside
def lose_entry(lines: Lines, ends: Ends, work: Work, sink: int, entry: int, part: float) -> None:
    """Pairs behind an entry lose a part of their traffic on the way, or, where routing converges, are not sent."""
    for code in range(lines.classes):
        work.hurt[code] += ends.pairs[entry, code] - work.entry_pairs[entry, code]
    source = ends.entry[entry].src
    for place in range(ends.entry[entry].pairs_start, ends.entry[entry + 1].pairs_start):
        pair = ends.pair[place].by_entry
        src, dst, code = ends.pair[pair].src, ends.pair[pair].dst, ends.pair[pair].code
        if work.end[src].cut > 0 or work.end[dst].cut > 0:
            continue
        carry_less(work.delta, work.link, work.sizes, ends.end[dst].in_link, code, ends.pair[pair].gbps * part)
        if not lines.frozen:
            carry_less(work.delta, work.link, work.sizes, ends.end[src].out_link, code, ends.pair[pair].gbps * part)
    for place in range(ends.node[sink].groups_start, ends.node[sink + 1].groups_start):
        group = ends.receiver[place].at_sink
        block = ends.receiver[group].block
        code, gbps = ends.block[block].code, ends.block[block].gbps
        for other in range(ends.block[block].senders_start, ends.block[block + 1].senders_start):
            if ends.sender[other].node != source:
                continue
            senders = ends.sender[other].size - work.sender[other].gone
            receivers = ends.receiver[group].size - work.receiver[group].gone
            for index in range(ends.receiver[group].start, ends.receiver[group + 1].start):
                if work.end[ends.member[index].by_receiver].cut == 0:
                    carry_less(
                        work.delta,
                        work.link,
                        work.sizes,
                        ends.end[ends.member[index].by_receiver].in_link,
                        code,
                        gbps * senders * part,
                    )
            if not lines.frozen:
                for index in range(ends.sender[other].start, ends.sender[other + 1].start):
                    if work.end[ends.member[index].by_sender].cut == 0:
                        carry_less(
                            work.delta,
                            work.link,
                            work.sizes,
                            ends.end[ends.member[index].by_sender].out_link,
                            code,
                            gbps * receivers * part,
                        )
