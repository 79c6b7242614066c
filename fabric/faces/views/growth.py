"""Stages of growth side by side, and the steps of the work between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.faces.views.row_kinds import GROWTH, WORK
from fabric.growth.orders import WorkStep, orders
from fabric.growth.result import GrowthResult, Stage
from fabric.output.columns import counts, load_text, loads, named, ratios
from fabric.output.table import Column, Mark, Table


def growth_table(result: GrowthResult) -> Table:
    """One row per stage; those whose work goes below the floor are marked."""
    stages = result.stages
    own = [stage.purchase for stage in stages]
    costs = [one.cost_usd for one in own]
    other: list[Any] = [one.cost_usd for one in result.other] or [None] * len(stages)
    other_totals = [sum(other[: number + 1]) if result.other else None for number in range(len(stages))]
    touched: list[Any] = list(result.other_touched) or [None] * len(stages)
    work = [stage if stage.growth else None for stage in stages]
    switches, cables = ([_there(stage, what) for stage in stages] for what in ("switches", "cables"))
    columns: dict[str, Column] = {
        "stage": counts("stage", "stage", [stage.number for stage in stages], width=5),
        "gpus": counts("gpus", result.unit, [stage.size for stage in stages]),
        "nodes": counts("nodes", "nodes", [stage.nodes for stage in stages], priority=2),
        "switches_bought": counts("switches_bought", "switches", [one.count("switch") for one in own], width=8),
        "cables_bought": counts("cables_bought", "cables", [one.count("cable") for one in own]),
        "optics_bought": counts("optics_bought", "optics", [one.count("optic") for one in own], priority=2),
        "cost_usd": counts("cost_usd", "US$", costs, width=12, unit="US$"),
        "total_usd": counts(
            "total_usd", "US$ so far", [sum(costs[: number + 1]) for number in range(len(stages))], width=12, unit="US$"
        ),
        **{
            what: counts(what, what, [stage.count(what) for stage in stages], priority=2)
            for what in ("kept", "moved", "added", "removed")
        },
        "touched": counts("touched", "touched", [one and one.touched for one in work]),
        "touched_part": ratios("touched_part", "part", [one and one.touched_part for one in work]),
        "least_touched": counts("least_touched", "at least", [one and one.least_touched for one in work], width=8),
        "floor": ratios("floor", "floor", [one and one.floor for one in work]),
        "least_capacity": ratios("least_capacity", "left", [one and one.least_capacity for one in work]),
        "floor_kept": named("floor_kept", "floor kept", [one and one.floor_kept for one in work], priority=2),
        "states_routed": counts("states_routed", "states", [one and one.states for one in work]),
        "steps": counts("steps", "steps", [one and _steps(one) for one in work], priority=2),
        "max_utilisation": loads(
            "max_utilisation", "fullest link", [_utilisation(stage) for stage in stages], text=_load_text, width=12
        ),
        "other_usd": counts("other_usd", "US$, other way", other, width=14, unit="US$", priority=2),
        "other_touched": counts("other_touched", "touched, other way", touched, width=18, priority=2),
        "switches": counts("switches", "switches there", switches, width=14, priority=3),
        "cables": counts("cables", "cables there", cables, width=12, priority=3),
        "other_total_usd": counts(
            "other_total_usd", "US$ so far, other way", other_totals, width=21, unit="US$", priority=3
        ),
    }
    marks: list[Mark] = ["" if stage.floor_kept else "bad" for stage in stages]
    return Table.of([columns[name] for name in GROWTH.names], len(stages), title="stages", marks=marks)


def _there(stage: Stage, what: str) -> int:
    """Switches or cables that are there at a stage."""
    columns = ((one.is_switch if what == "switches" else one.is_cable) for one in stage.topologies.values())
    return sum(int(column.sum()) for column in columns)


def _steps(stage: Stage) -> int:
    return sum(len(one.work.steps) for one in stage.growth.values())


def _utilisation(stage: Stage) -> float | None:
    return stage.routed.max_utilisation if stage.routed is not None else None


def _load_text(value: float | None) -> str:
    """Nothing where no job is routed."""
    return "-" if value is None else load_text(value)


def work_rows(result: GrowthResult) -> list[tuple[int, str, WorkStep]]:
    """Stage, fabric and step of all the work."""
    return [
        (stage.number, fabric, step)
        for stage in result.stages
        for fabric, growth in stage.growth.items()
        for step in orders(growth.work)
    ]


def work_table(result: GrowthResult) -> Table:
    """One row per step of the work, in order."""
    rows = work_rows(result)
    steps: Sequence[WorkStep] = [step for _, _, step in rows]
    floors = {stage.number: stage.floor for stage in result.stages}
    columns = {
        "stage": counts("stage", "stage", [number for number, _, _ in rows], width=5),
        "fabric": named("fabric", "fabric", [fabric for _, fabric, _ in rows], width=8),
        "step": counts("step", "step", [step.number for step in steps], width=4),
        "action": named("action", "action", [step.action for step in steps], width=6, priority=2),
        "drained": counts("drained", "drained", [step.drained for step in steps]),
        "moved": counts("moved", "moved", [step.moved for step in steps], priority=1),
        "plugged": counts("plugged", "plugged", [step.plugged for step in steps]),
        "least_capacity": ratios("least_capacity", "left", [step.least_capacity for step in steps]),
        "capacity_after": ratios("capacity_after", "left after", [step.capacity_after for step in steps], priority=2),
        "text": named("text", "what to do", [step.text for step in steps], width=60, flexible=True),
    }
    marks: list[Mark] = ["bad" if step.least_capacity < floors[number] - 1e-9 else "" for number, _, step in rows]
    return Table.of([columns[name] for name in WORK.names], len(rows), title="order of the work", marks=marks)
