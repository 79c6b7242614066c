"""Measured over predicted as a grid of cells: how many links are in each, on which side of their band, and the band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.operate.load_check.result import LoadCheckResult
from topologies.columns import Bools, Floats, Longs

_STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, eq=False)
class LoadPoints:
    """The links that were measured, of all fabrics; shape (M,), Gbps.

    Attributes
    ----------
    name : tuple of (str, str)
        Fabric and link.
    low_gbps, high_gbps : ndarray
        The band that the link is judged by: what a hash may leave, with the tolerance.
    off : ndarray
        Whether a link is outside of its band, or has more than line rate.
    """

    name: tuple[tuple[str, str], ...]
    predicted_gbps: Floats
    measured_gbps: Floats
    low_gbps: Floats
    high_gbps: Floats
    off: Bools

    def __len__(self) -> int:
        return len(self.name)

    @property
    def end_gbps(self) -> float:
        """The end of both scales: a round number that nothing is above."""
        most = max(float(self.predicted_gbps.max(initial=0.0)), float(self.measured_gbps.max(initial=0.0)))
        return round_up(most)


@dataclass(frozen=True, eq=False)
class ScatterGrid:
    """Cells; row 0 is the highest measured rate; shape (rows, columns).

    Attributes
    ----------
    inside, outside : ndarray
        Links of each cell that are in their band, and that are not.
    band, diagonal : ndarray
        Cells that the bands of links with that prediction reach; cells where measured is predicted.
    row, column : ndarray, shape (M,)
        The cell of every link.
    """

    inside: Longs
    outside: Longs
    band: Bools
    diagonal: Bools
    row: Longs
    column: Longs


def load_points(result: LoadCheckResult) -> LoadPoints:
    """The links that were measured."""
    names: list[tuple[str, str]] = []
    parts: list[tuple[np.ndarray, ...]] = []
    for fabric in result.fabrics:
        plan, known = fabric.plan, np.flatnonzero(fabric.rates.known)
        names += [(plan.fabric, plan.topology.link_name(link)) for link in known.tolist()]
        low, high = fabric.band_gbps
        parts.append((
            plan.mean_gbps[known], fabric.rates.gbps[known],
            np.maximum(low[known], 0.0), high[known], fabric.outside[known],
        ))  # fmt: skip
    empty = (np.zeros(0),) * 4 + (np.zeros(0, dtype=np.bool_),)
    columns = [np.concatenate(values) for values in zip(*(parts or [empty]), strict=True)]
    return LoadPoints(tuple(names), *columns)


def round_up(value: float) -> float:
    """The next round number; 1 for nothing.

    >>> round_up(0.0), round_up(292.0), round_up(50.0), round_up(0.00031)
    (1.0, 300.0, 50.0, 0.0004)
    """
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step for step in _STEPS if step * power >= value * (1 - 1e-9)) * power)


def scatter_grid(points: LoadPoints, columns: int, rows: int) -> ScatterGrid:
    """Points in cells of equal size over 0 to ``points.end_gbps``, both ways."""
    end = points.end_gbps
    column, row = _cells(points.predicted_gbps, columns, end), rows - 1 - _cells(points.measured_gbps, rows, end)
    inside, outside = np.zeros((rows, columns), dtype=np.int64), np.zeros((rows, columns), dtype=np.int64)
    np.add.at(inside, (row[~points.off], column[~points.off]), 1)
    np.add.at(outside, (row[points.off], column[points.off]), 1)
    band = np.zeros((rows, columns), dtype=np.bool_)
    lowest, highest = np.full(columns, rows), np.full(columns, -1)
    np.minimum.at(lowest, column, _cells(points.low_gbps, rows, end))
    np.maximum.at(highest, column, _cells(np.minimum(points.high_gbps, end), rows, end))
    height = np.arange(rows)[:, None]
    band[::-1] = (height >= lowest) & (height <= highest)
    diagonal = np.zeros((rows, columns), dtype=np.bool_)
    middle = (np.arange(columns) + 0.5) / columns * end
    diagonal[rows - 1 - _cells(middle, rows, end), np.arange(columns)] = True
    return ScatterGrid(inside, outside, band, diagonal, row, column)


def _cells(values: Floats, count: int, end: float) -> Longs:
    """The cell of every value, of ``count`` from 0 to ``end``."""
    return np.asarray(np.clip(np.floor(values / end * count), 0, count - 1), dtype=np.int64)
