"""Jobs on links without any network around them, and a simulation of them that shares no code with ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fabric.share.interference.lanes import Lane, Piece
from fabric.share.interference.shared_rows import STEADY, ColumnFigures, ColumnName, SharedRows
from topologies.columns import Floats


def job(name: str, column: int, *pieces: tuple[str, float], weight: float = 1.0) -> Lane:
    """A step of silent (``-``) and sending pieces; each phase is a column of its own, from ``column`` on."""
    found = []
    for kind, seconds in pieces:
        if kind == "-":
            found.append(Piece(seconds))
        else:
            found.append(Piece(seconds, column, kind, window_s=seconds))
            column += 1
    return Lane(name, weight, tuple(found))


def rows_of(values: Sequence[Sequence[float]], lanes: Sequence[Lane]) -> SharedRows:
    """Links with these values per column; every phase would fill its NIC."""
    matrix = np.array(values, dtype=np.float64)
    names: dict[ColumnName, int] = {}
    for lane in lanes:
        for column in lane.columns:
            phase = next((piece.phase for piece in lane.pieces if piece.column == column), STEADY)
            names[ColumnName(lane.job, "main", phase)] = column
    figures = tuple(ColumnFigures(1.0, 1.0, "", 1.0) for _ in range(matrix.shape[1]))
    met = {}
    jobs = list(dict.fromkeys(lane.job for lane in lanes))
    for at, one in enumerate(jobs):
        for other in jobs[at + 1 :]:
            mine, theirs = (
                matrix[:, [column for lane in lanes if lane.job == name for column in lane.columns]].sum(axis=1) > 0
                for name in (one, other)
            )
            if (mine & theirs).any():
                met[one, other] = int((mine & theirs).sum())
    links = tuple(f"link{row}" for row in range(len(matrix)))
    return SharedRows(names, figures, matrix, links, np.ones(len(matrix), np.int64), met, {})


def water_fill(values: Floats, weight: Floats, *, steps: int = 0) -> Floats:
    """Weighted max-min paces, cap 1 each, by the definition: rise all, stop what is held, again."""
    count = values.shape[1]
    pace, free = np.zeros(count), np.ones(count, bool)
    while free.any():
        room = 1 - values @ pace
        slope = values @ (weight * free)
        rises = [room[row] / slope[row] for row in range(len(values)) if slope[row] > 1e-15]
        rise = min([*rises, *((1 - pace[free]) / weight[free])])
        pace = pace + rise * weight * free
        room = 1 - values @ pace
        for at in np.flatnonzero(free):
            if pace[at] >= 1 - 1e-12 or (values[room <= 1e-12, at] > 0).any():
                free[at] = False
    return pace


class Simulation:
    """Event by event in plain Python: jobs as lists of (column or None, seconds)."""

    def __init__(
        self, values: Floats, jobs: Mapping[str, Sequence[tuple[int | None, float]]], weight: Mapping[str, float]
    ):
        self.values, self.jobs, self.weight = np.asarray(values, float), dict(jobs), weight

    def steps(self, begins: Mapping[str, float], seconds: float) -> dict[str, list[float]]:
        """Lengths of whole steps of each job, from these places in their steps on, for some time."""
        state: dict[str, list[float]] = {}  # piece, left of it
        for name, pieces in self.jobs.items():
            at, rest = 0, begins.get(name, 0.0)
            while rest >= pieces[at][1] - 1e-15 and at < len(pieces) - 1:
                rest -= pieces[at][1]
                at += 1
            state[name] = [at, pieces[at][1] - rest]
        now, started, found = 0.0, {name: (0.0 if not begins.get(name) else None) for name in self.jobs}, {}
        found = {name: [] for name in self.jobs}
        while now < seconds:
            on = [name for name in self.jobs if self.jobs[name][int(state[name][0])][0] is not None]
            columns = [self.jobs[name][int(state[name][0])][0] for name in on]
            paces = water_fill(self.values[:, columns], np.array([self.weight.get(name, 1.0) for name in on]))
            speed = dict.fromkeys(self.jobs, 1.0) | dict(zip(on, paces.tolist(), strict=True))
            passes = min(state[name][1] / speed[name] for name in self.jobs)
            now += passes
            for name in self.jobs:
                state[name][1] -= passes * speed[name]
                while state[name][1] <= 1e-12:
                    state[name][0] += 1
                    if state[name][0] == len(self.jobs[name]):
                        state[name][0] = 0
                        if started[name] is not None:
                            found[name].append(now - started[name])
                        started[name] = now
                    state[name][1] += self.jobs[name][int(state[name][0])][1]
        return found
