"""Driving the terminal UI in tests: open a scenario, press keys, read the screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from textual.pilot import Pilot

from tui.app import FabricApp
from tui.options import Start
from tui.start.error import ErrorScreen

QUICKSTART = "examples/quickstart.fabric.yaml"
TRAIN = "examples/train-2k.fabric.yaml"
SIZE = (120, 40)


def screen_lines(app: FabricApp) -> list[str]:
    """The screen as text, one string per row."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


def screen_text(app: FabricApp) -> str:
    """The screen as text."""
    return "\n".join(screen_lines(app))


async def settled(app: FabricApp, pilot: Pilot[Any], *, seconds: float = 300) -> None:
    """Wait until work in threads is done and what it changed is drawn."""
    end, quiet = time.monotonic() + seconds, 0
    while quiet < 3:  # what is drawn last may start further work
        await pilot.pause()
        quiet = 0 if app.busy else quiet + 1
        if app.busy:
            assert time.monotonic() < end, f"still busy: {app.busy}\n{screen_text(app)}"
            await asyncio.sleep(0.02)


async def _turn(*_: float) -> None:
    """Let others run until what a message leads to, and what that leads to, was handled: 20 links of such a chain."""
    for _ in range(20):
        await asyncio.sleep(0)


def drive(
    steps: Callable[[FabricApp, Pilot[Any]], Awaitable[None]],
    path: str | None = QUICKSTART,
    *,
    size: tuple[int, int] = SIZE,
    **start: Any,
) -> FabricApp:
    """Run the app on a scenario and hand it to ``steps`` once it is open (or has said why not)."""
    app = FabricApp(Start(path, **start))

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await settled(app, pilot)
            assert path is None or app.session is not None or isinstance(app.screen, ErrorScreen)
            await steps(app, pilot)

    with without_idling():
        asyncio.run(run())
    return app


@contextmanager
def without_idling() -> Iterator[None]:
    """Textual's own pilot guesses from processor time that the app is idle, 20 ms at a time, several times a key."""
    with patch("textual.app.wait_for_idle", _turn), patch("textual.pilot.wait_for_idle", _turn):
        yield


async def press(app: FabricApp, pilot: Pilot[Any], *keys: str) -> str:
    """Press keys one after the other, wait for what they start, and return the screen."""
    for key in keys:
        await pilot.press(key)
        await settled(app, pilot)
    return screen_text(app)


async def typed(app: FabricApp, pilot: Pilot[Any], text: str) -> str:
    """Type a text, wait for what it starts, and return the screen."""
    await pilot.press(*text)
    await settled(app, pilot)
    return screen_text(app)
