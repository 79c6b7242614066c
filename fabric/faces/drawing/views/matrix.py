"""The matrix view: a heat map of every pair of switches of a tier, with the worst of rows and columns as bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.faces.drawing.dot import route_heading
from fabric.faces.drawing.svg.canvas import CHAR, Canvas
from fabric.faces.drawing.view import Drawn, Picture, View
from fabric.faces.views.bands import DOWN, band
from fabric.faces.views.heat import Direction, HeatMap, heat_map, hottest_tier, map_kinds, shown_tiers
from topologies.errors import FormatError, nearest_hint
from topologies.units import percent, percent_number

MOST_CELLS = 4_096  # drawn one by one, with their value in a tooltip; more become one image
_MOST_SIDE = 512
_BAR = 60.0


def matrix_svg(heat: HeatMap, heading: Sequence[str]) -> str:
    """A heat map as SVG; at most 512 x 512 cells, neighbours share one, which is their worst."""
    shown = heat.folded(_MOST_SIDE)
    rows, columns = shown.shape
    side = max(min(22.0, 900 / max(rows, columns, 1)), 1.5)
    canvas = Canvas()
    lines = [*heading, f"{heat.title}: {heat.shape[0]:,} x {heat.shape[1]:,}, the worst offered load of every cell"]
    if shown is not heat:
        lines.append(f"shown as {rows:,} x {columns:,}: a cell is the worst of its neighbours")
    top = canvas.heading(lines) + 12
    canvas.legend(12, top)
    label = max((len(name) for name in shown.row_names), default=1) * CHAR if side >= 10 else 60.0
    left = 12 + label + 8
    column_label = max((len(name) for name in shown.column_names), default=1)
    top += 24 + _BAR + (column_label * 5 if side >= 10 else 12)
    _cells(canvas, shown, left, top, side)
    for row in range(rows):
        _bar(canvas, left + columns * side + 6, top + row * side, float(shown.row_max[row]), side, across=True)
        if side >= 10:
            canvas.text(left - 6, top + row * side + side * 0.7, shown.row_names[row], kind="e")
    for column in range(columns):
        _bar(canvas, left + column * side, top - 6, float(shown.column_max[column]), side, across=False)
    _column_names(canvas, shown, left, top - _BAR - 12, side)
    if side < 10:
        canvas.text(12, top + 10, f"{shown.row_title}s", kind="f")
    return canvas.svg()


def _cells(canvas: Canvas, heat: HeatMap, left: float, top: float, side: float) -> None:
    rows, columns = heat.shape
    if rows * columns > MOST_CELLS:
        pixels = np.full((rows, columns, 3), 255, np.uint8)
        for row in range(rows):
            for column in range(columns):
                pixels[row, column] = _rgb(_colour(heat, row, column))
        canvas.image(left, top, columns * side, rows * side, pixels)
        return
    for row in range(rows):
        for column in range(columns):
            value = float(heat.value[row, column])
            if not heat.total[row, column]:
                continue
            words = "down" if heat.is_down(row, column) else percent(value)
            tip = f"{heat.row_names[row]} - {heat.column_names[column]}: {words}, {int(heat.total[row, column])} links"
            canvas.rectangle(
                left + column * side, top + row * side, side - 0.6, side - 0.6, _colour(heat, row, column), tip=tip
            )
            if side >= 18:
                entry = DOWN if heat.is_down(row, column) else band(value)
                text = DOWN.mark if heat.is_down(row, column) else percent_number(value)
                if len(text) <= 3:
                    canvas.text(left + (column + 0.5) * side, top + (row + 0.68) * side, text, kind="m", ink=entry.ink)


def _colour(heat: HeatMap, row: int, column: int) -> str:
    return DOWN.colour if heat.is_down(row, column) else band(float(heat.value[row, column])).colour


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _bar(canvas: Canvas, x: float, y: float, worst: float, side: float, *, across: bool) -> None:
    """The worst of a row or column; 200 % and more fill the bar."""
    if np.isnan(worst):
        return
    length = max(min(worst / 2, 1.0) * _BAR, 0.5)
    if across:
        canvas.rectangle(x, y, length, max(side - 0.6, 1), band(worst).colour, tip=percent(worst))
    else:
        canvas.rectangle(x, y - length, max(side - 0.6, 1), length, band(worst).colour, tip=percent(worst))


def _column_names(canvas: Canvas, heat: HeatMap, left: float, y: float, side: float) -> None:
    every = 1 if side >= 10 else max(len(heat.column_names) // 8, 1)
    for column in range(0, len(heat.column_names), every):
        name = heat.column_names[column]
        if side >= 10:
            short = name if len(name) * CHAR <= side else name[-max(int(side // CHAR), 1) :]
            canvas.text(left + (column + 0.5) * side, y, short, kind="m", tip=name)
        else:
            canvas.text(left + column * side, y, name, kind="f")


def _view(drawn: Drawn, picture: Picture) -> str:
    """The map of the named tier, or of the hottest; FP6244 where there is no such tier."""
    route = drawn.route
    kinds = (*map_kinds(route.topology), *shown_tiers(route))
    tier = picture.tier or hottest_tier(route)
    if tier not in kinds:
        raise FormatError(
            f"{route.fabric} has no tier {tier!r} between switches",
            hint=nearest_hint(tier, kinds, "there is"),
            code="FP6244",
        )
    direction: Direction = "down" if picture.direction == "down" else "up"
    heat = heat_map(route.topology, route.utilisation, tier, direction)
    return matrix_svg(heat, drawn.heading or route_heading(route, drawn.title))


SUMMARY = "a cell per pair of switches"
ORDER = 40
VIEW = View("svg", _view)
