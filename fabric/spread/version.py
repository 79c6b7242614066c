"""Which program this is: workers and checkpoints of another one are refused, as their numbers may be others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fabric.scenario.provenance import MODEL, SCHEMA
from fabric.scenario.provenance import version as installed

_PACKAGES = ("topologies", "traffic", "fabric")


@dataclass(frozen=True)
class Version:
    """Of the tool, of what it answers, and of its source."""

    tool: str
    schema: str
    source: str  # hash of its files

    @staticmethod
    def own() -> Version:
        """Of this process."""
        return Version(installed(), f"{SCHEMA} {MODEL['name']} {MODEL['version']}", _source())

    @property
    def text(self) -> str:
        """For people and for comparison."""
        return f"fabric-planner {self.tool}, {self.schema}, source {self.source[:12]}"


@cache
def _source() -> str:
    """Hash of all that is executed."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
