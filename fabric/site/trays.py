"""Trays over a floor as a graph, and shortest ways over it.

Places stand in a grid. A tray runs along every row, or those that the site names, and others cross all rows at some
places. A shortest way between two rows with trays crosses them once; rows without a tray are reached at the places
where one crosses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from topologies.columns import Bools, Floats, Ints, column


@dataclass(frozen=True)
class Trays:
    """Trays over ``rows`` rows of ``per_row`` places.

    Attributes
    ----------
    pitch_m, row_pitch_m : float
        Between neighbouring places of a row, and between neighbouring rows, metres.
    along : tuple of int
        Rows with a tray along them.
    cross : tuple of int
        Places where a tray crosses all rows.
    """

    rows: int
    per_row: int
    pitch_m: float
    row_pitch_m: float
    along: tuple[int, ...]
    cross: tuple[int, ...]

    @cached_property
    def has_tray(self) -> Bools:
        """Whether a tray runs along a row, shape (rows,)."""
        return column(np.isin(np.arange(self.rows), self.along), np.bool_)

    def point(self, row: int, place: int) -> int:
        """Number of the point over a place."""
        return row * self.per_row + place

    @cached_property
    def point_m(self) -> Floats:
        """x and y of every point, shape (rows * per_row, 2), metres."""
        rows, places = np.divmod(np.arange(self.rows * self.per_row), self.per_row)
        return column(np.stack([places * self.pitch_m, rows * self.row_pitch_m], axis=1), np.float64)

    @cached_property
    def segments(self) -> Ints:
        """Pieces of tray between neighbouring points, shape (S, 2): rows first, then crossings."""
        along = [
            (self.point(row, place), self.point(row, place + 1))
            for row in self.along
            for place in range(self.per_row - 1)
        ]
        across = [
            (self.point(row, place), self.point(row + 1, place)) for place in self.cross for row in range(self.rows - 1)
        ]
        return column(np.array([*along, *across], dtype=np.int32).reshape(-1, 2), np.int32)

    @cached_property
    def segment_names(self) -> tuple[str, ...]:
        """By segment: ``row1/3-4`` along row 1, ``cross5/0-1`` across rows at place 5."""
        along = [f"row{row}/{place}-{place + 1}" for row in self.along for place in range(self.per_row - 1)]
        return (*along, *(f"cross{place}/{row}-{row + 1}" for place in self.cross for row in range(self.rows - 1)))

    def distance_m(self, row_a: ArrayLike, place_a: ArrayLike, row_b: ArrayLike, place_b: ArrayLike) -> Floats:
        """Shortest way over the trays between places, metres, broadcast; inf where there is none."""
        rows_a, places_a, rows_b, places_b = np.broadcast_arrays(row_a, place_a, row_b, place_b)
        best = np.full(rows_a.shape, np.inf)
        direct = (rows_a == rows_b) & (self.has_tray[rows_a] | (places_a == places_b))
        best[direct] = np.abs(places_a - places_b)[direct] * self.pitch_m
        between = np.abs(rows_a - rows_b) * self.row_pitch_m
        for place in self.cross:
            way = between.copy()
            for rows, places in ((rows_a, places_a), (rows_b, places_b)):
                aside = np.abs(places - place)
                way += np.where(self.has_tray[rows] | (aside == 0), aside * self.pitch_m, np.inf)
            best = np.minimum(best, way)
        bare = ~self.has_tray[rows_a] & ~self.has_tray[rows_b] & (places_a != places_b)
        bare &= np.isin(places_a, self.cross) & np.isin(places_b, self.cross)
        if bare.any():
            aside = np.abs(places_a - places_b) * self.pitch_m
            for row in self.along:
                way = (np.abs(rows_a - row) + np.abs(rows_b - row)) * self.row_pitch_m + aside
                best = np.where(bare, np.minimum(best, way), best)
        return np.asarray(best, dtype=np.float64)

    def corners(self, a: tuple[int, int], b: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """Row and place of the points where a shortest way turns, both ends among them; empty where there is none."""
        if a[0] == b[0] and (self.has_tray[a[0]] or a[1] == b[1]):
            return (a, b) if a != b else (a,)
        ways: list[tuple[float, tuple[tuple[int, int], ...]]] = []
        for place in self.cross:
            if all(self.has_tray[row] or own == place for row, own in (a, b)):
                ways.append(self._measured((a, (a[0], place), (b[0], place), b)))
        if not ways and a[1] in self.cross and b[1] in self.cross:
            ways = [self._measured((a, (row, a[1]), (row, b[1]), b)) for row in self.along]
        return min(ways, default=(0.0, ()))[1]

    def _measured(self, corners: tuple[tuple[int, int], ...]) -> tuple[float, tuple[tuple[int, int], ...]]:
        """Length of a way, and its corners without repetitions."""
        length = sum(
            abs(one[0] - two[0]) * self.row_pitch_m + abs(one[1] - two[1]) * self.pitch_m
            for one, two in zip(corners, corners[1:], strict=False)
        )
        return length, tuple(dict.fromkeys(corners))

    def pieces(self, a: tuple[int, int], b: tuple[int, int]) -> tuple[int, ...]:
        """Segments of a shortest way, in order."""
        corners = self.corners(a, b)
        return tuple(
            piece for one, two in zip(corners, corners[1:], strict=False) for piece in self._pieces_between(one, two)
        )

    def _pieces_between(self, one: tuple[int, int], two: tuple[int, int]) -> list[int]:
        """Segments of a straight part of a way."""
        if one[0] == two[0]:
            first = self.along.index(one[0]) * (self.per_row - 1)
            low, high = sorted((one[1], two[1]))
            forward = two[1] > one[1]
        else:
            first = len(self.along) * (self.per_row - 1) + self.cross.index(one[1]) * (self.rows - 1)
            low, high = sorted((one[0], two[0]))
            forward = two[0] > one[0]
        pieces = list(range(first + low, first + high))
        return pieces if forward else pieces[::-1]

    def names(self, a: tuple[int, int], b: tuple[int, int]) -> tuple[str, ...]:
        """Trays of a shortest way with the part that is used, in order: ``row1/3-7``, ``cross7/1-2``."""
        corners = self.corners(a, b)
        return tuple(
            f"row{one[0]}/{one[1]}-{two[1]}" if one[0] == two[0] else f"cross{one[1]}/{one[0]}-{two[0]}"
            for one, two in zip(corners, corners[1:], strict=False)
        )
