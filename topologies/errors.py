"""Every mistake a user can make, as one tree of exceptions.

    FabricError                 something in the input; no traceback is shown
    ├── ScenarioError           the YAML file: syntax, unknown keys, wrong values (FP1xxx, FP2xxx)
    ├── TopologyError           an impossible or inconsistent fabric (FP3xxx)
    ├── TrafficError            an impossible job, placement or demand (FP4xxx)
    ├── RoutingError            demand that cannot be routed as asked (FP5xxx)
    ├── FormatError             a foreign file that does not parse (FP6xxx)
    ├── OutputError             an answer that cannot be written (FP1011)
    └── MissingProgramError     an external program is missing or refused our output (FP7xxx)

Bugs of ours stay ordinary exceptions. A message states the value and the rule in network words, ``hint`` a next step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

Severity = Literal["error", "warning"]
Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One finding about the input, located as well as its finder could.

    ``where`` is the path of keys inside the scenario (``("fabrics", "main", "topology", "radix")``); ``file``,
    ``line`` and ``column`` (from 1) are set when the finding is about a place in a text file. ``on_key`` says that the
    key is at fault rather than its value.
    """

    message: str
    code: str = "FP1000"
    where: Where = ()
    on_key: bool = False
    file: str | None = None
    line: int | None = None
    column: int | None = None
    length: int = 1
    label: str = ""
    notes: tuple[str, ...] = ()
    hint: str = ""
    severity: Severity = "error"

    def under(self, *prefix: str | int) -> Problem:
        """The same problem, seen from further up the scenario."""
        return replace(self, where=(*prefix, *self.where))

    def __str__(self) -> str:
        place = ".".join(str(part) for part in self.where)
        if self.file is not None:
            place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} (help: {self.hint})" if self.hint else text


def as_where(where: str | Iterable[str | int]) -> Where:
    """Turn ``"a.b.0"`` or a sequence of keys into a path.

    >>> as_where("topology.radix")
    ('topology', 'radix')
    """
    return tuple(part for part in where.split(".") if part) if isinstance(where, str) else tuple(where)


@dataclass(eq=False)
class FabricError(Exception):
    """The input is wrong; carries one or more located problems."""

    problems: tuple[Problem, ...] = field(default=())

    default_code = "FP1000"

    def __init__(
        self,
        message: str | Iterable[Problem],
        *,
        where: str | Iterable[str | int] = (),
        hint: str = "",
        notes: Iterable[str] = (),
        code: str | None = None,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        on_key: bool = False,
    ) -> None:
        if isinstance(message, str):
            problem = Problem(
                message,
                code=code or self.default_code,
                where=as_where(where),
                hint=hint,
                notes=tuple(notes),
                file=file,
                line=line,
                column=column,
                on_key=on_key,
            )
            self.problems = (problem,)
        else:
            self.problems = tuple(message)
        super().__init__("; ".join(str(problem) for problem in self.problems))

    def under(self, *prefix: str | int) -> FabricError:
        """The same error with its places prefixed by ``prefix``."""
        return type(self)(problem.under(*prefix) for problem in self.problems)


class ScenarioError(FabricError):
    """The scenario file is malformed."""

    default_code = "FP2000"


class TopologyError(FabricError):
    """The fabric asked for cannot be built."""

    default_code = "FP3000"


class TrafficError(FabricError):
    """The job, placement or demand makes no sense."""

    default_code = "FP4000"


class RoutingError(FabricError):
    """The routing asked for cannot be done."""

    default_code = "FP5000"


class FormatError(FabricError):
    """A foreign file does not follow its format."""

    default_code = "FP6000"


class OutputError(FabricError):
    """An answer cannot be written where it was asked for."""

    default_code = "FP1011"


class MissingProgramError(FabricError):
    """An external program is missing, or refused what we gave it."""

    default_code = "FP7000"


def nearest(word: str, choices: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The choice closest in spelling, or None when none is alike to this part, of 1.

    >>> nearest("eth-64x4000", ["eth-64x400", "eth-32x100"])
    'eth-64x400'
    """
    import difflib

    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=likeness)
    return found[0] if found else None


def nearest_hint(word: str, choices: Iterable[str], what: str = "known", *, otherwise: str | None = None) -> str:
    """Ask for the choice closest in spelling; where none is near, list them as ``what``, or say ``otherwise``.

    >>> nearest_hint("spime", ["leaf", "spine"], "tiers")
    "did you mean 'spine'?"
    >>> nearest_hint("core", ["leaf", "spine"], "tiers")
    'tiers: leaf, spine'
    """
    listed = list(choices)
    close = nearest(word, listed)
    if close:
        return f"did you mean {close!r}?"
    return f"{what}: {', '.join(listed) or 'none'}" if otherwise is None else otherwise
