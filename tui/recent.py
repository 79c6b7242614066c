"""The files opened last, kept in the user's state folder; never a reason to fail."""

from __future__ import annotations

import json
import os
from pathlib import Path

from topologies.whole_file import whole_file

_MOST = 20


def _place() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 - a user without a home is no failure
    return Path(base) / "fabric" / "recent.json"


def recent_files() -> list[str]:
    """Paths that still exist, the last opened first."""
    try:
        known = json.loads(_place().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    paths = [path for path in known if isinstance(path, str)] if isinstance(known, list) else []
    return [path for path in paths if Path(path).exists()][:_MOST]


def remember(path: str) -> None:
    """Put a path first; where the folder cannot be written, nothing is kept."""
    whole = os.path.realpath(path)
    paths = [whole, *(known for known in recent_files() if known != whole)][:_MOST]
    place = _place()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(place) as beside:
            beside.write_text(json.dumps(paths), encoding="utf-8")
    except OSError:
        return
