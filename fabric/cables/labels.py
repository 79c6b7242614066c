"""What is printed on the ends of a cable: a template, filled in for every cable."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from topologies.errors import ScenarioError, nearest_hint

BY_PLACE = "{a.rack}-{a.ru}:{a.port}/{b.rack}-{b.ru}:{b.port}"
BY_NAME = "{a.node}:{a.port} - {b.node}:{b.port}"
END_FIELDS = ("node", "port", "rack", "ru", "unit")
ROW_FIELDS = ("fabric", "tier", "medium", "model", "length", "colour", "bundle", "number", "leg")
FIELDS = (*(f"{end}.{name}" for end in "ab" for name in END_FIELDS), *ROW_FIELDS)
_NUMBERS = ("a.ru", "b.ru", "a.unit", "b.unit", "number", "leg", "length")
_WIDTH = re.compile(r"(0?\d{1,2})?d?")
_LONGEST = 200  # characters of a template


@dataclass(frozen=True)
class LabelFormat:
    """A template of labels: literal texts, each before a field with its width; the last field is empty."""

    parts: tuple[tuple[str, str, str], ...]

    @classmethod
    def parse(cls, template: str) -> LabelFormat:
        """Read a template.

        Raises
        ------
        ScenarioError
            FP3304 where it is none, or names what a cable does not have.
        """
        try:
            parts = [
                (text, name or "", form or "") for text, name, form, _ in string.Formatter().parse(template[:_LONGEST])
            ]
        except ValueError as error:
            raise _refused(template, str(error)) from None
        if len(template) > _LONGEST:
            raise _refused(template[:40] + "…", f"it is longer than {_LONGEST} characters")
        if not any(name for _, name, _ in parts):
            raise _refused(template, "it names nothing, so that all labels would be one")
        for _, name, form in parts:
            if name and name not in FIELDS:
                raise _refused(template, f"cables have no {{{name}}}", nearest_hint(name, FIELDS, "they have"))
            if form and (name not in _NUMBERS or not _WIDTH.fullmatch(form)):
                example = "a width is for numbers, such as {a.ru:02d} or {number:05d}"
                raise _refused(template, f"{{{name}:{form}}} is not a field", example)
        return cls(tuple(parts))

    @property
    def names(self) -> tuple[str, ...]:
        """Fields it has."""
        return tuple(name for _, name, _ in self.parts if name)

    def labels(self, columns: Mapping[str, Sequence[object]], count: int) -> list[str]:
        """Labels of cables, from the columns of its fields."""
        filled: list[list[str]] = []
        for text, name, form in self.parts:
            filled.append([text] * count)
            if name:
                filled.append([_filled(value, form) for value in columns[name]])
        return ["".join(parts) for parts in zip(*filled, strict=True)] if filled else [""] * count


def _filled(value: object, form: str) -> str:
    """A field; what is not known is empty."""
    if value is None:
        return ""
    if isinstance(value, float):
        return format(int(value), form) if form else f"{value:g}"
    return format(value, form) if form else str(value)


def _refused(template: str, why: str, hint: str = "") -> ScenarioError:
    return ScenarioError(
        f"label format {template!r}: {why}", hint=hint or f"write for example '{BY_PLACE}'", code="FP3304"
    )


def repeated(labels: Sequence[str]) -> tuple[str, int] | None:
    """The label that most cables share, and how many; None where all differ."""
    (label, most), *_ = Counter(labels).most_common(1) or [("", 0)]
    return (label, most) if most > 1 else None
