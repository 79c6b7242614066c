"""Running a child process, and what it took: wall clock, peak memory, and what it printed."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("numpy", "scipy", "numba", "ortools", "networkx", "pydantic")


@dataclass(frozen=True)
class Run:
    """One run of a child process."""

    wall_s: float
    peak_mib: float  # resident, as the kernel counted it for this child alone
    printed: Mapping[str, Any]  # the JSON object a case prints; empty for other commands

    @property
    def seconds(self) -> float:
        """What the case measured inside, else the whole process from start to end."""
        return float(self.printed.get("seconds", self.wall_s))


@dataclass(frozen=True)
class Spread:
    """Median and range of several runs."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return Spread(statistics.median(values), min(values), max(values))


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None, accepted: Sequence[int] = (0,)) -> Run:
    """Run a command from the repository root and wait for it; ``accepted`` are its exit codes that are no failure.

    Raises
    ------
    SystemExit
        When it fails; its standard error is shown.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        began = time.perf_counter()
        child = subprocess.Popen(
            command, stdout=out, stderr=complaints, cwd=ROOT, env={**os.environ, **(environment or {})}
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        for stream in (out, complaints):
            stream.seek(0)
        if child.returncode not in accepted:
            raise SystemExit(f"{' '.join(command)} ended with {child.returncode}:\n{complaints.read().decode()}")
        text = out.read().decode()
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Run(wall_s, usage.ru_maxrss / unit, json.loads(text) if text.startswith("{") else {})


def case(name: str, *arguments: str) -> list[str]:
    """The command that runs ``benchmarks.cases.NAME``."""
    return [sys.executable, "-m", f"benchmarks.cases.{name}", *arguments]


def fabric(*arguments: str) -> list[str]:
    """The command ``fabric``, that of this interpreter's environment."""
    return [str(Path(sys.executable).parent / "fabric"), *arguments]


def machine() -> str:
    """What the figures were measured on."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{len(os.sched_getaffinity(0))} cores ({_processor()}), {_memory_gib():.0f} GiB, {platform.system()}; "
        f"Python {platform.python_version()}, {packages}; load average {os.getloadavg()[0]:.1f} at the start"
    )


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
