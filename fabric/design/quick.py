"""Designs by counts alone, family by family, while somebody still types: nothing is built, routed or failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isinf
from typing import Any

from fabric.design.conflict import conflict_of
from fabric.design.counted import Counted
from fabric.design.family import FAMILIES
from fabric.design.objective import MissingFigureError, Objective, Rates
from fabric.design.requirement import Requirement, needs_of
from fabric.design.requirement_file import load_requirement
from fabric.design.result import Conflict
from fabric.design.scenario_text import scenario_text
from fabric.design.search import Search
from fabric.routing.progress import Progress, Reporter, silent


@dataclass(frozen=True)
class QuickDesign:
    """The best of a family by counts; ``cost_usd`` and ``power_w`` are None where the catalogue lacks a figure."""

    name: str
    counted: Counted
    value: float
    cost_usd: float | None
    power_w: float | None

    @property
    def switches(self) -> int:
        """Switches of all roles."""
        return sum(each.count for each in self.counted.switches)

    @property
    def cables(self) -> int:
        """Links of all tiers."""
        return sum(each.count for each in self.counted.cables)


@dataclass(frozen=True, eq=False)
class QuickAnswer:
    """Designs by counts, best first.

    Attributes
    ----------
    bound : float
        No design by counts is below; in the unit of the objective.
    text : str
        Scenario of the best; empty where there is none.
    """

    objective: str
    designs: tuple[QuickDesign, ...]
    bound: float
    defaults: tuple[str, ...]
    conflict: tuple[Conflict, ...]
    text: str


def quick_designs(keys: Mapping[str, Any], progress: Reporter = silent) -> QuickAnswer:
    """The best of every family for a requirement with one fabric.

    Parameters
    ----------
    keys : mapping
        Of a requirement, as a file would have them.

    Raises
    ------
    FabricError
        For what is wrong with them.
    """
    requirement = load_requirement(None, given=keys)
    name, need = next(iter(needs_of(requirement).items()))
    designs: list[QuickDesign] = []
    bound = inf
    for family in FAMILIES:
        if not FAMILIES[family].is_choice(need, family):
            continue
        progress(Progress(f"counting {family}"))
        search = Search(need, requirement.catalogue, requirement.objective, families=(family,))
        counted = search.next()
        if counted is None:
            continue
        value = search.value_of(counted)
        bound = min(bound, search.bound, value)
        designs.append(_design(requirement, counted, value, search))
    designs.sort(key=lambda one: (one.value, one.name))
    text = scenario_text(requirement, {name: designs[0].counted}) if designs else ""
    return QuickAnswer(
        requirement.objective.text,
        tuple(designs),
        0.0 if isinf(bound) else bound,
        requirement.defaults,
        () if designs else conflict_of(requirement),
        text,
    )


def _design(requirement: Requirement, counted: Counted, value: float, search: Search) -> QuickDesign:
    def figure(measure: str) -> float | None:
        try:
            return Rates(search.need, requirement.catalogue, Objective.of(measure)).value(counted)[0]
        except MissingFigureError:
            return None

    models = "/".join(dict.fromkeys(each.model for each in counted.switches))
    return QuickDesign(f"{counted.family} {models}", counted, value, figure("cost"), figure("power"))
