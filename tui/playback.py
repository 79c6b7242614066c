"""A session recorded while it goes on, and played again."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from textual import events
from textual.pilot import Pilot

from tui.recording import Recorder, Recording
from tui.shell import Shell


class Tape:
    """Writes down the keys and clicks that an app sees."""

    def __init__(self, path: Path, scenario: str | None) -> None:
        size = shutil.get_terminal_size()
        self._recorder = Recorder(path, scenario, (size.columns, size.lines))
        self._last: events.Event | None = None

    def see(self, event: events.Event) -> None:
        """An event on its way; a key that nobody took comes by again and is written once."""
        if event is not self._last and isinstance(event, events.Key):
            self._recorder.key(event.key)
        elif event is not self._last and isinstance(event, events.MouseDown):
            self._recorder.click(event.screen_x, event.screen_y)
        self._last = event

    def close(self) -> None:
        """The session is over."""
        self._recorder.close()


async def play(shell: Shell, recording: Recording, speed: float) -> None:
    """Play a session: each step when its time has come and the work of those before it is done."""
    pilot: Pilot[int] = Pilot(shell)
    began = time.monotonic()
    for step in recording.steps:
        await asyncio.sleep(max(step.at_s / speed - (time.monotonic() - began), 0.01))
        if step.key != "ctrl+c":
            await _idle(shell)
        if step.key is not None:
            shell.simulate_key(step.key)
        elif step.click is not None:
            await pilot.click(offset=step.click)
        await pilot.pause()  # what the key set off has been seen by all
    await _idle(shell)


async def _idle(shell: Shell) -> None:
    while shell.busy:
        await asyncio.sleep(0.02)
