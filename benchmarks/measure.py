"""Running a child process within limits, and what it took: wall clock, peak memory, and what it printed."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("numpy", "scipy", "numba", "ortools", "networkx", "rustworkx", "ngraph", "netgraph-core")
MEMORY_GIB = 8  # address space of a child: a peer that wants more ends, and the machine lives
_MAXRSS_PER_MIB = 2**20 if sys.platform == "darwin" else 2**10
_NO_MEMORY = ("MemoryError", "bad_alloc", "Unable to allocate", "Cannot allocate memory", "std::length_error")


@dataclass(frozen=True)
class Run:
    """One run of a child process."""

    wall_s: float
    child_mib: float  # resident at most, as the kernel counted it for this child alone
    printed: Mapping[str, Any]  # the JSON object a case prints; empty for other commands

    @property
    def seconds(self) -> float:
        """What the case measured inside, else the whole process from start to end."""
        return float(self.printed.get("seconds", self.wall_s))

    @property
    def peak_mib(self) -> float:
        """Resident at most when the case stopped its clock, before it checked the answer; else of the whole process."""
        return float(self.printed.get("peak_mib", self.child_mib))


@dataclass(frozen=True)
class Failure:
    """Why there is no run: over a limit, out of memory, not installed, wrong, or broken."""

    reason: str
    is_fault: bool = False  # a wrong answer, or a crash that no limit explains
    is_over_limit: bool = False  # it was killed at its limit


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


def taken(began: float) -> dict[str, Any]:
    """For a case: seconds since ``began`` by ``time.perf_counter`` and the process's peak memory so far."""
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MAXRSS_PER_MIB}


def attempt(
    command: Sequence[str],
    *,
    limit_s: float = 3600.0,
    environment: Mapping[str, str] | None = None,
    accepted: Sequence[int] = (0,),
) -> Run | Failure:
    """Run a command from the repository root and wait for it; it is killed at its limit.

    Parameters
    ----------
    limit_s : float
        Wall clock of the whole process.
    accepted : sequence of int
        Exit codes that are not a failure.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        began = time.perf_counter()
        child = subprocess.Popen(
            command,
            stdout=out,
            stderr=complaints,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            preexec_fn=_guard_memory,
        )
        over = threading.Event()
        timer = threading.Timer(limit_s, lambda: (over.set(), child.kill()))
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        timer.cancel()
        wall_s = time.perf_counter() - began
        text, errors = _text(out), _text(complaints)
    if over.is_set():
        return Failure(f"over {limit_s:g} s", is_over_limit=True)
    if child.returncode not in accepted:
        return _explained(child.returncode, errors)
    printed = json.loads(text) if text.startswith("{") else {}
    if "failed" in printed:
        return Failure(str(printed["failed"]))
    return Run(wall_s, usage.ru_maxrss / _MAXRSS_PER_MIB, printed)


def _guard_memory() -> None:
    size = MEMORY_GIB * 2**30
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")


def _explained(code: int, errors: str) -> Failure:
    """Why a child ended, from its last output."""
    if any(word in errors for word in _NO_MEMORY):
        return Failure(f"out of memory ({MEMORY_GIB} GiB)")
    last = (errors.strip().splitlines() or [f"exit code {code}"])[-1]
    if last.startswith("ModuleNotFoundError"):
        return Failure(f"not installed: {last.split(': ', 1)[1]}")
    if "WrongAnswerError" in last:
        return Failure(f"WRONG: {last.split(': ', 1)[1]}", is_fault=True)
    return Failure(f"FAILED ({code}): {last[:120]}", is_fault=True)


def case(name: str, *arguments: str) -> list[str]:
    """The command that runs ``benchmarks.cases.NAME``."""
    return [sys.executable, "-m", f"benchmarks.cases.{name}", *arguments]


def has_case(name: str) -> bool:
    """Whether that file is there."""
    return (ROOT / "benchmarks" / "cases" / f"{name}.py").exists()


def fabric(*arguments: str) -> list[str]:
    """The command ``fabric``, that of this interpreter's environment."""
    return [str(Path(sys.executable).parent / "fabric"), *arguments]


def machine() -> str:
    """What the figures were measured on."""
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return (
        f"{len(os.sched_getaffinity(0))} cores ({_processor()}), {_memory_gib():.0f} GiB, {platform.system()}; "
        f"Python {platform.python_version()}, {packages}; load average {os.getloadavg()[0]:.1f} at the start"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


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
