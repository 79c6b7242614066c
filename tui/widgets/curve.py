"""Bandwidth over the size of the message, in characters: a column per size, with the band and the mark."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from fabric.expect.result import CollectiveTest, SizeRow
from topologies.units import format_message
from tui.style import Look
from tui.text import fitted

_SCALE = 7  # cells of the numbers at the left
_LEAST, _MOST = 5, 9  # cells of a size


class Curve(Widget, can_focus=True):
    """Expected bandwidth of every size; the band is filled, the ideal and the pass mark are lines."""

    def __init__(self, *, id: str | None = None, empty: str = "") -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.look = Look()
        self.test: CollectiveTest | None = None
        self.cursor = 0
        self.empty = empty
        self.stale = False

    def show(
        self, test: CollectiveTest | None, look: Look, *, cursor: int, empty: str = "", stale: bool = False
    ) -> None:
        """Show a test; the size at ``cursor`` is marked below its column."""
        self.test, self.look, self.cursor, self.empty, self.stale = test, look, cursor, empty, stale
        self.refresh()

    @property
    def signs(self) -> dict[str, str]:
        """Characters of the parts."""
        if self.look.ascii:
            return {"expected": "*", "band": ":", "ideal": "-", "mark": "_"}
        return {"expected": "●", "band": "░", "ideal": "─", "mark": "┄"}

    @property
    def legend(self) -> str:
        """What the characters are."""
        names = {"expected": "expected", "band": "5 to 95 %", "ideal": "ideal", "mark": "pass mark"}
        return ", ".join(f"{self.signs[part]} {name}" for part, name in names.items())

    def _style(self, part: str) -> Style:
        if self.stale:
            return self.look.faint
        styles = {"expected": self.look.heading, "mark": self.look.warn, "band": self.look.good}
        return styles.get(part, self.look.faint)

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        return self._line(y).apply_style(self.rich_style)

    def _line(self, y: int) -> Strip:
        """The scale and a cell of every column, or the sizes."""
        width, height = self.size.width, self.size.height
        if self.test is None or not self.test.rows:
            return Strip([Segment(fitted(self.empty if y == 0 else "", width), self.look.faint)])
        rows, cells = self._shown(width)
        if y == height - 1:
            return Strip(self._sizes(rows, cells)).adjust_cell_length(width, self.look.text)
        highest = max(max(row.ideal.busbw_gbytes_per_s, row.p95.busbw_gbytes_per_s) for row in self.test.rows)
        lines = max(height - 1, 1)
        step = highest / max(lines - 1, 1)  # the top line is the highest
        labelled = (y % 4 == 0 and lines - y > 2) or y == lines - 1
        label = fitted(f"{max(highest - y * step, 0.0):.0f}" if labelled else "", _SCALE - 1, right=True)
        parts = [Segment(f"{label} ", self.look.faint)]
        for row in rows:
            part = _part(row, highest - (y + 0.5) * step, highest - (y - 0.5) * step)
            parts.append(Segment(self.signs.get(part, " ") * (cells - 1) + " ", self._style(part)))
        return Strip(parts).adjust_cell_length(width, self.look.text)

    def _shown(self, width: int) -> tuple[tuple[SizeRow, ...], int]:
        """Sizes that there is room for, the largest of all, and the cells of each."""
        assert self.test is not None
        room = max(width - _SCALE, _LEAST)
        rows = self.test.rows[-(room // _LEAST) :]
        return rows, min(max(room // len(rows), _LEAST), _MOST)

    def _sizes(self, rows: tuple[SizeRow, ...], cells: int) -> list[Segment]:
        first = 0 if self.test is None else len(self.test.rows) - len(rows)
        parts = [Segment(" " * _SCALE, self.look.text)]
        for at, row in enumerate(rows, first):
            style = self.look.heading if at == self.cursor else self.look.faint
            parts.append(Segment(fitted(format_message(row.size_bytes), cells), style))
        return parts


def _part(row: SizeRow, low: float, high: float) -> str:
    """What of a size lies between two bandwidths; the first of what matters most."""
    for part, value in (
        ("expected", row.expected.busbw_gbytes_per_s),
        ("mark", row.pass_mark_busbw_gbytes_per_s),
        ("ideal", row.ideal.busbw_gbytes_per_s),
    ):
        if low <= value < high:
            return part
    return "band" if row.p5.busbw_gbytes_per_s < high and row.p95.busbw_gbytes_per_s >= low else ""
