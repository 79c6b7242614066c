"""Measured over predicted in characters: a sign where links are, the band behind, the diagonal, and the link chosen."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from fabric.faces.views.load_scatter import LoadPoints, ScatterGrid, scatter_grid
from fabric.output.columns import rate_text
from tui.style import Look
from tui.text import fitted

_SCALE = 8  # cells of the numbers at the left
_SOME, _MANY = 4, 16  # links of a cell from which its sign is larger


class Scatter(Widget):
    """The cloud of links; what is off has a sign of its own, so that it shows without colour."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.look = Look()
        self.points: LoadPoints | None = None
        self.chosen = -1
        self.empty = ""
        self.stale = False
        self._kept: tuple[LoadPoints, int, int, ScatterGrid] | None = None

    def show(self, points: LoadPoints | None, look: Look, *, chosen: int, empty: str, stale: bool) -> None:
        """Show links; the one with number ``chosen`` of the points is marked."""
        self.points, self.look, self.chosen, self.empty, self.stale = points, look, chosen, empty, stale
        self.refresh()

    @property
    def signs(self) -> tuple[str, str, str, str, str]:
        """Links in their band: few, some, many; links off; the band; the diagonal is the last."""
        return (".oO", "x", ":", "/", "#") if self.look.ascii else ("∙•●", "×", "░", "╱", "◉")

    @property
    def legends(self) -> tuple[str, ...]:
        """What the signs are, the longest form first."""
        dots, off, band, diagonal, here = self.signs
        short = f"{dots[1]} in band, {off} off, {here} chosen"
        return f"{short}, {band} band, {diagonal} as predicted", f"{short}, {band} band", short

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        return self._line(y).apply_style(self.rich_style)

    def _line(self, y: int) -> Strip:
        width, rows = self.size.width, max(self.size.height - 1, 1)
        points, columns = self.points, max(self.size.width - _SCALE, 1)
        if points is None or not len(points):
            return Strip([Segment(fitted(self.empty if y == 0 else "", width), self.look.faint)])
        end = points.end_gbps
        if y >= rows:
            last = f"{rate_text(end)} Gbps predicted"
            return Strip([
                Segment(fitted("0", _SCALE - 1, right=True) + " ", self.look.faint),
                Segment(fitted(last, columns, right=True), self.look.faint),
            ])  # fmt: skip
        label = rate_text(end) if y == 0 else "measured" if y == 1 and rows > 4 else ""
        label = fitted(label, _SCALE - 1, right=True) if y != 1 else fitted(label, _SCALE)
        grid = self._grid(points, columns, rows)
        parts = [Segment(f"{label} "[:_SCALE], self.look.faint)]
        for column in range(columns):
            parts.append(Segment(*self._cell(grid, y, column)))
        return Strip(parts).adjust_cell_length(width, self.look.text)

    def _grid(self, points: LoadPoints, columns: int, rows: int) -> ScatterGrid:
        kept = self._kept
        if kept is None or kept[0] is not points or kept[1:3] != (columns, rows):
            kept = self._kept = (points, columns, rows, scatter_grid(points, columns, rows))
        return kept[3]

    def _cell(self, grid: ScatterGrid, row: int, column: int) -> tuple[str, Style]:
        """The sign of a cell: what is chosen, then what is off, then what is not."""
        dots, off, band, diagonal, here = self.signs
        style = self.look.faint if self.stale else None
        if 0 <= self.chosen < len(grid.row) and (grid.row[self.chosen], grid.column[self.chosen]) == (row, column):
            return here, style or self.look.cursor
        if grid.outside[row, column]:
            return off, style or self.look.bad
        inside = int(grid.inside[row, column])
        if inside:
            return dots[(inside >= _SOME) + (inside >= _MANY)], style or self.look.text
        if grid.band[row, column]:
            return band, style or self.look.good
        if grid.diagonal[row, column]:
            return diagonal, self.look.faint
        return " ", self.look.text
