"""Designs that hold, side by side: what each is made of, what it costs, and why it is not the one to buy."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.bill.bill import BillRow
from fabric.design.flips import Flip, Parts, flips, unit_prices
from fabric.design.judge import Judged, worst_failure
from fabric.design.objective import Objective
from fabric.design.result import Design
from topologies.catalogue import Catalogue
from topologies.units import format_seconds, percent

_NETWORK = ("switch", "licence", "optic", "cable")  # items that designs differ in; NICs and servers are the same in all
_MOST_FLIPS = 5
_MOST_RISE = 3.0  # relative: prices do not rise beyond that, so that nobody has to know


def design_of(judged: Judged, value: float, *, chosen: bool) -> Design:
    """One design as people and programs see it.

    Parameters
    ----------
    value : float
        Of the objective, all fabrics together.
    """
    several = len(judged.fabrics) > 1
    switches: dict[str, int] = {}
    cables: dict[str, int] = {}
    ratios: dict[str, float] = {}
    for fabric, summary in judged.summaries.items():
        prefix = f"{fabric}:" if several else ""
        switches |= {prefix + one.role: summary.nodes_by_role[one.role] for one in judged.fabrics[fabric].switches}
        cables |= {prefix + tier: count for tier, count in summary.cables_by_tier.items()}
        there = summary.oversubscription_by_role
        ratios |= {prefix + role: ratio for role, ratio in there.items() if ratio is not None}
    rows = network_rows(judged)
    run = judged.run
    return Design(
        name=name_of_design(judged),
        topology_kind=_kinds(judged),
        fabrics=judged.fabrics,
        text=judged.text,
        gpus=None if run is None else run.network.gpus(next(iter(judged.fabrics))),
        switches_by_role=switches,
        cables_by_tier=cables,
        optics_by_model={row.model: row.count for row in rows if row.item == "optic"},
        value=value,
        cost_usd=_sum([row.cost_usd for row in rows]),
        power_w=_power(judged),
        carbon_kg=_sum([None if row.carbon_kg is None else row.carbon_kg * row.count for row in rows]),
        cable_m=sum(row.metres for row in rows if row.item == "cable"),
        oversubscription_by_role=ratios,
        step_time_s=judged.step_time_s,
        max_utilisation=judged.max_utilisation,
        worst_failure=worst_failure(judged),
        chosen=chosen,
        notes=judged.notes,
        uniform_load={
            fabric: counted.uniform_load
            for fabric, counted in judged.fabrics.items()
            if counted.uniform_load is not None
        },
    )


def network_rows(judged: Judged) -> list[BillRow]:
    """Rows of the bill that designs differ in."""
    return [row for row in judged.bill.rows if row.item in _NETWORK] if judged.bill is not None else []


def _sum(values: Sequence[float | None]) -> float | None:
    """None where one is not known: a sum without it would look whole."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _power(judged: Judged) -> float | None:
    """Largest power of the network, as the bill counts it; None where a switch has none."""
    if judged.bill is None:
        return None
    unknown = [row for row in network_rows(judged) if row.item == "switch" and row.max_w is None]
    return None if unknown else judged.bill.totals.max_w


def name_of_design(judged: Judged) -> str:
    """Its families and their switch models: ``rail-optimised eth-64x400``."""
    names = []
    for counted in judged.fabrics.values():
        models = list(dict.fromkeys(one.model for one in counted.switches))
        names.append(f"{counted.family} {'/'.join(models)}")
    return " + ".join(names)


def _kinds(judged: Judged) -> str:
    """Kinds of its fabrics: one, or ``backend: leaf-spine, storage: fat-tree``."""
    kinds = {name: counted.kind for name, counted in judged.fabrics.items()}
    if len(kinds) == 1:
        return next(iter(kinds.values()))
    return ", ".join(f"{name}: {kind}" for name, kind in kinds.items())


def why_not(design: Design, chosen: Design) -> str:
    """What the chosen one has over another, and what the other has over it."""
    more = (design.value - chosen.value) / chosen.value if chosen.value else 0.0
    reasons = [f"{percent(more)} more of the objective" if more > 1e-9 else ""]
    if design.cost_usd is not None and chosen.cost_usd and abs(design.value - design.cost_usd) > 1e-9 * design.value:
        reasons.append(_beside(design.cost_usd, chosen.cost_usd, "cost"))
    if design.power_w is not None and chosen.power_w:
        reasons.append(_beside(design.power_w, chosen.power_w, "power"))
    for job, step in design.step_time_s.items():
        before = chosen.step_time_s.get(job)
        if before is not None and format_seconds(step) != format_seconds(before):
            reasons.append(f"{job} takes {format_seconds(step)} a step, not {format_seconds(before)}")
    return "; ".join(reason for reason in reasons if reason) or "as good; the chosen one is first by name"


def _beside(value: float, other: float, what: str) -> str:
    change = value / other - 1
    if abs(change) < 1e-3:
        return ""
    return f"{percent(abs(change))} {'more' if change > 0 else 'less'} {what}"


def better_on(design: Design, chosen: Design) -> bool:
    """Whether a design beats the chosen one in anything that designs are compared by."""
    measures: list[tuple[float | None, float | None]] = [
        (design.cost_usd, chosen.cost_usd),
        (design.power_w, chosen.power_w),
        *((design.step_time_s.get(job), step) for job, step in chosen.step_time_s.items()),
    ]
    if design.worst_failure is not None and chosen.worst_failure is not None:
        measures.append((design.worst_failure.unreachable_pairs, chosen.worst_failure.unreachable_pairs))
        measures.append((design.worst_failure.max_utilisation, chosen.worst_failure.max_utilisation))
    return any(mine is not None and its is not None and mine < its * (1 - 1e-9) for mine, its in measures)


def flip_texts(
    designs: Sequence[Design], judged: Sequence[Judged], catalogue: Catalogue, objective: Objective
) -> tuple[str, ...]:
    """Prices at which another of the designs would cost as little as the first, nearest first.

    Empty where it is not the cost alone that decides.
    """
    if objective.order[0] != Objective.of("cost").order[0]:
        return ()
    priced = [(design, one) for design, one in zip(designs, judged, strict=True) if design.cost_usd is not None]
    if not priced or priced[0][0] is not designs[0]:
        return ()
    first, *others = [_parts(design, one) for design, one in priced]
    nearest = [flip for flip in flips(first, others, unit_prices(catalogue)) if flip.change <= _MOST_RISE]
    return tuple(_flip_text(flip) for flip in nearest[:_MOST_FLIPS])


def _parts(design: Design, judged: Judged) -> Parts:
    count: dict[str, float] = {}
    for row in network_rows(judged):
        if row.item == "licence":
            continue  # of the same model as its switch, and not in the switch's price
        count[row.model] = count.get(row.model, 0.0) + row.count
    return Parts(design.name, design.cost_usd or 0.0, count)


def _flip_text(flip: Flip) -> str:
    rise = "more" if flip.change > 0 else "less"
    return (
        f"{flip.other} would cost as little if {flip.model} cost US$ {flip.at_usd:,.0f}, "
        f"{percent(abs(flip.change))} {rise} than its US$ {flip.now_usd:,.0f}"
    )
