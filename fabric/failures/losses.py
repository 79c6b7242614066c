"""What a sweep costs in the long run, put beside its cases: how often each is to be expected, and what it loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, prod

from fabric.failures.chunks import Sweep, Tally
from fabric.failures.expected import Plant, assumptions_of, expected_losses, plant_of
from fabric.failures.fleet import is_random
from fabric.failures.job_reaction import one_failure
from fabric.failures.part import Part
from fabric.failures.rates import PartRate, Rates
from fabric.failures.result import FailureCase, FailureResult, JobState
from fabric.routing.progress import Progress, Reporter, silent
from topologies.errors import ScenarioError
from topologies.units import HOURS_PER_MONTH, percent


def with_losses(result: FailureResult, sweep: Sweep, tally: Tally, *, progress: Reporter = silent) -> FailureResult:
    """A sweep with its GPU-hours lost a month, by cause and by case.

    Raises
    ------
    ScenarioError
        When a rate is of a role or tier that nothing has (FP2105).
    """
    run, request = sweep.ground.run, sweep.request
    rates = Rates.of(run.loaded.scenario.reliability)
    topologies = run.network.topologies.values()
    roles = [name for topology in topologies for name in (*topology.roles, *topology.tiers)]
    try:
        rates.check_roles(sweep.cases.parts, roles)
    except ScenarioError as error:
        raise run.loaded.locate(error) from None
    progress(Progress("rates of failures"))
    seed = run.loaded.scenario.seed if request.seed is None else request.seed
    plant = plant_of(sweep, sweep.written_out(tally.figures), rates, seed)
    pricing = _Pricing(plant, {id(part): place for place, part in enumerate(plant.fleet.parts)})
    many = plant.states.strata[-1]
    warnings = []
    if many.parts == plant.states.most and many.chance > 0.01:
        warnings.append(
            f"{many.parts} parts or more are down at once for {percent(many.chance)} of the time, and are counted as "
            f"{many.parts}: rates or repair times are far above those of networks that work"
        )
    expected = expected_losses(plant, request.months, progress=progress)
    run.loaded.say(*_notes(plant))
    return replace(
        result,
        expected=expected,
        failures=tuple(
            pricing.case(case, [sweep.cases.parts[part] for part in sweep.parts_of(case_number(case))])
            for case in result.failures
        ),
        assumptions=(*result.assumptions, *assumptions_of(plant)),
        warnings=(*result.warnings, *warnings),
    )


def _notes(plant: Plant) -> list[str]:
    """What people must know of the losses: what was estimated, left out, or taken for a job that does not say."""
    causes = ", ".join(plant.fleet.causes)
    notes = [f"losses a month are those of {causes}; built-in rates and estimated repairs: reliability.rates"]
    if not plant.jobs:
        notes = ["no job runs on GPUs: no GPU-hours are lost"]
    if plant.fleet.without_rate:
        kinds = ", ".join(plant.fleet.without_rate)
        notes.append(
            f"nothing is published of how often these fail, and they are left out: {kinds} (reliability.rates)"
        )
    return [*notes, *(f"{each.text} ({each.override})" for job in plant.jobs for each in job.assumptions)]


def case_number(case: FailureCase) -> int:
    """Of a case in its set, from 0."""
    return int(case.id.removeprefix("F")) - 1


@dataclass(frozen=True, eq=False)
class _Pricing:
    """Puts rates and losses beside cases."""

    plant: Plant
    place: dict[int, int]  # of a part in the fleet, by its identity

    def case(self, case: FailureCase, parts: Sequence[Part]) -> FailureCase:
        """A case with how often it is to be expected and what it loses."""
        rates = [self.plant.rates.rate(part.kind, part.role) if is_random(part) else None for part in parts]
        known = [rate for rate in rates if rate is not None]
        if len(known) < len(parts) or not parts:
            return case
        per_month = frequency(known) * case.count
        together_h = 1 / sum(3600 / rate.repair_s for rate in known)
        jobs = tuple(self._job(job, parts, together_h) for job in case.jobs)
        lost = [job.lost_gpu_hours for job in jobs if job.lost_gpu_hours is not None]
        return replace(
            case,
            jobs=jobs,
            per_month=per_month,
            lost_gpu_hours_per_month=per_month * sum(lost) if lost or not per_month else None,
        )

    def _job(self, state: JobState, parts: Sequence[Part], together_h: float) -> JobState:
        """What a job does about a case, and what that loses until the first repair."""
        jobs = self.plant.jobs
        at = next((place for place, job in enumerate(jobs) if job.id == state.id), None)
        places = [self.place.get(id(part)) for part in parts]
        if at is None or any(place is None for place in places):
            return state
        effects = self.plant.effects
        own = [place for place in places if place is not None]
        hosts = {host for place in own for host in effects.hosts[at][place].tolist()}
        acting = [place for place in own if effects.in_network[place, at]]
        alone = max((float(effects.stretch[place, at]) for place in own), default=1.0)
        whole = inf if state.state == "stalled" else state.stretch or 1.0
        stretch = whole if len(acting) == len(own) else alone
        text, lost = one_failure(jobs[at], len(hosts), stretch, together_h)
        return replace(state, reaction=text, lost_gpu_hours=lost)


def frequency(rates: Sequence[PartRate]) -> float:
    """How often a month so many parts come to be down at once.

    >>> hourly = PartRate(HOURS_PER_MONTH, 3600.0, "")
    >>> round(frequency([hourly]) / HOURS_PER_MONTH, 3), round(frequency([hourly, hourly]) / HOURS_PER_MONTH, 3)
    (0.5, 0.5)
    """
    return prod(rate.down for rate in rates) * sum(3600 / rate.repair_s for rate in rates) * HOURS_PER_MONTH
