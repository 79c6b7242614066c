"""From a requirement to designs side by side: counted, priced, built, routed with the jobs, failed, and one chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf, isinf

from fabric.design.choose import FamilyChoice, Ranked, best_of_family, name_of
from fabric.design.conflict import conflict_of
from fabric.design.counted import Counted
from fabric.design.family import FAMILIES
from fabric.design.judge import Judged, judge
from fabric.design.need import FabricNeed
from fabric.design.requirement import Requirement, needs_of
from fabric.design.result import Conflict, Design, DesignResult
from fabric.design.scenario_text import scenario_text
from fabric.design.search import Search
from fabric.design.side_by_side import better_on, design_of, flip_texts, why_not
from fabric.routing.progress import Progress, Reporter, silent
from topologies.units import format_seconds

SAME_ORDER = (
    "within a family, a design with more oversubscription than one that failed was taken to fail too; it was not routed"
)
_FAR = 4  # times the best: designs beyond are not shown beside it
EVEN_LOAD = "{family}: its ceiling is that of everyone sending evenly to everyone, not of any traffic"


@dataclass
class _Plan:
    """Choices of all fabrics as they stand."""

    requirement: Requirement
    needs: Mapping[str, FabricNeed]
    progress: Reporter
    chosen: dict[str, Ranked] = field(default_factory=dict)
    tried: int = 0
    impossible: Conflict | None = None  # a limit that no network can meet

    def ranking(self, need: FabricNeed, family: str) -> Iterator[Ranked]:
        """Counted designs of a family in order of the objective."""
        search = Search(need, self.requirement.catalogue, self.requirement.objective, families=(family,))
        while (counted := search.next()) is not None:
            value = search.value_of(counted)
            yield Ranked(counted, value, min(value, search.bound))

    def firsts(self, need: FabricNeed) -> list[tuple[Ranked, str]]:
        """The best counted design of every family, best first; of families that come to the same fabric, the first."""
        firsts, seen = [], set()
        for family in FAMILIES:
            ranked = next(self.ranking(need, family), None)
            if ranked is None:
                continue
            same = (round(ranked.value, 6), frozenset((one.model, one.count) for one in ranked.counted.switches))
            if same not in seen:
                seen.add(same)
                firsts.append((ranked, family))
        return sorted(firsts, key=lambda pair: (pair[0].value, pair[1]))

    def trial(self, fabric: str, counted: Counted) -> Judged:
        """One fabric's design judged beside the other fabrics as they stand."""
        self.tried += 1
        self.progress(Progress(f"{fabric}: routing and failing {name_of(counted)}"))
        fabrics = {**{name: one.counted for name, one in self.chosen.items()}, fabric: counted}
        text = scenario_text(self.requirement, fabrics)
        judged = judge(text, self.requirement.directory / "design.fabric.yaml", self.needs, fabrics)
        if self.impossible is None:
            self.impossible = _beyond_any_network(judged)
        return judged


def design(requirement: Requirement, *, top: int = 4, progress: Reporter = silent) -> DesignResult:
    """Search, judge, choose.

    Parameters
    ----------
    top : int
        Designs side by side.

    Raises
    ------
    FabricError
        For mistakes in the requirement; a requirement that cannot be met is an answer.
    """
    needs = needs_of(requirement)
    plan = _Plan(requirement, needs, progress)
    firsts = {name: plan.firsts(need) for name, need in needs.items()}
    if not all(firsts.values()):
        return _infeasible(requirement, conflict_of(requirement), {})
    plan.chosen = {name: best[0][0] for name, best in firsts.items()}
    choices: dict[str, list[FamilyChoice]] = {}
    for place, name in enumerate(needs):
        choices[name] = _families(plan, name, firsts[name], top if place == 0 else 1)
        holding = [choice.best for choice in choices[name] if choice.best is not None]
        if plan.impossible is not None or not holding:
            conflict = plan.impossible or _no_family(name, choices[name])
            return _infeasible(requirement, (conflict,), choices)
        plan.chosen[name] = min(holding, key=lambda ranked: (ranked.value, ranked.counted.family))
    return _result(plan, choices, top)


