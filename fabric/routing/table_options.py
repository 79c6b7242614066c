"""Sizes of switches' tables, and how weights are put into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fabric.routing.names import DEFAULT_ROUTER

# How a switch turns weights into parts: OVS distributes buckets into hash slots, others follow the weights exactly.
Carrier = Literal["slots", "exact"]

TOLERANCE = 0.01  # oversubscription of a bucket, above 1, that rounding weights may cost


@dataclass(frozen=True)
class TableLimits:
    """Sizes of a switch's tables; None: not known, not checked."""

    rules: int | None = None  # TCAM or LPM entries
    groups: int | None = None  # select groups
    members: int | None = None  # of all groups together; a bucket of weight w takes w

    def over(self, other: TableLimits) -> TableLimits:
        """These, and where they say nothing the other's."""
        return TableLimits(
            other.rules if self.rules is None else self.rules,
            other.groups if self.groups is None else self.groups,
            other.members if self.members is None else self.members,
        )


@dataclass(frozen=True)
class TableOptions:
    """How a routing is put into tables."""

    base: str = DEFAULT_ROUTER  # router whose routing the tables carry
    carrier: Carrier = "slots"
    tolerance: float = TOLERANCE
    limits: Mapping[str, TableLimits] = field(default_factory=dict)  # by role of the switch
    other: TableLimits = TableLimits()  # of roles that are not among them

    def of(self, role: str) -> TableLimits:
        """Sizes of the tables of a role."""
        return self.limits.get(role, self.other)
