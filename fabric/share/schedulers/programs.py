"""Whether the real program takes an export, where one is installed that reads it without a cluster: ``kubectl``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fabric.share.schedulers.format import SchedulerPlan
from fabric.share.schedulers.node_labels import NODES

_SECONDS = 120.0


@dataclass(frozen=True)
class Taken:
    """Whether a program takes a file."""

    program: str
    file: str
    refused: str  # its message; empty where it takes the file


def tried(folder: Path, plan: SchedulerPlan) -> Iterator[Taken]:
    """Every list of nodes in a folder, read by ``kubectl label --local``, which asks no cluster; none without it."""
    program = shutil.which("kubectl")
    if program is None:
        return
    import subprocess

    for fabric in plan.trees:
        path = folder / f"{plan.folder(fabric)}{NODES}"
        if not path.exists():
            continue
        words = [program, "label", "--local", "-f", str(path), "fabric-planner/checked=yes", "-o", "name"]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=False)
            refused = "" if done.returncode == 0 else " ".join(done.stderr.split())[:300] or "it failed without a word"
        except subprocess.TimeoutExpired:
            refused = f"it did not end within {_SECONDS:.0f} s"
        except OSError as error:
            refused = error.strerror or str(error)
        yield Taken("kubectl", path.relative_to(folder).as_posix(), refused)
