"""What ``fabric grow`` prints: stages side by side, what they buy, and the order of the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fabric.faces.views.growth import growth_table, work_rows, work_table
from fabric.faces.views.row_kinds import GROWTH, WORK
from fabric.growth.orders import orders
from fabric.growth.result import GrowthResult, Stage
from fabric.output.columns import count_text
from fabric.output.document import Line
from fabric.output.numbers import finite
from fabric.output.table import Table
from fabric.scenario.provenance import envelope
from topologies.budget import counted
from topologies.units import percent

_OF_GROWTH = ("unit", "reserve", "built", "floor_kept", "limits_ok", "touched", "cost_usd", "other", "notes")


def growth_document(result: GrowthResult, files: Mapping[int, str], *, steps: bool) -> list[Table | Line]:
    """Stages, both ways in money, then the order of the work."""
    first, last = result.stages[0], result.stages[-1]
    way = "ports reserved for the last stage" if result.reserve else "re-wiring as little as can be"
    head = f"{result.loaded.scenario.name}: {first.size:,} to {last.size:,} {result.unit}, {way}"
    table, work = growth_table(result).only(*GROWTH.shown), work_table(result).only(*WORK.shown)
    parts: list[Table | Line] = [Line(head), table.as_rows() if not steps else table]
    parts += [*verdicts(result), *comparison(result)]
    if len(work):
        parts.append(work.as_rows() if steps else work)
    parts += [Line(f"stage {number}: {path}") for number, path in files.items()]
    return parts


def verdicts(result: GrowthResult) -> list[Line]:
    """Whether the floor is kept, and what of the sums has no price."""
    lines = []
    for stage in result.stages:
        if not stage.floor_kept:
            lines.append(
                Line(
                    f"BELOW THE FLOOR: on the way to {stage.size:,} {result.unit} {percent(stage.least_capacity)} of "
                    f"the capacity is left, cable by cable, not {percent(stage.floor)}; --reserve touches no cable, "
                    "or lower the floor",
                    "bad",
                )
            )
        longer = [name for name, one in stage.growth.items() if one.work.paths == "up-down"]
        if longer:
            lines.append(
                Line(
                    f"on the way to {stage.size:,} {result.unit} {', '.join(longer)} has up-down paths of two lengths: "
                    "the floor holds with weights over both (router optimal), not by shortest paths alone",
                    "warn",
                )
            )
        if stage.routed is not None and not stage.routed.limits_ok:
            lines.append(Line(f"a limit fails with {stage.size:,} {result.unit}", "bad"))
    if result.floor_kept:
        lines.append(Line("the floor is kept in every state, each built and routed", "good"))
    missing = sorted({model for stage in result.stages for model in stage.purchase.missing})
    if missing:
        lines.append(Line(f"without a price, and in no sum: {', '.join(missing)}", "warn"))
    if any(stage.purchase.estimated for stage in result.stages):
        lines.append(Line("prices are estimates in part; fabric show bom says which"))
    lines += [Line(text) for text in left_over(result)]
    return lines


def left_over(result: GrowthResult) -> list[str]:
    """What a stage no longer needs."""
    found = []
    for stage in result.stages[1:]:
        rows = [f"{-row.count:,} {row.model}" for row in stage.purchase.left_over]
        if rows:
            found.append(f"left over at {stage.size:,} {result.unit}: {', '.join(rows)}")
    return found


def comparison(result: GrowthResult) -> list[Line]:
    """Both ways in money, and what a touched cable may cost until they are equal."""
    if not result.other:
        return []
    own, other = (sum(one.cost_usd for one in ways) for ways in ([s.purchase for s in result.stages], result.other))
    touched = sum(stage.touched for stage in result.stages), sum(result.other_touched)
    names = ("a reserve", "re-wiring") if result.reserve else ("re-wiring", "a reserve")
    lines = [
        Line(
            f"{names[0]}: US$ {count_text(own)} in all, {counted(touched[0], 'cables')} touched; {names[1]}: US$ "
            f"{count_text(other)}, {counted(touched[1], 'cables')} touched"
        )
    ]
    early = result.stages[0].purchase.cost_usd - result.other[0].cost_usd
    if early:
        more = "more" if early > 0 else "less"
        lines.append(Line(f"of that, {names[0]} costs US$ {count_text(abs(early))} {more} at the first stage"))
    spared, dearer = touched[0] - touched[1], other - own
    if spared * dearer > 0:
        lines.append(
            Line(f"they are equal where touching a cable costs US$ {count_text(abs(dearer / spared))}, all in all")
        )
    return lines


def growth_record(result: GrowthResult) -> dict[str, Any]:
    """``GrowthResult``, but for its rows."""
    return {
        **envelope("GrowthResult", result.loaded),
        "unit": result.unit,
        "reserve": result.reserve,
        "built": result.built,
        "floor_kept": result.floor_kept,
        "limits_ok": result.limits_ok,
        "touched": sum(stage.touched for stage in result.stages),
        "cost_usd": sum(stage.purchase.cost_usd for stage in result.stages),
        "other": {
            "reserve": not result.reserve,
            "cost_usd": [one.cost_usd for one in result.other],
            "touched": list(result.other_touched),
        }
        if result.other
        else None,
        "notes": list(result.notes),
    }


def stage_entry(result: GrowthResult, files: Mapping[int, str]) -> Callable[[int], dict[str, Any]]:
    """What JSON says of a stage: its columns, what is bought, the work on every fabric, its file."""
    table = growth_table(result).only(*GROWTH.columns)

    def entry(row: int) -> dict[str, Any]:
        stage = result.stages[row]
        return {
            **table.entry(row),
            "bought": {
                "switches": stage.purchase.count("switch"),
                "cables": stage.purchase.count("cable"),
                "optics": stage.purchase.count("optic"),
                "cost_usd": stage.purchase.cost_usd,
                "missing": list(stage.purchase.missing),
                "rows": [asdict(one) for one in stage.purchase.rows],
            },
            "topologies": {name: one.kind for name, one in stage.topologies.items()},
            "fabrics": {name: _fabric(stage, name) for name in stage.growth},
            "jobs": [{"id": job.id, "step_time_s": finite(job.step_time_s)} for job in _jobs(stage)],
            "scenario": files.get(stage.number),
        }

    return entry


def _jobs(stage: Stage) -> tuple[Any, ...]:
    return stage.routed.jobs if stage.routed is not None else ()


def _fabric(stage: Stage, name: str) -> dict[str, Any]:
    growth = stage.growth[name]
    rewiring = growth.rewiring
    return {
        "kept": len(rewiring.kept),
        "moved": len(rewiring.moved),
        "added": len(rewiring.added),
        "removed": len(rewiring.removed),
        "touched": rewiring.touched,
        "touched_part": rewiring.touched_part,
        "least_touched": rewiring.least_touched,
        "renamed": rewiring.renamed,
        "taken_out": list(rewiring.taken_out),
        "paths": growth.work.paths,
        "states_routed": growth.work.states,
        "least_capacity": growth.work.least_capacity,
        "order": [asdict(step) for step in orders(growth.work)],
    }


def step_entry(result: GrowthResult) -> Callable[[int], dict[str, Any]]:
    """What JSON says of a step: its columns, and how it is undone."""
    table, rows = work_table(result).only(*WORK.columns), work_rows(result)
    return lambda row: {**table.entry(row), "roll_back": rows[row][2].roll_back}


def grown_document(result: GrowthResult | None, files: Mapping[int, Path]) -> list[Table | Line]:
    """The stages after a design; nothing where it does not grow."""
    if result is None:
        return []
    parts = growth_document(result, {number: str(path) for number, path in files.items()}, steps=True)
    return [replace(part, is_rows=False) for part in parts]


def grown_record(result: GrowthResult | None, files: Mapping[int, Path]) -> dict[str, Any]:
    """What JSON says of the growth of a design, its stages in it."""
    if result is None:
        return {}
    entry = stage_entry(result, {number: str(path) for number, path in files.items()})
    record = {key: value for key, value in growth_record(result).items() if key in _OF_GROWTH}
    return {"growth": {**record, "stages": [entry(row) for row in range(len(result.stages))]}}
