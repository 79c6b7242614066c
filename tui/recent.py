"""The files opened last, kept in the user's state folder; never a reason to fail."""

from __future__ import annotations

import json
import os
from pathlib import Path

from topologies.errors import FormatError
from topologies.reading.json_value import read_json
from topologies.whole_file import whole_file

_MOST = 20


def _place() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 - a user without a home is no failure
    return Path(base) / "fabric" / "recent.json"


def recent_files() -> list[str]:
    """Paths that still exist, the last opened first."""
    try:
        paths = [path.text() for path in read_json(_place()).each()]
    except FormatError:
        return []
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
