"""A scenario that does not open: what is wrong, where, and the way out; never a traceback."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.shell import ShellScreen
from tui.text import safe


class ErrorScreen(ShellScreen[None]):
    """The errors of a file, located; the file can be read again or another one opened."""

    BINDINGS: ClassVar = [
        Binding("r", "retry", show=False),
        Binding("o,escape", "other", show=False),
    ]
    CSS = """
    ErrorScreen { #error-body { height: 1fr; padding: 1 2; } }
    """

    def compose(self) -> ComposeResult:
        """Heading, errors, keys."""
        yield Static(id="heading", classes="line")
        yield VerticalScroll(Static(id="errors"), id="error-body", can_focus=True)
        yield Static(Text(" r read again   o open another   q quit", self.shell.look.heading), classes="line")

    def on_screen_resume(self) -> None:
        """What went wrong last."""
        failure, look = self.shell.failure, self.shell.look
        heading = Text(safe(f" fabric │ {failure.path} does not open"), look.bad)
        self.query_one("#heading", Static).update(heading)
        text = "\n".join(safe(line) for line in failure.text.splitlines())
        self.query_one("#errors", Static).update(Text(text, look.text))

    def action_retry(self) -> None:
        """The file may have been mended meanwhile."""
        self.shell.open(self.shell.failure.path)

    def action_other(self) -> None:
        """Another file."""
        self.shell.switch_screen("start")
