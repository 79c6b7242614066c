"""From a requirement to designs side by side: counted, priced, built, routed with the jobs, failed, and one chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf, isinf
from pathlib import Path

from fabric.design.choose import FamilyChoice, Ranked, best_of_family, name_of
from fabric.design.conflict import conflict_of
from fabric.design.counted import Counted
from fabric.design.family import FAMILIES
from fabric.design.flips import Flip, Parts, flips, unit_prices
from fabric.design.judge import Judged, judge
from fabric.design.need import FabricNeed
from fabric.design.requirement import Requirement, needs_of
from fabric.design.result import Conflict, Design, DesignResult
from fabric.design.scenario_text import scenario_text
from fabric.design.search import Search
from fabric.routing.progress import Progress, Reporter, silent
from topologies.units import format_seconds, percent

SAME_ORDER = (
    "within a family, a design with more oversubscription than one that failed was taken to fail too; it was not routed"
)


@dataclass
class _Plan:
    """Choices of all fabrics as they stand."""

    requirement: Requirement
    needs: Mapping[str, FabricNeed]
    chosen: dict[str, Ranked]
    progress: Reporter
    tried: int = 0
    impossible: Conflict | None = None  # a limit that no network can meet

    def ranking(self, need: FabricNeed) -> Iterator[Ranked]:
        """Counted designs of a fabric in order of the objective."""
        search = Search(need, self.requirement.catalogue, self.requirement.objective)
        while (counted := search.next()) is not None:
            yield Ranked(counted, search.value_of(counted), search.bound)

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
    plan = _Plan(requirement, needs, {}, progress)
    for name, need in needs.items():
        first = next(plan.ranking(need), None)
        if first is None:
            return _infeasible(requirement, conflict_of(requirement))
        plan.chosen[name] = first
    choices: dict[str, list[FamilyChoice]] = {}
    for place, name in enumerate(needs):
        choices[name] = _families(plan, name, top if place == 0 else 1)
        if plan.impossible is not None:
            return _infeasible(requirement, (plan.impossible,), choices)
        holding = [choice for choice in choices[name] if choice.best is not None]
        if not holding:
            return _infeasible(requirement, (_no_family(name, choices[name]),), choices)
        best = min(holding, key=_order)
        assert_best = best.best
        if assert_best is not None:
            plan.chosen[name] = assert_best
    return _result(plan, choices, top)


def _order(choice: FamilyChoice) -> tuple[float, str]:
    return (inf if choice.best is None else choice.best.value, choice.family)


def _families(plan: _Plan, fabric: str, wanted: int) -> list[FamilyChoice]:
    """Families of a fabric, cheapest by counts first, until enough hold and no other can be better."""
    need = plan.needs[fabric]
    firsts = []
    for family in FAMILIES:
        if need.kinds and family not in need.kinds:
            continue
        first = next(plan.ranking(replace(need, kinds=(family,))), None)
        if first is not None:
            firsts.append((first.value, family, first.bound))
    choices: list[FamilyChoice] = []
    for value, family, bound in sorted(firsts):
        best = min((choice.best.value for choice in choices if choice.best is not None), default=inf)
        held = sum(choice.best is not None for choice in choices)
        if value >= best and held >= wanted:
            choices.append(FamilyChoice(family, None, None, bound, (), exhausted=False))
            continue
        below = best if held >= wanted else inf
        choices.append(
            best_of_family(family, need, plan.ranking, lambda counted: plan.trial(fabric, counted), below)
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
    reasons = [choice.rejected[0] for choice in choices if choice.rejected]
    return Conflict(
        f"fabrics.{fabric}",
        "a design that holds when it is built, routed and failed",
        "; ".join(reasons) or "no family has one",
    )


def _infeasible(
    requirement: Requirement, conflict: tuple[Conflict, ...], choices: Mapping[str, list[FamilyChoice]] | None = None
) -> DesignResult:
    rejected = [text for family in (choices or {}).values() for choice in family for text in choice.rejected]
    return DesignResult(
        "INFEASIBLE",
        requirement.objective.text,
        None,
        None,
        (),
        conflict=conflict,
        defaults=requirement.defaults,
        rejected=tuple(rejected),
    )


def _result(plan: _Plan, choices: Mapping[str, list[FamilyChoice]], top: int) -> DesignResult:
    """Designs of the first fabric's families, each with the other fabrics as chosen; the bound of them together."""
    primary, *others = plan.needs
    rest = sum(plan.chosen[name].value for name in others)
    bound = sum(min(_bound(choice) for choice in family) for family in choices.values())
    held = sorted((choice for choice in choices[primary] if choice.best is not None), key=_order)[:top]
    final = [plan.trial(primary, choice.best.counted) if others else choice.judged for choice in held if choice.best]
    designs = tuple(
        _design(plan, choice.best, judged, rest, chosen=place == 0)
        for place, (choice, judged) in enumerate(zip(held, final, strict=True))
        if choice.best is not None and judged is not None
    )
    designs = (designs[0], *(replace(one, why_not=_why_not(one, designs[0])) for one in designs[1:]))
    value = designs[0].value
    prices = unit_prices(plan.requirement.catalogue)
    parts = [_parts(one, judged) for one, judged in zip(designs, final, strict=True) if judged is not None]
    assumed = any(choice.assumed for family in choices.values() for choice in family)
    return DesignResult(
        "OPTIMAL" if value <= bound * (1 + 1e-9) else "BOUNDED",
        plan.requirement.objective.text,
        value,
        min(bound, value),
        designs,
        defaults=plan.requirement.defaults,
        flips=tuple(_flip_text(flip) for flip in flips(parts[0], parts[1:], prices)[:5]) if len(parts) > 1 else (),
        rejected=tuple(text for family in choices.values() for choice in family for text in choice.rejected),
        tried=plan.tried,
        notes=(SAME_ORDER,) if assumed else (),
    )


