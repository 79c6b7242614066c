"""What a review finds: each with its arithmetic and a way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["contradiction", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("contradiction", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that a reviewer would say.

    Attributes
    ----------
    severity : str
        ``contradiction``: cannot be true; ``warning``: can be built, but costs or risks something; ``note``: worth
        knowing.
    kind : str
        What sort of finding it is: ``ports``, ``bisection``, ``single-point``, …
    subject : str
        What it is about: claims, or a part of a fabric.
    text : str
        One sentence with the numbers.
    arithmetic : tuple of str
        Its steps, each checkable by hand.
    fix : str
        The way out.
    """

    severity: Severity
    kind: str
    subject: str
    text: str
    arithmetic: tuple[str, ...] = ()
    fix: str = ""
    fabric: str | None = None


@dataclass(frozen=True)
class Buildable:
    """What can really be built next to the counts that were given.

    Attributes
    ----------
    changed : tuple of str
        Claims that it does not keep, with what they are instead; empty where all hold.
    counts : tuple
        Name and number of what was built, as counted on the built topology.
    text : str
        The scenario that builds it.
    """

    changed: tuple[str, ...]
    counts: tuple[tuple[str, str], ...]
    text: str


@dataclass(frozen=True, eq=False)
class ReviewResult:
    """A review of counts or of a scenario, findings by severity."""

    subject: str  # what was reviewed
    of: Literal["counts", "scenario"]
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...] = ()
    derived: tuple[tuple[str, str, str], ...] = ()  # name, value, and how it follows
    buildable: Buildable | None = None
    unbuildable: str = ""  # why there is none

    @property
    def worst(self) -> Severity | None:
        """Of its findings; None where there are none."""
        return next((each for each in SEVERITIES if any(row.severity == each for row in self.findings)), None)


def by_severity(findings: list[Finding]) -> tuple[Finding, ...]:
    """Contradictions first, then warnings, then notes; equals in their order, repeated ones once."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda row: SEVERITIES.index(row.severity)))
