"""Driving the terminal UI in tests: open a scenario, press keys, read the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

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


async def settled(app: FabricApp, pilot: Pilot[Any], *, seconds: float = 60) -> None:
    """Wait until work in threads is done and what it changed is drawn."""
    for _ in range(int(seconds / 0.02)):
        await pilot.pause(0.02)
        if not app.busy:
            break
    else:
        raise AssertionError(f"still busy: {app.busy}\n{screen_text(app)}")
    await pilot.pause()
    await pilot.pause()


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

    asyncio.run(run())
    return app


async def press(app: FabricApp, pilot: Pilot[Any], *keys: str) -> str:
    """Press keys one after the other, wait for what they start, and return the screen."""
    for key in keys:
        await pilot.press(key)
        await settled(app, pilot)
    return screen_text(app)
