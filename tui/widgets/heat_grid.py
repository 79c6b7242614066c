"""A heat map with a cell cursor: cells filled with the colour of their band, the number on it where there is room."""

from __future__ import annotations

import re
from typing import ClassVar

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from fabric.faces.views.heat import HeatMap
from topologies.units import percent, percent_number
from tui.style import Look
from tui.text import fitted

_LABEL = 18  # most cells of a row's name
_WORST = 7  # cells of the row's maximum at the right
_NUMBER = 4  # cells of a cell that shows its number: one free, or a glyph where there is no colour, and percent
_NAMED = 10  # most cells that a cell takes for the name of its column
_GROUP = 8  # narrow columns come in groups, as ports do


class HeatGrid(Widget, can_focus=True):
    """Rows and columns of a ``HeatMap``; only what is on the screen is drawn."""

    BINDINGS: ClassVar = [
        Binding("down,j", "move(1,0)", show=False),
        Binding("up,k", "move(-1,0)", show=False),
        Binding("left,h", "move(0,-1)", show=False),
        Binding("right,l", "move(0,1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end", "edge(1)", show=False),
        Binding("o", "hottest", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Chosen(Message):
        """Enter, or a second click, on a cell."""

        def __init__(self, grid: HeatGrid, row: int, column: int) -> None:
            super().__init__()
            self.grid, self.row, self.column = grid, row, column

        @property
        def control(self) -> HeatGrid:
            """The grid."""
            return self.grid

    class Moved(Chosen):
        """The cursor is on another cell."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.heat: HeatMap | None = None
        self.look = Look()
        self.row = self.column = 0
        self.top = self.left = 0
        self.stale = False
        self._longest = 0  # cells of the longest row name
        self._digits: tuple[str, ...] = ()  # what stands above narrow columns
        self.label_width, self.cell_width, self._room = 8, 1, 1

    # ---- content ------------------------------------------------------------------------------------------------

    def show(self, heat: HeatMap, look: Look, *, stale: bool = False) -> None:
        """Show another map; the cursor stays where it was."""
        first = self.heat is None or self.heat.shape != heat.shape
        if self.heat is None or self.heat.row_names != heat.row_names or self.heat.column_names != heat.column_names:
            self._longest = max((len(name) for name in heat.row_names), default=0)
            self._digits = _numbers(heat.column_names)
        self.heat, self.look, self.stale = heat, look, stale
        if first:
            self.row = self.column = self.top = self.left = 0
            self.go_to_hottest()
        self._keep_in_view()
        self.refresh()

    def go_to_hottest(self) -> None:
        """Put the cursor on the cell with the hottest link."""
        if self.heat is not None and self.heat.hottest is not None:
            self.row, self.column = self.heat.hottest

    def go_to(self, row: int, column: int) -> None:
        """Put the cursor on a cell."""
        if self.heat is None or not self.heat.value.size:
            return
        rows, columns = self.heat.shape
        row, column = max(0, min(row, rows - 1)), max(0, min(column, columns - 1))
        if (row, column) == (self.row, self.column):
            return
        self.row, self.column = row, column
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Moved(self, row, column))

    # ---- geometry -----------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        """Widths of names and cells for the present size: those of the columns' names, or of numbers, or 1."""
        width = self.size.width
        self.label_width = min(self._longest, _LABEL, max(width // 4, 6)) + 2
        self._room = max(width - self.label_width - _WORST, 1)
        names = self.heat.column_names if self.heat is not None else ()
        named = min(max(map(len, names), default=0), _NAMED)
        fitting = [width for width in (max(named, _NUMBER), _NUMBER) if self._room >= len(names) * (width + 1)]
        self.cell_width = fitting[0] if fitting else 1

    @property
    def header_height(self) -> int:
        """Lines above the first row: the names, or the digits of their numbers from top to bottom."""
        return 1 if self.cell_width > 1 or not self._digits else len(self._digits[0])

    @property
    def rows_shown(self) -> int:
        """Rows that fit."""
        return max(self.size.height - self.header_height, 1)

    @property
    def columns_shown(self) -> int:
        """Columns that fit."""
        room, width = self._room, self.cell_width
        return max(room // (width + 1), 1) if width > 1 else max(room * _GROUP // (_GROUP + 1), 1)

    def _keep_in_view(self) -> None:
        self._measure()
        if self.heat is None or not self.size.width:  # no frame yet: nothing is in view
            self.top = self.left = 0
            return
        rows, columns = self.heat.shape
        top = min(max(self.top, self.row - self.rows_shown + 1), self.row)
        left = min(max(self.left, self.column - self.columns_shown + 1), self.column)
        self.top = max(min(top, rows - self.rows_shown), 0)
        self.left = max(min(left, columns - self.columns_shown), 0)

    def on_resize(self) -> None:
        """The frame has another size."""
        self._keep_in_view()
        self.refresh()

    # ---- drawing ------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self.size.width
        heat = self.heat
        if heat is None or not heat.value.size:
            text = "no links between switches on this fabric" if y == 0 else ""
            return Strip([Segment(fitted(text, width), self.look.faint)]).apply_style(self.rich_style)
        columns = range(self.left, min(self.left + self.columns_shown, heat.shape[1]))
        if y < self.header_height:
            parts = self._header(y, columns)
        else:
            row = self.top + y - self.header_height
            parts = self._row(row, columns) if row < heat.shape[0] else []
        strip = Strip([Segment(text, style) for text, style in parts]).adjust_cell_length(width, self.look.text)
        return strip.apply_style(self.rich_style)

    def _header(self, y: int, columns: range) -> list[tuple[str, Style]]:
        heat = self.heat
        assert heat is not None
        name = heat.column_title if y == 0 else ""
        parts = [(fitted(name, self.label_width - 1, right=True) + " ", self.look.faint)]
        height = self.header_height
        for column in columns:
            here = self.look.heading + self.look.soft_cursor if column == self.column else self.look.heading
            if self.cell_width > 1:
                name = heat.column_names[column]
                short = name if len(name) <= self.cell_width or not name[-1].isdigit() else self._digits[column]
                parts.append((fitted(short, self.cell_width, right=True), here))
                parts.append((" ", self.look.text))
            else:
                parts.append((self._digits[column].rjust(height)[y], here))
                if (column + 1) % _GROUP == 0:
                    parts.append((" ", self.look.text))
        if y == height - 1:
            parts.append((fitted("max", _WORST, right=True), self.look.faint))
        return parts

    def _row(self, row: int, columns: range) -> list[tuple[str, Style]]:
        heat = self.heat
        assert heat is not None
        here = row == self.row
        name = (">" if here else " ") + fitted(heat.row_names[row], self.label_width - 2) + " "
        parts = [(name, self.look.heading if here else self.look.text)]
        for column in columns:
            value, down = float(heat.value[row, column]), heat.is_down(row, column)
            style = self.look.fill(value, down=down, stale=self.stale)
            at_cursor = here and column == self.column
            if at_cursor:
                style = self.look.cell_cursor(style) if self.has_focus else style + Style(bold=True, underline=True)
            if self.cell_width > 1:
                parts.append(
                    (self.look.lead(value, down=down) + _percent(value, down).rjust(self.cell_width - 1), style)
                )
                parts.append((" ", self.look.text))
            else:  # the cursor hides the colour: its digit says what was there
                parts.append((self.look.glyph(value, down=down, stale=self.stale or at_cursor), style))
                if (column + 1) % _GROUP == 0:
                    parts.append((" ", self.look.text))
        worst = float(heat.row_max[row])
        text = "-" if np.isnan(worst) else percent(worst, 0)
        parts.append((fitted(text, _WORST, right=True), self.look.faint if self.stale else self.look.load(worst)))
        return parts

    # ---- cursor -------------------------------------------------------------------------------------------------

    def action_move(self, rows: int, columns: int) -> None:
        """One cell."""
        self.go_to(self.row + rows, self.column + columns)

    def action_page(self, pages: int) -> None:
        """A screen up or down."""
        self.go_to(self.row + pages * self.rows_shown, self.column)

    def action_edge(self, end: int) -> None:
        """First or last column."""
        self.go_to(self.row, self.heat.shape[1] - 1 if end and self.heat is not None else 0)

    def action_hottest(self) -> None:
        """The worst cell."""
        before = (self.row, self.column)
        self.go_to_hottest()
        self._keep_in_view()
        self.refresh()
        if before != (self.row, self.column):
            self.post_message(self.Moved(self, self.row, self.column))

    def action_choose(self) -> None:
        """Enter."""
        if self.heat is not None and self.heat.value.size:
            self.post_message(self.Chosen(self, self.row, self.column))
        else:
            self.notify("no cell to choose", timeout=3)

    def on_click(self, event: events.Click) -> None:
        """A click selects, a second one chooses."""
        cell = self._cell_at(event.x, event.y)
        if cell is None:
            return
        if event.chain > 1 or cell == (self.row, self.column):
            self.row, self.column = cell
            self.action_choose()
        else:
            self.go_to(*cell)

    def _cell_at(self, x: int, y: int) -> tuple[int, int] | None:
        if self.heat is None or y < self.header_height or x < self.label_width:
            return None
        row, inside = self.top + y - self.header_height, x - self.label_width
        if self.cell_width > 1:
            column = self.left + inside // (self.cell_width + 1)
        else:
            shown = range(self.left, self.left + self.columns_shown)
            places = np.cumsum([0, *(1 + ((at + 1) % _GROUP == 0) for at in shown)])
            column = self.left + int(np.searchsorted(places, inside, side="right")) - 1
        rows, columns = self.heat.shape
        return (row, column) if row < rows and column < columns else None

    def on_mouse_scroll_down(self) -> None:
        """The wheel moves the cursor, three rows at a time."""
        self.action_move(3, 0)

    def on_mouse_scroll_up(self) -> None:
        """The wheel moves the cursor, three rows at a time."""
        self.action_move(-3, 0)

    def on_focus(self) -> None:
        """Draw the cursor as the active one."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw the cursor as a resting one."""
        self.refresh()


def _percent(value: float, down: bool) -> str:
    """A number of at most three characters; thousands of percent as ``k``.

    >>> _percent(2.25, False), _percent(12.34, False), _percent(250.0, False)
    ('225', '1k', '25k')
    """
    if down:
        return "dwn"
    if np.isnan(value):
        return ""
    if value < 9.995:
        return percent_number(value)
    return f"{value / 10:.0f}k" if value < 995 else "inf"


def _numbers(names: tuple[str, ...]) -> tuple[str, ...]:
    """The trailing number of every name, all of one length; positions where names have none.

    >>> _numbers(("spine00", "spine31")), _numbers(("a", "b"))
    (('00', '31'), ('0', '1'))
    """
    found = [re.search(r"(\d+)\D*$", name) for name in names]
    texts = [match.group(1) if match else "" for match in found]
    if not all(texts) or len(set(texts)) < len(texts):
        texts = [str(at) for at in range(len(names))]
    longest = max((len(text) for text in texts), default=1)
    return tuple(text.rjust(longest, "0" if longest > 1 else " ")[-3:] for text in texts)
