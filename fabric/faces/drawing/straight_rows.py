"""Own positions for a drawing in tiers: a row per tier in structural order, straight lines, labels where there is room.

Graphviz bends the lines of a full mesh round their labels until none can be followed. Straight lines between fixed rows
can be, and two states of one network line up exactly. A straight line must not run behind a box it does not end at, so
this serves only networks whose switches are cabled to the next tier up or down, and to no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fabric.faces.drawing.bundles import Bundle
from topologies.columns import Floats

Point = tuple[float, float]  # inches, y upwards

_CHARACTER_IN = 0.088
_LABEL_CHARACTER_IN = 0.075
_LABEL_LINE_IN = 0.17
_BETWEEN_BOXES_IN = 0.3
_BETWEEN_PODS_IN = 0.5
_LOWEST_TIER_IN, _HIGHEST_TIER_IN, _TIER_PER_WIDTH = 3.0, 6.0, 0.18
_HOST_TIER_IN = 1.3
_PLACES = (0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74)  # of a label along its line, best first


@dataclass(frozen=True)
class Slot:
    """What the place of a box depends on: its tier, the pod or unit it is in (-1: none), and the width of its text."""

    level: int
    block: int
    characters: int

    @property
    def width_in(self) -> float:
        """Width of the box, generously."""
        return max(0.75, self.characters * _CHARACTER_IN + 0.3)


def row_positions(slots: Sequence[Slot], between: Sequence[Bundle]) -> list[Point] | None:
    """Centre of every box; None when a line would skip a tier or stay in one.

    Boxes of level 0 (hosts) stand below the boxes they are joined to.
    """
    levels = sorted({slot.level for slot in slots if slot.level > 0})
    rank = {0: -1, **{level: index for index, level in enumerate(levels)}}
    if any(abs(rank[slots[entry.a].level] - rank[slots[entry.b].level]) != 1 for entry in between):
        return None
    rows = [[index for index, slot in enumerate(slots) if slot.level == level] for level in levels]
    hosts = [index for index, slot in enumerate(slots) if slot.level == 0]
    offsets = [_offsets([slots[index] for index in row]) for row in rows]
    total = max([entry[-1] for entry in offsets] + [sum(slots[index].width_in + _BETWEEN_BOXES_IN for index in hosts)])
    tier_in = min(max(_LOWEST_TIER_IN, total * _TIER_PER_WIDTH), _HIGHEST_TIER_IN)
    at: dict[int, Point] = {}
    for height, (row, ends) in enumerate(zip(rows, offsets, strict=True)):
        for index, left, right in zip(row, ends[0::2], ends[1::2], strict=True):
            at[index] = ((left + right) / 2 * total / ends[-1], height * tier_in)
    homes: dict[int, list[float]] = {index: [] for index in hosts}
    for entry in between:
        for host, home in ((entry.a, entry.b), (entry.b, entry.a)):
            if host in homes:
                homes[host].append(at[home][0])
    at |= _below(homes, slots)
    return [at[index] for index in range(len(slots))]


def _offsets(row: Sequence[Slot]) -> list[float]:
    """Left and right end of every box of a row, from 0, with a gap between pods or units."""
    width = max(slot.width_in for slot in row)
    ends = [0.0, width + _BETWEEN_BOXES_IN]
    for before, after in pairwise(row):
        left = ends[-1] + (_BETWEEN_PODS_IN if before.block != after.block else 0.0)
        ends += [left, left + width + _BETWEEN_BOXES_IN]
    return ends


def _below(homes: dict[int, list[float]], slots: Sequence[Slot]) -> dict[int, Point]:
    """Hosts below the middle of their switches, pushed right where they would overlap."""
    found: dict[int, Point] = {}
    free = -np.inf
    middle = {host: float(np.mean(xs)) if xs else 0.0 for host, xs in homes.items()}
    for host in sorted(homes, key=lambda host: (middle[host], host)):
        x = max(middle[host], free + slots[host].width_in / 2)
        found[host] = (x, -_HOST_TIER_IN)
        free = x + slots[host].width_in / 2 + _BETWEEN_BOXES_IN / 2
    return found


def label_positions(
    positions: Sequence[Point], between: Sequence[Bundle], chosen: Sequence[int], texts: Sequence[Sequence[str]]
) -> list[Point | None]:
    """Where the label of every line goes: on the line, clear of other labels, over as few other lines as can be.

    Parameters
    ----------
    chosen : sequence of int
        Bundles that want a label, most important first.
    texts : sequence of lines of text
        Their labels.

    Returns
    -------
    list of Point or None
        Place of each chosen label; None where there is no room.
    """
    if not between:
        return []
    ends = np.array([[*positions[entry.a], *positions[entry.b]] for entry in between])
    taken: list[tuple[float, float, float, float]] = []
    found: list[Point | None] = []
    for (x0, y0, x1, y1), lines in zip(ends[list(chosen)].tolist(), texts, strict=True):
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        wide = max((len(line) for line in lines), default=0) * _LABEL_CHARACTER_IN / 2 + 0.03
        high = len(lines) * _LABEL_LINE_IN / 2 + 0.02
        best: tuple[int, Point] | None = None
        for share in _PLACES:
            x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            if any(abs(x - cx) < wide + w and abs(y - cy) < high + h for cx, cy, w, h in taken):
                continue
            crossing = _lines_across(ends, x, y, wide)
            if best is None or crossing < best[0]:
                best = (crossing, (x, y))
        found.append(best[1] if best else None)
        if best:
            taken.append((*best[1], wide, high))
    return found


def _lines_across(ends: Floats, x: float, y: float, wide: float) -> int:
    """How many lines pass behind a label at ``(x, y)``, at its height; its own is one of them everywhere."""
    x0, y0, x1, y1 = ends.T
    here = (np.minimum(y0, y1) < y) & (np.maximum(y0, y1) > y)
    share = np.divide(y - y0, y1 - y0, out=np.zeros(len(ends)), where=here)
    return int((here & (np.abs(x0 + share * (x1 - x0) - x) < wide)).sum())
