"""JSON that switches print: parsed with its place, then walked as plain values, since there are thousands of entries.

A shape that is not the expected one is said with the line and column of the port that it is told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from topologies.errors import FormatError
from topologies.reading.json_value import parse_json
from topologies.reading.text_input import shown

UNREADABLE = "FP6601"


class JsonText:
    """The value of a JSON text, and where words of it stand."""

    def __init__(self, text: str, file: str, hint: str) -> None:
        self.text, self.file, self.hint = text, file, hint
        self.value: Any = parse_json(text, file, code=UNREADABLE, hint=hint, unique=True, any_depth=True).value
        self._from, self._line = 0, 1

    def wrong(self, message: str, near: str = "") -> FormatError:
        """An error at a word of the text, such as the name of a port; at its beginning where there is none."""
        at = max(self.text.find(f'"{near}"'), 0) if near else 0
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        return FormatError(message, file=self.file, line=line, column=column, code=UNREADABLE, hint=self.hint)

    def line(self, word: str) -> int:
        """Line of the next key, or name of a port, that is this word, from 1; asked for in the order of the text."""
        quoted, at = f'"{word}"', self._from
        while (at := self.text.find(quoted, at)) >= 0 and not self._is_key(at, at + len(quoted)):
            at += 1
        if at < 0:
            return 0
        self._from, before = at + 1, self._from
        self._line += self.text.count("\n", before, at)
        return self._line

    def _is_key(self, first: int, last: int) -> bool:
        """Whether a word in quotes is a key, or the name that an entry of a list has."""
        return self.text[last : last + 4].lstrip()[:1] == ":" or self.text[
            max(first - 12, 0) : first
        ].rstrip().endswith(('"name":', '"port":', '"name" :', '"port" :'))

    def mapping(self, value: Any, what: str, near: str = "") -> Mapping[str, Any]:
        """A mapping, where one is expected."""
        if not isinstance(value, Mapping):
            raise self.wrong(f"{what} is {shown(value)}; a mapping {{...}} is expected", near)
        return value

    def many(self, value: Any, what: str, near: str = "") -> Iterator[Mapping[str, Any]]:
        """The mappings of a list, or the one there is; none where nothing is said."""
        if value is None:
            return
        for entry in value if isinstance(value, list) else [value]:
            yield self.mapping(entry, what, near)


def text_of(value: Any) -> str:
    """The text of ``"spine1"``, ``[{"value": "spine1"}]`` or ``{"value": "spine1"}``; empty where there is none."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = value.get("value")
    return value.strip().strip('"') if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def each_device(json: JsonText, device: str, is_answer: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """Devices and their answers: of a text that is one answer, or a mapping of device names to answers."""
    if is_answer(json.value):
        yield device, json.value
        return
    answers = json.value if isinstance(json.value, Mapping) else {}
    if not answers or not all(is_answer(answer) for answer in answers.values()):
        raise json.wrong("this is not the answer of a device, nor a mapping of device names to answers")
    yield from answers.items()


def speed_gbps(text: str) -> float:
    """Speed that ``400G``, ``100M`` or ``1000`` (Mb/s) stands for, Gbps; nan for others.

    >>> speed_gbps("400G"), speed_gbps("25000"), speed_gbps("N/A")
    (400.0, 25.0, nan)
    """
    word = text.strip().upper().removesuffix("B/S").removesuffix("BPS")
    scale = {"T": 1e3, "G": 1.0, "M": 1e-3}.get(word[-1:])
    digits = word[:-1] if scale is not None else word
    try:
        value = float(digits)
    except ValueError:
        return float("nan")
    return value * (1e-3 if scale is None else scale) if value > 0 else float("nan")
