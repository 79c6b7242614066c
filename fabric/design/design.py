"""From a requirement to designs side by side, by their counts."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from fabric.design.conflict import conflict_of
from fabric.design.counted import Counted
from fabric.design.family import FAMILIES
from fabric.design.objective import Objective, Rates
from fabric.design.requirement import Requirement, hosts_of, needs_of
from fabric.design.result import Design, DesignResult, Status
from fabric.design.scenario_text import scenario_text
from fabric.design.search import Search
from fabric.routing.progress import Progress, Reporter, silent


def design(requirement: Requirement, *, top: int = 4, progress: Reporter = silent) -> DesignResult:
    """The best design of every family, best first."""
    needs = needs_of(requirement)
    chosen: dict[str, Counted] = {}
    best: list[tuple[float, str, Counted]] = []
    bound = 0.0
    first = next(iter(needs))
    for name, need in needs.items():
        progress(Progress(f"{name}: counting designs"))
        ranked = []
        least = inf
        for family in FAMILIES:
            if need.kinds and family not in need.kinds:
                continue
            search = Search(replace(need, kinds=(family,)), requirement.catalogue, requirement.objective)
            counted = search.next()
            if counted is not None:
                value = search.value_of(counted)
                ranked.append((value, family, counted))
                least = min(least, search.bound, value)
        if not ranked:
            return DesignResult(
                "INFEASIBLE", requirement.objective.text, None, None, (), conflict=conflict_of(requirement),
                defaults=requirement.defaults,
            )  # fmt: skip
        ranked.sort(key=lambda one: one[:2])
        chosen[name], bound = ranked[0][2], bound + least
        best = ranked if name == first else best
    rest = sum(_value(requirement, name, counted) for name, counted in chosen.items() if name != first)
    designs = tuple(
        _design(requirement, {**chosen, first: counted}, value + rest, place)
        for place, (value, _, counted) in enumerate(best[:top])
    )
    value = designs[0].value
    status: Status = "OPTIMAL" if value <= bound * (1 + 1e-9) else "BOUNDED"
    return DesignResult(
        status, requirement.objective.text, value, min(bound, value), designs, defaults=requirement.defaults
    )


def _value(requirement: Requirement, name: str, counted: Counted) -> float:
    return Rates(needs_of(requirement)[name], requirement.catalogue, requirement.objective.counted).value(counted)[0]


def _design(requirement: Requirement, fabrics: dict[str, Counted], value: float, place: int) -> Design:
    needs = needs_of(requirement)
    measures = Objective.of("cost", "power", "cable_m")
    sums = [Rates(needs[name], requirement.catalogue, measures).value(counted) for name, counted in fabrics.items()]
    switches: dict[str, int] = {}
    cables: dict[str, int] = {}
    for counted in fabrics.values():
        for one in counted.switches:
            switches[one.role] = switches.get(one.role, 0) + one.count
        for links in counted.cables:
            cables[links.tier] = cables.get(links.tier, 0) + links.count
    cost, power, metres = (sum(column) for column in zip(*sums, strict=True))
    counted = next(iter(fabrics.values()))
    models = "/".join(dict.fromkeys(one.model for one in counted.switches))
    return Design(
        f"{counted.family} {models}", fabrics, scenario_text(requirement, fabrics), hosts_of(requirement).gpus or None,
        switches, cables, {}, value, cost, power, None, metres, dict(counted.oversubscription), {}, None, None,
        chosen=place == 0,
    )  # fmt: skip
