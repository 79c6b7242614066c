"""Heat maps of a report: matrices of small codes, and for every code the text that people read.

A page draws and reads out what is written here and computes nothing, so that a cell says exactly what the tables say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fabric.evaluation.severity import by_severity
from fabric.faces.report.content import HeatBlock, HeatPicture, Layer
from fabric.faces.views.bands import BANDS, DOWN, NONE, Band, band
from fabric.faces.views.heat import Direction, HeatMap, heat_map, map_kinds
from fabric.result import PhaseRoute
from topologies.units import percent

SCALE: tuple[Band, ...] = (*BANDS, DOWN, NONE)
MOST_CELLS = 240_000  # of all layers of a report: two bytes each, in base64, stay under 0.7 MB
_DIRECTIONS: tuple[Direction, ...] = ("up", "down")


def heat_blocks(routes: Sequence[PhaseRoute]) -> list[HeatBlock]:
    """The heat maps of every fabric that has switches with links between them, folded so that all fit a mail."""
    fabrics: dict[str, list[PhaseRoute]] = {}
    for entry in routes:
        fabrics.setdefault(entry.fabric, []).append(entry)
    maps = sum(len(map_kinds(mine[0].topology)) * len(mine) * len(_DIRECTIONS) for mine in fabrics.values())
    most = max(int(math.sqrt(MOST_CELLS / max(maps, 1))), 8)
    blocks = [_block(name, mine, most) for name, mine in fabrics.items()]
    return [block for block in blocks if block.pictures]


def _block(fabric: str, routes: Sequence[PhaseRoute], most: int) -> HeatBlock:
    topology = routes[0].topology
    pictures = []
    for kind in reversed(map_kinds(topology)):
        for direction in _DIRECTIONS:
            maps = [heat_map(topology, entry.utilisation, kind, direction).folded(most) for entry in routes]
            if min(maps[0].shape) > 0:
                pictures.append(_picture(kind, direction, maps))
    phases = tuple(entry.phase for entry in routes)
    return HeatBlock(fabric, phases, phases.index(by_severity(routes)[0].phase), tuple(pictures))


def _picture(kind: str, direction: Direction, maps: Sequence[HeatMap]) -> HeatPicture:
    first = maps[0]
    return HeatPicture(
        title=first.title,
        kind=kind,
        direction=direction,
        row_title=first.row_title,
        column_title=first.column_title,
        row_names=first.row_names,
        column_names=first.column_names,
        phases=tuple(utilisation_layer(one) for one in maps),
        cells=_cells_layer(first),
    )


def utilisation_layer(heat: HeatMap) -> Layer:
    """What every cell says in a phase, and its band; distinct values that read alike in one band share a code."""
    dead = (heat.total > 0) & (heat.down == heat.total) & np.isnan(heat.value)
    flat = np.where(np.isnan(heat.value), np.where(dead, -2.0, -1.0), heat.value)
    distinct, place = np.unique(flat, return_inverse=True)
    words: dict[tuple[str, int], int] = {}
    code_of = np.empty(len(distinct), dtype=np.uint16)
    for at, value in enumerate(distinct.tolist()):
        entry, text = _shown(value)
        code_of[at] = words.setdefault((text, SCALE.index(entry)), len(words))
    codes = code_of[place].reshape(heat.shape)
    return Layer(codes, tuple(text for text, _ in words), tuple(level for _, level in words))


def _shown(value: float) -> tuple[Band, str]:
    if value < 0:
        return (DOWN, "down") if value == -2.0 else (NONE, "no link")
    return band(value), percent(value)


def _cells_layer(heat: HeatMap) -> Layer:
    """How many links every cell stands for."""
    words: dict[str, int] = {}
    codes = np.empty(heat.shape, dtype=np.uint16)
    pairs, place = np.unique(np.stack([heat.total.ravel(), heat.down.ravel()]), axis=1, return_inverse=True)
    code_of = []
    for total, down in pairs.T.tolist():
        text = "" if not total else f"{total:,} link{'' if total == 1 else 's'}" + (f", {down:,} down" if down else "")
        code_of.append(words.setdefault(text, len(words)))
    codes = np.array(code_of, dtype=np.uint16)[place.ravel()].reshape(heat.shape)
    return Layer(codes, tuple(words), (0,) * len(words))
