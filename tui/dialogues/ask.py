"""A dialogue with one line to fill in."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui.shell import ShellDialogue


class Ask(ShellDialogue[str | None]):
    """One line of text, or None when left by esc."""

    BINDINGS: ClassVar = [Binding("escape", "leave", show=False)]

    def __init__(self, title: str, *, value: str = "", hint: str = "") -> None:
        super().__init__()
        self.heading, self.value, self.hint = title, value, hint

    def compose(self) -> ComposeResult:
        """Line and hint."""
        with Vertical() as box:
            box.border_title = self.heading
            box.border_subtitle = "enter takes it, esc leaves"
            yield Input(value=self.value, id="answer")
            yield Static(self.hint, markup=False)

    def on_mount(self) -> None:
        """Ready to type."""
        self.query_one(Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter."""
        self.dismiss(message.value)

    def action_leave(self) -> None:
        """Cancelled, with no answer."""
        self.dismiss(None)
