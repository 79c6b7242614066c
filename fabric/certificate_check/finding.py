"""What is said of a claim."""

from __future__ import annotations

from dataclasses import dataclass

TOLERANCE = 1e-6  # relative; for the gap absolute
HOLDS, REFUTED, NOT_CHECKED = "holds", "refuted", "not checked"


@dataclass(frozen=True)
class Finding:
    """A claim, and what was found about it."""

    claim: str  # links, demand, paths, routing, max_utilisation, lower_bound, gap, objective, objective_bound, levels
    verdict: str  # HOLDS, REFUTED or NOT_CHECKED
    words: str = ""
