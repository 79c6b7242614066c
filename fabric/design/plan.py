"""The design of several fabrics as it stands: counted designs in order, and trials of one fabric beside the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf

from fabric.design.choose import Ranked, least_oversubscribed, name_of, ratio_of
from fabric.design.counted import Counted
from fabric.design.family import FAMILIES
from fabric.design.floor_wishes import is_no_room, is_of_hosts, room_conflict
from fabric.design.judge import Breach, Judged, judge
from fabric.design.least_times import least_times
from fabric.design.need import FabricNeed
from fabric.design.requirement import Requirement
from fabric.design.result import Conflict
from fabric.design.scenario_text import scenario_text
from fabric.design.search import Search
from fabric.evaluation.jobs import CHECKPOINT
from fabric.routing.progress import Progress, Reporter
from topologies.errors import Problem
from topologies.units import format_seconds


@dataclass
class _Ranking:
    """Counted designs of one family and need, each searched for once."""

    search: Search
    given: list[Ranked] = field(default_factory=list)

    def designs(self) -> Iterator[Ranked]:
        """In order of the objective."""
        place = 0
        while place < len(self.given) or self._find():
            yield self.given[place]
            place += 1

    def _find(self) -> bool:
        counted = self.search.next()
        if counted is None:
            return False
        value = self.search.value_of(counted)
        self.given.append(Ranked(counted, value, min(value, self.search.bound)))
        return True


@dataclass
class Plan:
    """Choices of all fabrics as they stand."""

    requirement: Requirement
    needs: Mapping[str, FabricNeed]
    progress: Reporter
    chosen: dict[str, Ranked] = field(default_factory=dict)
    most_step_s: float = inf  # of all jobs together
    impossible: tuple[Conflict, ...] = ()  # what no design meets
    no_room: dict[tuple[Conflict, ...], None] = field(default_factory=dict)  # of designs that found none on the floor
    left_out: dict[str, None] = field(default_factory=dict)
    _rankings: dict[tuple[str, str], _Ranking] = field(default_factory=dict)
    _judged: dict[str, Judged] = field(default_factory=dict)

    @property
    def tried(self) -> int:
        """Designs that were built and routed."""
        return len(self._judged)

    def ranking(self, need: FabricNeed, family: str) -> Iterator[Ranked]:
        """Counted designs of a family in order of the objective, also under a ceiling of our own."""
        entry = FAMILIES[family]
        if not entry.is_choice(self.needs[need.name], family):
            return
        if not entry.any_traffic:
            need = replace(need, kinds=(family,))
        key = family, repr(need)
        if key not in self._rankings:
            search = Search(need, self.requirement.catalogue, self.requirement.objective, families=(family,))
            self._rankings[key] = _Ranking(search)
            self.left_out |= dict.fromkeys(search.left_out)
        yield from self._rankings[key].designs()

    def first(self, need: FabricNeed, family: str) -> Ranked | None:
        """The best counted design of a family."""
        return next(self.ranking(need, family), None)

    def firsts(self, need: FabricNeed) -> list[tuple[Ranked, str]]:
        """The best counted design of every family, best first; of families that come to the same fabric, the first."""
        firsts, seen = [], set()
        for family in FAMILIES:
            ranked = self.first(need, family)
            if ranked is None:
                continue
            same = (round(ranked.value, 6), frozenset((one.model, one.count) for one in ranked.counted.switches))
            if same not in seen:
                seen.add(same)
                firsts.append((ranked, family))
        return sorted(firsts, key=lambda pair: (pair[0].value, pair[1]))

    def fullest(self, need: FabricNeed, family: str) -> Ranked | None:
        """The cheapest of a family at full bandwidth, or at the least oversubscription that it has."""
        first = self.first(need, family)
        if first is None or ratio_of(first.counted) <= 1.0:
            return first
        full = next(self.ranking(replace(need, oversubscription=1.0), family), None)
        return full or least_oversubscribed(need, lambda own: self.ranking(own, family))

    def trial(self, fabric: str, counted: Counted) -> Judged:
        """One fabric's design judged beside the other fabrics as they stand."""
        fabrics = {**{name: one.counted for name, one in self.chosen.items()}, fabric: counted}
        text = scenario_text(self.requirement, fabrics)
        if text not in self._judged:
            self.progress(Progress(f"{fabric}: routing and failing {name_of(counted)}"))
            path = self.requirement.directory / "design.fabric.yaml"
            self._judged[text] = judge(text, path, self.needs, fabrics)
            self._note(self._judged[text])
        judged = self._judged[text]
        step_s = sum(judged.step_time_s.values())
        if judged.holds and step_s > self.most_step_s:
            slower = f"{format_seconds(step_s)} a step; the fastest and 0.1 % are {format_seconds(self.most_step_s)}"
            return replace(judged, breaches=(Breach(slower, tuple(self.needs)),))
        return judged

    def mistakes(self) -> tuple[Problem, ...]:
        """What is wrong with the jobs or the limits, where that is why no design at all could be routed."""
        refused = [[breach.problem for breach in one.breaches] for one in self._judged.values() if one.run is None]
        of_jobs = [
            [
                problem
                for problem in problems
                if problem is not None and problem.where[:1] in (("workloads",), ("limits",))
            ]
            for problems in refused
        ]
        return tuple(of_jobs[0]) if len(refused) == self.tried and all(of_jobs) else ()

    def _note(self, judged: Judged) -> None:
        """What no other design can mend, and floor plans that were too small."""
        for breach in judged.breaches:
            if breach.problem is None or not is_no_room(breach.problem):
                continue
            conflict = room_conflict(self.requirement, breach.problem)
            self.no_room[conflict] = None
            if is_of_hosts(breach.problem) and not self.impossible:
                self.impossible = conflict
        self.impossible = self.impossible or beyond_any_network(judged)


def beyond_any_network(judged: Judged) -> tuple[Conflict, ...]:
    """Limits on times that are below what these take when every transfer runs at the line rate of its NICs."""
    if judged.run is None:
        return ()
    least = least_times(judged.run)
    limits = [
        (f"require.limits: {limit.workload} {limit.metric}", (limit.workload or "", limit.metric), limit.max)
        for limit in judged.run.loaded.scenario.limits
        if limit.when is None
    ]
    limits += [
        (f"require.workloads: {workload.id} {limit.key}", (workload.id, "checkpoint_time"), limit.max_s)
        for workload in judged.run.traffic
        for limit in workload.time_limits
        if limit.phase == CHECKPOINT
    ]
    conflicts = []
    for key, what, most in limits:
        bound = least.get(what)
        if bound is not None and most < bound:
            parts = "its compute, and its transfers" if what[1] == "step_time" else "its bytes"
            nearest = f"{format_seconds(bound)}: {parts} at the line rate of the NICs; no network is faster"
            conflicts.append(Conflict(key, f"at most {format_seconds(most)}", nearest))
    return tuple(conflicts)
