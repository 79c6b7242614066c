"""What a process that a case starts took."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT


def ended(command: Sequence[str], environment: Mapping[str, str], began: float) -> tuple[str, dict[str, Any]]:
    """Run a command to its end: what it printed, and the seconds since ``began`` and its peak memory."""
    child = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE)
    assert child.stdout is not None
    text = child.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return text, {"seconds": time.perf_counter() - began, "peak_mib": usage.ru_maxrss / 2**10}


def memory_mib(status: Path) -> float | None:
    """Resident at most of a process that runs, as Linux's ``/proc`` says; None elsewhere."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
    except OSError:
        return None
    return int(found[1]) / 2**10 if found else None
