"""Cases of a router that splits by a rule, in compiled loops over batches of cases on threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fabric.failures.cases import Damage, joined
from fabric.failures.engine import CAUSES, LinkWorst, Outcomes, PhaseEngine
from fabric.failures.fluid.case import DONE, take_case, undo_case
from fabric.failures.fluid.columns import Marks, Thread
from fabric.failures.fluid.judge import Answers, Ranking, judge
from fabric.failures.fluid.network_state import FluidState, thread_of
from fabric.routing.compiled import compiled
from topologies.columns import Floats, Ints, Longs, column

_BATCHES = 8  # per thread, so that none waits long for the last


@compiled
def _run_cases(
    thread: Thread,
    ranking: Ranking,
    answers: Answers,
    first: int,
    last: int,
    start: Longs,
    dead: Ints,
    slow_start: Longs,
    slow: Ints,
    left: Floats,
    number: int,
    missed: Marks,
    seen: Floats,
) -> None:
    """Cases ``first`` to ``last``; those that are not followed are ``missed``, ``seen`` takes all links of the last."""
    for case in range(first, last):
        slowed = slow[slow_start[case] : slow_start[case + 1]]
        done = take_case(
            thread, dead[start[case] : start[case + 1]], slowed, left[slow_start[case] : slow_start[case + 1]]
        )
        if done == DONE:
            judge(thread.lines, ranking, thread.work, answers, case, number + case)
            for link in range(len(seen)):
                marks = thread.work.link[link]
                seen[link] = marks.room if marks.touched else thread.lines.link[link].utilisation
        else:
            missed[case] = 1
        undo_case(thread, slowed)


@dataclass(frozen=True, eq=False)
class FluidEngine:
    """Follows what cases change; ``plain`` does the few that cannot be followed.

    Attributes
    ----------
    before : Damage or None
        One case of damage that is done already: all others come on top of it.
    """

    state: FluidState
    plain: PhaseEngine
    before: Damage | None = None
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    _idle: list[Thread] = field(default_factory=list, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def outcomes(self, damage: Damage, worst: LinkWorst, first: int = 0) -> Outcomes:
        """Every case of ``damage``; ``worst`` takes them in, numbered from ``first`` on."""
        cases, jobs = len(damage), len(self.state.ranking.cut)
        answers = Outcomes.empty(cases, jobs)
        cut, missed = np.zeros((cases, jobs), np.uint8), np.zeros(cases, np.uint8)
        columns = self._columns(damage)
        threads = max(1, min(self.threads, cases))
        size = max(1, -(-cases // (threads * _BATCHES)))
        batches = iter([(at, min(at + size, cases)) for at in range(0, cases, size)])

        def work() -> LinkWorst:
            mine = LinkWorst.empty(len(worst.utilisation))
            written = _answers(answers, cut, mine)
            thread = self._take_thread(columns[0], columns[1], columns[3])
            for low, high in self._next(batches):
                _run_cases(thread, self.state.ranking, written, low, high, *columns, first, missed, np.empty(0))
            self._idle.append(thread)
            return mine

        if threads == 1:
            _keep(worst, work())
        else:
            with ThreadPoolExecutor(threads, thread_name_prefix="fabric-failures") as pool:
                for job in [pool.submit(work) for _ in range(threads)]:
                    _keep(worst, job.result())
        whole = Outcomes(
            answers.max_utilisation, answers.hottest, answers.links_over_capacity, answers.unreachable_pairs,
            answers.peak, cut.astype(np.bool_), answers.bound,
        )  # fmt: skip
        self._do_missed(damage, missed, whole, worst, first)
        return whole

    def _columns(self, damage: Damage) -> tuple[Longs, Ints, Longs, Ints, Floats]:
        """Damage, with what is done already, as the loops read it."""
        none = np.empty(0, np.int32)
        dead, slow, left = (none, none, np.empty(0)) if self.before is None else self.before.of(0)
        # Links may stand twice in what the loops are handed, and be both dead and slowed.
        return (
            damage.start + len(dead) * np.arange(len(damage) + 1),
            _with_each(damage.start, damage.dead.astype(np.int32), dead),
            damage.slow_start + len(slow) * np.arange(len(damage) + 1),
            _with_each(damage.slow_start, damage.slow.astype(np.int32), slow),
            _with_each(damage.slow_start, damage.left.astype(np.float64), left),
        )

    def _take_thread(self, start: Longs, dead: Ints, slow: Ints) -> Thread:
        """Working arrays, with room for the hops that the worst of the cases touches."""
        thread = None
        with self._lock:
            if self._idle:
                thread = self._idle.pop()
        thread = thread or thread_of(self.state)
        uses, reverse = np.diff(self.state.rows.use_start), self.state.lines.link["reverse"]
        both = uses + np.where(reverse >= 0, uses[reverse], 0)
        touched = np.concatenate([[0], np.cumsum(both[dead])])
        most = int(np.diff(touched[start]).max(initial=0)) + int(both[slow].sum())
        if most > len(thread.hops):
            thread = thread._replace(hops=np.zeros(most, np.int64), following=np.zeros(most, np.int64))
        return thread

    def _next(self, batches: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Batches one by one, shared by all threads."""
        while True:
            with self._lock:
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def _do_missed(self, damage: Damage, missed: Marks, whole: Outcomes, worst: LinkWorst, first: int) -> None:
        """Route the cases that were not followed anew."""
        for case in np.flatnonzero(missed).tolist():
            single = LinkWorst.empty(len(worst.utilisation))
            answer = self._plain().outcomes(damage.slice(case, case + 1), single, first + case)
            for name in ("max_utilisation", "hottest", "links_over_capacity", "unreachable_pairs", "peak", "cut"):
                getattr(whole, name)[case] = getattr(answer, name)[0]
            _keep(worst, single)

    def _plain(self) -> PhaseEngine:
        return self.plain if self.before is None else self.plain.damaged(self.before, 0)

    def utilisation(self, damage: Damage, case: int) -> Floats:
        """Offered over capacity of every link in one case, shape (L,)."""
        columns = self._columns(damage.slice(case, case + 1))
        thread = self._take_thread(columns[0], columns[1], columns[3])
        links, jobs = len(self.state.lines.link), len(self.state.ranking.cut)
        written, worst = Outcomes.empty(1, jobs), LinkWorst.empty(links)
        missed, seen, cut = np.zeros(1, np.uint8), np.zeros(links), np.zeros((1, jobs), np.uint8)
        answers = _answers(written, cut, worst)
        _run_cases(thread, self.state.ranking, answers, 0, 1, *columns, 0, missed, seen)
        self._idle.append(thread)
        return self._plain().utilisation(damage, case) if missed[0] else column(seen, np.float64)

    def damaged(self, damage: Damage, case: int) -> FluidEngine:
        """The same phase with a case's damage already done."""
        more = damage.slice(case, case + 1)
        before = more if self.before is None else joined(more, self.before)
        return FluidEngine(self.state, self.plain, before, self.threads, self._idle, self._lock)


