"""States of the fabric with some works drained at once: what each costs the jobs, and which limits it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from fabric.evaluation.limits import limit_name_and_text
from fabric.failures.cases import Cases
from fabric.failures.chunks import Ground, Sweep
from fabric.failures.figures import STALLED, CaseFigures
from fabric.failures.job_reaction import failing_jobs
from fabric.failures.request import FailureRequest
from fabric.operate.drain.work import Work
from fabric.pipeline.run import Run
from fabric.routing.progress import Progress, Reporter, silent
from topologies.columns import Floats, column

_CHUNK = 64  # states between two looks at the clock and at Ctrl-C


@dataclass(frozen=True)
class State:
    """Some works drained at once.

    Attributes
    ----------
    lost : float
        What stands still on average: GPUs times the part of time that is added to steps; jobs where none has GPUs.
    broken : tuple of str
        What holds without the work and not in this state.
    """

    lost: float
    broken: tuple[str, ...]
    max_utilisation: float
    gpus_cut_off: int


@dataclass(eq=False)
class States:
    """Figures of sets of works, given as bits; each set is routed once."""

    run: Run
    works: tuple[Work, ...]
    progress: Reporter = silent
    known: dict[int, State] = field(default_factory=dict)
    forbidden: dict[int, list[str]] = field(default_factory=dict)

    @cached_property
    def ground(self) -> Ground:
        """The run as sweeps need it."""
        return Ground.of(self.run, self._request)

    @property
    def _request(self) -> FailureRequest:
        return FailureRequest(route=self.run.request, expected=True)

    @cached_property
    def weight(self) -> Floats:
        """GPUs of every job that sends, shape (J,); 1 each where no job has any."""
        gpus = {job.id: job.gpus for job in failing_jobs(self.run)}
        own = np.array([gpus.get(job.id, 0) for job in self.ground.judge.jobs], dtype=np.float64)
        return column(own if own.any() else np.ones(len(own)), np.float64)

    @cached_property
    def unit(self) -> str:
        """Of ``State.lost`` times hours."""
        return "GPU-h" if any(job.gpus for job in failing_jobs(self.run)) else "job-h"

    @cached_property
    def intact(self) -> State:
        """Before the work."""
        return self._measured([0])[0]

    @cached_property
    def not_kept(self) -> tuple[str, ...]:
        """What does not hold before the work either, and is not asked of any state."""
        return self.intact.broken

    def of(self, sets: Sequence[int]) -> list[State]:
        """Every set of works, as bits by position."""
        missing = [each for each in dict.fromkeys(sets) if each not in self.known]
        for first in range(0, len(missing), _CHUNK):
            some = missing[first : first + _CHUNK]
            self.known.update(zip(some, self._judged(some), strict=True))
            self.progress(Progress("states routed", len(self.known)))
        return [self._told(each) for each in sets]

    def forbid(self, works: int, why: str) -> None:
        """A set that breaks what only a closer look shows."""
        self.forbidden.setdefault(works, []).append(why)

    def _told(self, works: int) -> State:
        state = self.known[works]
        more = self.forbidden.get(works)
        if not more:
            return state
        return State(state.lost, (*state.broken, *more), state.max_utilisation, state.gpus_cut_off)

    def _judged(self, sets: Sequence[int]) -> list[State]:
        before = set(self.not_kept)
        return [
            State(
                state.lost, tuple(text for text in state.broken if text not in before), state.max_utilisation,
                state.gpus_cut_off,
            )
            for state in self._measured(sets)
        ]  # fmt: skip

    def _measured(self, sets: Sequence[int]) -> list[State]:
        """Sets with all that does not hold in them."""
        sweep = Sweep(self.ground, _cases(self.works, sets), self._request)
        figures = sweep.written_out(sweep.chunk(0, sweep.units).figures)
        figures = figures.take(column(np.argsort(figures.number, kind="stable"), np.int64))
        lost = (1 - 1 / figures.stretch) @ self.weight if figures.stretch.shape[1] else np.zeros(len(sets))
        return [
            State(
                lost=max(float(lost[row]), 0.0),
                broken=self._broken(figures, row),
                max_utilisation=float(figures.max_utilisation[row]),
                gpus_cut_off=int(figures.gpus_cut_off[row]),
            )
            for row in range(len(sets))
        ]

    def _broken(self, figures: CaseFigures, row: int) -> tuple[str, ...]:
        stalled = [
            f"{job.id} cannot finish"
            for job, state in zip(self.ground.judge.jobs, figures.state[row].tolist(), strict=True)
            if state == STALLED
        ]
        limits = [
            " ".join(limit_name_and_text(place, limit))
            for place, (limit, holds) in enumerate(
                zip(self.run.loaded.scenario.limits, figures.holds[row].tolist(), strict=True)
            )
            if limit.when is None and not holds
        ]
        return (*stalled, *limits)


def _cases(works: Sequence[Work], sets: Sequence[int]) -> Cases:
    """Every set as a case that takes the parts of its works."""
    chosen = [[place for place in range(len(works)) if each >> place & 1] for each in sets]
    start = np.concatenate([[0], np.cumsum([len(each) for each in chosen])])
    part = [place for each in chosen for place in each]
    parts = tuple(work.part for work in works)
    return Cases("drained", parts, column(start, np.int64), column(part, np.int32), len(sets), 0)
