"""Points of a what-if sweep: the values of the varied keys, and what the scenario comes to there."""

from __future__ import annotations

from fabric.faces.views.row_kinds import points_of
from fabric.output.columns import counts, endings, factors, loads, named, seconds_text
from fabric.output.table import Mark, Table
from fabric.routing.utilisation import is_over
from fabric.whatif.points import Point, PointSweep, axis_values


def point_table(sweep: PointSweep, title: str = "") -> Table:
    """Every point, in the order of the grid."""
    points = sweep.points
    slowest = [point.slowest for point in points]
    names = points_of(sweep.grid.names).columns[1:]
    columns = (
        counts("point", "point", [point.number for point in points], width=5),
        *(
            named(name, name, values, texts=[point.values[at] for point in points], numeric=_are_numbers(values))
            for at, (name, (_, values)) in enumerate(zip(names, axis_values(sweep.grid, points), strict=False))
        ),
        loads(
            "max_utilisation", "max offered", [point.max_utilisation for point in points], width=11,
            texts=["-" if point.error else loads("", "", [point.max_utilisation]).cell(0) for point in points],
        ),
        named("fabric", "fabric", [point.fabric or None for point in points], priority=2),
        named("phase", "phase", [point.phase or None for point in points], priority=2),
        named("hottest_link", "hottest link", [point.hottest_link or None for point in points], priority=2),
        counts("links_over_capacity", "links over", [point.links_over_capacity for point in points]),
        counts("unreachable_pairs", "pairs cut", [point.unreachable_pairs for point in points], priority=1),
        named("job", "slowest job", [job.id if job else None for job in slowest], priority=2),
        endings(
            "time_s", "time", [job.time_s if job else None for job in slowest],
            texts=[_time(point) for point in points],
        ),
        factors("stretch", "stretch", [point.stretch for point in points]),
        counts("limits_failed", "limits failed", [None if p.error else len(p.failed) for p in points], priority=1),
        named("error", "error", [point.error or None for point in points], flexible=True, width=24),
        named("code", "code", [point.code or None for point in points], priority=2),
        named(
            "jobs", "jobs", [[job.__dict__ for job in point.jobs] for point in points],
            texts=[", ".join(f"{job.id} {_ending(job.time_s)}" for job in point.jobs) or "-" for point in points],
        ),
        named(
            "failed", "limits that fail", [[limit.id for limit in point.failed] for point in points],
            texts=[_limits(point) for point in points], flexible=True, width=20,
        ),
        named("partial", "stopped", [point.partial for point in points], priority=2),
        named("set", "set", [list(point.overrides) for point in points], texts=[*map(_set, points)], priority=2),
    )  # fmt: skip
    return Table.of(columns, len(points), title=title, marks=[*map(point_mark, points)])


def point_mark(point: Point) -> Mark:
    """Bad where a limit fails, a link is over capacity or pairs are cut; a warning where it cannot be routed."""
    if point.error or point.partial:
        return "warn"
    full = point.max_utilisation is None and bool(point.fabric)
    bad = full or is_over(point.max_utilisation or 0.0) or point.unreachable_pairs or point.failed
    return "bad" if bad else ""


def time_text(point: Point) -> str:
    """Time of the slowest job, for sentences."""
    job = point.slowest
    return "" if job is None else f"{job.id} {'step' if job.is_step else 'time'} {_ending(job.time_s)}"


def _time(point: Point) -> str:
    return "-" if point.slowest is None else _ending(point.slowest.time_s)


def _ending(time_s: float | None) -> str:
    return "never" if time_s is None else seconds_text(time_s)


def _limits(point: Point) -> str:
    if point.error or not point.limits:
        return "-"
    return ", ".join(limit.text for limit in point.failed) or "none"


def _set(point: Point) -> str:
    return " ".join(point.overrides)


def _are_numbers(values: list[object]) -> bool:
    return all(isinstance(value, int | float) for value in values)
