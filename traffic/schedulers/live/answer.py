"""What a running scheduler answered: the document, when it was read, and its hash; asked once in a process."""

from __future__ import annotations

import datetime
import hashlib
import os
from dataclasses import dataclass
from typing import Protocol

from topologies.errors import FormatError

OFFLINE = "FABRIC_OFFLINE"
TIMEOUT_S = 10.0  # for a connection, and for the next bytes of an answer
PATIENCE = 30  # times TIMEOUT_S, for all of an answer that comes byte by byte
MOST_BYTES = 512 << 20  # of all pages together; 20,000 nodes with 200,000 pods are half of it


@dataclass(frozen=True)
class LiveAnswer:
    """A document as a command of the scheduler would have printed it.

    Attributes
    ----------
    text : str
        What the readers of files read.
    label : str
        Where it is from: ``kubernetes context prod``.
    what : str
        How much it is: ``256 nodes and 1,024 pods``.
    read_at : str
        UTC, to the second.
    notes : tuple of str
        What is to be said of it beside.
    """

    text: str
    label: str
    what: str
    read_at: str
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of the document."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def said(self) -> tuple[str, ...]:
        """That it was read live, and what else is to be said."""
        live = f"{self.label}: read live at {self.read_at}: {self.what}, sha256 {self.sha256[:12]}"
        return (
            f"{live}; another run may read something else, and fabric nodes --snapshot keeps this",
            *self.notes,
        )


class LiveSource(Protocol):
    """A running scheduler; equal sources are asked once."""

    @property
    def label(self) -> str:
        """Where it is, without secrets."""

    def read(self) -> LiveAnswer:
        """Ask it."""


_ANSWERS: dict[LiveSource, LiveAnswer] = {}  # two jobs of a scenario see the same cluster


def read_live(source: LiveSource, *, again: bool = False) -> LiveAnswer:
    """What a scheduler answers; the first answer holds for the process, unless ``again``.

    Raises
    ------
    FormatError
        Reading live is switched off (FP6285), nobody answers (FP6282), or what the scheduler answers is not of use.
    """
    if os.environ.get(OFFLINE, "") not in ("", "0"):
        raise FormatError(
            f"{OFFLINE} is set, and this would be read live",
            file=source.label,
            hint="fabric nodes --snapshot FILE keeps what is read; path: names it. Or unset the variable",
            code="FP6285",
        )
    if again or source not in _ANSWERS:
        _ANSWERS[source] = source.read()
    return _ANSWERS[source]


def now() -> str:
    """The time, UTC."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
