"""What the verifier finds wrong, and what it has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topologies.columns import Floats

if TYPE_CHECKING:
    from fabric.rules.verify.isolation import Isolation


@dataclass(frozen=True)
class Finding:
    """Something that a packet would meet."""

    # loop, black-hole, misdelivery, leak, dead-port, ambiguous, missing-table, broken-group, load, flow; of tenants
    # crossing (from one to another) and cut-off (within one)
    kind: str
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
    found_gbps: Floats  # shape (L,), walked from the files; where no table decides, as the export says
    hash_seeds: str  # who says the seed of every switch: tables, files, or nobody
    hash_alike: int  # switches that hash like another one, by what the files say
    findings: tuple[Finding, ...]
    isolation: Isolation | None = None  # None: the scenario has no tenants

    @property
    def polarises(self) -> bool:
        """Whether switches that hash alike move the fullest link."""
        return self.hash_alike > 0 and self.found_max_utilisation > self.planned_max_utilisation * (1 + 1e-6)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings
