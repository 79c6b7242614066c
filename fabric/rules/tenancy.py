"""Whose endpoint is whose on one fabric, and which tenants may meet.

A tenant meets itself. Two tenants meet where one of them is *shared with* the other by design (a storage service), in
both directions; that does not carry over: two tenants of one service do not meet each other, as hosts do not forward.
Endpoints of no tenant are of the tenant ``unassigned``, which meets itself only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from topologies.columns import Bools, Ints

UNASSIGNED = "unassigned"
MOST_KEYS = 0x7FFE  # partition keys of InfiniBand: 15 bits; 0 is none, 0x7FFF the default partition


@dataclass(frozen=True, eq=False)
class Tenancy:
    """Tenants of one fabric; ids of endpoints are those of its topology.

    Attributes
    ----------
    names : sequence of str
        Tenants in the order of the scenario, then ``unassigned`` where an endpoint is of none.
    keys : sequence of int
        Number of every tenant, from 1; its partition key.
    shared_with : sequence of tuple of int
        For every tenant, those that it serves by design.
    of : ndarray, shape (N,)
        Tenant of every node of the topology, -1 for switches.
    """

    names: Sequence[str]
    keys: Sequence[int]
    shared_with: Sequence[tuple[int, ...]]
    of: Ints

    @cached_property
    def meets(self) -> Bools:
        """Whether two tenants may exchange packets, shape (T, T), symmetric."""
        found = np.eye(len(self.names), dtype=np.bool_)
        for one, others in enumerate(self.shared_with):
            found[one, list(others)] = True
        return np.asarray(found | found.T)

    @property
    def sizes(self) -> list[int]:
        """Endpoints of every tenant on the fabric."""
        return [int(count) for count in np.bincount(self.of[self.of >= 0], minlength=len(self.names))]

    @property
    def shared(self) -> list[tuple[str, tuple[str, ...]]]:
        """Tenants that are shared by design, and with whom."""
        return [
            (name, tuple(self.names[other] for other in others))
            for name, others in zip(self.names, self.shared_with, strict=True)
            if others
        ]
