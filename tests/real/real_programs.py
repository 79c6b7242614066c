"""Whether the real programs that a test needs are here: it is skipped without them, and fails where they must be."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

SEARCHED = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/lib/frr"))


def require(*programs: str, root: bool = True) -> None:
    """Skip the module without these programs, or without root; fail it where ``FABRIC_REQUIRE_REAL`` is set."""
    missing = [program for program in programs if shutil.which(program, path=SEARCHED) is None]
    why = f"not installed: {', '.join(missing)}" if missing else ""
    if not why and root and os.geteuid() != 0:
        why = "needs root for network namespaces"
    _skip_or_fail(why)


def require_here(*paths: Path) -> None:
    """Skip or fail likewise without these files, which ``scripts/`` put into the virtual environment."""
    missing = [path.name for path in paths if not path.exists()]
    _skip_or_fail(f"not in {paths[0].parent}: {', '.join(missing)}" if missing else "")


def _skip_or_fail(why: str) -> None:
    if why and os.environ.get("FABRIC_REQUIRE_REAL"):
        pytest.fail(f"{why}; scripts/setup.sh dev installs what tests need", pytrace=False)
    if why:
        pytest.skip(why, allow_module_level=True)
