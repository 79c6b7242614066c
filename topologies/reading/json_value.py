"""JSON of others: depth and size are bounded, and every access checks the shape and names the place it failed at.

A ``null`` counts as absent, as the interfaces that print such files leave optional parts null.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topologies.errors import FormatError
from topologies.reading.text_input import read_text, shown

MAX_DEPTH = 100
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class JsonValue:
    """A value, the file it is in, and where in it."""

    value: Any
    file: str
    path: str = ""  # such as items[3].status
    code: str = "FP6250"

    def wrong(self, message: str, *, hint: str = "", code: str | None = None) -> FormatError:
        """An error about this value."""
        return FormatError(f"{self.path or 'the file'}: {message}", file=self.file, hint=hint, code=code or self.code)

    def _expected(self, what: str) -> FormatError:
        return self.wrong(f"{what} is expected, not {shown(self.value)}")

    @property
    def absent(self) -> bool:
        """Whether nothing is said: the key is missing, or null."""
        return self.value is None

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of a mapping, none where absent."""
        return tuple(self._mapping())

    def _mapping(self) -> Mapping[str, Any]:
        if self.value is None:
            return {}
        if not isinstance(self.value, Mapping):
            raise self._expected("a mapping {...}")
        return self.value

    def get(self, key: str) -> JsonValue:
        """The value of a key of a mapping; absent where there is none."""
        at = f"{self.path}.{key}" if self.path else key
        return JsonValue(self._mapping().get(key), self.file, at, self.code)

    def need(self, key: str) -> JsonValue:
        """The value of a key that must be there."""
        found = self.get(key)
        if found.absent:
            raise self.wrong(f"{key!r} is missing")
        return found

    def items(self) -> Iterator[tuple[str, JsonValue]]:
        """Keys and values of a mapping."""
        for key in self._mapping():
            yield key, self.get(key)

    def each(self) -> Iterator[JsonValue]:
        """Values of a list, none where absent."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self._expected("a list [...]")
        for index, value in enumerate(self.value):
            yield JsonValue(value, self.file, f"{self.path}[{index}]", self.code)

    def text(self, default: str | None = None) -> str:
        """A text; a number is spelled as text, as a name may be one."""
        if self.value is None and default is not None:
            return default
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | float):
            raise self._expected("a text")
        return str(self.value)

    def whole(
        self, default: int | None = None, *, least: int = 0, most: int = _LARGEST, among: tuple[int, ...] = ()
    ) -> int:
        """A whole number, one of ``among`` where that is given; one in quotes is taken too."""
        value = self.value
        if value is None and default is not None:
            return default
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value):
            value = int(value)
        if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._expected("a whole number")
        if among and value not in among:
            raise self._expected(f"one of {', '.join(map(str, among))}")
        if not least <= value <= most:
            raise self._expected(f"a whole number from {least:,}" + (f" to {most:,}" if most < _LARGEST else ""))
        return value

    def number(self, default: float | None = None, *, least: float = -math.inf) -> float:
        """A finite number; one in quotes is taken too."""
        value = self.value
        if value is None and default is not None:
            return default
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise self._expected("a number") from None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._expected("a number")
        try:
            plain = float(value)
        except OverflowError:
            raise self._expected("a finite number") from None
        if not math.isfinite(plain) or plain < least:
            raise self._expected("a finite number" if least == -math.inf else f"a number, {least:g} or more")
        return plain

    def flag(self, default: bool = False) -> bool:
        """True or false."""
        if self.value is None:
            return default
        if not isinstance(self.value, bool):
            raise self._expected("true or false")
        return self.value


def parse_json(
    text: str, file: str, *, code: str = "FP6250", hint: str = "", unique: bool = False, any_depth: bool = False
) -> JsonValue:
    """The value of a JSON text; ``unique`` refuses a key that appears twice in a mapping.

    ``any_depth`` is for readers that go no deeper than they know: counting brackets takes as long as parsing.

    Raises
    ------
    FormatError
        With line and column: when it is not JSON, or is nested more than 100 deep.
    """
    if not any_depth:
        _check_depth(text, file, code, hint)
    pairs = _unique_keys if unique else None
    try:
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        raise FormatError(
            f"not JSON: {error.msg}", file=file, line=error.lineno, column=error.colno, code=code, hint=hint
        ) from None
    except _RefusedJsonError as error:
        line = _line_of(text, error.word)
        raise FormatError(str(error), file=file, line=line, code=code, hint=hint or error.hint) from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}", file=file, line=1, code=code, hint=hint) from None
    return JsonValue(value, file, code=code)


def read_json(path: Path, *, shown_as: str | None = None, code: str = "FP6250", hint: str = "") -> JsonValue:
    """The value of a JSON file; see :func:`parse_json`."""
    return parse_json(read_text(path), shown_as or str(path), code=code, hint=hint)


def _unique_keys(items: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(items)
    if len(result) != len(items):
        keys = [key for key, _ in items]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _RefusedJsonError(f"the key {twice!r} appears twice")
    return result


class _RefusedJsonError(ValueError):
    """JSON that Python takes and we do not; ``word`` is what stands in the text."""

    def __init__(self, message: str, word: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.word, self.hint = word, hint


def _no_constant(word: str) -> float:
    raise _RefusedJsonError(f"{word} is not JSON", word, "write null for an unknown number")


def _line_of(text: str, word: str) -> int | None:
    """Line of the first word outside of strings."""
    bare = _STRINGS.sub(lambda found: '"' + "\n" * found.group().count("\n") + '"', text)
    place = bare.find(word) if word else -1
    return None if place < 0 else bare.count("\n", 0, place) + 1


def _check_depth(text: str, file: str, code: str, hint: str) -> None:
    """Refuse deep nesting before the parser recurses into it."""
    if max(text.count("["), text.count("{")) <= MAX_DEPTH // 2:
        return
    depth = 0
    bare = _STRINGS.sub(lambda found: '"' + "\n" * found.group().count("\n") + '"', text)
    for found in re.finditer(r"[\[\]{}]", bare):
        depth += 1 if found.group() in "[{" else -1
        if depth > MAX_DEPTH:
            line = bare.count("\n", 0, found.start()) + 1
            message = f"nested more than {MAX_DEPTH} deep"
            raise FormatError(message, file=file, line=line, code=code, hint=hint or "is a bracket unclosed?")
