"""What every reader of YAML needs before it trusts a text: depth, aliases and size bounded before anything expands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

from topologies.errors import Problem

MAX_DEPTH = 100
MAX_VALUES = 100_000

# libyaml counts columns in characters, as the Python scanner does (tests compare the two), and is ten times faster.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_SYNTAX_HINTS = {
    r"found character '\t'": "indent with spaces, not tabs",
    "mapping values are not allowed": "put text that holds ': ' in quotes, or check the indentation",
    "could not find expected ':'": "a key needs ': ' after it",
    "expected ',' or ']'": "close the bracket with ]",
    "expected ',' or '}'": "close the brace with }, and separate entries by commas",
    "but found another document": "a file is one document; remove everything from the second --- on",
    "found undefined alias": "define it before use with &name",
    "unexpected end of stream": "close the quote",
}


def split_lines(text: str) -> list[str]:
    """Lines as YAML counts them."""
    return _BREAK.split(text)


def too_deep(file: str, line: int | None, column: int | None, length: int = 1) -> Problem:
    """The problem of a value that is nested too deep."""
    return Problem(
        f"nested more than {MAX_DEPTH} deep",
        code="FP1008",
        file=file,
        line=line,
        column=column,
        length=max(length, 1),
        hint="no file needs that; is a bracket unclosed?",
    )


def depth_problem(text: str, file: str, loader: Any = None) -> Problem | None:
    """The first value that is nested too deep, before anything recurses into it.

    Raises
    ------
    yaml.YAMLError
        When the text is not YAML.
    """
    depth = 0
    for event in yaml.parse(text, Loader=loader or LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark: Any = event.start_mark
                return too_deep(file, mark.line + 1, mark.column + 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def syntax_problem(text: str, file: str, error: yaml.YAMLError, code: str = "FP1001") -> Problem:
    """A syntax error in the words of the Python scanner, which are better than libyaml's and the same everywhere."""
    if "maximum nesting depth" in str(error):  # libyaml looks ahead, and stops before `depth_problem` sees an event
        mark = getattr(error, "problem_mark", None)
        return too_deep(file, mark.line + 1 if mark else None, mark.column + 1 if mark else None)
    try:
        yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as better:
        error = better
    except (ValueError, OverflowError, RecursionError):
        pass
    if isinstance(error, yaml.reader.ReaderError) and isinstance(error.character, int):
        before = split_lines(text[: error.position])
        return Problem(
            f"character U+{error.character:04X} is not allowed in YAML",
            code=code,
            file=file,
            line=len(before),
            column=len(before[-1]) + 1,
            hint="remove it",
        )
    description = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return Problem(
        f"YAML syntax: {description}",
        code=code,
        file=file,
        line=mark.line + 1 if mark else None,
        column=mark.column + 1 if mark else None,
        notes=_syntax_notes(error),
        hint=next((hint for words, hint in _SYNTAX_HINTS.items() if words in description or words in str(error)), ""),
    )


def _syntax_notes(error: yaml.YAMLError) -> tuple[str, ...]:
    context, mark = getattr(error, "context", None), getattr(error, "context_mark", None)
    if not context:
        return ()
    return (f"{context} that starts on line {mark.line + 1}" if mark and context.startswith("while") else context,)


class Expansion:
    """How many values a value stands for once its aliases are filled in, and how deep it then is; by ``id``."""

    CODE = "FP1005"
    CONTAINS_ITSELF = "this value contains itself"
    REMOVE_ALIAS = "remove the alias inside it"
    TOO_LARGE = f"this expands to more than {MAX_VALUES:,} values"
    FEWER = "use fewer aliases"

    def __init__(self) -> None:
        self.sizes: dict[int, int] = {}
        self.heights: dict[int, int] = {}

    def fits(self, keys: Iterable[int], children: Iterable[int]) -> bool:
        """Note size and height of a value from its children's; whether it is not too large."""
        below = list(children)
        size = 1 + sum(self.sizes.get(child, 1) for child in below)
        if size > MAX_VALUES:
            return False
        height = 1 + max(self.heights.get(child, 0) for child in below) if below else 0
        for key in keys if below else ():
            self.sizes[key], self.heights[key] = size, height
        return True

    def too_deep(self, key: int, depth: int) -> bool:
        """Whether a value is nested too deep at a depth."""
        return depth + self.heights.get(key, 0) > MAX_DEPTH
