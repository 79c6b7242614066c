"""A what-if sweep for people and for machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fabric.faces.views.points import point_table, time_text
from fabric.faces.views.row_kinds import points_of
from fabric.output.columns import load_text
from fabric.output.document import Document, Line
from fabric.output.numbers import finite
from fabric.output.table import Mark, Table
from fabric.scenario.load import LoadedScenario
from fabric.scenario.provenance import envelope
from fabric.whatif.points import Point, PointSweep

_EMPTY = ("unreachable_pairs", "time_s", "stretch", "failed", "error")


def sweep_document(loaded: LoadedScenario, sweep: PointSweep) -> Document:
    """What was varied, the best and the worst point in a sentence, then all points."""
    scenario, grid = loaded.scenario, sweep.grid
    axes = " x ".join(f"{len(axis.values)} {axis.key}" for axis in grid.axes)
    shown = points_of(grid.names).shown
    table = point_table(sweep, "points").only(*shown).without_empty(*_EMPTY)
    empty = [name for name in ("unreachable_pairs",) if not any(point.unreachable_pairs for point in sweep.points)]
    parts: list[Table | Line] = [
        Line(f"{scenario.name}  {loaded.sha256[:7]}  seed {scenario.seed}  {axes} = {len(grid):,} points"),
        *sentences(sweep),
        table.without(*empty).as_rows(),
        *(Line(f"warning: {text}", "warn") for text in sweep.warnings),
    ]
    if sweep.stopped:
        parts.append(Line(f"partial: {len(sweep.points):,} of {len(grid):,} points: {sweep.stopped}", "warn"))
    return parts


def sentences(sweep: PointSweep) -> list[Line]:
    """Best and worst, and how many points are not routed, fail a limit or cut pairs."""
    lines: list[Line] = []
    routed = sweep.routed
    if routed and sweep.best[0].order == sweep.worst[0].order:
        if len(routed) > 1:
            lines.append(Line(f"all {len(routed):,} points are equal: {_figures(routed[0])}"))
    elif routed:
        lines += [Line(_sentence("best", sweep.best), _mark(sweep.best[0])), Line(_sentence("worst", sweep.worst))]
    failed = sum(bool(point.failed) for point in routed)
    cut = sum(bool(point.unreachable_pairs) for point in routed)
    if failed:
        lines.append(Line(f"a limit fails at {failed:,} of {len(routed):,} points", "bad"))
    if cut:
        lines.append(Line(f"UNREACHABLE: at {cut:,} of {len(routed):,} points demand has no path", "bad"))
    refused = len(sweep.points) - len(routed)
    if refused:
        lines.append(Line(f"{refused:,} of {len(sweep.points):,} points cannot be routed; their rows say why", "warn"))
    return lines


def _mark(best: Point) -> Mark:
    return "bad" if best.failed or best.unreachable_pairs else "good"


def _sentence(word: str, points: tuple[Point, ...]) -> str:
    more = f" (and {len(points) - 1:,} equal)" if len(points) > 1 else ""
    return f"{word}: {' '.join(points[0].overrides)}{more}: {_figures(points[0])}"


def _figures(point: Point) -> str:
    texts = [time_text(point), f"fullest link {load_text(_utilisation(point))}"]
    if point.unreachable_pairs:
        texts.append(f"{point.unreachable_pairs:,} pairs without a path")
    if point.failed:
        texts.append(f"{len(point.failed)} of {len(point.limits)} limits fail")
    return ", ".join(text for text in texts if text)


def _utilisation(point: Point) -> float | None:
    """For its text, in which None is load on a link without capacity."""
    return 0.0 if point.max_utilisation is None and not point.fabric else point.max_utilisation


def sweep_record(loaded: LoadedScenario, sweep: PointSweep) -> dict[str, Any]:
    """``SweepResult``, but for its rows: the points."""
    routed = sweep.routed
    return {
        **envelope("SweepResult", loaded),
        "assumptions": [asdict(assumption) for assumption in sweep.assumptions],
        "vary": [{"key": axis.key, "values": list(axis.values)} for axis in sweep.grid.axes],
        "grid": len(sweep.grid),
        "routed": len(routed),
        "refused": len(sweep.points) - len(routed),
        "best": [point.number for point in sweep.best],
        "worst": [point.number for point in sweep.worst],
        "limits_fail_at": sum(bool(point.failed) for point in routed),
        "unreachable_at": sum(bool(point.unreachable_pairs) for point in routed),
        "warnings": list(sweep.warnings),
        "stopped": sweep.stopped or None,
        "partial": bool(sweep.stopped) or any(point.partial for point in sweep.points),
    }


def point_entry(sweep: PointSweep) -> Callable[[int], dict[str, Any]]:
    """What JSON says of a point: its columns, its overrides, jobs and limits."""
    table = point_table(sweep).only(*points_of(sweep.grid.names).columns)

    def entry(row: int) -> dict[str, Any]:
        point = sweep.points[row]
        return {
            **table.entry(row),
            "limits": [{**asdict(limit), "value": finite(limit.value)} for limit in point.limits],
            "set": list(point.overrides),
            "jobs": [asdict(job) for job in point.jobs],
            "partial": point.partial,
        }

    return entry
