"""What every field of a foreign format does to our answers: declared once, beside the reader that goes by it.

A reader hands the fields it meets to its declaration; what comes back is said to the user. The table in
``docs/reading.md`` and the tests that feed every field read the same declaration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from topologies.errors import FormatError, Problem, nearest

Treatment = Literal["modelled", "refused", "reported", "harmless"]
MODELLED: Treatment = "modelled"  # the answer follows it
REFUSED: Treatment = "refused"  # the file is not taken, unless a key takes it knowingly
REPORTED: Treatment = "reported"  # the answer leaves it out, and says so
HARMLESS: Treatment = "harmless"  # cannot change an answer

_NAMED = 6  # fields that one sentence names


@dataclass(frozen=True)
class Field:
    """One field, flag, state, class or unit, as the format spells it; ``*`` at the end stands for any ending."""

    name: str
    treatment: Treatment
    effect: str  # what it says and what becomes of it, a clause without a full stop
    accept: str = ""  # refused ones: the key or flag that takes it knowingly

    def matches(self, name: str) -> bool:
        """Whether ``name`` is this field."""
        return name == self.name or (self.name.endswith("*") and name.startswith(self.name[:-1]))


class DeclaredFields:
    """The fields of one format.

    Parameters
    ----------
    kind : str
        What the reader is for, such as ``topology format`` or ``placement``.
    reader : str
        Its name, as a scenario says it.
    source : str
        Documentation that lists the fields.
    fields : iterable of Field
        Names that match exactly go before those with ``*``.
    unknown : {'reported', 'refused', 'harmless'}
        What becomes of a field that is not listed; harmless only where a format is free text there.
    """

    def __init__(
        self,
        kind: str,
        reader: str,
        source: str,
        fields: Iterable[Field],
        *,
        unknown: Literal["reported", "refused", "harmless"] = "reported",
    ) -> None:
        self.kind, self.reader, self.source, self.unknown = kind, reader, source, unknown
        listed = tuple(fields)
        self._by_name = {field.name: field for field in listed}
        if len(self._by_name) != len(listed):
            raise ValueError(f"{kind} {reader} declares a field twice")
        self._open = tuple(field for field in listed if field.name.endswith("*"))
        if (kind, reader) in DECLARED:
            raise ValueError(f"the fields of {kind} {reader} are declared twice")
        DECLARED[kind, reader] = self

    def __iter__(self) -> Iterator[Field]:
        return iter(self._by_name.values())

    def __contains__(self, name: str) -> bool:
        return self.of(name) is not None

    def of(self, name: str) -> Field | None:
        """The declaration of a field; None for one that is not listed."""
        exact = self._by_name.get(name)
        return exact or next((field for field in self._open if field.matches(name)), None)

    def names(self, treatment: Treatment) -> tuple[str, ...]:
        """Fields of one treatment, as declared."""
        return tuple(field.name for field in self if field.treatment == treatment)

    def effect(self, name: str) -> str:
        """What becomes of a listed field, in words."""
        declared = self.of(name)
        return declared.effect if declared is not None else ""

    def treatment(self, name: str) -> Treatment:
        """What becomes of a field."""
        declared = self.of(name)
        return declared.treatment if declared is not None else self.unknown

    def notes(self, present: Iterable[str]) -> tuple[str, ...]:
        """What to say of the fields that a file has: a sentence for each reported one, and one for all unknown ones."""
        said: dict[str, str] = {}
        unknown: list[str] = []
        for name in dict.fromkeys(present):
            declared = self.of(name)
            if declared is None:
                unknown.append(name)
            elif declared.treatment == REPORTED:
                said[name] = f"{name}: {declared.effect}"
        notes = tuple(said.values())
        if unknown and self.unknown == REPORTED:
            some = ", ".join(unknown[:_NAMED]) + (", ..." if len(unknown) > _NAMED else "")
            notes += (f"not known to the reader of {self.reader} and left out: {some}",)
        return notes

    def refusals(
        self, present: Mapping[str, int | None] | Iterable[str], file: str, *, code: str = "FP6251"
    ) -> list[Problem]:
        """Problems of the refused fields that a file has, with the line each stands on where that is known."""
        lines: Mapping[str, int | None] = present if isinstance(present, Mapping) else dict.fromkeys(present)
        problems = []
        for name, line in lines.items():
            if self.treatment(name) != REFUSED:
                continue
            declared = self.of(name)
            if declared is None:
                near = nearest(name, self._by_name)
                message = f"{name} is not known to the reader of {self.reader}"
                hint = f"did you mean {near!r}?" if near else "leave it out, or tell us what it does"
            else:
                message = f"{name}: {declared.effect}"
                hint = f"{declared.accept} takes it knowingly" if declared.accept else "take it out of the file"
            problems.append(Problem(message, code=code, file=file, line=line, hint=hint))
        return problems

    def check(
        self, present: Mapping[str, int | None] | Iterable[str], file: str, *, code: str = "FP6251"
    ) -> tuple[str, ...]:
        """Refuse what is declared refused; what is to be said of the rest.

        Raises
        ------
        FormatError
            With every refused field, located.
        """
        problems = self.refusals(present, file, code=code)
        if problems:
            raise FormatError(problems)
        return self.notes(present)


DECLARED: dict[tuple[str, str], DeclaredFields] = {}
