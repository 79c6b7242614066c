"""Equal cases written out again: each with the figures of the one that was routed, and its own fullest link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fabric.failures.figures import CaseFigures
from fabric.failures.part import Part
from fabric.failures.symmetry.orbits import CarriedParts, Equal, Ways
from topologies.columns import Ints, column


def written_out(equal: Equal, parts: Sequence[Part], fabrics: Sequence[str], figures: CaseFigures) -> CaseFigures:
    """Figures of every single case that equals one of ``figures``, by number; each stands for itself.

    Parameters
    ----------
    fabrics : sequence of str
        Fabric of every phase.
    """
    row_of = np.full(len(parts), -1, dtype=np.int64)
    row_of[figures.number] = np.arange(len(figures))
    rows = row_of[equal.first]
    known = np.flatnonzero(rows >= 0)
    hottest = figures.hottest[rows]
    carried = {name: CarriedParts(parts, name, symmetry) for name, symmetry in equal.symmetries.items()}
    for row, part in enumerate(figures.number.tolist()):
        if figures.count[row] == 1:
            continue
        fabric = next(iter({**parts[part].links, **parts[part].slowed}))  # parts of several fabrics have no equal
        if figures.phase[row] >= 0 and fabrics[figures.phase[row]] == fabric:
            where, link = _fullest(carried[fabric], part, int(figures.hottest[row]))
            hottest[where] = link
    every = figures.take(rows[known])
    return replace(
        every, number=column(known, np.int64), count=np.ones(len(known)), hottest=column(hottest[known], np.int32)
    )


def _fullest(carried: CarriedParts, part: int, hottest: int) -> tuple[Ints, Ints]:
    """Parts that a part is carried onto, and the link that its fullest link is carried onto with each."""
    symmetry, first = carried.symmetry, carried.first_link(part)
    targets = column(np.flatnonzero(symmetry.link_orbit == symmetry.link_orbit[first]), np.int32)
    ways = Ways(symmetry, first, targets)
    return column(carried(part, ways), np.int32), ways.images(column([hottest], np.int32))[:, 0]
