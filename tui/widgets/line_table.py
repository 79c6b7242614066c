"""A table on the line API: a row becomes text only when it is on the screen, so that 200,000 open at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fabric.output.table import Column, Table
from tui.style import Look
from tui.text import fitted

_GAP = 2
_MARK = 1  # room left of the first column for the cursor's mark, which shows without colour


class LineTable(ScrollView, can_focus=True):
    """A ``Table`` with a cursor; columns of low priority go where space is short."""

    BINDINGS: ClassVar = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown,ctrl+d", "page(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end,G", "edge(1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Chosen(Message):
        """Enter, or a double click, on a row."""

        def __init__(self, table: LineTable, position: int) -> None:
            super().__init__()
            self.table, self.position = table, position

        @property
        def control(self) -> LineTable:
            """The table."""
            return self.table

    class Moved(Chosen):
        """The cursor is on another row."""

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 - Textual's word
        empty: str = "nothing to show",
        row_style: Callable[[Table, int, Look], Style | None] | None = None,
    ) -> None:
        super().__init__(id=id)
        self.table = Table.of((), 0)
        self.look = Look()
        self.cursor = 0
        self.empty = empty
        self.stale = False  # figures wait for new ones
        self._row_style = row_style

    # ---- content ------------------------------------------------------------------------------------------------

    def show(self, table: Table, look: Look, *, cursor: int | None = None, stale: bool = False) -> None:
        """Show another table; the cursor stays where it is unless a row is given."""
        self.table, self.look, self.stale = table, look, stale
        self.cursor = max(0, min(self.cursor if cursor is None else cursor, len(table) - 1))
        self._fit()
        self.refresh()

    def _fit(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width or self.size.width, len(self.table) + 1)
        self._keep_in_view()

    def on_resize(self) -> None:
        """The frame has another size."""
        self._fit()

    def shown_columns(self, width: int) -> list[tuple[Column, int]]:
        """Columns that fit, with their widths; the widest text takes what is left."""
        kept = list(self.table.columns)

        def needed() -> int:
            return _MARK + sum(entry.width + _GAP for entry in kept) - _GAP

        while len(kept) > 1 and needed() > width:
            worst = max(entry.priority for entry in kept)
            if worst == 0:
                break
            last = max(at for at, entry in enumerate(kept) if entry.priority == worst)
            kept.pop(last)
        widths = [entry.width for entry in kept]
        if widths:
            spare = width - needed()
            wide = max(range(len(kept)), key=lambda at: (not kept[at].numeric, kept[at].width, -at))
            widths[wide] = max(4, widths[wide] + spare)
        return list(zip(kept, widths, strict=True))

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the header, then rows."""
        width = self.scrollable_content_region.width
        columns = self.shown_columns(width)
        if y == 0:
            words = [fitted(entry.header, size, right=entry.numeric) for entry, size in columns]
            return self._line([(" " * _MARK + (" " * _GAP).join(words), self.look.heading)], width)
        position = int(self.scroll_offset.y) + y - 1
        if position >= len(self.table):
            words = [self.empty] if not len(self.table) and y == 1 else [""]
            return self._line([(" " * _MARK + words[0], self.look.faint)], width)
        row = int(self.table.order[position])
        at_cursor = position == self.cursor
        style = self.look.faint if self.stale else None
        if style is None and self._row_style is not None:
            style = self._row_style(self.table, position, self.look)
        style = style or self.look.mark(self.table.mark(position))
        if at_cursor:
            style = style + (self.look.cursor if self.has_focus else self.look.soft_cursor)
        cells = [fitted(entry.cell(row), size, right=entry.numeric) for entry, size in columns]
        return self._line([((">" if at_cursor else " ") + (" " * _GAP).join(cells), style)], width)

    def _line(self, parts: list[tuple[str, Style]], width: int) -> Strip:
        strip = Strip([Segment(text, style) for text, style in parts]).adjust_cell_length(width, parts[-1][1])
        return strip.apply_style(self.rich_style)

    # ---- cursor -------------------------------------------------------------------------------------------------

    def record(self) -> dict[str, object] | None:
        """Values of the row under the cursor; None in an empty table."""
        return self.table.record(self.cursor) if len(self.table) else None

    def move_to(self, position: int) -> None:
        """Put the cursor on a row and keep it in view."""
        position = max(0, min(position, len(self.table) - 1))
        if not len(self.table) or position == self.cursor:
            return
        self.cursor = position
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Moved(self, position))

    def _keep_in_view(self) -> None:
        rows = max(self.size.height - 1, 1)
        top = int(self.scroll_offset.y)
        target = min(max(top, self.cursor - rows + 1), self.cursor)
        if target != top:
            self.scroll_to(y=target, animate=False, force=True, immediate=True)

    def action_move(self, rows: int) -> None:
        """Up or down."""
        self.move_to(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """A screen up or down."""
        self.move_to(self.cursor + pages * max(self.size.height - 2, 1))

    def action_edge(self, end: int) -> None:
        """First or last row."""
        self.move_to(len(self.table) - 1 if end else 0)

    def action_choose(self) -> None:
        """Enter."""
        if len(self.table):
            self.post_message(self.Chosen(self, self.cursor))
        else:
            self.notify("no row to choose", timeout=3)

    def on_click(self, event: events.Click) -> None:
        """A click selects, a second one chooses."""
        position = int(self.scroll_offset.y) + event.y - 1
        if event.y > 0 and 0 <= position < len(self.table):
            if event.chain > 1 or position == self.cursor:
                self.cursor = position
                self.action_choose()
            else:
                self.move_to(position)

    def on_focus(self) -> None:
        """Draw the cursor as the active one."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw the cursor as a resting one."""
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Redraw all lines: the header does not scroll."""
        super().watch_scroll_y(old_value, new_value)
        self.refresh(Region(0, 0, self.size.width, self.size.height))
