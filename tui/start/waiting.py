"""What is being done before there is anything to show."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from tui.shell import ShellScreen
from tui.text import safe

_FRAMES = "|/-\\"


class WaitingScreen(ShellScreen[None]):
    """One line that moves; ctrl+c cancels."""

    CSS = """
    WaitingScreen { #waiting { width: 100%; height: 100%; content-align: center middle; } }
    """

    _ticks = 0

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static(id="waiting")

    def on_screen_resume(self) -> None:
        """Keep the line moving."""
        self._ticker = self.set_interval(0.15, self._tick)
        self._tick()

    def on_screen_suspend(self) -> None:
        """Nothing moves where nobody looks."""
        self._ticker.stop()

    def _tick(self) -> None:
        self._ticks += 1
        line = f"{_FRAMES[self._ticks % len(_FRAMES)]} {safe(self.shell.busy)}\n\nctrl+c cancels"
        self.query_one("#waiting", Static).update(Text(line, self.shell.look.text, justify="center"))
