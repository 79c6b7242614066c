"""The wrong part of the cabling: devices of a finding with their ports, cables as they are and as they should be."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.faces.drawing.svg.canvas import CHAR, Canvas
from fabric.faces.views.cabling import move_text, place_text
from fabric.operate.cabling.planned import Port
from fabric.operate.cabling.result import CablingResult, Move

WRONG, RIGHT = "#c1272d", "#1a7f37"
MOST_MOVES, MOST_STEPS = 12, 24
_ROW, _GAP, _LEFT = 18.0, 34.0, 12.0


def cabling_svg(result: CablingResult, heading: Sequence[str]) -> str:
    """The worst findings, one under the other: red lines are plugged now, green dashes are where ends belong."""
    canvas = Canvas()
    y = canvas.heading(heading)
    canvas.curve([(_LEFT, y + 4), (_LEFT + 30, y + 4)], WRONG)
    canvas.text(_LEFT + 36, y + 8, "plugged now", kind="f")
    canvas.curve([(_LEFT + 130, y + 4), (_LEFT + 160, y + 4)], RIGHT, dash="5 3")
    canvas.text(_LEFT + 166, y + 8, "as planned", kind="f")
    y += 34
    for move in result.moves[:MOST_MOVES]:
        y = _finding(canvas, move, y)
    if len(result.moves) > MOST_MOVES:
        canvas.text(_LEFT, y, f"and {len(result.moves) - MOST_MOVES:,} more findings", kind="f")
    return canvas.svg()


def _cables(move: Move) -> tuple[list[tuple[Port, Port]], list[tuple[Port, Port]]]:
    """Cables as they are, and as they should be."""
    now: list[tuple[Port, Port]] = []
    then: list[tuple[Port, Port]] = []
    for step in move.steps[:MOST_STEPS]:
        if step.stays is not None:
            now.append((step.stays, step.source))
            then.append((step.stays, step.target))
        elif step.action == "plug":
            then.append((step.source, step.target))
        else:
            now.append((step.source, step.target))
    return now, then


def _finding(canvas: Canvas, move: Move, y: float) -> float:
    """One finding; where the next may begin."""
    canvas.text(_LEFT, y, f"{move.kind}: {move_text(move)}" + (" (changes nothing)" if move.harmless else ""))
    now, then = _cables(move)
    left = list(dict.fromkeys(one for one, _ in [*now, *then]))
    right = list(dict.fromkeys(other for _, other in [*now, *then] if other not in set(left)))
    inside = {port for pair in [*now, *then] for port in pair} - set(right)
    left = [port for port in left if port in inside]
    words = {port: _label(port) for port in [*left, *right]}
    edge = _LEFT + 8 + max((len(words[port]) for port in left), default=4) * CHAR
    across = edge + 190
    at = {port: (edge, y + 12 + _ROW * row) for row, port in enumerate(left)}
    at |= {port: (across, y + 12 + _ROW * row) for row, port in enumerate(right)}
    for port, (x, height) in at.items():
        is_left = x == edge
        canvas.text(x - 8 if is_left else x + 8, height + 4, words[port], kind="e" if is_left else "")
        canvas.dot(x, height, "#555", tip=f"{port} {place_text(port)}".strip())
    for cables, ink, dash in ((now, WRONG, ""), (then, RIGHT, "5 3")):
        for one, other in cables:
            if one in at and other in at:
                canvas.curve([at[one], at[other]], ink, dash=dash)
    rest = len(move.steps) - MOST_STEPS
    bottom = y + 12 + _ROW * max(len(left), len(right))
    if rest > 0:
        canvas.text(_LEFT, bottom + 6, f"and {rest:,} more ends alike", kind="f")
    return bottom + _GAP


def _label(port: Port) -> str:
    where = place_text(port)
    return f"{port}" + (f"  {where}" if where else "")
