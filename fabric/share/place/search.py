"""Search for the best placement of one job: structured candidates, then changes to the best, each of them routed.

1. Candidates are host orders (by the tree, scale-up domains, tightest groups, spread, near the data, and the same of
   the hosts that nothing slows down) times layouts of the ranks. Tree order and what schedulers choose are among them,
   so the answer is never worse.
2. They are estimated from cuts; candidates that differ only in hosts that are alike are one. The best are routed.
3. The best routed is changed: two hosts change places, a host gives way to a free one that is not like it, or, of jobs
   of few ranks, two blocks of ranks change places. A change that may help by its estimate is routed, and kept where it
   does.

Nothing proves the answer the best but the bound: what is left to it says how much a better one could gain.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.routing.progress import Progress, Reporter, silent
from fabric.share.place.alike import alike_hosts, pools
from fabric.share.place.data_distance import data_distance
from fabric.share.place.estimate import Estimate, Estimator
from fabric.share.place.layouts import block_width, host_orders, layouts, seated
from fabric.share.place.result import in_order
from fabric.share.place.setting import PlaceSetting
from fabric.share.place.trial import Trial, Trials
from topologies.columns import Bools, Ints, column

MOST_ROUTED = 24  # candidates
MOST_CHANGES = 400  # estimated
CHANGES_IN_A_ROW = 80  # without a gain
FEW_RANKS = 256  # of jobs whose ranks change places one by one
FOR_CANDIDATES = 0.6  # part of the time after which no more of them are estimated
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
    how: str = ""  # it ended, in words


class PlacementSearch:
    """One search; ``known`` are placements that were routed before and count as candidates."""

    def __init__(
        self, setting: PlaceSetting, trials: Trials, known: Sequence[Trial], until: float, progress: Reporter = silent
    ) -> None:
        self._setting, self._trials, self._progress = setting, trials, progress
        self._until = until
        self._candidates_until = until - (1 - FOR_CANDIDATES) * max(until - time.monotonic(), 0.0)
        self._near = data_distance(setting)
        self._alike = alike_hosts(setting, self._near)
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
            if self._route(candidate) is self.best:
                self._best = candidate
        how = self._improve(self._best or self._known())
        return Search(self.best, self._estimated, self._late, how)

    def _known(self) -> Candidate:
        """The best placement, where it is one of those that were routed before."""
        placed, per_host = self.best.placed, self._setting.per_host
        hosts = in_order(placed)
        position = np.empty(int(hosts.max()) + 1, dtype=np.int64)
        position[hosts] = np.arange(len(hosts))
        estimate = self._estimator.of(self._trials.traffic(placed)[self._setting.number])
        seats = position[placed[:, 0]] * per_host + placed[:, 1]
        return Candidate(self.best.name, column(hosts, np.int32), column(seats, np.int32), estimate)

    @property
    def _late(self) -> bool:
        return time.monotonic() > self._until

    def _key(self, placed: Ints) -> bytes:
        """Equal for placements that differ only in hosts that are alike."""
        host, first = np.unique(placed[:, 0], return_index=True)
        order = host[np.argsort(first)]  # hosts by their first rank
        label = np.empty(int(placed[:, 0].max()) + 1, dtype=np.int64)
        label[order] = np.arange(len(order))
        return self._alike[order].tobytes() + label[placed[:, 0]].tobytes() + placed[:, 1].tobytes()

    def _structured(self) -> list[Candidate]:
        """Candidates by estimate, the best first."""
        setting = self._setting
        found: list[Candidate] = []
        domains = setting.domain_of_host if setting.hosts_per_domain > 1 else None
        for words, pool in pools(setting):
            for order, hosts in host_orders(setting.groups, pool, setting.wanted, self._near, domains):
                for layout, seats in layouts(setting):
                    if time.monotonic() > self._candidates_until:
                        break
                    candidate = self._estimate(f"{words}{order}, {layout}", hosts, seats)
                    found += [candidate] if candidate is not None else []
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

    def _route(self, candidate: Candidate) -> Trial:
        """The candidate routed; it is the best from now on where it is better."""
        self._progress(Progress(f"routing {candidate.name}"))
        trial = self._trials.route(candidate.name, seated(candidate.hosts, candidate.seats, self._setting.per_host))
        if trial.score.is_below(self.best.score, self._tolerance):
            self.best = trial
        return trial

    def _improve(self, start: Candidate) -> str:
        """Change the order of hosts and ranks, and which hosts they are, as long as it helps; say how it ended."""
        setting = self._setting
        rng = np.random.default_rng(_SEED)
        now, idle = start, 0
        width = block_width(setting) if setting.ranks <= FEW_RANKS else None
        what = "hosts or ranks" if width else "hosts"
        rest = "" if width else f"; of {setting.ranks:,} ranks no two were exchanged, orders by dimension were tried"
        for _ in range(MOST_CHANGES):
            if self._late:
                return f"stopped by --time-limit{rest}"
            if idle >= CHANGES_IN_A_ROW:
                return f"none of the last {idle} exchanges of {what} helped{rest}"
            idle += 1
            change = changed(now.hosts, now.seats, self._alike, setting.free, width, rng)
            candidate = None if change is None else self._estimate(f"{start.name}, changed", *change)
            if candidate is None or not self._may_help(candidate, now, few=width is not None):
                continue
            before, trial = self.best, self._route(candidate)
            if trial is self.best:
                now, idle = candidate, 0
            elif not self._hashed and not before.score.is_below(trial.score, EXACT):
                now = candidate  # as good: what follows may be better
        return f"{MOST_CHANGES} exchanges of {what} were tried{rest}"

    def _may_help(self, candidate: Candidate, now: Candidate, *, few: bool) -> bool:
        """Whether a change is worth routing: no step is shorter than its estimate."""
        if self._hashed:  # what another draw of the hash gains is not the placement's
            return candidate.estimate < now.estimate
        if few:
            return candidate.estimate.step_s <= self.best.score.step_s * (1 + EXACT)
        return candidate.estimate <= now.estimate


def changed(
    hosts: Ints, seats: Ints, alike: Ints, free: Bools, width: int | None, rng: np.random.Generator
) -> tuple[Ints, Ints] | None:
    """Hosts and seats with one change that is possible; None where none is.

    Two hosts that are not alike change places, a host gives way to a free one that is not like it, or two blocks of
    ``width`` seats change their ranks; None: ranks stay.
    """
    unused = np.setdiff1d(np.flatnonzero(free), hosts)
    moves: list[Callable[[], tuple[Ints, Ints] | None]] = [
        lambda: None if (found := _exchanged(hosts, alike, rng)) is None else (found, seats),
        lambda: None if (found := _replaced(hosts, alike, unused, rng)) is None else (found, seats),
    ]
    if width is not None:
        moves.append(lambda: None if (found := _turned(seats, width, rng)) is None else (hosts, found))
    order = rng.permutation(len(moves)).tolist()
    return next((found for move in order if (found := moves[move]()) is not None), None)


def _exchanged(hosts: Ints, alike: Ints, rng: np.random.Generator) -> Ints | None:
    one = int(rng.integers(len(hosts)))
    others = np.flatnonzero(alike[hosts] != alike[hosts[one]])
    if not len(others):
        return None
    other = int(rng.choice(others))
    found = hosts.copy()
    found[[one, other]] = found[[other, one]]
    return column(found, np.int32)


def _replaced(hosts: Ints, alike: Ints, unused: Ints, rng: np.random.Generator) -> Ints | None:
    one = int(rng.integers(len(hosts)))
    others = unused[alike[unused] != alike[hosts[one]]]
    if not len(others):
        return None
    found = hosts.copy()
    found[one] = int(rng.choice(others))
    return column(found, np.int32)


def _turned(seats: Ints, width: int, rng: np.random.Generator) -> Ints | None:
    """Two blocks of ranks in each other's seats.

    >>> _turned(np.array([0, 1, 2, 3]), 2, np.random.default_rng(0)).tolist()
    [2, 3, 0, 1]
    """
    block = seats // width
    taken = np.unique(block)
    if len(taken) < 2:
        return None
    one, other = rng.choice(taken, 2, replace=False).tolist()
    to = np.where(block == one, other, np.where(block == other, one, block))
    return column(to * width + seats % width, np.int32)
