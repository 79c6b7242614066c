"""States of the fabric with some works drained at once: what each costs the jobs, and which limits it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from fabric.evaluation.limits import limit_name_and_text
from fabric.failures.cases import Cases
from fabric.failures.chunks import Ground, Sweep
from fabric.failures.figures import STALLED, CaseFigures
from fabric.failures.request import FailureRequest
from fabric.operate.drain.gpu_crew import GpuCrew
from fabric.operate.drain.work import Work
from fabric.pipeline.run import Run
from fabric.routing.progress import Progress, Reporter, silent
from topologies.columns import column

_CHUNK = 64  # states between two looks at the clock and at Ctrl-C


@dataclass(frozen=True)
class State:
    """Some works drained at once.

    Attributes
    ----------
    lost : float
        What stands still on average: GPUs times the part of time that is added to steps; jobs where none has GPUs.
    stalled : tuple of str
        Jobs that can finish without the work and not in this state, in words.
    broken : tuple of str
        What holds without the work and not in this state; ``stalled`` among it.
    """

    lost: float
    stalled: tuple[str, ...]
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
    def crew(self) -> GpuCrew:
        """Who computes where, by job that sends."""
        return GpuCrew.of(self.run, [job.id for job in self.ground.judge.jobs])

    @property
    def unit(self) -> str:
        """Of ``State.lost`` times hours."""
        return "GPU-h" if self.crew.has_gpus else "job-h"

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
        more = self.forbidden.get(works, ())
        return replace(state, broken=(*state.broken, *more)) if more else state

    def _judged(self, sets: Sequence[int]) -> list[State]:
        before = set(self.not_kept)
        found = []
        for state in self._measured(sets):
            stalled = tuple(text for text in state.stalled if text not in before)
            broken = tuple(text for text in state.broken if text not in before)
            found.append(replace(state, stalled=stalled, broken=broken))
        return found

    def _measured(self, sets: Sequence[int]) -> list[State]:
        """Sets with all that does not hold in them."""
        sweep = Sweep(self.ground, _cases(self.works, sets), self._request)
        figures = sweep.written_out(sweep.chunk(0, sweep.units).figures)
        figures = figures.take(column(np.argsort(figures.number, kind="stable"), np.int64))
        lost = self.crew.lost(1 - 1 / np.maximum(figures.stretch, 1.0))
        return [
            State(
                lost=float(lost[row]),
                stalled=self._stalled(figures, row),
                broken=(*self._stalled(figures, row), *self._missed(figures, row)),
                max_utilisation=float(figures.max_utilisation[row]),
                gpus_cut_off=int(figures.gpus_cut_off[row]),
            )
            for row in range(len(sets))
        ]

    def _stalled(self, figures: CaseFigures, row: int) -> tuple[str, ...]:
        jobs = zip(self.ground.judge.jobs, figures.state[row].tolist(), strict=True)
        return tuple(f"{job.id} cannot finish" for job, state in jobs if state == STALLED)

    def _missed(self, figures: CaseFigures, row: int) -> tuple[str, ...]:
        limits = zip(self.run.loaded.scenario.limits, figures.holds[row].tolist(), strict=True)
        return tuple(
            " ".join(limit_name_and_text(place, limit))
            for place, (limit, holds) in enumerate(limits)
            if limit.when is None and not holds
        )


def _cases(works: Sequence[Work], sets: Sequence[int]) -> Cases:
    """Every set as a case that takes the parts of its works."""
    chosen = [[place for place in range(len(works)) if each >> place & 1] for each in sets]
    start = np.concatenate([[0], np.cumsum([len(each) for each in chosen])])
    part = [place for each in chosen for place in each]
    parts = tuple(work.part for work in works)
    return Cases("drained", parts, column(start, np.int64), column(part, np.int32), len(sets), 0)
