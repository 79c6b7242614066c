"""Failure cases routed in chunks, judged and tallied.

A chunk of cases comes to a ``Tally``; tallies merge in the order of their chunks, whoever computed them. Cases are of
single failures, or pairs: those are swept first failure by first failure, each on the state that it leaves.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fabric.failures.case_limits import LimitTally, MeasuredCases, holds, needs_loads, tally
from fabric.failures.cases import Cases, Damage, damage_of
from fabric.failures.choose import is_solved
from fabric.failures.cut_off import GpuPlaces, Reach, gpus_cut_off
from fabric.failures.engine import LinkWorst, Outcomes, PhaseEngine, SweepPhase
from fabric.failures.figures import STALLED, CaseFigures
from fabric.failures.judge import Judge, JudgedJob, intact_outcomes
from fabric.failures.lazy_engines import LazyEngine, lazy_engines
from fabric.failures.pairs import CutOff, PairEngine, PairRows, Singles, cut_off_of, pair_damage, routed_pairs
from fabric.failures.phases import sweep_phases
from fabric.failures.reacting import phase_under
from fabric.failures.reaction import CONVERGED, FROZEN
from fabric.failures.request import FailureRequest
from fabric.failures.symmetry.orbits import Carried, CarriedParts, Equal, Ways, equal_parts
from fabric.failures.symmetry.worst_of_all import worst_of_all
from fabric.failures.symmetry.written_out import written_out
from fabric.pipeline.network import Network
from fabric.pipeline.run import Run
from fabric.scenario.limit_schema import LimitSpec
from topologies.columns import Floats, Ints, Longs, column

KEEP_ALL = 50_000  # cases up to which all are kept with all their figures
_CHUNK_S = 0.25  # that a chunk is to take at least, so that progress is seen and Ctrl-C is heard


@dataclass(frozen=True, eq=False)
class Tally:
    """What some cases come to; ``figures`` are all of them, or the most harmful."""

    cases: int
    evaluated: int
    by_state: Longs  # shape (3,), cases by the worst state of a job
    cut_off: int  # cases that cut GPUs off
    over_capacity: int  # cases with a link over capacity
    figures: CaseFigures
    worst: tuple[LinkWorst, ...]  # one per phase
    limits: tuple[LimitTally, ...]

    def merged(self, other: Tally, keep: int | None) -> Tally:
        """With the cases that follow; of all of them the ``keep`` most harmful are kept."""
        figures = CaseFigures.joined([self.figures, other.figures])
        return Tally(
            self.cases + other.cases,
            self.evaluated + other.evaluated,
            self.by_state + other.by_state,
            self.cut_off + other.cut_off,
            self.over_capacity + other.over_capacity,
            figures if keep is None else figures.worst(keep),
            tuple(mine.merged(theirs) for mine, theirs in zip(self.worst, other.worst, strict=True)),
            tuple(mine.merged(theirs) for mine, theirs in zip(self.limits, other.limits, strict=True)),
        )


@dataclass(frozen=True, eq=False)
class Ground:
    """What every sweep of a run needs, made once: engines, the intact state, who is where."""

    run: Run
    request: FailureRequest
    phases: tuple[SweepPhase, ...]
    engines: tuple[LazyEngine, ...]
    judge: Judge
    intact: tuple[Outcomes, ...]  # one case per phase
    places: GpuPlaces
    host_of: dict[str, Ints]  # by fabric, shape (N,): host of every endpoint, -1 for none

    @staticmethod
    def of(run: Run, request: FailureRequest) -> Ground:
        """Of a routed scenario."""
        phases = tuple(phase_under(phase, request) for phase in sweep_phases(run))
        return Ground(
            run,
            request,
            phases,
            lazy_engines(phases, request.reaction, request.dialect),
            Judge(phases, run.traffic),
            tuple(intact_outcomes(phase, proven=is_solved(phase, request.reaction)) for phase in phases),
            GpuPlaces.of(run.network),
            _hosts(run.network),
        )

    @cached_property
    def intact_jobs(self) -> tuple[JudgedJob, ...]:
        """The jobs as they are without any failure."""
        judged, _ = self.judge.unique(_side(self.intact, "peak"), _side(self.intact, "cut"))
        return judged[0]

    @cached_property
    def reach(self) -> dict[str, Reach]:
        """By fabric."""
        return {name: Reach.of(topology) for name, topology in self.run.network.topologies.items()}


@dataclass(frozen=True, eq=False)
class Sweep:
    """The cases of one set on one ground; chunks are ranges of ``units``."""

    ground: Ground
    cases: Cases
    request: FailureRequest  # whose cases these are
    limits: tuple[LimitSpec, ...] = ()

    @property
    def held(self) -> tuple[LimitSpec, ...]:
        """Limits that are judged in every case by itself, for the part of the time that they hold."""
        wanted = self.request.expected and not self.limits and not self.are_pairs
        return self.ground.run.loaded.scenario.limits if wanted else ()

    @cached_property
    def damage(self) -> dict[str, Damage]:
        """By fabric, of every single case."""
        return {name: damage_of(self.cases, name) for name in self.ground.run.network.topologies}

    @property
    def are_pairs(self) -> bool:
        """Whether every two of the cases together are one."""
        return self.cases.first_failures

    @cached_property
    def equal(self) -> Equal | None:
        """Cases that are equal but for names; None where they are not single parts, or the reaction is not by rule."""
        single = len(self.cases.part) == len(self.cases) and bool((self.cases.part == np.arange(len(self.cases))).all())
        if not single or self.ground.request.reaction not in (CONVERGED, FROZEN):
            return None
        found = equal_parts(self.ground.phases, self.cases.parts, self.ground.host_of)
        return found if found.symmetries else None

    @cached_property
    def rows(self) -> Longs:
        """Cases that are routed, for themselves and their equals; of pairs the first failures."""
        count = len(self.cases)
        if self.equal is None:
            return column(np.arange(max(count - 1, 0) if self.are_pairs else count), np.int64)
        rows = self.equal.representatives
        if self.are_pairs:
            rows = rows[(self.equal.counts > 1) | (rows < rows.max(initial=0))]
        return column(rows, np.int64)

    def equals(self, cases: Longs) -> Floats:
        """How many cases each of these stands for, itself included."""
        if self.equal is None:
            return column(np.ones(len(cases)), np.float64)
        return column(np.bincount(self.equal.first, minlength=len(self.cases))[self.equal.first[cases]], np.float64)

    @property
    def units(self) -> int:
        """What chunks are ranges of: ``rows``."""
        return len(self.rows)

    @property
    def total(self) -> int:
        """Cases that are swept."""
        count = len(self.cases)
        return count * (count - 1) // 2 if self.are_pairs else count

    @property
    def keep(self) -> int | None:
        """Cases that are kept with all their figures; None: all."""
        return None if self.total <= KEEP_ALL else self.request.keep_worst

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of all parts; with the fabric where parts of several fabrics are called alike."""
        known = Counter(part.name for part in self.cases.parts)
        return tuple(
            f"{part.fabric} {part.name}" if known[part.name] > 1 and part.fabric else part.name
            for part in self.cases.parts
        )

    def number_of_pair(self, first: Longs, second: Longs) -> Longs:
        """Of pairs among all pairs, in order; the lower case first."""
        count = len(self.cases)
        return np.asarray(first * count - first * (first + 1) // 2 + second - first - 1, dtype=np.int64)

    def over_orbits(self, worst: Sequence[LinkWorst]) -> tuple[LinkWorst, ...]:
        """What links meet in all cases, from what they meet in those that were routed."""
        return tuple(
            self._over_orbits(phase.fabric, each) for phase, each in zip(self.ground.phases, worst, strict=True)
        )

    def _over_orbits(self, fabric: str, worst: LinkWorst) -> LinkWorst:
        symmetry = self.equal.symmetries.get(fabric) if self.equal is not None else None
        if self.equal is None or symmetry is None:
            return worst
        parts = CarriedParts(self.cases.parts, fabric, symmetry)
        whole = None if self.are_pairs else worst_of_all(parts, self.equal.first, worst)
        return symmetry.over_orbits(worst, self._carried(parts)) if whole is None else whole

    def written_out(self, figures: CaseFigures) -> CaseFigures:
        """Figures with a row for every case, or for as many of the most harmful as are kept; of pairs as they are."""
        if self.equal is None or self.are_pairs:
            return figures
        fabrics = [phase.fabric for phase in self.ground.phases]
        every = written_out(self.equal, self.cases.parts, fabrics, figures)
        return every if self.keep is None else every.worst(self.keep)

    def _carried(self, parts: CarriedParts) -> Carried:
        """Where symmetries carry a case."""
        if not self.are_pairs:
            return parts

        def pairs(number: int, ways: Ways) -> Longs:
            one, other = (parts(part, ways) for part in self.pair_of(number))
            return self.number_of_pair(np.minimum(one, other), np.maximum(one, other))

        return pairs

    def pair_of(self, number: int) -> tuple[int, int]:
        """The two failures of a pair."""
        firsts = np.arange(len(self.cases), dtype=np.int64)
        starts = firsts * len(self.cases) - firsts * (firsts + 1) // 2
        first = int(np.searchsorted(starts[:-1], number, side="right")) - 1
        return first, int(number - starts[first]) + first + 1

    def parts_of(self, number: int) -> tuple[int, ...]:
        """Positions of the parts of a case of the sweep."""
        singles = self.pair_of(number) if self.are_pairs else (number,)
        start, part = self.cases.start, self.cases.part
        return tuple(place for case in singles for place in part[start[case] : start[case + 1]].tolist())

    def chunk(self, first: int, last: int) -> Tally:
        """Units ``first`` to ``last``."""
        if not self.are_pairs:
            every = self.rows[first:last]
            damage = {name: each.take(every) for name, each in self.damage.items()}
            outcomes, worst = self._routed(self.ground.engines, damage, every, self.ground.intact)
            return self._tallied(outcomes, worst, self.ground.engines, damage, every, self.equals(every))
        if self._in_bulk:
            return self._pairs(first, last)
        result: Tally | None = None
        for unit in range(first, last):
            row = self._with_first(int(self.rows[unit]))
            result = row if result is None else result.merged(row, self.keep)
        assert result is not None
        return result

    @cached_property
    def _in_bulk(self) -> bool:
        """Whether every engine that pairs touch routes them in bulk, and nothing asks for the loads of single pairs."""
        engines = [
            engine.made
            for engine in self.ground.engines
            if self.damage[engine.phase.fabric].any.any() and isinstance(engine, LazyEngine)
        ]
        return (
            self.equal is None
            and all(isinstance(engine, PairEngine) for engine in engines)
            and not any(needs_loads(limit) for limit in self.limits)
        )

    @cached_property
    def _singles(self) -> tuple[Singles, ...]:
        """Every case by itself, phase by phase."""
        every = np.arange(len(self.cases), dtype=np.int64)
        routed = self._routed(self.ground.engines, self.damage, every, self.ground.intact)
        return tuple(Singles(outcomes, worst) for outcomes, worst in zip(*routed, strict=True))

    @cached_property
    def _cut_off(self) -> CutOff | None:
        """GPUs that the cases cut off, where those of pairs follow from them; None: pair by pair."""
        return cut_off_of(self.ground.places, self.ground.reach, self.damage, len(self.cases))

    def _pairs(self, first: int, last: int) -> Tally:
        """All pairs of some first failures, in bulk."""
        rows = PairRows.of(len(self.cases), first, last)
        outcomes, worst = [], []
        for engine, intact, single in zip(self.ground.engines, self.ground.intact, self._singles, strict=True):
            damage = self.damage[engine.phase.fabric]
            made = engine.made if isinstance(engine, LazyEngine) and damage.any.any() else None
            routed = routed_pairs(rows, made if isinstance(made, PairEngine) else None, damage, intact, single)
            outcomes.append(routed[0])
            worst.append(routed[1])
        gpus = None if self._cut_off is None else self._cut_off.of(rows)
        whole = {name: pair_damage(each, rows) for name, each in self.damage.items()} if gpus is None else self.damage
        number, count = rows.number, np.ones(len(rows.one))
        return self._tallied(tuple(outcomes), tuple(worst), self.ground.engines, whole, number, count, gpus=gpus)

    def _with_first(self, first: int) -> Tally:
        """All pairs of which one failure is the first."""
        ground = self.ground
        alone = {name: each.take(column([first], np.int64)) for name, each in self.damage.items()}
        engines = tuple(
            engine.damaged(alone[phase.fabric], 0) if alone[phase.fabric].any[0] else engine
            for engine, phase in zip(ground.engines, ground.phases, strict=True)
        )
        seconds = np.arange(first + 1, len(self.cases), dtype=np.int64)
        count = np.ones(len(seconds))
        if self.equal is not None:  # with those before it the pair is one of theirs; with its own equals it is two
            every = np.arange(len(self.cases), dtype=np.int64)
            seconds = every[(self.equal.first >= first) & (every != first)]
            count = self.equals(column([first], np.int64)) / np.where(self.equal.first[seconds] == first, 2.0, 1.0)
        further = {name: each.take(seconds) for name, each in self.damage.items()}
        number = self.number_of_pair(np.minimum(first, seconds), np.maximum(first, seconds))
        before, single = self._routed(ground.engines, alone, number[:1], ground.intact)
        outcomes, worst = self._routed(engines, further, number, before)
        if self.equal is None:
            worst = tuple(
                self._of_first(first, phase.fabric, each, one)
                for phase, each, one in zip(ground.phases, worst, single, strict=True)
            )
        return self._tallied(outcomes, worst, engines, further, number, count, alone)

    def _of_first(self, first: int, fabric: str, pairs: LinkWorst, alone: LinkWorst) -> LinkWorst:
        """What links meet in the pairs of a first failure.

        Of pairs of which one failure does nothing to the fabric, only those with the first such case are listed.
        """
        touched = self.damage[fabric].any
        spared = np.flatnonzero(~touched)
        if not touched[first]:
            return pairs if spared[0] == first else LinkWorst.empty(len(pairs.case))
        if not len(spared) or spared[0] < first:
            return pairs
        number = int(self.number_of_pair(np.array([first]), spared[:1])[0])
        listed = LinkWorst(alone.utilisation, np.where(alone.case >= 0, number, -1))
        return pairs.merged(listed)

    def _routed(
        self,
        engines: Sequence[PhaseEngine],
        damage: dict[str, Damage],
        number: Longs,
        before: Sequence[Outcomes],
    ) -> tuple[tuple[Outcomes, ...], tuple[LinkWorst, ...]]:
        """Cases in every phase; those that do nothing to its fabric are as ``before``, and are not routed."""
        outcomes, worst = [], []
        for engine, phase, unchanged in zip(engines, self.ground.phases, before, strict=True):
            mine = damage[phase.fabric]
            touched = np.flatnonzero(mine.any)
            links = LinkWorst.empty(len(phase.topology.links))
            result = Outcomes(
                **{name: np.repeat(values, len(number), axis=0) for name, values in vars(unchanged).items()}
            )
            if len(touched):
                routed = engine.outcomes(mine if len(touched) == len(number) else mine.take(touched), links)
                for name, values in vars(routed).items():
                    getattr(result, name)[touched] = values
                listed = links.case >= 0
                links.case[listed] = number[touched[links.case[listed]]]
            outcomes.append(result)
            worst.append(links)
        return tuple(outcomes), tuple(worst)

    def _tallied(
        self,
        outcomes: tuple[Outcomes, ...],
        worst: tuple[LinkWorst, ...],
        engines: tuple[PhaseEngine, ...],
        damage: dict[str, Damage],
        number: Longs,
        count: Floats,
        first: dict[str, Damage] | None = None,
        gpus: Ints | None = None,
    ) -> Tally:
        """Cases judged; ``damage`` is what the engines have not done yet, ``first`` what they have, by fabric.

        ``gpus`` are those that the cases cut off, where they are known.
        """
        ground, judge = self.ground, self.ground.judge
        whole = damage if first is None else {name: _both(first[name], damage[name]) for name in damage}
        state, step_s, stretch, judged, which = judge.states(
            _side(outcomes, "peak", len(number)), _side(outcomes, "cut", len(number)), ground.intact_jobs
        )
        peaks = np.array([each.max_utilisation for each in outcomes]).reshape(len(outcomes), len(number))
        rows = np.arange(len(number))
        fullest = peaks.argmax(axis=0) if len(outcomes) else np.full(len(number), -1)
        hottest = np.array([each.hottest for each in outcomes])[fullest, rows] if len(outcomes) else fullest
        figures = CaseFigures(
            number=number,
            count=count,
            max_utilisation=peaks.max(axis=0, initial=0.0),
            phase=np.where(hottest >= 0, fullest, -1).astype(np.int32),
            hottest=hottest.astype(np.int32),
            links_over_capacity=_over(outcomes, "links_over_capacity", len(number))
            .max(axis=0, initial=0)
            .astype(np.int32),
            unreachable_pairs=_over(outcomes, "unreachable_pairs", len(number)).sum(axis=0),
            gpus_cut_off=gpus_cut_off(ground.places, ground.reach, whole, len(number)) if gpus is None else gpus,
            state=state,
            step_time_s=step_s,
            stretch=stretch,
            bound=np.array([each.bound for each in outcomes])
            .reshape(len(outcomes), len(number))
            .max(axis=0, initial=0.0),
            holds=np.empty((len(number), 0), dtype=np.bool_),
        )
        cases = MeasuredCases(number, figures.count, outcomes, engines, damage, judged, which)
        if self.held:
            each = [holds(limit, ground.phases, judge, cases) for limit in self.held]
            figures = replace(figures, holds=np.stack(each, axis=1))
        by_state = np.rint(np.bincount(figures.worst_state, count, minlength=STALLED + 1)).astype(np.int64)
        return Tally(
            cases=round(float(count.sum())),
            evaluated=len(number),
            by_state=by_state,
            cut_off=round(float(count[figures.gpus_cut_off > 0].sum())),
            over_capacity=round(float(count[figures.links_over_capacity > 0].sum())),
            figures=figures if self.keep is None else figures.worst(self.keep),
            worst=worst,
            limits=tuple(tally(limit, ground.phases, judge, cases) for limit in self.limits),
        )


def chunks(sweep: Sweep) -> Iterator[tuple[int, int, Tally]]:
    """All chunks of a sweep in this process, sized by what the last one took."""
    first, size = 0, 1 if sweep.are_pairs else 16
    while first < sweep.units:
        last, began = min(first + size, sweep.units), time.perf_counter()
        yield first, last, sweep.chunk(first, last)
        size = size * 4 if time.perf_counter() - began < _CHUNK_S else size
        first = last


def _hosts(network: Network) -> dict[str, Ints]:
    """Host of every endpoint by fabric, numbered over all groups."""
    hosts = {name: np.full(len(each.nodes), -1, dtype=np.int32) for name, each in network.topologies.items()}
    count = 0
    for group in network.inventory.groups.values():
        for fabric in group.nics:
            if fabric in hosts:
                ends = network.inventory.host_endpoints(fabric, group.name)
                hosts[fabric][ends] = count + np.arange(len(ends))[:, None]
        count += len(group.hosts)
    return {name: column(each, np.int32) for name, each in hosts.items()}


def _both(first: Damage, others: Damage) -> Damage:
    """Dead links of one case with those of each of the others."""
    start = others.start + np.arange(len(others.start)) * len(first.dead)
    dead = np.insert(others.dead, np.repeat(others.start[:-1], len(first.dead)), np.tile(first.dead, len(others)))
    return replace(others, start=column(start, np.int64), dead=column(dead, np.int32))


def _side(outcomes: Sequence[Outcomes], name: str, cases: int = 1) -> np.ndarray:
    """Columns of jobs of all phases, one after the other."""
    return np.concatenate([np.zeros((cases, 0)), *(getattr(each, name) for each in outcomes)], axis=1)


def _over(outcomes: Sequence[Outcomes], name: str, cases: int) -> np.ndarray:
    """A figure of every phase, shape (phases, cases)."""
    values = [getattr(each, name) for each in outcomes]
    return np.array(values, dtype=np.int64).reshape(len(values), cases)
