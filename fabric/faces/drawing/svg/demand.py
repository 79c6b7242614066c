"""The demand matrix as a picture: a cell per pair of places, darker where more is sent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.faces.drawing.svg.canvas import CHAR, Canvas
from fabric.faces.views.demand_matrix import DemandMatrix
from topologies.columns import Floats
from topologies.units import format_bytes, format_gbps

_MOST_SIDE = 512
_WORDS_FROM = 56.0  # side of a cell that its value is written into
_MOST_CELLS = 4_096  # drawn one by one, with their value in a tooltip; more become one image
_SCALE = np.array([[247, 251, 255], [198, 219, 239], [107, 174, 214], [33, 113, 181], [8, 48, 107]], dtype=np.float64)


def demand_svg(matrix: DemandMatrix, heading: Sequence[str]) -> str:
    """A heat map of volumes, or of steady rates where nothing has a volume."""
    steady = not matrix.volume_bytes.any()
    whole = matrix.rate_gbps if steady else matrix.volume_bytes
    value, names = _folded(whole, matrix.names)
    count = len(names)
    most = float(value.max(initial=0.0))
    what = "steady" if steady else "bytes per step"
    shown = format_gbps(most) if steady else format_bytes(most)
    canvas = Canvas()
    lines = [
        *heading,
        f"{matrix.level} (left) to {matrix.level} (top), {what}, one direction",
        f"white: nothing; darkest: {shown} in one cell",
    ]
    if count < len(matrix.names):
        lines.append(f"shown as {count:,} x {count:,}: a cell adds up its neighbours")
    side = max(min(64.0, 900 / max(count, 1)), 1.5)
    label = max((len(name) for name in names), default=1) * CHAR if side >= 10 else 40.0
    top = canvas.heading(lines) + 20 + (label * 0.8 if side >= 10 else 8)
    left = 12 + label + 8
    colours = _colours(value / most if most else value)
    if count * count > _MOST_CELLS:
        canvas.image(left, top, count * side, count * side, colours)
        return canvas.svg()
    for row in range(count):
        canvas.text(left - 6, top + row * side + side / 2 + 4, names[row], kind="e")
        canvas.text(left + row * side + side / 2 + 4, top - 6, names[row], turn=-60)
        for place in range(count):
            amount = float(value[row, place])
            words = format_gbps(amount) if steady else format_bytes(amount)
            red, green, blue = colours[row, place].tolist()
            tip = f"{names[row]} to {names[place]}: {words}"
            x, y = left + place * side, top + row * side
            canvas.rectangle(x, y, side, side, f"#{red:02x}{green:02x}{blue:02x}", tip=tip, edge="#ddd")
            if side >= _WORDS_FROM and amount:
                ink = "#ffffff" if red + green + blue < 380 else "#222222"
                canvas.text(x + side / 2, y + side / 2 + 4, words, kind="m", ink=ink)
    return canvas.svg()


def _folded(value: Floats, names: Sequence[str]) -> tuple[Floats, tuple[str, ...]]:
    """At most 512 rows and columns; neighbours are added up."""
    step = -(-len(names) // _MOST_SIDE)
    if step <= 1:
        return value, tuple(names)
    starts = np.arange(0, len(names), step)
    total = np.add.reduceat(np.add.reduceat(value, starts, axis=0), starts, axis=1)
    return total, tuple(names[start] for start in starts.tolist())


def _colours(share: Floats) -> np.ndarray:
    """Red, green and blue of every cell, shape (n, n, 3); the scale goes by the square root, so that little shows."""
    place = np.sqrt(share) * (len(_SCALE) - 1)
    below = np.minimum(place.astype(np.int64), len(_SCALE) - 2)
    part = (place - below)[..., None]
    mixed = _SCALE[below] * (1 - part) + _SCALE[below + 1] * part
    return np.where(share[..., None] > 0, mixed, 255.0).astype(np.uint8)
