"""A counted design put to the test: built, checked port for port, routed with the jobs, and failed.

None is offered that was only counted: what is counted has to be what stands there, the ceilings have to hold for any
traffic, and every limit and every failure that was asked for is routed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from fabric.bill.bill import Bill
from fabric.bill.count import bill_of
from fabric.design.counted import Counted
from fabric.design.family import FAMILIES
from fabric.design.need import FabricNeed
from fabric.design.probes import breaks, probe_loads
from fabric.design.result import WorstFailure
from fabric.failures.chunks import Ground
from fabric.failures.request import FailureRequest
from fabric.failures.result import FailureCase
from fabric.failures.sweep import judge_limit, limit_sweep, worst_case
from fabric.output.numbers import finite
from fabric.pipeline.phase_options import limits_of
from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.result import LimitVerdict
from fabric.routing.progress import Reporter, silent
from fabric.scenario.load import load_scenario_text
from topologies.errors import FabricError, Problem
from topologies.summary import TopologySummary, summarise
from topologies.units import format_seconds, percent, to_one

_CLOSE = 1e-6  # relative, of two ways to an oversubscription


@dataclass(frozen=True)
class Breach:
    """Why a design does not hold, and the fabrics that another choice could mend it on."""

    text: str
    fabrics: tuple[str, ...]
    problem: Problem | None = None  # of what could not be built, or found no room


@dataclass(frozen=True, eq=False)
class Judged:
    """What came of a design; ``run`` is None where it could not be built."""

    fabrics: Mapping[str, Counted]
    text: str
    run: Run | None
    breaches: tuple[Breach, ...]
    ground: Ground | None = None  # for its failures; None where nothing is sent, or it does not hold
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it may be offered."""
        return not self.breaches

    @property
    def step_time_s(self) -> dict[str, float]:
        """Of every job that has a step."""
        jobs = () if self.run is None else self.run.result.jobs
        return {job.id: job.step_time_s for job in jobs if job.step_time_s is not None}

    @property
    def max_utilisation(self) -> float | None:
        """Of the fullest link in any phase; None where nothing is sent."""
        routes = () if self.run is None else self.run.result.routes
        return max((route.max_utilisation for route in routes), default=None)

    @cached_property
    def bill(self) -> Bill | None:
        """What it costs."""
        return None if self.run is None else bill_of(self.run.loaded, self.run.network.topologies)

    @property
    def summaries(self) -> dict[str, TopologySummary]:
        """Counts of what was built, by fabric."""
        return {} if self.run is None else {name: summarise(one) for name, one in self.run.network.topologies.items()}


def judge(
    text: str,
    path: str | Path,
    needs: Mapping[str, FabricNeed],
    fabrics: Mapping[str, Counted],
    *,
    progress: Reporter = silent,
) -> Judged:
    """Build, check, route and fail one design.

    Parameters
    ----------
    text : str
        Its scenario.
    path : str or Path
        Where the scenario would stand; files that it names are relative to that.
    needs, fabrics : mapping
        What every fabric has to do, and how it was counted.
    """
    try:
        loaded = load_scenario_text(text, path)
        run = run_scenario(loaded, RouteRequest(), idle=True, progress=progress)
    except FabricError as error:
        return Judged(fabrics, text, None, tuple(_refused(error, needs)))
    for test in (_miscounted, _cut, _beyond_limits, _beyond_ceilings):
        if breaches := test(run, needs, fabrics):
            return Judged(fabrics, text, run, tuple(breaches))
    ground = Ground.of(run, FailureRequest(route=run.request, expected=False)) if run.result.routes else None
    verdicts = _decided(run, ground, progress)
    return Judged(
        fabrics,
        text,
        replace(run, result=replace(run.result, limits=verdicts)),
        tuple(_broken(run, needs, verdicts)),
        ground,
        (
            *(str(problem) for problem in run.network.warnings),
            *(f"{limit.text}: not decided, {limit.detail}" for limit in verdicts if limit.ok is None),
        ),
    )


def worst_failure(judged: Judged, progress: Reporter = silent) -> WorstFailure | None:
    """The worst case of the sets that its limits name, or of any single switch where none is named."""
    run, ground = judged.run, judged.ground
    if run is None or ground is None:
        return None
    named = tuple(dict.fromkeys(limit.when for limit in run.loaded.scenario.limits if limit.when is not None))
    sets: list[tuple[str, ...]] = [(name,) for name in named]
    cases: list[FailureCase] = []
    for names in sets or [()]:
        request = FailureRequest(route=run.request, kinds=("switch",), named=names, expected=False, keep_worst=1)
        case = worst_case(ground, request, progress)
        cases += [] if case is None else [case]
    if not cases:
        return None
    worst = max(cases, key=lambda case: (_stalled(case), case.stretch or 1.0, case.max_utilisation or 0.0))
    return WorstFailure(
        " and ".join(worst.parts),
        {job.id: job.step_time_s for job in worst.jobs},
        worst.unreachable_pairs,
        None if worst.max_utilisation is None else finite(worst.max_utilisation),
    )