def _with_each(start: Longs, values: NDArray[Any], more: NDArray[Any]) -> NDArray[Any]:
    """Values grouped by case, with the same ``more`` at the end of every group."""
    cases = len(start) - 1
    both = np.empty(len(values) + cases * len(more), values.dtype)
    both[np.arange(len(values)) + len(more) * np.repeat(np.arange(cases), np.diff(start))] = values
    ends = start[1:, None] + len(more) * np.arange(cases)[:, None] + np.arange(len(more))
    both[ends.ravel()] = np.tile(more, cases)
    return both


def _answers(whole: Outcomes, cut: Marks, worst: LinkWorst) -> Answers:
    """Columns that the loops write to."""
    return Answers(
        whole.max_utilisation, whole.hottest, whole.links_over_capacity, whole.unreachable_pairs,
        whole.peak, cut, worst.utilisation, worst.case,
    )  # fmt: skip


def _keep(worst: LinkWorst, other: LinkWorst) -> None:
    """Take the cases of another into the worst of every link."""
    rows = np.flatnonzero(other.case[:, 0] >= 0)
    both = LinkWorst(worst.utilisation[rows], worst.case[rows]).merged(
        LinkWorst(other.utilisation[rows], other.case[rows])
    )
    worst.utilisation[rows, :CAUSES], worst.case[rows, :CAUSES] = both.utilisation, both.case
