"""Designs side by side, and the wishes that conflict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fabric.design.amounts import amount_text
from fabric.design.result import Conflict, Design, DesignResult, WorstFailure
from fabric.faces.views.row_kinds import DESIGNS
from fabric.output.columns import amounts, counts, loads, named, ratios, seconds_text
from fabric.output.table import Table
from topologies.units import percent, to_one

_EXACT = 1e-9  # relative, of a value that is its bound


def design_table(designs: Sequence[Design], paths: Mapping[str, Path] | None = None) -> Table:
    """One row a design, best first; ``paths`` of their scenarios by name."""
    files = {name: str(path) for name, path in (paths or {}).items()}
    first = designs[0].value if designs else 0.0
    columns = {
        "name": named("name", "design", [one.name for one in designs], width=24),
        "topology_kind": named("topology_kind", "kind", [one.topology_kind for one in designs], priority=4),
        "gpus": counts("gpus", "GPUs", [one.gpus for one in designs], priority=5),
        "switches": counts("switches", "switches", [sum(one.switches_by_role.values()) for one in designs]),
        "cables": counts("cables", "cables", [sum(one.cables_by_tier.values()) for one in designs]),
        "cost_usd": counts("cost_usd", "cost US$", [one.cost_usd for one in designs], width=11, unit="US$"),
        "power_w": counts("power_w", "largest W", [one.power_w for one in designs], width=9, unit="W"),
        "cable_m": counts("cable_m", "cable m", [one.cable_m for one in designs], width=9, unit="m", priority=3),
        "oversubscription": named("oversubscription", "oversubscribed", [_ratios(one) for one in designs], width=14),
        "step_time": named("step_time", "step time", [_times(one.step_time_s) for one in designs], priority=1),
        "max_utilisation": loads(
            "max_utilisation", "max util", [_loaded(one.max_utilisation) for one in designs], priority=2
        ),
        "worst_failure": named(
            "worst_failure", "worst failure", [failure_text(one.worst_failure) for one in designs], priority=2
        ),
        "value": amounts("value", "objective", [one.value for one in designs], width=11, priority=4),
        "above_best": ratios(
            "above_best", "above best", [one.value / first - 1 if first else 0.0 for one in designs], priority=2
        ),
        "chosen": named("chosen", "chosen", [one.chosen for one in designs], text=_chosen_text, width=6),
        "scenario": named("scenario", "scenario", [files.get(one.name) for one in designs], priority=5),
    }
    marks = ["good" if one.chosen else "" for one in designs]
    return Table.of([columns[name] for name in DESIGNS.names], len(designs), title="designs", marks=marks)


def _chosen_text(chosen: bool) -> str:
    return "yes" if chosen else "-"


def _loaded(utilisation: float | None) -> float:
    return float("nan") if utilisation is None else utilisation


def _ratios(design: Design) -> str:
    """``leaf 2:1``; where all roles are alike the ratio alone; of flat networks the load of evenly spread traffic."""
    texts = {role: to_one(ratio) for role, ratio in design.oversubscription_by_role.items()}
    before = {name: f"{name} " if len(design.fabrics) > 1 else "" for name in design.uniform_load}
    uniform = {f"{before[name]}uniform load": load for name, load in design.uniform_load.items()}
    if not uniform and len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return ", ".join(
        [
            *(f"{role} {text}" for role, text in texts.items()),
            *(f"{name} {percent(load)}" for name, load in uniform.items()),
        ]
    )


def _times(by_job: Mapping[str, float]) -> str:
    if len(by_job) == 1:
        return seconds_text(next(iter(by_job.values())))
    return ", ".join(f"{job} {seconds_text(time)}" for job, time in by_job.items())


def failure_text(failure: WorstFailure | None) -> str:
    """What fails, and what that does."""
    if failure is None:
        return ""
    effects = [f"{failure.unreachable_pairs:,} pairs cut off"] if failure.unreachable_pairs else []
    effects += [f"{job} stops" for job, time in failure.jobs.items() if time is None]
    effects += [f"{job} {seconds_text(time)}" for job, time in failure.jobs.items() if time is not None]
    if not effects and failure.max_utilisation is not None:
        effects.append(f"max {percent(failure.max_utilisation)}")
    return f"{failure.case}: {', '.join(effects) or 'no effect'}"


def conflict_table(conflict: Sequence[Conflict]) -> Table:
    """One row a wish of the smallest set that cannot be had together."""
    columns = (
        named("key", "key", [one.key for one in conflict]),
        named("wish", "wish", [one.wish for one in conflict]),
        named("nearest", "nearest that fits, the others kept", [one.nearest for one in conflict]),
    )
    return Table.of(columns, len(conflict), title="wishes that conflict")


def proof_text(result: DesignResult, unit: str) -> str:
    """The choice and its bound in a line; ``unit`` is that of the objective."""
    chosen = result.chosen
    if result.status == "BOUNDED" and chosen is None and result.bound is not None:
        return f"counted alone, nothing is offered: no design is below {amount_text(result.bound, unit)}"
    if chosen is None or result.value is None or result.bound is None:
        return "no fabric meets this requirement"
    value, bound = amount_text(result.value, unit), amount_text(result.bound, unit)
    if (result.gap or 0.0) <= _EXACT:
        return f"chosen: {chosen.name}, {value}: the least there is, proved (bound {bound})"
    return f"chosen: {chosen.name}, {value} (no design is below {bound}, gap {percent(result.gap)})"
