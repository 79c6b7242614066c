"""Sessions as files: every key with its time, one JSON object per line, to be played again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from topologies.errors import FormatError, ScenarioError
from topologies.reading.json_value import parse_json

VERSION = 1


class Recorder:
    """Writes a session as it goes; what was written is whole lines, also after a crash."""

    def __init__(self, path: Path, scenario: str | None, size: tuple[int, int]) -> None:
        if path.exists():
            raise ScenarioError(f"{path} exists", code="FP9402", hint="record to another file")
        try:
            self._file: TextIO = path.open("w", encoding="utf-8")
        except OSError as error:
            raise ScenarioError(
                f"cannot write {path}: {error.strerror}", code="FP9402", hint="record to another file"
            ) from None
        self._began = time.monotonic()
        self._write({"fabric-session": VERSION, "scenario": scenario, "columns": size[0], "rows": size[1]})

    def key(self, key: str) -> None:
        """A key was pressed."""
        self._write({"at_s": round(time.monotonic() - self._began, 3), "key": key})

    def click(self, x: int, y: int) -> None:
        """A mouse button went down, at a cell of the screen."""
        self._write({"at_s": round(time.monotonic() - self._began, 3), "click": [x, y]})

    def _write(self, record: dict[str, Any]) -> None:
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()

    def close(self) -> None:
        """The session is over."""
        self._file.close()


@dataclass(frozen=True)
class Step:
    """One key or click of a recorded session."""

    at_s: float
    key: str | None
    click: tuple[int, int] | None


@dataclass(frozen=True)
class Recording:
    """A session read back."""

    scenario: str | None
    steps: tuple[Step, ...]


def read_recording(path: Path) -> Recording:
    """Read a session.

    Raises
    ------
    ScenarioError
        FP9402 with the line, where it is none or of a newer version.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path} cannot be read: {error}", code="FP9402", hint="name a recording") from None
    head = _record(path, 1, lines[0] if lines else "")
    version = head.get("fabric-session")
    if version != VERSION:
        raise ScenarioError(
            f"{path} is not a recording of version {VERSION}", code="FP9402", hint="fabric tui --record FILE makes one"
        )
    return Recording(head.get("scenario"), tuple(_steps(path, lines[1:])))


def _steps(path: Path, lines: list[str]) -> Iterator[Step]:
    for number, line in enumerate(lines, 2):
        record = _record(path, number, line)
        key, click = record.get("key"), record.get("click")
        at = record.get("at_s", 0.0)
        place: tuple[int, int] | None = None
        if isinstance(click, list) and len(click) == 2 and all(isinstance(value, int) for value in click):
            place = (click[0], click[1])
        if not isinstance(at, int | float) or not (isinstance(key, str) or place):
            raise ScenarioError(
                f"{path}:{number}: neither key nor click", code="FP9402", hint="mend or remove the line"
            )
        yield Step(float(at), key if isinstance(key, str) else None, place)


def _record(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = parse_json(line, str(path)).value
    except FormatError:
        record = None
    if not isinstance(record, dict):
        raise ScenarioError(
            f"{path}:{number}: no JSON object", code="FP9402", hint="fabric tui --record FILE makes one"
        )
    return record
