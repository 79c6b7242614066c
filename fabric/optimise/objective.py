"""What an optimal routing can be best at: a registry, one file an objective in ``fabric.optimise.objectives``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fabric.routing.names import OBJECTIVE_NAMES
from fabric.routing.router import Routing
from topologies.registry import Registry


@dataclass(frozen=True)
class ObjectiveTraits:
    """What the rest of the planner has to know of an objective.

    Attributes
    ----------
    sense : str
        Whether less or more of the figure is better.
    figure, unit : str
        What is optimised, and its unit as printed.
    admits_in_part : bool
        Demand may be admitted in part, so that endpoints that offer more than their links carry are limited as well.
    compared : bool
        Routers are compared on it; of one objective only.
    options : tuple of str
        Keys of ``routing`` that only this objective reads.
    """

    sense: Literal["least", "most"]
    figure: str
    unit: str
    admits_in_part: bool = False
    compared: bool = False
    options: tuple[str, ...] = ()


OBJECTIVES: Registry[Routing, ObjectiveTraits] = Registry(
    "objective", "fabric.optimise.objectives", traits=ObjectiveTraits, announce=OBJECTIVE_NAMES
)


def compared_objective() -> str:
    """The objective that routers are compared on.

    >>> compared_objective()
    'min-max-utilisation'
    """
    return next(entry.name for entry in OBJECTIVES if entry.traits.compared)
