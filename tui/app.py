"""The app: the shell, what its keys do, and the screens, put together."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.filter import Monochrome, NoColor

from fabric.cli.exit_codes import BY_SIGNAL
from fabric.cli.interrupts import SIGNALS
from tui.actions.answers import Answers
from tui.actions.changing import Changing
from tui.actions.finding import Finding
from tui.actions.looking import Looking
from tui.actions.moving import Moving
from tui.keys import SHELL_KEYS
from tui.options import Start
from tui.playback import Tape, play
from tui.start.error import ErrorScreen
from tui.start.start import StartScreen
from tui.start.waiting import WaitingScreen
from tui.style import DARK, LIGHT, Look
from tui.views import views


class FabricApp(Moving, Looking, Changing, Answers, Finding):
    """The planner in a terminal."""

    TITLE = "fabric"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [key.binding for key in SHELL_KEYS]
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (80, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-normal"), (32, "-tall")]  # noqa: RUF012
    SCREENS: ClassVar = {"start": StartScreen, "waiting": WaitingScreen, "error": ErrorScreen}

    def __init__(self, start: Start = Start()) -> None:
        no_colour = "NO_COLOR" in os.environ
        look = Look(dark=start.theme == "dark", colour=not no_colour, ascii=start.ascii or no_colour)
        super().__init__(start, look, views())
        for view in self.views.values():
            self.bind(view.opener.key, view.opener.action, description=view.help, show=False)
        # Textual's own answer to NO_COLOR is grey; the convention asks for no colour at all.
        self._filters = [entry for entry in self._filters if not isinstance(entry, Monochrome)]
        if no_colour and not any(isinstance(entry, NoColor) for entry in self._filters):
            self._filters.append(NoColor())
        self._tape = Tape(Path(start.record), start.path) if start.record else None

    def on_mount(self) -> None:
        """Open what was named, or ask."""
        if not self.is_headless:
            self._leave_on_signals()
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.draw(self.look)
        self.push_screen("start" if self.start.path is None else "waiting")
        if self.start.path is not None:
            self.read(self.start.path)
        if self.start.replay is not None:
            self.run_worker(self._replay(), exit_on_error=True)

    def _leave_on_signals(self) -> None:
        """End as a key would, so that the terminal is left as it was: when killed, and when the terminal is closed."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, partial(self.exit, BY_SIGNAL + number, message="interrupted"))

    def on_unmount(self) -> None:
        """The session is over."""
        if self._tape is not None:
            self._tape.close()

    async def on_event(self, event: events.Event) -> None:
        """Record keys and clicks on their way."""
        if self._tape is not None:
            self._tape.see(event)
        await super().on_event(event)

    async def _replay(self) -> None:
        if self.start.replay is not None:
            await play(self, self.start.replay, self.start.speed)
            if self.start.leave:
                self.exit(0)

    def action_cancel(self) -> None:
        """Stop waiting for the work under way."""
        if not self.busy:
            self.notify("q leaves", timeout=3)
            return
        self.drop_work()
        if self.session is None:
            self.exit(130)
            return
        self.session.stale = False
        self.notify("cancelled", timeout=3)
        self.refresh_view()

    async def action_quit(self) -> None:
        """Leave; what was tried and not saved is named on the way out."""
        session = self.session
        if session is not None and len(session.changes):
            command = session.changes.command(session.loaded, session.request)
            self.exit(0, message=f"{len(session.changes)} changes were tried and not saved; they are:\n  {command}")
        else:
            self.exit(0)


def run(start: Start) -> int:
    """Run the app in this terminal; the exit code."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    return FabricApp(start).run(mouse=True) or 0
