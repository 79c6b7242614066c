"""What failures cost in the long run: GPU-hours lost a month by cause, availability of limits, checkpoint intervals.

Months are simulated, one long history after the other: parts fail and are repaired at random, jobs react, and the
network is in the state of what is down. States with several parts down are routed, not added up. The mean of what a
slower network costs is worked out over all states by their chances, which is sharper than counting them in months.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fabric.evaluation.limits import limit_name_and_text
from fabric.failures.cases import Cases
from fabric.failures.checkpoint_interval import daly_s, simulated_s, young_s
from fabric.failures.chunks import Ground, Sweep, Tally
from fabric.failures.figures import CaseFigures
from fabric.failures.fleet import Fleet, fleet_of
from fabric.failures.job_reaction import FailingJob, all_hosts, failing_jobs
from fabric.failures.month_losses import HostOutages, JobHistory, NetworkHistory, job_history
from fabric.failures.network_states import NetworkStates, Sets, network_states
from fabric.failures.outages import Outages, random_outages
from fabric.failures.part_effects import PartEffects, part_effects
from fabric.failures.rates import Rates
from fabric.failures.result import CheckpointAdvice, Estimate, Expected
from fabric.result import Assumption
from fabric.routing.progress import Progress, Reporter, silent
from topologies.columns import Bools, Floats, column
from topologies.units import HOURS_PER_MONTH

_MONTHS_AT_ONCE = 250  # of one history
_FEWEST_MONTHS, _MOST_MONTHS = 1_000, 10_000
_SHARP = 0.005  # of the mean, its standard error that ends the simulation
_SEED = 19  # sets these draws apart from those of hashes and samples
_GAPS = 1_000  # between failures that a simulated checkpoint interval takes at least
_AT_ONCE = 256  # cases routed together


class _EveryCase(Sweep):
    """A sweep that keeps all its cases."""

    @property
    def keep(self) -> int | None:
        """All."""
        return None


@dataclass(frozen=True, eq=False)
class Plant:
    """What fails in a sweep, what each part does, and the jobs that suffer."""

    ground: Ground
    jobs: tuple[FailingJob, ...]
    fleet: Fleet
    rates: Rates
    effects: PartEffects
    holds: Bools  # shape (P, L), limits with each part down
    seed: int

    @property
    def loads(self) -> Floats:
        """Of the network parts, shape (P,)."""
        return self.fleet.load[: len(self.fleet.parts)]

    @cached_property
    def states(self) -> NetworkStates:
        """The network with none, one and several parts down."""
        parts = len(self.fleet.parts)
        return network_states(
            self.loads,
            self.effects.stretch,
            self.holds,
            self._evaluate([()])[1][0],
            self.fleet.cause[:parts],
            len(self.fleet.causes),
            self._evaluate,
            rng=np.random.default_rng([self.seed, _SEED, 0]),
        )

    def _evaluate(self, sets: Sets) -> tuple[Floats, Bools]:
        """Sets of parts together: those that act by the network routed as they are, others by what they do alone."""
        routed: dict[tuple[int, ...], int] = {tuple(members): row for row, members in enumerate(dict.fromkeys(sets))}
        acting = [
            [tuple(part for part in members if self.effects.in_network[part, job]) for job in range(len(self.jobs))]
            for members in sets
        ]
        for rows in acting:
            for members in rows:
                routed.setdefault(members, len(routed))
        figures = every_case(self.ground, _cases_of(self.fleet, list(routed)), self.holds.shape[1] > 0)
        stretch = _of_jobs(self.ground, self.jobs, figures.stretch)
        result = np.ones((len(sets), len(self.jobs)))
        for row, members in enumerate(sets):
            for job in range(len(self.jobs)):
                alone = max(
                    (self.effects.stretch[part, job] for part in members if not self.effects.in_network[part, job]),
                    default=1.0,
                )
                result[row, job] = max(float(stretch[routed[acting[row][job]], job]), float(alone), 1.0)
        return result, figures.holds[[routed[tuple(members)] for members in sets]]


def every_case(ground: Ground, cases: Cases, held: bool) -> CaseFigures:
    """Figures of all cases in order; with ``held``, whether every limit holds in each."""
    sweep = _EveryCase(ground, cases, replace(ground.request, expected=held))
    tallies: list[Tally] = []
    for first in range(0, sweep.units, _AT_ONCE):
        tallies.append(sweep.chunk(first, min(first + _AT_ONCE, sweep.units)))
    figures = CaseFigures.joined([tally.figures for tally in tallies])
    if sweep.equal is None:
        return figures
    number = np.arange(len(cases), dtype=np.int64)
    every = figures.take(np.searchsorted(sweep.rows, sweep.equal.first))
    return replace(every, number=number, count=np.ones(len(cases)))


def _cases_of(fleet: Fleet, sets: Sets) -> Cases:
    start = np.cumsum([0, *(len(members) for members in sets)])
    part = [place for members in sets for place in members]
    return Cases("", fleet.parts, column(start, np.int64), column(part, np.int32), len(sets), 0)


def _of_jobs(ground: Ground, jobs: Sequence[FailingJob], stretch: Floats) -> Floats:
    """Columns of the judged jobs as columns of the jobs on GPUs; 1 for those that send nothing."""
    judged = [workload.id for workload in ground.judge.jobs]
    columns = [stretch[:, judged.index(job.id)] if job.id in judged else np.ones(len(stretch)) for job in jobs]
    return np.stack(columns, axis=1) if columns else np.ones((len(stretch), 0))


def plant_of(sweep: Sweep, figures: CaseFigures | None, rates: Rates, seed: int) -> Plant:
    """Rates and effects of the parts of a sweep.

    Parameters
    ----------
    figures : CaseFigures, optional
        Of the sweep, where it has every part by itself as a case; else they are worked out.
    """
    ground = sweep.ground
    jobs = failing_jobs(ground.run)
    fleet = fleet_of(sweep.cases.parts, jobs, rates)
    limits = ground.run.loaded.scenario.limits
    singles = Cases.single(fleet.parts)
    known = None if figures is None else _rows_of(sweep, figures, fleet)
    if known is None:
        known = every_case(ground, singles, bool(limits)) if fleet.parts else None
    count = len(ground.judge.jobs)
    stretch = np.ones((0, count)) if known is None else known.stretch
    held = np.ones((0, len(limits)), np.bool_) if known is None else known.holds
    effects = part_effects(ground, singles, jobs, _of_jobs(ground, jobs, stretch))
    return Plant(ground, jobs, fleet, rates, effects, held, seed)


def _rows_of(sweep: Sweep, figures: CaseFigures, fleet: Fleet) -> CaseFigures | None:
    """The figures of each part alone; None where the sweep has not every part as one case of its own."""
    cases = sweep.cases
    alone = not sweep.are_pairs and bool((np.diff(cases.start) == 1).all())
    if not alone or len(figures) != len(cases) or len(cases) != len(cases.parts):
        return None
    if figures.holds.shape[1] != len(sweep.ground.run.loaded.scenario.limits):
        return None
    row_of = {int(cases.part[number]): row for row, number in enumerate(figures.number.tolist())}
    position = {id(part): place for place, part in enumerate(cases.parts)}
    rows = [row_of[position[id(part)]] for part in fleet.parts]
    return figures.take(np.array(rows, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class _Months:
    """Simulated months."""

    lost: Floats  # shape (M, C), GPU-hours
    network_lost: Floats  # shape (J, C), of all months
    running_h: Floats  # shape (J,)
    gaps_h: tuple[Floats, ...]  # by job

    @staticmethod
    def joined(parts: Sequence[_Months]) -> _Months:
        """One after the other."""
        jobs = range(len(parts[0].gaps_h))
        return _Months(
            np.concatenate([each.lost for each in parts]),
            np.sum([each.network_lost for each in parts], axis=0),
            np.sum([each.running_h for each in parts], axis=0),
            tuple(np.concatenate([each.gaps_h[job] for each in parts]) for job in jobs),
        )


def expected_losses(plant: Plant, months: int | None = None, *, progress: Reporter = silent) -> Expected:
    """What is lost a month.

    Parameters
    ----------
    months : int, optional
        Simulated; as many as the mean needs if absent, 1,000 to 10,000.
    """
    parts: list[_Months] = []
    done, most = 0, months or _MOST_MONTHS
    while done < most:
        count = min(_MONTHS_AT_ONCE, most - done)
        parts.append(_simulated(plant, count, np.random.default_rng([plant.seed, _SEED, 1, len(parts)])))
        done += count
        progress(Progress(f"months: {done:,} of {most:,}"))
        if months is None and done >= _FEWEST_MONTHS and _is_sharp(np.concatenate([each.lost for each in parts])):
            break
    return _expected(plant, _Months.joined(parts), done)


def _is_sharp(lost: Floats) -> bool:
    total = lost.sum(axis=1)
    return bool(total.std() / np.sqrt(len(total)) <= _SHARP * total.mean())


def _simulated(plant: Plant, months: int, rng: np.random.Generator) -> _Months:
    """One history."""
    fleet, causes = plant.fleet, len(plant.fleet.causes)
    outages = random_outages(fleet.rate_per_h, fleet.repair_h, months * HOURS_PER_MONTH, rng)
    in_network = outages.part < len(fleet.parts)
    network = _of(outages, in_network)
    time, stretch, blame = plant.states.history(network, rng)
    histories: list[JobHistory] = []
    for at, job in enumerate(plant.jobs):
        pieces = NetworkHistory(time, stretch[:, at], blame[:, at])
        histories.append(job_history(job, _host_outages(plant, at, outages), pieces, months, HOURS_PER_MONTH, rng))
    lost = np.sum([np.zeros((months, causes)), *(each.lost for each in histories)], axis=0)
    return _Months(
        lost + _undetected(plant, network, months),
        np.array([each.network_lost for each in histories]).reshape(len(histories), causes),
        np.array([each.running_h for each in histories]),
        tuple(each.gaps_h for each in histories),
    )


def _of(outages: Outages, kept: Bools) -> Outages:
    return Outages(outages.part[kept], outages.start[kept], outages.end[kept], outages.fresh[kept])


def _host_outages(plant: Plant, at: int, outages: Outages) -> HostOutages:
    """Hosts of a job that go, by whatever takes them."""
    fleet, job = plant.fleet, plant.jobs[at]
    local = np.full(max(len(all_hosts(plant.jobs)), 1) + 1, -1, dtype=np.int64)
    for place, host in enumerate(all_hosts(plant.jobs)):
        local[place] = job.place_of_host.get(host, -1)
    own_host = local[fleet.host[outages.part]]  # the last entry stands for no host
    is_software = fleet.job[outages.part] == at
    rows = [np.flatnonzero((own_host >= 0) | is_software)]
    hosts = [own_host[rows[0]]]
    reached = np.array([len(each) for each in plant.effects.hosts[at]], dtype=np.int64)
    in_network = np.flatnonzero(outages.part < len(fleet.parts))
    taking = in_network[reached[outages.part[in_network]] > 0] if len(reached) else in_network[:0]
    rows.append(np.repeat(taking, reached[outages.part[taking]]) if len(taking) else taking)
    hosts += [plant.effects.hosts[at][part].astype(np.int64) for part in outages.part[taking].tolist()]
    row = np.concatenate(rows)
    return HostOutages(
        np.concatenate([np.empty(0, np.int64), *hosts]),
        outages.start[row],
        outages.end[row],
        outages.fresh[row],
        fleet.cause[outages.part[row]],
    )


def _undetected(plant: Plant, network: Outages, months: int) -> Floats:
    """GPU-hours until switches notice failures of the network, shape (months, C)."""
    lost = np.zeros((months, len(plant.fleet.causes)))
    detection_s = plant.ground.run.loaded.scenario.reliability.detection
    if detection_s:
        fresh = network.fresh
        month = np.minimum((network.start[fresh] / HOURS_PER_MONTH).astype(np.int64), months - 1)
        part = network.part[fresh]
        lost_h = carried_gpus(plant)[part] * detection_s / 3600
        np.add.at(lost, (month, plant.fleet.cause[part]), lost_h)
    return lost


def carried_gpus(plant: Plant) -> Floats:
    """GPUs of the jobs whose traffic crosses each part, intact, shape (P,)."""
    total = np.zeros(len(plant.fleet.parts))
    for job in plant.jobs:
        crossed: dict[str, Bools] = {}
        for phase in plant.ground.phases:
            own = [code for code, entry in enumerate(phase.intact.classes) if entry.job == job.id]
            carries: Bools = np.asarray((phase.intact.link_gbps[:, own] > 0).any(axis=1))
            crossed[phase.fabric] = crossed.get(phase.fabric, np.zeros(len(carries), np.bool_)) | carries
        for place, part in enumerate(plant.fleet.parts):
            if any(crossed[fabric][links].any() for fabric, links in part.links.items() if fabric in crossed):
                total[place] += job.gpus
    return total


def _expected(plant: Plant, months: _Months, count: int) -> Expected:
    """The mean of the months, with what a slower network costs by the chances of its states."""
    gpus = np.array([job.gpus for job in plant.jobs], dtype=np.float64)
    by_states = plant.states.lost_share() * (months.running_h * gpus / count)[:, None]
    by_cause = months.lost.mean(axis=0) + (by_states - months.network_lost / count).sum(axis=0)
    by_cause = np.maximum(by_cause, 0.0)
    total = months.lost.sum(axis=1)
    low, high = np.quantile(total, [0.05, 0.95], method="inverted_cdf").tolist() if count else (0.0, 0.0)
    limits = [
        limit_name_and_text(place, limit)[0] for place, limit in enumerate(plant.ground.run.loaded.scenario.limits)
    ]
    return Expected(
        gpu_hours_lost_per_month=Estimate(float(by_cause.sum()), low, high),
        by_cause=dict(zip(plant.fleet.causes, by_cause.tolist(), strict=True)),
        gpu_hours_per_month=float(gpus.sum()) * HOURS_PER_MONTH,
        availability=dict(zip(limits, plant.states.availability().tolist(), strict=True)),
        months=count,
        failures_per_month=float(plant.fleet.failures_per_month.sum()),
        checkpoints=tuple(
            advice for at, job in enumerate(plant.jobs) if (advice := _advice(job, months.gaps_h[at])) is not None
        ),
    )


def _advice(job: FailingJob, gaps_h: Floats) -> CheckpointAdvice | None:
    """How often a job should write, from the times between its failures; None where nothing is written or fails."""
    if not job.write_h or len(gaps_h) < _GAPS:
        return None
    gaps_s = gaps_h * 3600
    between = float(gaps_s.mean())
    write_s = job.write_h * 3600
    return CheckpointAdvice(
        job=job.id,
        now_s=None if job.checkpoint_h is None else job.checkpoint_h * 3600,
        young_s=young_s(write_s, between),
        daly_s=daly_s(write_s, between),
        simulated_s=simulated_s(write_s, gaps_s),
        write_s=write_s,
        between_failures_s=between,
    )


def assumptions_of(plant: Plant) -> tuple[Assumption, ...]:
    """Rates and reactions that were taken."""
    own = tuple(assumption for job in plant.jobs for assumption in job.assumptions)
    return (*plant.rates.assumptions(plant.fleet.used, plant.fleet.without_rate), *own)
