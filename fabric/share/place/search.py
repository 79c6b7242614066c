"""Search for the best placement of one job: structured candidates, then changes to the best, each of them routed.

1. Candidates are host orders (by the tree, tightest groups, spread, near the data) times layouts of the ranks. Tree
   order and what schedulers choose are among them, so the answer is never worse.
2. They are estimated from cuts; candidates that differ only in hosts of one lowest group are one. The best are routed.
3. The best routed is changed: two hosts change places, or a host gives way to a free one of another group. A change
   that estimates no worse is routed, and kept where it is better. Hosts of a lowest group are alike, so that only
   exchanges between groups are tried.

The answer is a local optimum: what is left to the bound says how much a better one could gain.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.routing.progress import Progress, Reporter, silent
from fabric.share.place.data_distance import data_distance
from fabric.share.place.estimate import Estimate, Estimator
from fabric.share.place.layouts import host_orders, layouts, seated
from fabric.share.place.setting import PlaceSetting
from fabric.share.place.trial import Trial, Trials
from topologies.columns import Bools, Ints, column

MOST_ROUTED = 24  # candidates
MOST_CHANGES = 400  # estimated
CHANGES_IN_A_ROW = 80  # without a gain
NOISE, EXACT = 1e-3, 1e-6  # parts by which a figure is better: where a hash is drawn, and elsewhere
_SEED = 7


@dataclass(frozen=True, eq=False)
class Candidate:
    """A placement before it is routed."""

    name: str
    hosts: Ints  # shape (wanted,), in order
    seats: Ints  # shape (ranks,), as a layout gives them
    estimate: Estimate


@dataclass(frozen=True, eq=False)
class Search:
    """What a search came to."""

    best: Trial
    candidates: int  # that were estimated
    stopped: bool  # by the limit of time


class PlacementSearch:
    """One search; ``known`` are placements that were routed before and count as candidates."""

    def __init__(
        self, setting: PlaceSetting, trials: Trials, known: Sequence[Trial], until: float, progress: Reporter = silent
    ) -> None:
        self._setting, self._trials, self._progress = setting, trials, progress
        self._until = until
        self._estimator = Estimator(setting)
        self._seen: set[bytes] = {self._key(trial.placed) for trial in known}
        self._estimated = 0
        self._hashed = any(trial.job.draws is not None for trial in known)
        self._tolerance = NOISE if self._hashed else EXACT
        self.best = known[0]
        for trial in known[1:]:
            self.best = trial if trial.score.is_below(self.best.score, self._tolerance) else self.best
        self._best: Candidate | None = None

    def run(self) -> Search:
        """Search until the time is up or nothing helps any more."""
        candidates = self._structured()
        for candidate in candidates[:MOST_ROUTED]:
            if self._late:
                break
            self._route(candidate)
        if self._best is None and candidates:
            self._best = candidates[0]
        if self._best is not None:
            self._improve(self._best)
        return Search(self.best, self._estimated, self._late)

    @property
    def _late(self) -> bool:
        return time.monotonic() > self._until

    def _key(self, placed: Ints) -> bytes:
        """Equal for placements that differ only in which hosts of a lowest group they take."""
        group = self._setting.groups.of_host[0]
        host, first = np.unique(placed[:, 0], return_index=True)
        order = host[np.argsort(first)]  # hosts by their first rank
        label = np.empty(int(placed[:, 0].max()) + 1, dtype=np.int64)
        label[order] = np.arange(len(order))
        return group[order].tobytes() + label[placed[:, 0]].tobytes() + placed[:, 1].tobytes()

    def _structured(self) -> list[Candidate]:
        """Candidates by estimate, the best first."""
        setting = self._setting
        found: list[Candidate] = []
        near = data_distance(setting)
        for order, hosts in host_orders(setting.groups, setting.free, setting.wanted, near):
            for layout, seats in layouts(setting):
                if self._late:
                    break
                candidate = self._estimate(f"{order}, {layout}", hosts, seats)
                if candidate is not None:
                    found.append(candidate)
        return sorted(found, key=lambda candidate: candidate.estimate)

    def _estimate(self, name: str, hosts: Ints, seats: Ints) -> Candidate | None:
        """A candidate that was not seen before."""
        setting = self._setting
        placed = seated(hosts, seats, setting.per_host)
        key = self._key(placed)
        if key in self._seen:
            return None
        self._seen.add(key)
        self._estimated += 1
        workload = self._trials.traffic(placed)[setting.number]
        return Candidate(name, hosts, seats, self._estimator.of(workload))

    def _route(self, candidate: Candidate) -> bool:
        """Whether it is the best so far."""
        self._progress(Progress(f"routing {candidate.name}"))
        trial = self._trials.route(candidate.name, seated(candidate.hosts, candidate.seats, self._setting.per_host))
        if not trial.score.is_below(self.best.score, self._tolerance):
            return False
        self.best, self._best = trial, candidate
        return True

    def _improve(self, start: Candidate) -> None:
        """Change the order of hosts, and which they are, as long as it helps."""
        rng = np.random.default_rng(_SEED)
        now, idle = start, 0
        group = self._setting.groups.of_host[0]
        for _ in range(MOST_CHANGES):
            if self._late or idle >= CHANGES_IN_A_ROW:
                return
            idle += 1
            hosts = changed(now.hosts, group, self._setting.free, rng)
            candidate = None if hosts is None else self._estimate(f"{start.name}, changed", hosts, now.seats)
            if candidate is None or candidate.estimate > now.estimate:
                continue
            if self._hashed and candidate.estimate == now.estimate:
                continue  # what another draw of the hash gains is not the placement's
            if self._route(candidate):
                now, idle = candidate, 0


def changed(hosts: Ints, group: Ints, free: Bools, rng: np.random.Generator) -> Ints | None:
    """Hosts with two in each other's place, or one replaced by a free host of another group; None: neither is there."""
    unused = np.setdiff1d(np.flatnonzero(free), hosts)
    moves: list[Callable[[], Ints | None]] = [
        lambda: _exchanged(hosts, group, rng),
        lambda: _replaced(hosts, group, unused, rng),
    ]
    if rng.integers(2):
        moves.reverse()
    return next((found for move in moves if (found := move()) is not None), None)


def _exchanged(hosts: Ints, group: Ints, rng: np.random.Generator) -> Ints | None:
    one = int(rng.integers(len(hosts)))
    others = np.flatnonzero(group[hosts] != group[hosts[one]])
    if not len(others):
        return None
    other = int(rng.choice(others))
    found = hosts.copy()
    found[[one, other]] = found[[other, one]]
    return column(found, np.int32)


def _replaced(hosts: Ints, group: Ints, unused: Ints, rng: np.random.Generator) -> Ints | None:
    one = int(rng.integers(len(hosts)))
    others = unused[group[unused] != group[hosts[one]]]
    if not len(others):
        return None
    found = hosts.copy()
    found[one] = int(rng.choice(others))
    return column(found, np.int32)
