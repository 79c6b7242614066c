"""Jobs that can hold each other, directly or through others, and what each loses beside all of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fabric.share.interference.lanes import Lane
from fabric.share.interference.result import Figures, Hurt
from fabric.share.interference.settling import SAID, long_run, work_of_a_step
from fabric.share.interference.shared_rows import SharedRows
from fabric.share.interference.together import Side
from fabric.share.interference.worst import alignments
from topologies.columns import Floats
from topologies.units import percent

RUNS = (8, 64)  # of phases drawn at random, fewest and most
_STEPS_FOR_ANOTHER = 128  # that have to be affordable for every further draw
_WORK = 60_000_000  # events of all runs of a group times its jobs, about
_ALIGNED_STEPS = 2  # from where the pieces of all jobs begin together


def groups_of(jobs: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Jobs that are joined by pairs, the largest group first; those in no pair are in none.

    >>> groups_of(["a", "b", "c", "d"], [("a", "c"), ("c", "d")])
    [('a', 'c', 'd')]
    """
    root = {job: job for job in jobs}

    def top(job: str) -> str:
        while root[job] != job:
            root[job] = root[root[job]]
            job = root[job]
        return job

    for first, second in pairs:
        root[top(second)] = top(first)
    found: dict[str, list[str]] = {}
    for job in jobs:
        found.setdefault(top(job), []).append(job)
    return sorted((tuple(group) for group in found.values() if len(group) > 1), key=len, reverse=True)


def beside_all(
    group: Sequence[str], lanes: Mapping[str, Sequence[Lane]], shared: SharedRows, rng: np.random.Generator
) -> tuple[dict[str, Figures], str]:
    """Slowdown of every job of a group beside all of it, over phases drawn at random, and what was run, in words."""
    mine = [lane for job in group for lane in lanes[job]]
    side = Side.of(mine, shared)
    periods = side.periods_s
    affordable = _WORK / work_of_a_step(side)  # steps of the longest
    runs = int(np.clip(affordable / _STEPS_FOR_ANOTHER, *RUNS)) if np.count_nonzero(periods) > 1 else 1
    # Even places of every job in an order of its own: each phase as likely as any other, and no two draws alike.
    places = np.stack([(rng.permutation(runs) + rng.random(runs)) / runs for _ in mine], axis=1)
    run = long_run(side, places * periods, _WORK)
    met = run.beside.slowdown
    begins = alignments(mine, shared, max(int(affordable / _ALIGNED_STEPS / 4), len(mine)))
    aligned = side.run(begins, _ALIGNED_STEPS).slowdown
    found = {}
    for job in group:
        own = [at for at, lane in enumerate(mine) if lane.job == job]
        each = run.counted[:, own].max(axis=1)
        error = float(np.hypot(each.mean(axis=1).std() / np.sqrt(runs), run.change[own].max()))
        worst = max(float(met[:, own].max()), float(aligned[:, own].max()))
        best = min(float(met[:, own].max(axis=1).min()), float(aligned[:, own].max(axis=1).min()))
        found[job] = Figures(float(each.mean()), worst, best, error)
    said = f"{runs} draws of their phases, {run.steps} steps each, the first half left out of the mean"
    change = float(run.change.max(initial=0.0))
    if change > SAID:
        said += f"; not settled: it still changes by {percent(change)}"
    return found, said


def fullest_beside(job: str, lanes: Mapping[str, Sequence[Lane]], shared: SharedRows) -> Hurt:
    """The phase and the link of a job that ask for most, beside what all others ask for on average.

    For jobs that only several others at once are in the way of.
    """
    others = np.zeros(len(shared.values))
    for name, theirs in lanes.items():
        if name != job:
            for lane in theirs:
                others += mean_asked(lane, shared)
    most, found = 0.0, Hurt()
    for lane in lanes[job]:
        for column in lane.columns:
            asked = shared.values[:, column] * shared.figures[column].pace
            total = np.where(asked > 0, asked + others, 0.0)
            row = int(np.argmax(total)) if len(total) else 0
            if len(total) and total[row] > most:
                phase = next((piece.phase for piece in lane.pieces if piece.column == column), "steady")
                most, found = float(total[row]), Hurt(phase, "", shared.links[row], None)
    return found


def mean_asked(lane: Lane, shared: SharedRows) -> Floats:
    """What a lane asks of every row on average, alone, shape (R,)."""
    if not lane.pieces:
        return np.asarray(shared.values[:, lane.steady] * shared.figures[lane.steady].pace)
    period_s = lane.period_s or 1.0
    found = np.zeros(len(shared.values))
    for piece in lane.pieces:
        if piece.column >= 0:
            found += shared.values[:, piece.column] * (piece.window_s / period_s)
    return found
