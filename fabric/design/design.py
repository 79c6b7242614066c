"""From a requirement to designs side by side: counted, priced, built, routed with the jobs, failed, and one chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, isinf

from fabric.design.amounts import amount_text
from fabric.design.choose import FamilyChoice, Ranked, best_of_family, name_of
from fabric.design.conflict import conflict_of
from fabric.design.countable import left_out_notes, with_what_can_be_counted
from fabric.design.family import FAMILIES
from fabric.design.fastest import FASTEST, SAME_STEP, choose_fastest, is_timed, least_step_s, step_s
from fabric.design.floor_wishes import check_floor
from fabric.design.judge import Judged
from fabric.design.plan import Plan
from fabric.design.requirement import Requirement, needs_of
from fabric.design.result import Conflict, Design, DesignResult
from fabric.design.side_by_side import better_on, design_of, flip_texts, why_not
from fabric.routing.progress import Reporter, silent

SAME_ORDER = (
    "within a family, a design with more oversubscription than one that failed was taken to fail too; it was not routed"
)
EVEN_LOAD = "{family}: its ceiling is that of everyone sending evenly to everyone, not of any traffic"
MOST_BUILT = 200_000  # NICs of a fabric that is built, routed and failed; beyond, families are counted alone
_FAR = 4  # times the best: designs beyond are not shown beside it
_CLOSE = 5e-3  # relative, of what was counted and the bill


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
    check_floor(requirement)
    needs = needs_of(requirement)
    plan = Plan(requirement, needs, progress)
    firsts = {name: plan.firsts(need) for name, need in needs.items()}
    said: tuple[str, ...] = ()
    if not all(firsts.values()):
        requirement, said = with_what_can_be_counted(requirement, needs)
        if said:
            plan = Plan(requirement, needs, progress)
            firsts = {name: plan.firsts(need) for name, need in needs.items()}
    if not all(firsts.values()):
        notes = (*said, *left_out_notes(list(plan.left_out)))
        return _infeasible(requirement, conflict_of(requirement), {}, notes)
    if max(need.endpoints for need in needs.values()) > MOST_BUILT:
        return _counted_only(requirement, firsts, (*said, *left_out_notes(list(plan.left_out))))
    plan.chosen = {name: best[0][0] for name, best in firsts.items()}
    if is_timed(requirement.objective):
        choose_fastest(plan, firsts)
    choices: dict[str, list[FamilyChoice]] = {}
    for place, name in enumerate(needs):
        choices[name] = _families(plan, name, firsts[name], top if place == 0 else 1)
        holding = [choice.best for choice in choices[name] if choice.best is not None]
        if not holding and (mistakes := plan.mistakes()):
            first = mistakes[0]
            raise requirement.located(first.message, ("require", *first.where), first.hint, first.code)
        if plan.impossible or not holding:
            conflict = plan.impossible or _no_family(plan, name, choices[name])
            return _infeasible(requirement, conflict, choices, said)
        plan.chosen[name] = min(holding, key=lambda ranked: (ranked.value, ranked.counted.family))
    result = _result(plan, choices, top)
    return replace(result, notes=(*said, *result.notes, *left_out_notes(list(plan.left_out))))


def _families(plan: Plan, fabric: str, firsts: list[tuple[Ranked, str]], wanted: int) -> list[FamilyChoice]:
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
        if plan.impossible:
            break
    return choices


def _counted_only(
    requirement: Requirement, firsts: Mapping[str, list[tuple[Ranked, str]]], notes: tuple[str, ...]
) -> DesignResult:
    """The families that reach, with the least of each: none is offered, since none was built."""
    unit = requirement.objective.unit
    texts = [
        f"{fabric}: {name_of(ranked.counted)}: reaches, counted at {amount_text(ranked.value, unit)}"
        for fabric, best in firsts.items()
        for ranked, _ in best
    ]
    far = f"more than {MOST_BUILT:,} NICs on a fabric: families that reach are counted, none is built, routed or failed"
    return DesignResult(
        "BOUNDED",
        requirement.objective.text,
        None,
        sum(min(ranked.bound for ranked, _ in best) for best in firsts.values()),
        (),
        defaults=requirement.defaults,
        notes=(far, *texts, *notes),
        unit=unit,
    )


def _no_family(plan: Plan, fabric: str, choices: list[FamilyChoice]) -> tuple[Conflict, ...]:
    """Every family failed: a floor plan without room for any, or the last reason of each."""
    if plan.no_room:
        return next(iter(plan.no_room))
    reasons = [choice.rejected[-1] for choice in choices if choice.rejected]
    return (
        Conflict(
            f"require.fabrics.{fabric}",
            "a design that holds when it is built, routed and failed",
            "; ".join(reasons) or "no family has one",
        ),
    )


def _infeasible(
    requirement: Requirement,
    conflict: tuple[Conflict, ...],
    choices: Mapping[str, list[FamilyChoice]],
    notes: tuple[str, ...],
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
        notes=notes,
        unit=requirement.objective.unit,
    )


def _rejected(choices: Mapping[str, list[FamilyChoice]]) -> tuple[str, ...]:
    return tuple(text for family in choices.values() for choice in family for text in choice.rejected)


def _result(plan: Plan, choices: Mapping[str, list[FamilyChoice]], top: int) -> DesignResult:
    """Designs of the first fabric's families, each with the other fabrics as chosen; the bound of them together."""
    primary, *others = plan.needs
    rest = sum(plan.chosen[name].value for name in others)
    bound = sum(min(choice.bound for choice in family) for family in choices.values())
    timed = is_timed(plan.requirement.objective)
    known = _held(plan, primary, choices[primary], top)
    values = [ranked.value + rest for ranked, _ in known]
    if timed:
        values = [step_s(one) or 0.0 for _, one in known]
        bound = min(least_step_s(one) for _, one in known)
    designs = [
        design_of(one, value, chosen=place == 0)
        for place, ((_, one), value) in enumerate(zip(known, values, strict=True))
    ]
    first, value = designs[0], values[0]
    compared = [replace(one, why_not=_why_not(one, first)) for one in designs[1:]]
    return DesignResult(
        "OPTIMAL" if value <= bound * (1 + (SAME_STEP if timed else 1e-9)) else "BOUNDED",
        plan.requirement.objective.text,
        value,
        value if isinf(bound) else min(bound, value),
        (first, *compared),
        defaults=plan.requirement.defaults,
        flips=()
        if timed
        else flip_texts(designs, [one for _, one in known], plan.requirement.catalogue, plan.requirement.objective),
        rejected=_rejected(choices),
        tried=plan.tried,
        notes=tuple(_notes(plan, choices, known, first)),
        unit=plan.requirement.objective.unit,
    )


