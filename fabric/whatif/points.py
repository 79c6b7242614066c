"""What-if sweeps: the scenario routed at every point of a grid, each as ``fabric route --set`` routes it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from fabric.evaluation.severity import worst_phase
from fabric.output.numbers import finite
from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.result import Assumption, JobTime, RouteResult
from fabric.routing.progress import Reporter, silent
from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.spread.job import Job
from fabric.spread.run import Part, Spread, SpreadOptions, take_all
from fabric.spread.shipment import Shipment
from fabric.whatif.grid import Grid, plain_value
from topologies.errors import FabricError, ScenarioError

LEADS_NOWHERE = "FP1010"


@dataclass(frozen=True)
class PointJob:
    """A job at a point; ``time_s`` is its step, or its longest phase where it has none; None: it cannot finish."""

    id: str
    time_s: float | None
    is_step: bool
    stretch: float | None


@dataclass(frozen=True)
class PointLimit:
    """A limit at a point."""

    id: str
    text: str
    value: float | None
    max: float
    unit: str
    ok: bool | None


@dataclass(frozen=True)
class Point:
    """A point of the grid as it was routed; ``error`` and its code where it cannot be."""

    number: int  # from 1
    values: tuple[str, ...]
    overrides: tuple[str, ...]
    max_utilisation: float | None = None
    fabric: str = ""  # of the worst phase
    phase: str = ""
    hottest_link: str = ""
    links_over_capacity: int | None = None
    unreachable_pairs: int | None = None
    jobs: tuple[PointJob, ...] = ()
    limits: tuple[PointLimit, ...] = ()
    partial: bool = False
    error: str = ""
    code: str = ""
    assumptions: tuple[tuple[str, str], ...] = ()  # text, and the key that decides it
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[PointLimit, ...]:
        """Limits that do not hold."""
        return tuple(limit for limit in self.limits if limit.ok is False)

    @property
    def slowest(self) -> PointJob | None:
        """The job that takes longest, first of all one that cannot finish; steps before other times."""
        return max(
            self.jobs, key=lambda job: (job.is_step, math.inf if job.time_s is None else job.time_s), default=None
        )

    @property
    def stretch(self) -> float | None:
        """Of the job that congestion slows most; None where one cannot finish or nothing is timed."""
        known = [job.stretch for job in self.jobs]
        return None if not known or None in known else max(value for value in known if value is not None)

    @property
    def order(self) -> tuple[float, ...]:
        """Low is good: routed, all pairs reached, limits that hold, the slowest job, the fullest link."""
        slowest = self.slowest
        time_s = 0.0 if slowest is None else math.inf if slowest.time_s is None else slowest.time_s
        full = math.inf if self.max_utilisation is None else self.max_utilisation
        keys = (float(bool(self.error)), float(self.unreachable_pairs or 0), float(len(self.failed)), time_s, full)
        return tuple(float(f"{key:.9g}") for key in keys)  # what differs in the last bits is equal


@dataclass(frozen=True, eq=False)
class PointSweep:
    """A grid as far as it was routed."""

    grid: Grid
    points: tuple[Point, ...]
    workers: int = 1
    stopped: str = ""  # why it ended early
    said: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()  # of any point, each once
    warnings: tuple[str, ...] = ()

    @property
    def routed(self) -> tuple[Point, ...]:
        """Points without an error."""
        return tuple(point for point in self.points if not point.error)

    @property
    def best(self) -> tuple[Point, ...]:
        """All that are as good as the best."""
        least = min((point.order for point in self.routed), default=None)
        return tuple(point for point in self.routed if point.order == least)

    @property
    def worst(self) -> tuple[Point, ...]:
        """All that are as bad as the worst."""
        most = max((point.order for point in self.routed), default=None)
        return tuple(point for point in self.routed if point.order == most)


# ---- in workers ------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class GridState:
    """What a worker has: the scenario, and the last run, whose fabrics and traffic the next one takes over."""

    loaded: LoadedScenario
    grid: Grid
    request: RouteRequest
    directory: str  # of the scenario, as people know it
    last: Run | None = None


def prepare_grid(loaded: LoadedScenario, arguments: tuple[Grid, RouteRequest, str]) -> GridState:
    """Called once in every worker."""
    return GridState(loaded, *arguments)


def route_points(state: GridState, first: int, last: int) -> list[dict[str, Any]]:
    """Points ``first`` to ``last`` as plain values; what is wrong with one is its row."""
    return [_record(_routed(state, at)) for at in range(first, last)]


def _routed(state: GridState, at: int) -> Point:
    grid = state.grid
    base = Point(at + 1, grid.values_at(at), grid.overrides_at(at))
    given = [f"{override.path}={override.value}" for override in state.loaded.overrides]
    loaded_from = state.loaded.directory
    try:
        loaded = load_scenario(state.loaded.path, overrides=[*given, *base.overrides])
        loaded = replace(loaded, strict=state.loaded.strict)
        state.last = run_scenario(loaded, state.request, like=state.last)
    except FabricError as error:
        problem = error.problems[0]
        more = len(error.problems) - 1
        text = problem.message.replace(f"{loaded_from}/", f"{state.directory}/" if state.directory != "." else "")
        return replace(base, error=text + (f" (and {more:,} more)" if more else ""), code=problem.code)
    left_out = tuple(f"left out: {problem}" for problem in loaded.dropped)
    return figures(base, state.last.result, left_out)


def figures(point: Point, result: RouteResult, left_out: Sequence[str] = ()) -> Point:
    """A point with what its run came to; ``left_out`` is what of its files was not taken."""
    worst = worst_phase(result.routes)
    return replace(
        point,
        max_utilisation=result.max_utilisation,
        fabric="" if worst is None else worst.fabric,
        phase="" if worst is None else worst.phase,
        hottest_link="" if worst is None else worst.hottest_link,
        links_over_capacity=sum(route.links_over_capacity for route in result.routes),
        unreachable_pairs=result.unreachable_pairs,
        jobs=tuple(job for job in map(_job, result.jobs) if job is not None),
        limits=tuple(
            PointLimit(limit.id, limit.text, limit.value, limit.max, limit.unit, limit.ok) for limit in result.limits
        ),
        partial=result.partial or bool(left_out),
        assumptions=tuple((assumption.text, assumption.override) for assumption in result.assumptions),
        warnings=(*result.warnings, *left_out),
    )


def _job(job: JobTime) -> PointJob | None:
    """The time of a job; None where nothing of it is timed."""
    if job.step_time_ideal_s is not None:
        return PointJob(job.id, finite(job.step_time_s), True, finite(job.stretch))
    timed = [phase for phase in job.phases if phase.ideal_s > 0]
    if not timed:
        return None
    if any(phase.predicted_s is None for phase in timed):
        return PointJob(job.id, None, False, None)
    longest = max(phase.predicted_s or 0.0 for phase in timed)
    return PointJob(job.id, longest, False, max((phase.stretch or 1.0 for phase in timed), default=None))


def _record(point: Point) -> dict[str, Any]:
    return asdict(point)


def _point(record: Mapping[str, Any]) -> Point:
    plain = {
        **record,
        "values": tuple(record["values"]),
        "overrides": tuple(record["overrides"]),
        "jobs": tuple(PointJob(**job) for job in record["jobs"]),
        "limits": tuple(PointLimit(**limit) for limit in record["limits"]),
        "assumptions": tuple((text, key) for text, key in record["assumptions"]),
        "warnings": tuple(record["warnings"]),
    }
    return Point(**plain)


# ---- in the process that was asked -----------------------------------------------------------------------------------


def check_grid(loaded: LoadedScenario, grid: Grid) -> None:
    """Refuse a key that leads nowhere before anything is routed; what is wrong with single values is their rows.

    Raises
    ------
    FabricError
        FP1010, with the nearest name.
    """
    given = [f"{override.path}={override.value}" for override in loaded.overrides]
    for axis in grid.axes:
        if loaded.path == "-":
            return
        try:
            load_scenario(loaded.path, overrides=[*given, axis.overrides[0]])
        except FabricError as error:
            nowhere = [problem for problem in error.problems if problem.code == LEADS_NOWHERE]
            if nowhere:
                raise ScenarioError(replace(problem, file=f"--vary {axis.key}") for problem in nowhere) from None


def sweep_job(loaded: LoadedScenario, grid: Grid, request: RouteRequest) -> Job:
    """The sweep as work for any number of processes."""
    texts = [text for axis in grid.axes for text in map(plain_value, axis.values) if isinstance(text, str)]
    asked = {"vary": [(axis.key, *axis.values) for axis in grid.axes], **asdict(request)}
    return Job(
        name="sweep",
        unit="points",
        units=len(grid),
        prepare="fabric.whatif.points:prepare_grid",
        work="fabric.whatif.points:route_points",
        scenario=Shipment.of(loaded, texts),
        arguments=(grid, request, str(loaded.directory)),
        asked=asked,
        state=None if loaded.path == "-" else GridState(loaded, grid, request, str(loaded.directory)),
    )


def sweep_points(
    loaded: LoadedScenario,
    grid: Grid,
    request: RouteRequest = RouteRequest(),
    *,
    options: SpreadOptions = SpreadOptions(),
    progress: Reporter = silent,
    spread: Spread | None = None,
) -> PointSweep:
    """Every point of a grid, in order.

    Parameters
    ----------
    spread : Spread, optional
        Of ``sweep_job``, for a caller that wants to know how far an interrupted one came.

    Raises
    ------
    FabricError
        Where a key leads nowhere, or the work cannot be given to workers; errors of points are their rows.
    """
    check_grid(loaded, grid)
    spread = spread or Spread(sweep_job(loaded, grid, request), options, progress)
    points: list[Point] = []
    assumed: dict[tuple[str, str], None] = {}
    warned: dict[str, None] = {}

    def take(part: Part) -> None:
        for point in map(_point, part.value):
            assumed.update(dict.fromkeys(point.assumptions))
            warned.update(dict.fromkeys(point.warnings))
            points.append(replace(point, assumptions=(), warnings=()))

    take_all(spread, take)
    assumptions = tuple(Assumption(f"A{at + 1:03d}", text, key) for at, (text, key) in enumerate(assumed))
    stopped = "" if spread.stopped is None else str(spread.stopped)
    return PointSweep(grid, tuple(points), spread.workers, stopped, tuple(spread.said), assumptions, tuple(warned))


def axis_values(grid: Grid, points: Sequence[Point]) -> Iterator[tuple[str, list[Any]]]:
    """Name of every axis and its value at every point."""
    for at, name in enumerate(grid.names):
        yield name, [plain_value(point.values[at]) for point in points]
