"""Packets that were captured at more than one point: both ends of a cable, a host and a mirror, both ways of a port.

A packet is the same wherever its addresses, lengths, identification and first bytes are the same; the k-th of several
alike at one point is the k-th at another. What was seen within two seconds at two points counts once. Where the same
traffic is surely there twice and cannot be told apart, because clocks differ or hosts cut segments otherwise, the
user decides.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from topologies.columns import Bools
from topologies.errors import FormatError
from topologies.units import format_seconds, percent

Ints = NDArray[np.int64]
Repeats = Literal["once", "all"]
_SAME_NS = 2_000_000_000
_MIRROR_NS = 1_000_000
_MIRRORED = 0.5  # share of the packets that come in pairs where a mirror has both directions
_FEW = 5  # packets that may look alike by chance


@dataclass
class Seen:
    """One row a packet."""

    pair: array[int] = field(default_factory=lambda: array("q"))  # number of its two addresses
    length: array[int] = field(default_factory=lambda: array("q"))  # bytes
    time_ns: array[int] = field(default_factory=lambda: array("q"))
    point: array[int] = field(default_factory=lambda: array("q"))  # number of file and interface
    print: array[int] = field(default_factory=lambda: array("q"))  # fingerprint
    flow: array[int] = field(default_factory=lambda: array("q"))  # TCP flow, 0 for others


def counted(seen: Seen, points: Sequence[tuple[str, int]], repeats: Repeats | None) -> tuple[Bools, tuple[str, ...]]:
    """Which packets count, shape (P,), and what to say of the others.

    Raises
    ------
    FormatError
        When the same traffic was captured twice and cannot be told apart (FP6228).
    """
    columns = (seen.time_ns, seen.point, seen.print, seen.flow, seen.length)
    time, point, prints, flow, length = (np.array(values, dtype=np.int64) for values in columns)
    keep = np.ones(len(time), dtype=np.bool_)
    if repeats == "all" or not len(time):
        return keep, ()
    notes: list[str] = []
    twice = _near(time, point, prints)
    if repeats == "once":
        keep &= ~twice
    elif twice.sum() >= _FEW and 2 * twice.sum() > _MIRRORED * len(time):
        raise _undecided(
            f"{2 * twice.sum():,} of {len(time):,} packets come in pairs less than a millisecond apart, as a mirror of "
            "both directions of a port gives them",
            points[:1],
        )
    if len(points) > 1:
        _across(time, point, prints, keep, points, repeats)
        _segments(time, point, flow, length, keep, points, repeats)
    left = int((~keep).sum())
    if left:
        places = sorted({_name(points[number]) for number in np.unique(point[~keep]).tolist()})
        notes.append(
            f"{left:,} of {len(time):,} packets were captured a second time and count once ({', '.join(places[:3])}"
            f"{', ...' if len(places) > 3 else ''}); repeats: all counts them as often as they were captured"
        )
    return keep, tuple(notes)


def _undecided(what: str, points: Sequence[tuple[str, int]]) -> FormatError:
    return FormatError(
        what,
        file=points[0][0],
        hint="repeats: once, or all where it is traffic of its own; or leave one of the captures out",
        code="FP6228",
    )


def _name(point: tuple[str, int]) -> str:
    return Path(point[0]).name + (f" interface {point[1]}" if point[1] else "")


def _near(time: Ints, point: Ints, prints: Ints) -> Bools:
    """Second of exactly two packets alike at one point, less than a millisecond apart."""
    order = np.lexsort((time, point, prints))
    same = (np.diff(prints[order]) == 0) & (np.diff(point[order]) == 0)
    before, after = np.r_[False, same[:-1]], np.r_[same[1:], False]
    pairs = same & ~before & ~after & (np.diff(time[order]) < _MIRROR_NS)
    second = np.zeros(len(time), dtype=np.bool_)
    second[order[1:][pairs]] = True
    return second


def _across(
    time: Ints, point: Ints, prints: Ints, keep: Bools, points: Sequence[tuple[str, int]], repeats: Repeats | None
) -> None:
    """Take out of ``keep`` what another point saw before."""
    rows = np.flatnonzero(keep)
    order = rows[np.lexsort((time[rows], point[rows], prints[rows]))]
    fresh = np.r_[True, (np.diff(prints[order]) != 0) | (np.diff(point[order]) != 0)]
    start = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
    rank = np.arange(len(order)) - start
    alone = fresh & np.r_[fresh[1:], True]  # the only one alike at its point
    again = np.lexsort((time[order], rank, prints[order]))
    order, rank, alone = order[again], rank[again], alone[again]
    first = np.r_[True, (np.diff(prints[order]) != 0) | (np.diff(rank) != 0)]
    leader = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    apart = time[order] - time[order[leader]]
    same = ~first & ((apart <= _SAME_NS) | (repeats == "once"))
    keep[order[same]] = False
    far = ~first & ~same & alone & alone[leader]
    gaps = apart[far]
    if len(gaps) >= _FEW and np.ptp(np.percentile(gaps, [10, 90])) < _SAME_NS:
        one, other = (points[int(point[order[at][far][0]])] for at in (leader, np.arange(len(order))))
        before = format_seconds(float(np.median(gaps)) / 1e9)
        raise _undecided(
            f"{len(gaps):,} packets of {_name(other)} are in {_name(one)} too, {before} before: two"
            " captures of the same traffic whose clocks differ",
            [other],
        )


def _segments(
    time: Ints,
    point: Ints,
    flow: Ints,
    length: Ints,
    keep: Bools,
    points: Sequence[tuple[str, int]],
    repeats: Repeats | None,
) -> None:
    """TCP flows seen at several points at one time, in segments cut otherwise."""
    rows = np.flatnonzero(flow != 0)
    if not len(rows):
        return
    order = rows[np.lexsort((point[rows], flow[rows]))]
    fresh = np.r_[True, (np.diff(flow[order]) != 0) | (np.diff(point[order]) != 0)]
    part = np.cumsum(fresh) - 1  # a flow at a point
    begin = np.flatnonzero(fresh)
    first, last = np.minimum.reduceat(time[order], begin), np.maximum.reduceat(time[order], begin)
    carried = np.bincount(part, length[order])
    own = np.bincount(part, length[order] * keep[order])
    of_flow, at_point = flow[order[begin]], point[order[begin]]
    _, at, count = np.unique(of_flow, return_index=True, return_counts=True)
    doubled: list[Ints] = []
    for start, number in zip(at[count > 1].tolist(), count[count > 1].tolist(), strict=True):
        parts = np.arange(start, start + number)
        parts = parts[own[parts] > carried[parts] / 2]
        overlap = np.minimum.reduce(last[parts], initial=np.iinfo(np.int64).max) > np.maximum.reduce(
            first[parts], initial=np.iinfo(np.int64).min
        )
        if len(parts) > 1 and overlap:
            doubled.append(parts)
    if not doubled:
        return
    every = np.concatenate(doubled)
    if repeats == "once":
        best = np.array([parts[np.argmax(carried[parts])] for parts in doubled])
        keep[order[np.isin(part, np.setdiff1d(every, best))]] = False
        return
    share = float(carried[every].sum() / max(1, length.sum()))
    if share > 0.01:
        one, other = (points[int(at_point[part])] for part in doubled[0][:2])
        raise _undecided(
            f"TCP connections with {percent(share)} of the bytes are both in {_name(one)} and in {_name(other)} at one "
            "time, in other segments: two captures of the same traffic",
            [one, other],
        )
