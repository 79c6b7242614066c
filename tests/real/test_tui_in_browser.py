"""``textual serve``: the terminal UI in a page of a real browser shows the overview and answers keys."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium_page import Page
from real_programs import require

pytestmark = [pytest.mark.slow, pytest.mark.real_browser]

_SERVE = """
import sys
from textual_serve.server import Server
Server(sys.argv[1], host="127.0.0.1", port=int(sys.argv[2])).serve()
"""
_ESCAPES = re.compile(r"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b[()][A-Z0-9]")


def _children(pid: int) -> list[int]:
    """Processes started by a process, by /proc."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(place.parent.name))
    return found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The quickstart served on a free port of the loopback."""
    require("chromium")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).parent / "fabric"
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVE, f"{program} tui examples/quickstart.fabric.yaml", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/?fontsize=12"
    finally:
        # The app does not end with its server, nor by SIGTERM.
        for child in _children(server.pid):
            os.kill(child, signal.SIGKILL)
        server.kill()
        server.wait()


def test_the_page_shows_the_overview_and_answers_keys(served: str, tmp_path: Path) -> None:
    """What the page receives is the overview, it draws something, and its key 2 brings the heat map."""
    with Page(served, tmp_path / "profile") as page:

        def until(words: str, since: int = 0) -> str:
            for _ in range(300):
                page.value("1")
                text = _ESCAPES.sub("", "".join(page.frames[since:]))
                if words in text:
                    return text
                time.sleep(0.1)
            page.screenshot(tmp_path / "never.png")
            raise AssertionError(f"never saw {words!r} in:\n{text[-3000:]}")

        text = until("OVERVIEW")
        assert "quickstart" in text
        blank = tmp_path / "page.png"
        page.screenshot(blank)
        assert blank.stat().st_size > 20_000  # an empty page compresses to a few kilobytes
        before = len(page.frames)
        page.value("document.querySelector('textarea')?.focus()")
        page.press("2")
        until("HEAT MAP", before)
