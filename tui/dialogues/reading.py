"""A dialogue with text to read: explanations, commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.text import safe

if TYPE_CHECKING:
    from tui.app import FabricApp


class Reading(ModalScreen[None]):
    """Text that scrolls; esc or q closes it."""

    BINDINGS: ClassVar = [
        Binding("escape,q,enter", "leave", show=False),
        Binding("down,j", "lines(1)", show=False),
        Binding("up,k", "lines(-1)", show=False),
        Binding("pagedown,space", "lines(15)", show=False),
        Binding("pageup", "lines(-15)", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__(classes="dialogue")
        self.words, self.text = title, text

    def compose(self) -> ComposeResult:
        """The text."""
        look = cast("FabricApp", self.app).look
        with Vertical() as box:
            box.border_title = Text(safe(self.words)).markup
            box.border_subtitle = "esc closes"
            lines = "\n".join(safe(line) for line in self.text.expandtabs(4).splitlines())
            yield VerticalScroll(Static(Text(lines, look.text), id="reading"), id="reading-body")

    def action_lines(self, lines: int) -> None:
        """Scroll."""
        self.query_one("#reading-body", VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)