def _families(plan: _Plan, fabric: str, firsts: list[tuple[Ranked, str]], wanted: int) -> list[FamilyChoice]:
    """Families of a fabric, cheapest by counts first, until enough hold and no other can be better."""
    need = plan.needs[fabric]
    choices: list[FamilyChoice] = []
    for first, family in firsts:
        values = [choice.best.value for choice in choices if choice.best is not None]
        best = min(values, default=inf)
        if first.value >= best and (len(values) >= wanted or first.value > _FAR * best):
            choices.append(FamilyChoice(family, None, None, first.bound, (), exhausted=False))
            continue
        choices.append(
            best_of_family(
                family,
                need,
                lambda own, family=family: plan.ranking(own, family),  # type: ignore[misc]
                lambda counted: plan.trial(fabric, counted),
                best,
                shown=len(values) < wanted,
            )
        )
        if plan.impossible is not None:
            break
    return choices


def _beyond_any_network(judged: Judged) -> Conflict | None:
    """A limit on a step that is below what the step takes when every transfer runs at the line rate of its NICs."""
    if judged.run is None:
        return None
    ideal = {job.id: job.step_time_ideal_s for job in judged.run.result.jobs}
    for limit in judged.run.loaded.scenario.limits:
        least = ideal.get(limit.workload or "")
        if limit.metric == "step_time" and least is not None and limit.max < least:
            return Conflict(
                f"limits: {limit.workload} step_time",
                f"at most {format_seconds(limit.max)}",
                f"{format_seconds(least)}: its compute, and its transfers at the line rate of the NICs; no network is "
                "faster",
            )
    return None


def _no_family(fabric: str, choices: list[FamilyChoice]) -> Conflict:
    """Every family failed: the first reason of each."""
    reasons = [choice.rejected[-1] for choice in choices if choice.rejected]
    return Conflict(
        f"require.fabrics.{fabric}",
        "a design that holds when it is built, routed and failed",
        "; ".join(reasons) or "no family has one",
    )


def _infeasible(
    requirement: Requirement, conflict: tuple[Conflict, ...], choices: Mapping[str, list[FamilyChoice]]
) -> DesignResult:
    return DesignResult(
        "INFEASIBLE",
        requirement.objective.text,
        None,
        None,
        (),
        conflict=conflict,
        defaults=requirement.defaults,
        rejected=_rejected(choices),
    )


def _rejected(choices: Mapping[str, list[FamilyChoice]]) -> tuple[str, ...]:
    return tuple(text for family in choices.values() for choice in family for text in choice.rejected)


def _result(plan: _Plan, choices: Mapping[str, list[FamilyChoice]], top: int) -> DesignResult:
    """Designs of the first fabric's families, each with the other fabrics as chosen; the bound of them together."""
    primary, *others = plan.needs
    rest = sum(plan.chosen[name].value for name in others)
    bound = sum(min(choice.bound for choice in family) for family in choices.values())
    held = [(choice.best, choice.judged) for choice in choices[primary] if choice.best is not None]
    held = sorted(held, key=lambda pair: (pair[0].value, pair[0].counted.family))[:top]
    judged = [plan.trial(primary, ranked.counted) if others else one for ranked, one in held]
    known = [(ranked, one) for (ranked, _), one in zip(held, judged, strict=True) if one is not None]
    designs = [design_of(one, ranked.value + rest, chosen=place == 0) for place, (ranked, one) in enumerate(known)]
    first = designs[0]
    compared = [replace(one, why_not=_why_not(one, first)) for one in designs[1:]]
    value = first.value
    assumed = any(choice.assumed for family in choices.values() for choice in family)
    even = [ranked.counted.family for ranked, _ in known if not FAMILIES[ranked.counted.family].any_traffic]
    return DesignResult(
        "OPTIMAL" if value <= bound * (1 + 1e-9) else "BOUNDED",
        plan.requirement.objective.text,
        value,
        value if isinf(bound) else min(bound, value),
        (first, *compared),
        defaults=plan.requirement.defaults,
        flips=flip_texts(designs, [one for _, one in known], plan.requirement.catalogue, plan.requirement.objective),
        rejected=_rejected(choices),
        tried=plan.tried,
        notes=(*([SAME_ORDER] if assumed else []), *(EVEN_LOAD.format(family=family) for family in even)),
    )


def _why_not(one: Design, first: Design) -> str:
    """Why it lost; that it is worse in everything, where it is."""
    reason = why_not(one, first)
    return reason if better_on(one, first) else f"{reason}; better in nothing"
