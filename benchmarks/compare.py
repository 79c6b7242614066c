"""Doing a piece of work with every method, and judging the answers against each other."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.measure import Failure, Run, Spread, attempt
from benchmarks.methods import Answer, Method, Work

GRACE_S = 5.0  # a peer's process may take longer than its limit: it makes the instance and checks its answer
CHECK_S = 300.0  # ours: it knows its limit itself, and its checks are slow


@dataclass(frozen=True)
class Plan:
    """How much time there is."""

    peer_limit_s: float
    repeat: int
    repeat_budget_s: float  # a method is repeated until it has used this
    total_s: float | None = None  # no new run begins after
    ours_limit_s: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What one method did: its runs and answer, or why there are none."""

    method: Method
    runs: tuple[Run, ...] = ()
    answer: Answer = field(default_factory=Answer)
    failure: Failure | None = None

    @property
    def seconds(self) -> Spread:
        """Of all runs that count."""
        return Spread.of([entry.seconds for entry in self.runs])

    @property
    def peak_mib(self) -> Spread:
        """Of all runs that count."""
        return Spread.of([entry.peak_mib for entry in self.runs])


@dataclass
class Session:
    """One run of the benchmarks; remembers who failed at what, and what was run already."""

    plan: Plan
    began: float = field(default_factory=time.monotonic)
    failed: dict[str, Work] = field(default_factory=dict)  # by program: the work it failed at
    known: dict[tuple[bool, tuple[str, ...]], tuple[Run, ...]] = field(default_factory=dict)

    def outcomes(self, work: Work) -> Iterator[Outcome]:
        """Ours first, then the peers as compared with ours."""
        first: Outcome | None = None
        for method in work.methods:
            found = self._outcome(work, method, own=first is None)
            if first is not None:
                found = judged(found, first)
            first = first or found
            yield found

    def _outcome(self, work: Work, method: Method, *, own: bool) -> Outcome:
        if method.command is None:
            return Outcome(method, failure=Failure(method.unsupported))
        before = self.failed.get(method.program)
        if before is not None and before.size <= work.size:
            return Outcome(method, failure=Failure(f"not run: failed at {before.name} already"))
        left = self._left()
        if left < (1.0 if own else self.plan.peer_limit_s):
            return Outcome(method, failure=Failure("not run: the time was over; --full has no such limit"))
        limit_s = (self.plan.ours_limit_s or work.limit_s) if own else self.plan.peer_limit_s
        command = tuple(method.command(limit_s))
        key = method.fresh_kernels, command
        if key not in self.known:
            found = self._repeated(method, command, limit_s + (CHECK_S if own else GRACE_S))
            if isinstance(found, Failure):
                if not own and method.program:
                    self.failed[method.program] = work
                if found.is_over_limit:
                    found = Failure(f"over {limit_s:g} s")
                return Outcome(method, failure=found)
            self.known[key] = found
        runs = self.known[key]
        return Outcome(method, runs, method.answer(runs[-1]))

    def _left(self) -> float:
        if self.plan.total_s is None:
            return float("inf")
        return self.plan.total_s - (time.monotonic() - self.began)

    def _repeated(self, method: Method, command: Sequence[str], limit_s: float) -> tuple[Run, ...] | Failure:
        """Until there are enough runs or they took enough; a first run that fills caches does not count."""
        runs: list[Run] = []
        spent_s = 0.0
        while not runs or (len(runs) <= self.plan.repeat and spent_s < self.plan.repeat_budget_s):
            found = self._once(method, command, limit_s)
            if isinstance(found, Failure):
                return found
            runs.append(found)
            spent_s += found.wall_s
        return tuple(runs[1:] if len(runs) > 2 and not method.fresh_kernels else runs)

    @staticmethod
    def _once(method: Method, command: Sequence[str], limit_s: float) -> Run | Failure:
        if not method.fresh_kernels:
            return attempt(command, limit_s=limit_s, accepted=method.accepted)
        with tempfile.TemporaryDirectory() as empty:
            environment = {"NUMBA_CACHE_DIR": empty}
            return attempt(command, limit_s=limit_s, accepted=method.accepted, environment=environment)


def judged(found: Outcome, ours: Outcome) -> Outcome:
    """The same, or a failure where it and ours cannot both be right."""
    theirs, own, method = found.answer, ours.answer, found.method
    if theirs.theta is None or own.theta is None or not method.agrees:
        return found
    bound = own.bound if own.bound is not None else own.theta
    if method.agrees == "equal":
        wrong = abs(theirs.theta / own.theta - 1) > method.tolerance
        words = f"finds {theirs.theta:.9g} where ours is {own.theta:.9g}"
    else:
        wrong = theirs.theta < bound * (1 - method.tolerance)
        words = f"finds {theirs.theta:.9g}, below our proven bound {bound:.9g}"
    if not wrong:
        return found
    return Outcome(method, failure=Failure(f"WRONG, it or ours: {words}", is_fault=True))