def _held(plan: Plan, primary: str, choices: list[FamilyChoice], top: int) -> list[tuple[Ranked, Judged]]:
    """Designs that hold, the one to buy first; beside the fastest also slower ones, of families that have no faster."""
    held = [choice.best for choice in choices if choice.best is not None]
    most_step_s, plan.most_step_s = plan.most_step_s, inf
    if not isinf(most_step_s):
        slower = (plan.fullest(plan.needs[primary], choice.family) for choice in choices if choice.best is None)
        held += [ranked for ranked in slower if ranked is not None]
    judged = [(ranked, plan.trial(primary, ranked.counted)) for ranked in held]

    def order(pair: tuple[Ranked, Judged]) -> tuple[float, float, str]:
        seconds = step_s(pair[1]) or 0.0
        return (seconds if seconds > most_step_s else 0.0), pair[0].value, pair[0].counted.family

    ordered = sorted((pair for pair in judged if pair[1].holds), key=order)
    return [pair for pair in ordered if pair[0].value <= _FAR * ordered[0][0].value][:top]


def _notes(
    plan: Plan,
    choices: Mapping[str, list[FamilyChoice]],
    known: Sequence[tuple[Ranked, Judged]],
    first: Design,
) -> Iterator[str]:
    """What was taken for granted, and what the figures are of."""
    if is_timed(plan.requirement.objective):
        yield FASTEST
    if any(choice.assumed for family in choices.values() for choice in family):
        yield SAME_ORDER
    for family in dict.fromkeys(
        counted.family
        for _, judged in known
        for fabric, counted in judged.fabrics.items()
        if not FAMILIES[counted.family].any_traffic and not isinf(plan.needs[fabric].oversubscription)
    ):
        yield EVEN_LOAD.format(family=family)
    cost = first.cost_usd
    if plan.requirement.objective.unit == "US$" and cost is not None and abs(cost - first.value) > _CLOSE * first.value:
        yield (
            f"costs are proved as counted, with the cable lengths of runs (US$ {first.value:,.0f}); the bill of what "
            f"was built is of its own lengths (US$ {cost:,.0f})"
        )


def _why_not(one: Design, first: Design) -> str:
    """Why it lost; that it is worse in everything, where it is."""
    reason = why_not(one, first)
    return reason if better_on(one, first) else f"{reason}; better in nothing"
