"""A dialogue with text to read: explanations, commands."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from tui.shell import ShellDialogue
from tui.text import safe


class Reading(ShellDialogue[None]):
    """Text that scrolls; esc or q closes it."""

    BINDINGS: ClassVar = [
        Binding("escape,q,enter", "leave", show=False),
        Binding("down,j", "lines(1)", show=False),
        Binding("up,k", "lines(-1)", show=False),
        Binding("pagedown,space", "lines(15)", show=False),
        Binding("pageup", "lines(-15)", show=False),
    ]

    CSS = """
    Reading { #reading-body { height: auto; max-height: 100%; } }
    """

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading, self.text = title, text

    def compose(self) -> ComposeResult:
        """The text."""
        with Vertical() as box:
            box.border_title = Text(safe(self.heading)).markup
            box.border_subtitle = "esc closes"
            yield VerticalScroll(Static(self._lines(), id="reading"), id="reading-body")

    def _lines(self) -> Text:
        lines = "\n".join(safe(line) for line in self.text.expandtabs(4).splitlines())
        return Text(lines, self.shell.look.text)

    def fill(self, text: str) -> None:
        """Another text."""
        self.text = text
        self.query_one("#reading", Static).update(self._lines())

    @staticmethod
    def note(words: str) -> str:
        """Words for the frame; they are not markup."""
        return Text(safe(words)).markup

    def action_lines(self, lines: int) -> None:
        """Scroll."""
        self.query_one("#reading-body", VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)
