"""The cloud of links as a grid: every link in one cell, the band and the diagonal where they belong."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.faces.views.load_scatter import LoadPoints, round_up, scatter_grid


def points(predicted: list[float], measured: list[float], low: list[float], high: list[float]) -> LoadPoints:
    """Links of one fabric; off where they are outside of their band."""
    columns = [np.array(values) for values in (predicted, measured, low, high)]
    off = (columns[1] < columns[2]) | (columns[1] > columns[3])
    return LoadPoints(tuple(("main", f"l{at}") for at in range(len(predicted))), *columns, off)


def test_links_stand_where_their_rates_say() -> None:
    """Both scales end at 400: 100 predicted and 300 measured is column 1 of 4, and row 0 (the highest) of 4."""
    grid = scatter_grid(points([100, 399, 0], [300, 399, 0], [90, 380, 0], [110, 400, 0]), 4, 4)
    assert grid.column.tolist() == [1, 3, 0]
    assert grid.row.tolist() == [0, 0, 3]
    assert np.argwhere(grid.outside).tolist() == [[0, 1]]
    assert np.argwhere(grid.inside).tolist() == [[0, 3], [3, 0]]


def test_the_band_reaches_from_the_lowest_to_the_highest_of_its_column() -> None:
    """Two links predicted with 150 of 400, bands 20 to 120 and 210 to 390: rows 0 to 3 of 4 but for no gap between."""
    grid = scatter_grid(points([150, 150, 390], [150, 150, 390], [20, 210, 300], [120, 290, 999]), 4, 4)
    assert grid.band[:, 1].tolist() == [False, True, True, True]
    assert grid.band[:, 3].tolist() == [True, False, False, False]
    assert not grid.band[:, [0, 2]].any()


@pytest.mark.parametrize("shape", [(7, 7), (60, 12), (5, 30), (1, 1)])
def test_no_link_is_lost_and_the_diagonal_is_whole(shape: tuple[int, int]) -> None:
    """300 random links over any grid; the diagonal has a cell of each column, and rises."""
    rng = np.random.default_rng(3)
    predicted = rng.uniform(0, 97, 300)
    measured = predicted * rng.uniform(0.8, 1.2, 300)
    cloud = points(predicted.tolist(), measured.tolist(), (predicted * 0.9).tolist(), (predicted * 1.1).tolist())
    grid = scatter_grid(cloud, *shape)
    assert grid.inside.sum() + grid.outside.sum() == 300
    assert grid.outside.sum() == cloud.off.sum() > 0
    rows = [int(np.flatnonzero(grid.diagonal[:, column])[0]) for column in range(shape[0])]
    assert grid.diagonal.sum() == shape[0]
    assert rows == sorted(rows, reverse=True)


@pytest.mark.parametrize(("value", "end"), [(0, 1), (292, 300), (300, 300), (301, 400), (0.00031, 0.0004), (950, 1000)])
def test_scales_end_at_a_round_number(value: float, end: float) -> None:
    """The next of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 times a power of ten."""
    assert round_up(value) == pytest.approx(end)
