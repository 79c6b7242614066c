"""Text of a script with where each piece of it is from, so that what is not known about it can be said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from topologies.errors import TrafficError

MAX_CHARACTERS = 200_000  # of a script
MAX_READ = 1_000_000  # characters that are read in all, files and texts within the script included
MAX_EXPANDED = 10_000_000  # characters of all values
MAX_STEPS = 10_000  # commands that are followed
MAX_DEPTH = 12  # scripts in scripts, functions in functions


@dataclass(frozen=True)
class Chunk:
    """A piece of text; what is not known is empty text with the reason."""

    text: str
    line: int = 0
    assumed: frozenset[str] = frozenset()  # defaults of the script that it rests on
    unknown: frozenset[str] = frozenset()  # why it is not known


Text = tuple[Chunk, ...]


@dataclass
class Budget:
    """What following one script may cost; shared by all that is followed on the way."""

    steps: int = 0
    read: int = 0
    expanded: int = 0

    def step(self) -> None:
        """Count a command."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise refuse(f"the script goes on for more than {MAX_STEPS:,} commands", None)

    def reads(self, characters: int) -> None:
        """Count characters that are read as a script."""
        self.read += characters
        if self.read > MAX_READ:
            raise refuse(f"the script and what it holds come to more than {MAX_READ:,} characters", None)

    def expands(self, characters: int) -> None:
        """Count characters of values."""
        self.expanded += characters
        if self.expanded > MAX_EXPANDED:
            raise refuse(f"the script expands to more than {MAX_EXPANDED:,} characters", None)


@dataclass(frozen=True)
class Argument:
    """One word of a command."""

    text: str
    line: int
    assumed: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()


def plain(text: Text) -> str:
    """The characters alone."""
    return "".join(chunk.text for chunk in text)


def unknown_in(text: Text) -> frozenset[str]:
    """Reasons why parts of it are not known."""
    return frozenset().union(*(chunk.unknown for chunk in text))


def assumed_in(text: Text) -> frozenset[str]:
    """Defaults that it rests on."""
    return frozenset().union(*(chunk.assumed for chunk in text))


def marked(text: Text, *, assumed: Iterable[str] = (), unknown: Iterable[str] = ()) -> Text:
    """The text, resting on more."""
    more, reasons = frozenset(assumed), frozenset(unknown)
    if not more and not reasons:
        return text
    return tuple(
        replace(chunk, assumed=chunk.assumed | more, unknown=chunk.unknown | reasons) for chunk in text or (Chunk(""),)
    )


def argument(text: Text) -> Argument:
    """A word of a command from its text."""
    return Argument(plain(text), text[0].line if text else 0, assumed_in(text), unknown_in(text))


def split_words(text: Text) -> list[Text]:
    """Words between blanks; what is not known counts as a word of its own, or as part of one.

    >>> [plain(word) for word in split_words((Chunk("--a 1 --b "), Chunk("2")))]
    ['--a', '1', '--b', '2']
    """
    words: list[Text] = []
    current: list[Chunk] = []
    for chunk in text:
        if not chunk.text:
            if chunk.unknown:
                current.append(chunk)
            continue
        for number, piece in enumerate(_pieces(chunk.text)):
            if number % 2:  # blanks
                if current:
                    words.append(tuple(current))
                current = []
            elif piece:
                current.append(replace(chunk, text=piece))
    if current:
        words.append(tuple(current))
    return words


def _pieces(text: str) -> Iterator[str]:
    """Words and blanks by turns, beginning with a word that may be empty."""
    start, blank = 0, False
    for at, character in enumerate(text):
        if character.isspace() != blank:
            yield text[start:at]
            start, blank = at, not blank
    yield text[start:]


def refuse(message: str, line: int | None, *, hint: str = "", where: str = "model.path") -> TrafficError:
    """An error of a script that cannot be followed."""
    at = f"line {line}: " if line else ""
    return TrafficError(f"{at}{message}", where=where, hint=hint, code="FP4035")
