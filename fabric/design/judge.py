"""A counted design put to the test: built, checked port for port, routed with the jobs, and failed.

None is offered that was only counted: what is counted has to be what stands there, the ceilings have to hold for any
traffic, and every limit and every failure that was asked for is routed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from fabric.failures.sweep import judge_limit, limit_sweep, run_failures
from fabric.output.numbers import finite
from fabric.pipeline.run import Run, run_scenario
from fabric.pipeline.stages import limits_of
from fabric.request import RouteRequest
from fabric.result import LimitVerdict
from fabric.routing.progress import Reporter, silent
from fabric.scenario.load import LoadedScenario, load_scenario_text
from topologies.errors import FabricError
from topologies.summary import TopologySummary, summarise
from topologies.units import percent, to_one

_CLOSE = 1e-6  # relative, of two ways to an oversubscription


@dataclass(frozen=True)
class Breach:
    """Why a design does not hold, and the fabrics that another choice could mend it on."""

    text: str
    fabrics: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Judged:
    """What came of a design; ``run`` is None where it could not be built."""

    fabrics: Mapping[str, Counted]
    text: str
    run: Run | None
    breaches: tuple[Breach, ...]
    bill: Bill | None = None
    step_time_s: Mapping[str, float] | None = None
    max_utilisation: float | None = None
    worst_failure: WorstFailure | None = None
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it may be offered."""
        return not self.breaches

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
    breaches = [*_miscounted(run, fabrics), *_beyond_ceilings(run, needs, fabrics)]
    ground = Ground.of(run, FailureRequest(route=run.request, expected=False)) if run.result.routes else None
    verdicts = _decided(run, ground, progress)
    breaches += [
        Breach(f"{limit.text}: {limit.detail or 'it does not hold'}", _fabrics_of(run, place, needs))
        for place, limit in enumerate(verdicts)
        if limit.ok is False
    ]
    breaches += [
        Breach(f"{route.fabric}: {route.unreachable_pairs:,} pairs of {route.phase} have no path", (route.fabric,))
        for route in run.result.routes
        if route.unreachable_pairs
    ]
    undecided = tuple(f"{limit.text}: not decided, {limit.detail}" for limit in verdicts if limit.ok is None)
    return Judged(
        fabrics,
        text,
        replace(run, result=replace(run.result, limits=verdicts)),
        tuple(breaches),
        bill_of(loaded, run.network.topologies),
        {job.id: job.step_time_s for job in run.result.jobs if job.step_time_s is not None},
        max((route.max_utilisation for route in run.result.routes), default=None),
        _worst_failure(run, loaded, progress) if ground is not None else None,
        (*(str(problem) for problem in run.network.warnings), *undecided),
    )


def _refused(error: FabricError, needs: Mapping[str, FabricNeed]) -> list[Breach]:
    """What the builder says; located under the fabric where it names one."""
    breaches = []
    for problem in error.problems:
        fabric = str(problem.where[1]) if problem.where[:1] == ("fabrics",) and len(problem.where) > 1 else ""
        breaches.append(Breach(problem.message, (fabric,) if fabric in needs else tuple(needs)))
    return breaches


def _miscounted(run: Run, fabrics: Mapping[str, Counted]) -> list[Breach]:
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
    limit = limits_of(run.loaded, run.request)[place]
    if limit.fabric is not None:
        return (limit.fabric,)
    used = {
        phase.fabric
        for job in run.result.jobs
        if job.id == limit.workload
        for phase in job.phases
        if phase.fabric is not None
    }
    return tuple(name for name in needs if name in used) or tuple(needs)


def _worst_failure(run: Run, loaded: LoadedScenario, progress: Reporter) -> WorstFailure | None:
    """The worst of the sets that limits name, and of any single switch where none is named."""
    named = tuple(dict.fromkeys(limit.when for limit in loaded.scenario.limits if limit.when is not None))
    cases: list[FailureCase] = []
    sets: list[tuple[str, ...]] = [(name,) for name in named]
    for names in sets or [()]:
        request = FailureRequest(route=run.request, kinds=("switch",), named=names, expected=False, top=1, keep_worst=1)
        cases += run_failures(run, request, progress=progress).failures[:1]
    if not cases:
        return None
    worst = max(cases, key=lambda case: (_stalled(case), case.stretch or 1.0, case.max_utilisation or 0.0))
    return WorstFailure(
        " and ".join(worst.parts),
        {job.id: job.step_time_s for job in worst.jobs},
        worst.unreachable_pairs,
        None if worst.max_utilisation is None else finite(worst.max_utilisation),
    )


def _stalled(case: FailureCase) -> bool:
    return any(job.state == "stalled" for job in case.jobs)
