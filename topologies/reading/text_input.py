"""Reading foreign text files: find everything that is wrong, say where, and report it at once."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

from topologies.errors import FormatError, Problem
from topologies.reading.file_bytes import file_bytes

MAX_PROBLEMS = 20
EVERY_PROBLEM = 1_000_000_000  # for readers that take what is sound, and list the rest
_SHOWN_CHARACTERS = 60


class Findings:
    """Collects the problems of one file; ``finish`` raises them together.

    After ``MAX_PROBLEMS`` problems reading stops: a file that is wrong throughout has one cause, not thousands.
    """

    def __init__(self, file: str | Path, *, limit: int = MAX_PROBLEMS) -> None:
        self.file = str(file)
        self.limit = limit
        self._problems: list[Problem] = []
        self._notes: list[str] = []

    def note(self, *texts: str) -> None:
        """Say what was assumed or left out where nothing is wrong."""
        self._notes += [text for text in texts if text not in self._notes]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was said so far."""
        return tuple(self._notes)

    def add(
        self,
        message: str,
        *,
        code: str,
        line: int | None = None,
        column: int | None = None,
        length: int = 1,
        hint: str = "",
    ) -> None:
        """Record a problem.

        Raises
        ------
        FormatError
            When this is problem number ``limit``.
        """
        self._problems.append(
            Problem(message, code=code, file=self.file, line=line, column=column, length=length, hint=hint)
        )
        if len(self._problems) >= self.limit:
            note = f"stopped reading after {self.limit} problems"
            self._problems[-1] = replace(self._problems[-1], notes=(note,))
            raise self.error()

    def __bool__(self) -> bool:
        return bool(self._problems)

    @property
    def found(self) -> tuple[Problem, ...]:
        """The problems so far."""
        return tuple(self._problems)

    def error(self) -> FormatError:
        """What was found so far, in the order of the lines."""
        return FormatError(sorted(self._problems, key=lambda problem: (problem.line or 0, problem.column or 0)))

    def finish(self) -> None:
        """Raise what was found; nothing found, nothing raised.

        Raises
        ------
        FormatError
            When there is at least one problem.
        """
        if self._problems:
            raise self.error()


def shown(value: object) -> str:
    """A value from a file as an error message quotes it: in quotes, and not longer than a line.

    >>> shown("9.9G")
    "'9.9G'"
    """
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a file.

    Raises
    ------
    FormatError
        When the file cannot be read, or has more bytes than there is memory for.
    """
    try:
        return file_bytes(path)
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "check the path; a path in a scenario is relative to the scenario file"
        raise FormatError(f"cannot read the file: {reason}", file=str(path), hint=hint, code="FP6001") from error


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, with or without a byte order mark; line ends are kept as they are.

    Raises
    ------
    FormatError
        When the file cannot be read or is not UTF-8.
    """
    data = read_bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError(
            f"byte 0x{data[error.start]:02x} is not UTF-8 text",
            file=str(path),
            line=line,
            hint="save the file as UTF-8",
            code="FP6001",
        ) from error


def words_of(line: str) -> list[tuple[int, str]]:
    """The words of a line with the column each starts at, from 1.

    >>> words_of("edge_0  0 1")
    [(1, 'edge_0'), (9, '0'), (11, '1')]
    """
    return [(found.start() + 1, found.group()) for found in re.finditer(r"\S+", line)]


def number(word: str) -> float | None:
    """The finite number a word stands for; None when it is none.

    >>> number("9953280"), number("inf"), number("10G")
    (9953280.0, None, None)
    """
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
