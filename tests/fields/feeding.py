"""How a test feeds one field to a reader: a document without it, one with it, and what comes of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What a reader made of a document."""

    answer: Any  # comparable by ==: what the planner goes by
    said: tuple[str, ...] = ()  # notes and warnings


@dataclass(frozen=True)
class Feed:
    """A document without the field, with it, and for refused ones the document and key that take it knowingly."""

    without: Any
    having: Any
    accepted: Any = None
    raises: bool = False  # a modelled field may also show itself by an error that names it


@dataclass(frozen=True)
class ReaderFeeds:
    """Feeds of all declared fields of a reader.

    ``read`` takes a document, in whatever form the feeds have it, and a folder it may write to.
    """

    kind: str
    reader: str
    read: Callable[[Any, Path], Outcome]
    feeds: Mapping[str, Feed]  # by the name of the declared field
    unknown: Feed | None = None  # a field that is not declared
    unknown_name: str = "zz_unheard_of"
    needs: tuple[str, ...] = field(default=())  # programs that must be installed
