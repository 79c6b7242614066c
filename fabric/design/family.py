"""Families of fabrics to choose from: each says how it is counted, as constraints over whole numbers.

A family splits its choices into **variants**: one per combination of switch models, breakouts, ports of a NIC and
tiers. Within a variant the counts (leaves, uplinks, spines, …) are variables of a CP-SAT model that the variant fills;
the search adds the objective, so that a family knows nothing of prices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from fabric.design.counted import Counted
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue
from topologies.link_kits import LinkEnd
from topologies.plugin_folder import PluginFolder

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel

Count = Any  # an IntVar or an expression of the model, or a plain int where there is nothing to choose


@dataclass(frozen=True)
class SwitchTerm:
    """Switches of a variant: their number is part of the objective."""

    role: str
    model: str
    count: Count


@dataclass(frozen=True)
class LinkTerm:
    """Links of a variant between two kinds of end."""

    tier: str
    count: Count
    gbps: float
    lower: LinkEnd
    upper: LinkEnd
    run: str


@dataclass(frozen=True)
class Formulation:
    """A variant as variables and constraints of a model.

    Attributes
    ----------
    decides : tuple
        Variables that tell one design of the variant from another; empty where there is only one.
    read : callable
        The design from the values of variables: ``read(value)``, where ``value(variable)`` is a number.
    """

    switches: tuple[SwitchTerm, ...]
    links: tuple[LinkTerm, ...]
    decides: tuple[Any, ...]
    read: Callable[[Callable[[Any], int]], Counted]


@dataclass(frozen=True)
class Floor:
    """Counts that no design of a variant is below, as plain numbers: what a variant is worth a look for.

    Terms are those of the formulation, in its order.
    """

    switches: tuple[SwitchTerm, ...]
    links: tuple[LinkTerm, ...]


@dataclass(frozen=True)
class Variant:
    """One combination of a family's discrete choices.

    Attributes
    ----------
    name : str
        Unique, stable whatever the order of the catalogue.
    models : tuple of str
        Switch models by role, from the hosts up.
    formulate : callable
        Adds variables and constraints to a model; None where the variant cannot meet the need.
    floor : Floor, optional
        A cheap bound; without it the model is the first to say.
    """

    family: str
    name: str
    models: tuple[str, ...]
    formulate: Callable[[CpModel], Formulation | None]
    floor: Floor | None = None


@dataclass(frozen=True)
class Family:
    """How a family of fabrics is counted.

    Attributes
    ----------
    variants : callable
        All combinations that could meet a need; in an order that does not depend on that of the catalogue.
    most_endpoints : callable
        NICs that it reaches with the switches of a catalogue at full bandwidth, and None for no limit.
    any_traffic : bool
        Whether the oversubscription that it counts holds for any traffic that NICs admit. False: it is the load of
        everyone sending evenly to everyone, and such a family is a choice only where limits of jobs say what is
        enough, or where it is asked for by name.
    """

    kind: str  # of topology that it builds
    variants: Callable[[FabricNeed, Catalogue], Iterator[Variant]]
    most_endpoints: Callable[[FabricNeed, Catalogue], int | None]
    any_traffic: bool = True

    def is_choice(self, need: FabricNeed, name: str) -> bool:
        """Whether designs of the family, called ``name``, can be what a need asks for."""
        if need.kinds:
            return name in need.kinds
        return self.any_traffic or need.oversubscription == inf


FAMILIES = PluginFolder("family", "fabric.design.families", "FAMILY", Family)
