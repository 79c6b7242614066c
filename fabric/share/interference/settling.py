"""Runs long enough that what jobs come to no longer depends on how long they ran: one method for two jobs and for many.

Jobs that hold each other drift: the one that gets more of a link comes earlier against the other, until they keep out
of each other's way or hold each other alike. So steps are run in lengths of 64, 256 and 1,024 until in every run the
last quarter has the mean of the quarter before; the first half is left out of the mean. What is left between these
quarters is an error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.share.interference.together import Beside, Side
from topologies.columns import Floats

_STEPS = (64, 1024)  # of every job, fewest where they are affordable, and most
_FEWEST = 12  # however many jobs there are
_FACTOR = 4  # from one length to the next
SETTLED = 5e-4  # of the mean slowdown, from a quarter of the steps to the next
SAID = 0.01  # a larger change is said


@dataclass(frozen=True, eq=False)
class LongRun:
    """Steps of a long run.

    Attributes
    ----------
    beside : Beside
        All steps.
    steps : int
        Of every job.
    """

    beside: Beside
    steps: int

    @property
    def counted(self) -> Floats:
        """Slowdown of the steps that count for the mean, shape (Q, N, S)."""
        return self.beside.slowdown[:, :, self.steps // 2 :]

    @property
    def changes(self) -> Floats:
        """From the mean of the third quarter to that of the last, run by run, shape (Q, N)."""
        quarter = self.steps // 4
        third = self.beside.slowdown[:, :, -2 * quarter : -quarter].mean(axis=2)
        return np.asarray(self.beside.slowdown[:, :, -quarter:].mean(axis=2) - third)

    @property
    def change(self) -> Floats:
        """Of the mean of all runs, shape (N,)."""
        return np.asarray(np.abs(self.changes.mean(axis=0)))

    @property
    def settled(self) -> bool:
        """Whether single runs no longer change; drifts this way and that do not make up for each other."""
        return bool(np.abs(self.changes).mean(axis=0).max(initial=0.0) <= SETTLED)


def work_of_a_step(side: Side) -> float:
    """Events times lanes of a step of the longest lane, about."""
    longest = float(side.periods_s.max(initial=0.0))
    pieces = sum(len(lane.pieces) / lane.period_s for lane in side.lanes if lane.period_s)
    return max(longest * pieces * len(side.lanes), 1.0)


def long_run(side: Side, begins: Floats, work: float) -> LongRun:
    """Run lanes from all beginnings until they settle, or as long as the work allows.

    Parameters
    ----------
    begins : ndarray, shape (Q, N)
        Time in its step of every lane, alone.
    work : float
        Events times lanes, about.
    """
    affordable = work / work_of_a_step(side) / len(begins)
    steps = int(np.clip(affordable / 2, _FEWEST, _STEPS[0]))
    while True:
        found = LongRun(side.run(begins, steps), steps)
        affordable -= steps
        steps *= _FACTOR
        if found.settled or steps > min(affordable, _STEPS[1]):
            return found
