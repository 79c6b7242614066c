"""The tables of all switches of one fabric, made one switch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from fabric.rules.addressing import AddressPlan
from fabric.rules.ports import Ports
from fabric.rules.table import SwitchTable
from topologies.topology import Topology

if TYPE_CHECKING:
    from fabric.rules.tenancy import Tenancy


@dataclass(frozen=True, eq=False)
class RuleSet:
    """What an export is written from.

    Attributes
    ----------
    plan : AddressPlan
        Whose topology the tables are for; failures are in its masks.
    families : tuple of int
        IP versions the rules are for: (4,), (6,) or (4, 6).
    router : str
        Whose routing the tables carry.
    nodes : sequence of int
        Switches that have a table, topology nodes in order.
    make : callable
        Table of one of them.
    hash_seeds : mapping
        Seed of every switch's hash, 1 to 2**32 - 1, no two alike; by topology node.
    tenancy : Tenancy or None
        Whose endpoints are whose, where the scenario has tenants; the tables then keep them apart.
    """

    plan: AddressPlan
    families: tuple[int, ...]
    router: str
    nodes: Sequence[int]
    make: Callable[[int], SwitchTable]
    hash_seeds: Mapping[int, int] = field(default_factory=dict)
    tenancy: Tenancy | None = None

    @property
    def topology(self) -> Topology:
        """The fabric."""
        return self.plan.topology

    @cached_property
    def ports(self) -> Ports:
        """Port numbers."""
        return Ports(self.topology)

    def tables(self) -> Iterator[SwitchTable]:
        """Tables of all switches, in order."""
        return (self.make(node) for node in self.nodes)
