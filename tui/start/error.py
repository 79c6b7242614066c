"""A scenario that does not open: what is wrong, where, and the way out; never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from tui.opening import OpeningFailed
from tui.text import safe

if TYPE_CHECKING:
    from tui.app import FabricApp


class ErrorScreen(Screen[None]):
    """The errors of a file, located; the file can be read again or another one opened."""

    BINDINGS: ClassVar = [
        Binding("r", "retry", show=False),
        Binding("o,escape", "other", show=False),
    ]

    def __init__(self, failed: OpeningFailed) -> None:
        super().__init__()
        self.failed = failed

    def compose(self) -> ComposeResult:
        """Heading, errors, keys."""
        app = cast("FabricApp", self.app)
        yield Static(Text(safe(f" fabric │ {self.failed.path} does not open"), app.look.bad), classes="line")
        text = "\n".join(safe(line) for line in self.failed.text.splitlines())
        yield VerticalScroll(Static(Text(text, app.look.text), id="errors"), id="error-body", can_focus=True)
        yield Static(Text(" r read again   o open another   q quit", app.look.heading), classes="line")

    def action_retry(self) -> None:
        """The file may have been mended meanwhile."""
        app = cast("FabricApp", self.app)
        app.switch_screen("waiting")
        app.open(self.failed.path)

    def action_other(self) -> None:
        """Another file."""
        self.app.switch_screen("start")