def _bound(choice: FamilyChoice) -> float:
    return inf if isinf(choice.bound) else choice.bound


def _design(plan: _Plan, ranked: Ranked, judged: Judged, rest: float, *, chosen: bool) -> Design:
    """One design as people and programs see it."""
    several = len(plan.needs) > 1
    switches: dict[str, int] = {}
    cables: dict[str, int] = {}
    ratios: dict[str, float] = {}
    for fabric, summary in judged.summaries.items():
        prefix = f"{fabric}:" if several else ""
        counted = judged.fabrics[fabric]
        for one in counted.switches:
            switches[prefix + one.role] = summary.nodes_by_role[one.role]
        cables |= {prefix + tier: count for tier, count in summary.cables_by_tier.items()}
        ratios |= {prefix + role: ratio for role, ratio in summary.oversubscription_by_role.items() if ratio is not None}
    totals = judged.bill.totals if judged.bill is not None else None
    rows = judged.bill.rows if judged.bill is not None else ()
    run = judged.run
    return Design(
        name=_name(judged),
        fabrics=judged.fabrics,
        text=judged.text,
        gpus=None if run is None else run.network.gpus(next(iter(plan.needs))),
        switches_by_role=switches,
        cables_by_tier=cables,
        optics_by_model={row.model: row.count for row in rows if row.item == "optic"},
        value=ranked.value + rest,
        cost_usd=totals.cost_usd if totals is not None and not totals.missing else None,
        power_w=totals.max_w if totals is not None else None,
        carbon_kg=totals.carbon_kg if totals is not None else None,
        cable_m=sum(row.metres for row in rows if row.item == "cable"),
        oversubscription_by_role=ratios,
        step_time_s=judged.step_time_s or {},
        max_utilisation=judged.max_utilisation,
        worst_failure=judged.worst_failure,
        chosen=chosen,
        notes=judged.notes,
    )


def _name(judged: Judged) -> str:
    """Its families and their switch models: ``rail-optimised eth-64x400``."""
    names = []
    for counted in judged.fabrics.values():
        models = list(dict.fromkeys(one.model for one in counted.switches))
        names.append(f"{counted.family} {'/'.join(models)}")
    return " + ".join(names)


def _why_not(design: Design, chosen: Design) -> str:
    """What the chosen one has over another."""
    more = (design.value - chosen.value) / chosen.value if chosen.value else 0.0
    reasons = [f"{percent(more)} more of the objective" if more > 1e-9 else "as good; the chosen one is first by name"]
    for job, step in design.step_time_s.items():
        before = chosen.step_time_s.get(job)
        if before and abs(step - before) > 1e-3 * before:
            reasons.append(f"{job} takes {format_seconds(step)} a step, not {format_seconds(before)}")
    return "; ".join(reasons)


def _parts(design: Design, judged: Judged) -> Parts:
    """Parts of a design as its bill counts them."""
    count: dict[str, float] = {}
    for row in judged.bill.rows if judged.bill is not None else ():
        count[row.model] = count.get(row.model, 0.0) + row.count
    return Parts(design.name, design.cost_usd or 0.0, count)


def _flip_text(flip: Flip) -> str:
    """For people."""
    return (
        f"{flip.other} would cost as little if {flip.model} cost US$ {flip.at_usd:,.0f}, not {flip.now_usd:,.0f} "
        f"({flip.change:+.0%})"
    )


__all__ = ["Path", "design"]
