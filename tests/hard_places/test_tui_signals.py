"""A terminal screen that is ended from outside leaves the terminal as it was."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from plain_signals import plain_signals
from small_scenario import SCENARIO

ROOT = Path(__file__).parents[2]
_ENTER, _LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"  # the alternate screen


def read_until(master: int, wanted: bytes, seconds: float) -> bytes:
    """What the terminal gets until ``wanted`` is in it, or nothing comes any more."""
    seen, end = b"", time.monotonic() + seconds
    while wanted not in seen and time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                seen += os.read(master, 65536)
            except OSError:
                break
    return seen


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_leaves_the_alternate_screen_and_the_modes_of_the_terminal(tmp_path, number, code):
    """As q does; the exit code is the signal's."""
    (tmp_path / "s.yaml").write_text(SCENARIO)
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    program = "from fabric.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "tui", "s.yaml"], cwd=tmp_path, stdin=slave, stdout=slave, stderr=slave,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "XDG_STATE_HOME": str(tmp_path)},
        preexec_fn=plain_signals,
    )  # fmt: skip
    try:
        assert _ENTER in read_until(master, _ENTER, 240)
        read_until(master, b"\0\0", 3)
        process.send_signal(number)
        assert _LEAVE in read_until(master, _LEAVE, 30)
        while process.poll() is None:
            read_until(master, b"\0\0", 0.5)
        assert process.returncode == code
        assert termios.tcgetattr(slave) == before
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(slave)
        os.close(master)
