"""Bus bandwidth over the size of the message: what to expect, its band, the ideal, the mark, and what was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2

from fabric.expect.result import CollectiveTest, ExpectResult, SizeRow
from fabric.faces.drawing.svg.canvas import CHAR, Canvas
from fabric.faces.views.expect import gbytes_text, microseconds_text
from topologies.units import format_message

WIDTH, HEIGHT = 720.0, 280.0
_LEFT, _GAP = 64.0, 56.0
_EXPECTED, _IDEAL, _MARK, _MEASURED = "#2f86d0", "#8a8f98", "#d97a00", "#d2354b"
_STEPS = 5  # lines of the scale of bandwidths, about


@dataclass(frozen=True)
class Scale:
    """Where sizes and bandwidths lie in a plot."""

    top: float
    least: float  # sizes, bytes
    most: float
    highest: float  # bandwidth, GB/s

    def x(self, size_bytes: float) -> float:
        """Sizes by their logarithm."""
        span = log2(self.most / self.least)
        return _LEFT + (WIDTH / 2 if span == 0 else WIDTH * log2(size_bytes / self.least) / span)

    def y(self, gbytes_per_s: float) -> float:
        """Bandwidths from 0 on."""
        return self.top + HEIGHT * (1 - gbytes_per_s / self.highest)


def busbw_svg(result: ExpectResult, heading: Sequence[str]) -> str:
    """A plot per test, one below the other."""
    canvas = Canvas()
    top = canvas.heading(heading) + 8
    _legend(canvas, top + 6, measured=result.check is not None)
    top += 34
    for test in result.tests:
        if test.rows:
            top = _plot(canvas, top, test, result)
    return canvas.svg()


def _legend(canvas: Canvas, y: float, *, measured: bool) -> None:
    entries = [("expected (median)", _EXPECTED, ""), ("ideal", _IDEAL, "7 4"), ("pass mark", _MARK, "2 3")]
    x = _LEFT
    for text, ink, dash in entries:
        canvas.curve([(x, y - 4), (x + 26, y - 4)], ink, dash=dash)
        canvas.text(x + 32, y, text, kind="f")
        x += 54 + len(text) * CHAR
    canvas.area([(x, y - 10), (x + 26, y - 10), (x + 26, y + 2), (x, y + 2)], _EXPECTED)
    canvas.text(x + 32, y, "5 to 95 % of the draws", kind="f")
    if measured:
        x += 54 + 22 * CHAR
        canvas.dot(x + 8, y - 4, _MEASURED)
        canvas.text(x + 18, y, "measured", kind="f")


def _plot(canvas: Canvas, top: float, test: CollectiveTest, result: ExpectResult) -> float:
    """One test; returns where the next may begin."""
    rows = test.rows
    measured = [] if result.check is None else [row for row in result.check.rows if row.collective == test.collective]
    bandwidths = [max(row.ideal.busbw_gbytes_per_s, row.p95.busbw_gbytes_per_s) for row in rows]
    bandwidths += [row.measured.busbw_gbytes_per_s for row in measured]
    sizes = [row.size_bytes for row in rows] + [row.size_bytes for row in measured]
    step = _round_step(max(bandwidths) / _STEPS)
    scale = Scale(top + 22, min(sizes), max(sizes), step * (int(max(bandwidths) / step) + 1))
    canvas.text(_LEFT, top + 8, f"{test.collective}, {test.ranks:,} ranks: busbw, GB/s", kind="")
    _axes(canvas, scale, step, sizes)
    bounds = [*((row.size_bytes, row.p5) for row in rows), *((row.size_bytes, row.p95) for row in rows[::-1])]
    if len(rows) > 1:
        canvas.area([(scale.x(size), scale.y(rate.busbw_gbytes_per_s)) for size, rate in bounds], _EXPECTED)
    for value, ink, dash in _CURVES:
        canvas.curve([(scale.x(row.size_bytes), scale.y(value(row))) for row in rows], ink, dash=dash)
    for row in rows:
        at = scale.x(row.size_bytes), scale.y(row.expected.busbw_gbytes_per_s)
        canvas.dot(*at, _EXPECTED, tip=_tip(row))
    for each in measured:
        tip = f"measured at {format_message(each.size_bytes)}: {gbytes_text(each.measured.busbw_gbytes_per_s)} GB/s"
        canvas.dot(scale.x(each.size_bytes), scale.y(each.measured.busbw_gbytes_per_s), _MEASURED, tip=tip)
    return scale.top + HEIGHT + _GAP


_CURVES: tuple[tuple[Callable[[SizeRow], float], str, str], ...] = (
    (lambda row: row.ideal.busbw_gbytes_per_s, _IDEAL, "7 4"),
    (lambda row: row.pass_mark_busbw_gbytes_per_s, _MARK, "2 3"),
    (lambda row: row.expected.busbw_gbytes_per_s, _EXPECTED, ""),
)


def _axes(canvas: Canvas, scale: Scale, step: float, sizes: Sequence[float]) -> None:
    for number in range(round(scale.highest / step) + 1):
        y = scale.y(number * step)
        canvas.line(_LEFT, y, _LEFT + WIDTH, y, kind="box" if number else "line")
        canvas.text(_LEFT - 6, y + 4, f"{number * step:g}", kind="f e")
    shown = sorted(set(sizes))
    free = -1e9
    for size in shown:
        x = scale.x(size)
        if x - free >= 40:
            canvas.line(x, scale.top + HEIGHT, x, scale.top + HEIGHT + 4)
            canvas.text(x, scale.top + HEIGHT + 17, format_message(size), kind="f m")
            free = x
    canvas.text(_LEFT + WIDTH, scale.top + HEIGHT + 33, "size of the message, bytes (powers of 1024)", kind="f e")


def _round_step(value: float) -> float:
    """1, 2 or 5 times a power of ten, at least ``value``.

    >>> [_round_step(value) for value in (0.3, 61.0, 100.0)]
    [0.5, 100.0, 100.0]
    """
    power = 10.0 ** int(f"{value:e}".partition("e")[2])
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= value * (1 - 1e-9))


def _tip(row: SizeRow) -> str:
    band = f"{gbytes_text(row.p5.busbw_gbytes_per_s)} to {gbytes_text(row.p95.busbw_gbytes_per_s)}"
    return (
        f"{format_message(row.size_bytes)} by {row.algorithm} {row.protocol}: "
        f"{microseconds_text(row.expected.time_s)} us, busbw {gbytes_text(row.expected.busbw_gbytes_per_s)} GB/s "
        f"({band}), mark {gbytes_text(row.pass_mark_busbw_gbytes_per_s)}"
    )