def _refused(error: FabricError, needs: Mapping[str, FabricNeed]) -> list[Breach]:
    """What the builder says; located under the fabric where it names one."""
    breaches = []
    for problem in error.problems:
        fabric = str(problem.where[1]) if problem.where[:1] == ("fabrics",) and len(problem.where) > 1 else ""
        breaches.append(Breach(problem.message, (fabric,) if fabric in needs else tuple(needs), problem))
    return breaches


def _miscounted(run: Run, _: Mapping[str, FabricNeed], fabrics: Mapping[str, Counted]) -> list[Breach]:
    """Where what stands there is not what was counted: a mistake of ours, which never looks right."""
    breaches = []
    for name, counted in fabrics.items():
        built = summarise(run.network.topologies[name])
        switches = {one.role: one.count for one in counted.switches}
        cables: dict[str, int] = {}
        for one in counted.cables:
            cables[one.tier] = cables.get(one.tier, 0) + one.count
        standing = {role: built.nodes_by_role.get(role, 0) for role in switches}
        for what, there, wanted in (("switches", standing, switches), ("cables", built.cables_by_tier, cables)):
            if dict(there) != wanted:
                breaches.append(Breach(f"{name}: {what} counted {wanted}, built {dict(there)}", (name,)))
        ratios = {role: built.oversubscription_by_role.get(role) for role in counted.oversubscription}
        breaches += [
            Breach(
                f"{name}: {role} is {to_one(ratio)} as built, counted {to_one(counted.oversubscription[role])}", (name,)
            )
            for role, ratio in ratios.items()
            if ratio is not None and ratio > counted.oversubscription[role] * (1 + _CLOSE)
        ]
    return breaches


def _beyond_ceilings(run: Run, needs: Mapping[str, FabricNeed], fabrics: Mapping[str, Counted]) -> list[Breach]:
    """Probes that fill a link beyond the ceiling: one a fabric, the worst."""
    worst: dict[str, Breach] = {}
    even = frozenset(name for name, counted in fabrics.items() if not FAMILIES[counted.family].any_traffic)
    for load in sorted(probe_loads(run, needs, even), key=lambda load: -load.utilisation):
        if breaks(load, needs[load.fabric]):
            ceiling = to_one(needs[load.fabric].oversubscription)
            text = (
                f"{load.fabric}: traffic that its NICs admit ({load.probe}) offers {percent(load.utilisation)} to "
                f"{load.link}; {ceiling} was asked for"
            )
            worst.setdefault(load.fabric, Breach(text, (load.fabric,)))
    return list(worst.values())


def _cut(run: Run, *_: object) -> list[Breach]:
    """Demand without a path."""
    return [
        Breach(f"{route.fabric}: {route.unreachable_pairs:,} pairs of {route.phase} have no path", (route.fabric,))
        for route in run.result.routes
        if route.unreachable_pairs
    ]


def _beyond_limits(run: Run, needs: Mapping[str, FabricNeed], _: Mapping[str, Counted]) -> list[Breach]:
    """Limits of the intact state that do not hold."""
    return _broken(run, needs, run.result.limits)


def _broken(run: Run, needs: Mapping[str, FabricNeed], verdicts: Sequence[LimitVerdict]) -> list[Breach]:
    return [
        Breach(f"{limit.text}: {_value_text(limit)}", _fabrics_of(run, place, needs))
        for place, limit in enumerate(verdicts)
        if limit.ok is False
    ]


def _value_text(limit: LimitVerdict) -> str:
    """What it is instead, and where."""
    if limit.value is None:
        return limit.detail or "it does not hold"
    if limit.unit == "s":
        value = format_seconds(limit.value)
    else:
        value = percent(limit.value) if limit.unit == "ratio" else f"{limit.value:,.0f}"
    return f"it is {value}" + (f" {limit.detail}" if limit.detail else "")


def _decided(run: Run, ground: Ground | None, progress: Reporter) -> tuple[LimitVerdict, ...]:
    """Every limit judged, those in failure cases however many these are."""
    verdicts = list(run.result.limits)
    for place, limit in enumerate(limits_of(run.loaded, run.request)):
        if limit.when is not None and ground is not None:
            judged, _ = judge_limit(limit_sweep(ground, limit), place, progress)
            verdicts[place] = judged.verdict
    return tuple(verdicts)


def _fabrics_of(run: Run, place: int, needs: Mapping[str, FabricNeed]) -> tuple[str, ...]:
    """Fabrics that a limit depends on: the one it names, or those that its job sends over."""
    own = [(limit.fabric, limit.workload) for limit in limits_of(run.loaded, run.request)]
    own += [(limit.fabric, job.id) for job in run.traffic for limit in job.time_limits]
    fabric, workload = own[place]
    if fabric is not None:
        return (fabric,)
    used = {
        phase.fabric
        for job in run.result.jobs
        if job.id == workload
        for phase in job.phases
        if phase.fabric is not None
    }
    return tuple(name for name in needs if name in used) or tuple(needs)


def _stalled(case: FailureCase) -> bool:
    return any(job.state == "stalled" for job in case.jobs)
