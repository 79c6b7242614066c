"""The terminal UI in a real terminal: tmux, real keys, the screen read back."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from real_programs import require

TRAIN = "examples/train-2k.fabric.yaml"
pytestmark = [pytest.mark.slow]


class Tmux:
    """One session of a tmux server of the test's own."""

    def __init__(self, socket: Path, columns: int, rows: int, command: str) -> None:
        self.socket = socket
        self._tmux("new-session", "-d", "-s", "t", "-x", str(columns), "-y", str(rows), command)

    def _tmux(self, *words: str) -> str:
        found = subprocess.run(
            ["tmux", "-f", "/dev/null", "-S", str(self.socket), *words], capture_output=True, text=True, timeout=20
        )
        return found.stdout

    def keys(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        for key in keys:
            self._tmux("send-keys", "-t", "t", key)
            time.sleep(0.05)

    def screen(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p", "-t", "t")

    def until(self, holds: Callable[[str], object], what: str) -> str:
        """The screen as soon as it is as it should be."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            text = self.screen()
            if holds(text):
                return text
            time.sleep(0.1)
        raise AssertionError(f"never saw {what}:\n{self.screen()}")

    def stop(self) -> None:
        """End the server."""
        self._tmux("kill-server")


@pytest.fixture(params=[(120, 40), (80, 24)], ids=["120x40", "80x24"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tmux]:
    """fabric tui on the 2,048-GPU example."""
    require("tmux")
    program = Path(sys.executable).parent / "fabric"
    environment = f"XDG_STATE_HOME={tmp_path} COLORTERM=truecolor"
    place = Path("/tmp") / f"fabric-tmux-{os.getpid()}-{request.param[0]}"  # a socket's path is short
    session = Tmux(place, *request.param, f"env {environment} {program} tui {TRAIN}; echo left with $?; sleep 30")
    try:
        yield session
    finally:
        session.stop()
        place.unlink(missing_ok=True)


def test_from_the_tier_to_the_flow_and_a_killed_spine(terminal: Tmux) -> None:
    """Congested at sight; four keys to the flows; a spine killed and back; the command that reproduces it."""
    text = terminal.until(lambda text: "CONGESTED" in text, "the verdict")
    assert "OVERVIEW" in text
    terminal.keys("Down", "Down", "Down", "Enter")
    terminal.until(lambda text: "HEAT MAP" in text and "spine18 port10" in text, "the heat map of leaf-spine")
    terminal.keys("Enter")
    text = terminal.until(lambda text: "FLOWS" in text and "hashed flows" in text, "the flows of the hottest link")
    assert "291.3 %" in text
    assert "12 hashed flows" in text
    terminal.keys("g")
    terminal.until(lambda text: "Go to" in text, "the dialogue")
    terminal.keys(*"spine07", "Enter")
    terminal.until(lambda text: "TOPOLOGY" in text and "spine07" in text, "the switch")
    terminal.keys("x", "6")
    text = terminal.until(lambda text: "down spine07" in text and "routing …" not in text, "the change and its effect")
    assert re.search(r"max offered +291\.3 %", text)
    terminal.keys("y")
    terminal.until(lambda text: "--down=spine07" in text, "the command")
    terminal.keys("Escape")
    terminal.until(lambda text: "--down=spine07" not in text, "the dialogue closed: esc and a key at once are alt")
    terminal.keys("u")
    terminal.until(lambda text: "nothing changed yet" in text, "the base again")
    terminal.keys("q")
    terminal.until(lambda text: "left with 0" in text, "a clean end")
