"""A tornado: one bar per cause, the longest above, GPU-hours lost a month, or how much longer a step takes."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.faces.drawing.svg.canvas import CHAR, Canvas
from fabric.faces.views.bands import DOUBLE, FULL, HOT
from fabric.faces.views.tornado import Tornado

_WIDTH, _LANE, _BAR = 520.0, 26.0, 16.0
_BEYOND = 40.0  # how far a bar without an end goes past the axis
_LONGEST_LABEL = 48  # characters; the whole name is in the tooltip
_FILLS = {"": FULL, "warn": HOT, "bad": DOUBLE}


def tornado_svg(tornado: Tornado, heading: Sequence[str]) -> str:
    """Bars from the largest to the smallest, each with its figure; what has no end goes past the axis."""
    canvas = Canvas()
    draw_tornado(canvas, tornado, canvas.heading(heading) + 22)
    return canvas.svg()


def draw_tornado(canvas: Canvas, tornado: Tornado, y: float) -> float:
    """Draw bars under their title, which begins at ``y``; returns where they end."""
    canvas.text(12, y, tornado.title, kind="t")
    y += 12
    if not tornado.bars:
        canvas.text(12, y + 14, tornado.empty)
        return y + 28
    labels = [_short(bar.label) for bar in tornado.bars]
    left = 24 + max(map(len, labels)) * CHAR
    for bar, label in zip(tornado.bars, labels, strict=True):
        middle = y + _LANE / 2 + 4
        canvas.text(left - 8, middle, label, kind="e", tip=bar.label)
        length = _WIDTH + _BEYOND if bar.value is None else max(tornado.share(bar) * _WIDTH, 1.0)
        fill = _FILLS[bar.mark]
        canvas.rectangle(left, y + (_LANE - _BAR) / 2, length, _BAR, fill.colour, tip=f"{bar.label}: {bar.text}")
        if bar.value is None:
            canvas.text(left + length / 2, middle, bar.text, kind="m", ink=fill.ink)
        else:
            canvas.text(left + length + 6, middle, bar.text)
        y += _LANE
    canvas.line(left, y - _LANE * len(labels), left, y + 4)
    canvas.line(left, y + 4, left + _WIDTH, y + 4)
    for where, text in tornado.ticks:
        x = left + where * _WIDTH
        canvas.line(x, y + 4, x, y + 9)
        canvas.text(x, y + 22, text, kind="f m")
    canvas.text(left + _WIDTH, y + 40, tornado.axis, kind="f e")
    return y + 46


def _short(name: str) -> str:
    """A name that fits beside the bars: its ends tell names apart."""
    if len(name) <= _LONGEST_LABEL:
        return name
    half = (_LONGEST_LABEL - 1) // 2
    return f"{name[:half]}…{name[-half:]}"
