"""What the verifier finds wrong, and what it has seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something that a packet would meet."""

    kind: str  # loop, black-hole, misdelivery, leak, dead-port, ambiguous, missing-table, broken-group, load, flow
    switch: str
    destination: str  # address, host or prefix; empty when it is about none
    words: str
    trace: tuple[str, ...] = ()  # hop by hop, the source first

    @property
    def text(self) -> str:
        """One line."""
        about = f" to {self.destination}" if self.destination else ""
        return f"{self.kind} at {self.switch}{about}: {self.words}"


@dataclass(frozen=True)
class Verdict:
    """Outcome of a verification."""

    fabric: str
    dialect: str
    families: tuple[int, ...]
    switches: int
    rules: int
    groups: int
    destinations: int  # endpoints
    classes: int  # sets of destination addresses that every switch treats alike
    sources: int
    flows: int  # single flows walked
    planned_max_utilisation: float
    programmed_max_utilisation: float  # as the export says
    found_max_utilisation: float  # walked from the files
    weight_error: float  # largest |walked - planned| over the link's capacity
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings
