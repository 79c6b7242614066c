"""What an export says about the hash of its switches: who seeds it, and what that does to the fullest link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.rules.dialect import Dialect, HashSeeds
from fabric.rules.planned import PlannedRules
from fabric.rules.tiers import chooses_once_per_tier
from topologies.units import percent

SAME = 1e-6


@dataclass(frozen=True)
class HashReport:
    """The fullest link by how switches hash.

    Attributes
    ----------
    seeds : str
        Who says the seed of every switch: the ``tables``, ``files`` beside them, ``tiers`` of devices, or ``nobody``.
    alike : bool
        Whether the loads of the tables are those of switches that hash alike.
    separate_max_utilisation, alike_max_utilisation : float
        Of the fullest link where every switch has a seed of its own, and where all hash alike, with many flows.
    drawn_p5, drawn_p50, drawn_p95 : float or None
        The same where all hash alike and pairs of addresses are the flows, over draws of the hash; None: not drawn.
    """

    seeds: HashSeeds
    alike: bool
    separate_max_utilisation: float
    alike_max_utilisation: float
    drawn_p5: float | None = None
    drawn_p50: float | None = None
    drawn_p95: float | None = None

    @staticmethod
    def of(planned: PlannedRules, dialect: Dialect) -> HashReport:
        """Of tables that a dialect writes."""
        drawn = planned.alike.drawn
        shown = [float(value) for value in np.quantile(drawn, (0.05, 0.5, 0.95))] if len(drawn) else [None] * 3
        alike = dialect.seeds == "nobody" or (
            dialect.seeds == "tiers" and not chooses_once_per_tier(planned.rules.topology)
        )
        return HashReport(dialect.seeds, alike, planned.separate_utilisation, planned.alike_utilisation, *shown)

    @property
    def polarises(self) -> bool:
        """Whether switches share seeds, and that moves the fullest link."""
        return self.alike and self.alike_max_utilisation > self.separate_max_utilisation * (1 + SAME)

    def words(self, dialect: str) -> str:
        """What ``polarises`` means, in a sentence."""
        of_tiers = " of every switch, and some paths choose twice in a tier" if self.seeds == "tiers" else ""
        text = (
            f"dialect {dialect} cannot say a hash seed{of_tiers}: all switches hash alike, tier after tier, "
            f"and the fullest link gets {percent(self.alike_max_utilisation)} of its capacity, "
            f"{percent(self.separate_max_utilisation)} with a seed each"
        )
        if self.drawn_p5 is not None and self.drawn_p95 is not None:
            text += (
                f"; that is with many flows: Open vSwitch hashes such groups by the two addresses alone, and in 9 of "
                f"10 draws over the pairs of hosts it gets {percent(self.drawn_p5)} to {percent(self.drawn_p95)}"
            )
        return text
