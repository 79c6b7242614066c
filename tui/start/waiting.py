"""What is being done before there is anything to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from tui.text import safe

if TYPE_CHECKING:
    from tui.app import FabricApp

_FRAMES = "|/-\\"


class WaitingScreen(Screen[None]):
    """One line that moves; ctrl+c cancels."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static(id="waiting")

    def on_mount(self) -> None:
        """Keep the line moving."""
        self._ticks = 0
        self.set_interval(0.15, self._tick)
        self._tick()

    def _tick(self) -> None:
        app = cast("FabricApp", self.app)
        self._ticks += 1
        words = f"{_FRAMES[self._ticks % len(_FRAMES)]} {safe(app.busy)}\n\nctrl+c cancels"
        self.query_one("#waiting", Static).update(Text(words, app.look.text, justify="center"))
