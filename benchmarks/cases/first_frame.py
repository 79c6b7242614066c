"""The terminal interface from its start to the first screen with words on it, on a terminal of 120 by 40."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from benchmarks.cases.children import memory_mib
from benchmarks.measure import ROOT, fabric

_ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?<>=]*[A-Za-z]|[()][A-Z0-9]|\][^\x07]*\x07|[=>])")
_WORDS = re.compile(rb"[A-Za-z]{3}")
_LIMIT_S = 60.0
_ENOUGH = 10  # words: a blank screen and its frame have none


def main(*scenario: str) -> None:
    """Print how long ``fabric tui`` takes until it has drawn, which is then ended."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    began = time.perf_counter()
    child = subprocess.Popen(
        [*fabric("tui"), *scenario],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    try:
        while len(_WORDS.findall(_ESCAPES.sub(b"", seen))) < _ENOUGH:
            if time.perf_counter() - began > _LIMIT_S:
                print(json.dumps({"failed": f"nothing is drawn within {_LIMIT_S:g} s"}))
                return
            seen += os.read(ours, 65_536)
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "peak_mib": memory_mib(Path(f"/proc/{child.pid}/status"))}))
    except OSError:
        print(
            json.dumps({"failed": f"ended before it drew: {_ESCAPES.sub(b'', seen)[-100:].decode(errors='replace')}"})
        )
    finally:
        child.kill()
        child.wait()
        os.close(ours)


if __name__ == "__main__":
    main(*sys.argv[1:])
