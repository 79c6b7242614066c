"""Standard streams that never end in a traceback: full, closed, or of an encoding that lacks some characters.

What standard output cannot take is an error of writing like that of ``-o``. What standard error cannot take is lost,
and the exit code says the rest. Characters that an encoding lacks are written as ASCII where that reads the same, and
as ``\\uXXXX`` otherwise.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any, TextIO

from topologies.errors import OutputError

_ERRORS = "fabric.readable"
_ASCII = {
    "·": "-", "−": "-", "–": "-", "…": "...", "→": "->", "θ": "theta", "µ": "u", "×": "x", "≥": ">=", "≤": "<=",
    "∞": "inf", "β": "beta", "λ": "lambda", "Σ": "sum", "²": "2", "“": '"', "”": '"', "─": "-", "├": "|", "└": "`",
    "│": "|", "█": "#", "▓": "#", "▒": "+", "░": ".",
}  # fmt: skip


class StreamError(OSError):
    """Standard output does not take what is written."""

    def explained(self) -> OutputError:
        """The error for people."""
        return OutputError(
            f"cannot write standard output: {self.strerror or self}", hint="-o FILE writes the answer to a file"
        )


class ReaderGoneError(Exception):
    """Nobody reads the pipe any more. No ``BrokenPipeError``, for which click and rich end the process with code 1."""


class _Answers(io.FileIO):
    """Standard output."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise ReaderGoneError from None
        except OSError as error:
            raise StreamError(error.errno, error.strerror) from None


class _Words(io.FileIO):
    """Standard error."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


def guard_streams() -> None:
    """Put streams that keep to these rules in place of the process's own; once, at its start."""
    closed = not _is_open(1)
    # What is opened later must not become standard input, output or error because these were closed.
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        if not _is_open(number):
            at = os.open(os.devnull, mode)
            if at != number:
                os.dup2(at, number)
                os.close(at)
    codecs.register_error(_ERRORS, readable)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the length of the process
    sys.stdout = _stream(_Answers(1, "w", closefd=False), None if closed else sys.stdout)
    sys.stderr = _stream(_Words(2, "w", closefd=False), sys.stderr)


def drop_output() -> None:
    """Point standard output elsewhere, so that closing it at the end of the process stays silent."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def readable(error: UnicodeError) -> tuple[str, int]:
    """Error handler of encodings: ASCII that reads the same, else an escape as in JSON.

    >>> codecs.register_error("fabric.readable", readable)
    >>> "10 µs → Zürich 東".encode("latin-1", "fabric.readable").decode("latin-1")
    '10 µs -> Zürich \\\\u6771'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_ASCII.get(letter) or _escaped(letter) for letter in lost), error.end


def as_json(text: str, stream: TextIO) -> str:
    """JSON with escapes for what a stream's encoding lacks."""
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeError:
        return "".join(letter if letter.isascii() else _escaped(letter) for letter in text)
    return text


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _stream(raw: io.FileIO, before: TextIO | None) -> TextIO:
    encoding = getattr(before, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, errors=_ERRORS, line_buffering=raw.isatty() or raw.fileno() == 2
    )
