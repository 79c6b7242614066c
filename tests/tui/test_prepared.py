"""A large fabric: what screens show is worked out in a thread, and no key waits for it."""

from __future__ import annotations

import threading
from typing import Any

from pilot import QUICKSTART, drive, press, screen_text
from textual.pilot import Pilot

from tui import session as sessions
from tui.app import FabricApp


def test_maps_and_tables_of_a_large_fabric_are_made_in_a_thread(monkeypatch) -> None:
    """With every fabric large: each screen and phase, none of whose maps and tables the thread of the keys makes."""
    monkeypatch.setattr(sessions, "LARGE", 0)
    made: list[tuple[str, bool]] = []

    def watched(name):
        real = getattr(sessions, name)

        def call(*arguments):
            made.append((name, threading.current_thread() is threading.main_thread()))
            return real(*arguments)

        return call

    for name in ("heat_map", "link_table", "FabricTree", "by_heat"):
        monkeypatch.setattr(sessions, name, watched(name))

    async def steps(app: FabricApp, pilot: Pilot[Any]) -> None:
        assert "Hottest" in screen_text(app)
        first = len(made)
        for keys, words in ((("2",), "Heat"), (("d",), "down"), (("4",), "rows"), (("3",), "ports"), (("1",), "Tiers")):
            assert words in await press(app, pilot, *keys)
        await press(app, pilot, "]", "2")
        assert len(made) > first

    drive(steps, QUICKSTART)
    assert {name for name, _ in made} == {"heat_map", "link_table", "FabricTree", "by_heat"}
    assert not any(on_main for _, on_main in made)
