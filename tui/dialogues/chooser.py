"""A dialogue that finds one of many things by a few letters: palette, go to, help."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input

from fabric.output.table import Table
from tui.shell import ShellDialogue
from tui.widgets.line_table import LineTable


class Chooser(ShellDialogue[int | None]):
    """A line to type in and the rows it leaves; the answer is the row's id, or None."""

    BINDINGS: ClassVar = [
        Binding("escape", "leave", show=False),
        Binding("down", "row(1)", show=False, priority=True),
        Binding("up", "row(-1)", show=False, priority=True),
        Binding("pagedown", "row(10)", show=False, priority=True),
        Binding("pageup", "row(-10)", show=False, priority=True),
    ]

    def __init__(self, title: str, find: Callable[[str], Table], *, hint: str = "type to search") -> None:
        super().__init__()
        self.heading, self.find, self.hint = title, find, hint

    def compose(self) -> ComposeResult:
        """Line and rows."""
        with Vertical() as box:
            box.border_title = self.heading
            box.border_subtitle = "enter takes it, esc leaves"
            yield Input(placeholder=self.hint, id="query")
            yield LineTable(id="rows", empty="nothing matches")

    def on_mount(self) -> None:
        """All rows at first."""
        self.query_one(Input).focus()
        self._show("")

    def _show(self, query: str) -> None:
        table = self.query_one("#rows", LineTable)
        table.show(self.find(query), self.shell.look, cursor=0)
        table.styles.height = max(min(len(table.table) + 1, self.app.size.height - 8), 2)

    def on_input_changed(self, message: Input.Changed) -> None:
        """Fewer or more rows."""
        self._show(message.value)

    def on_input_submitted(self, _: Input.Submitted) -> None:
        """Enter in the line takes the row under the cursor."""
        table = self.query_one("#rows", LineTable)
        self.dismiss(int(table.table.order[table.cursor]) if len(table.table) else None)

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """A click on a row."""
        self.dismiss(int(message.table.table.order[message.position]))

    def action_row(self, rows: int) -> None:
        """The cursor moves while the line keeps the focus."""
        self.query_one("#rows", LineTable).action_move(rows)

    def action_leave(self) -> None:
        """Nothing chosen."""
        self.dismiss(None)
