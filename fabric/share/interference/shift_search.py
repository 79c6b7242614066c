"""Shifts by search, and by a constraint program that proves how good any can be."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import floor, gcd, lcm

import numpy as np

from fabric.share.interference.overlap import CycleDemand, overlap_of
from topologies.columns import Floats, Longs

_SWEEPS = 6
_SCALE = 10_000  # parts of a link's capacity that the program counts in
TOLERANCE = 2 / _SCALE  # what rounding leaves between a program's optimum and its bound
_MOST_COMPARED = 2e8  # numbers, where all shifts are compared: a second or two
_MOST_TERMS = 3_000_000  # of the program; what is larger is searched only


Exact = Callable[[Sequence[int]], float]


@dataclass(frozen=True)
class FoundShifts:
    """Slots at which steps begin, the overlap of the worst link in continuous time, and below what none can be."""

    offsets: tuple[int, ...]
    overlap: float
    bound: float
    solver: str

    @property
    def proved(self) -> bool:
        """Whether no shifts by whole slots are better."""
        return self.overlap <= self.bound + TOLERANCE


def find_shifts(demand: CycleDemand, touched: CycleDemand, exact: Exact, time_limit_s: float) -> FoundShifts:
    """The least overlap of the worst link over all shifts by whole slots.

    Variables: one of 0 and 1 for every lane and slot at which its step may begin, x[j, o]; excess e[r, t] >= 0 of row r
    in slot t; z. Constraints: every lane begins once, Σ_o x[j, o] = 1; one lane begins at 0 where the cycle is whole;
    e[r, t] >= Σ_j Σ_o x[j, o] · asked[j, r, (t - o) mod P_j] + steady[r] - 1; z >= Σ_t e[r, t]. Objective: least z.
    What is asked for is the mean over a slot, rounded down to 1/10,000 of a link, so that z is a bound from below.

    Parameters
    ----------
    demand, touched : CycleDemand
        With the mean and with the most that is asked for in every slot.
    exact : callable
        Overlap of the worst link in continuous time, of steps that begin at these slots.
    """
    bound = max(demand.mean_bound, pair_bound(demand, time_limit_s / 4))
    found = []
    for each in (touched, demand):
        offsets = tuple(_searched(each, time_limit_s / 4))
        found.append(FoundShifts(offsets, exact(offsets), bound, "search"))
    best = min(found, key=lambda one: one.overlap)
    rows, cycle = len(demand.steady), demand.slots.cycle
    if not best.proved and _work(demand) <= _MOST_COMPARED:
        offsets, bound = _compared(demand)
        overlap = exact(offsets)
        best = FoundShifts(offsets, overlap, bound, "all compared") if overlap <= best.overlap else best
        return replace(best, bound=min(max(best.bound, bound), best.overlap), solver="all compared")
    if best.proved or rows * cycle * sum(demand.slots.periods) > _MOST_TERMS:
        return best
    offsets, bound = _proved(demand, best, time_limit_s / 2)
    overlap = exact(offsets)
    solved = FoundShifts(offsets, overlap, bound, "cp-sat") if overlap < best.overlap else best
    return replace(solved, bound=min(bound, solved.overlap), solver="cp-sat")


def pair_bound(demand: CycleDemand, time_limit_s: float) -> float:
    """No shifts have less overlap: the most that two jobs by themselves cannot avoid, whatever the others do.

    Of two jobs only the shift against each other counts, up to the greatest common divisor of their periods. Where jobs
    meet two by two and in no circle, this is the least overlap itself. 0 where not all of a cycle is looked at.
    """
    if not demand.slots.whole:
        return 0.0
    ends_at, bound = time.monotonic() + time_limit_s, 0.0
    used = [(profile > 0).any(axis=1) for profile in demand.profiles]
    for one in range(len(used)):
        for other in range(one):
            rows = np.flatnonzero(used[one] & used[other])
            if len(rows) and time.monotonic() < ends_at:
                bound = max(bound, _pair_overlap(demand, one, other, rows))
    return bound


def _pair_overlap(demand: CycleDemand, one: int, other: int, rows: Longs) -> float:
    """Least overlap of the worst of some links by two jobs alone, over their shifts against each other."""
    first, second = (demand.slots.periods[lane] for lane in (one, other))
    slot = np.arange(lcm(first, second))
    fixed = demand.profiles[one][rows][:, slot % first] + demand.steady[rows][:, None] - 1
    moving = demand.profiles[other][rows]
    return min(
        float(np.maximum(fixed + moving[:, (slot - shift) % second], 0).mean(axis=1).max())
        for shift in range(gcd(first, second))
    )


def _work(demand: CycleDemand) -> float:
    """Numbers that comparing all shifts takes."""
    first = 0 if demand.slots.whole else 1
    return (
        float(np.prod([float(p) for p in demand.slots.periods[1 - first :]])) * len(demand.steady) * demand.slots.cycle
    )


def _compared(demand: CycleDemand) -> tuple[tuple[int, ...], float]:
    """The best of all shifts; the first lane stays where a whole cycle may be turned."""
    periods, lanes = demand.slots.periods, len(demand.profiles)
    ranges = [range(1 if lane == 0 and demand.slots.whole else periods[lane]) for lane in range(lanes - 1)]
    last = np.stack([demand.loads(lanes - 1, offset) for offset in range(periods[-1])])
    least, best = np.inf, (0,) * lanes
    for offsets in product(*ranges):
        rest = np.repeat(demand.steady[:, None] - 1, demand.slots.cycle, axis=1)
        for lane, offset in enumerate(offsets):
            rest += demand.loads(lane, offset)
        overlaps = np.maximum(rest[None] + last, 0).mean(axis=2).max(axis=1)
        at = int(np.argmin(overlaps))
        if overlaps[at] < least - 1e-12:
            least, best = float(overlaps[at]), (*offsets, at)
    return best, least


def _searched(demand: CycleDemand, time_limit_s: float) -> list[int]:
    """Lane by lane the slot that makes the worst link least full, then all, until none moves."""
    lanes = len(demand.profiles)
    busy = [float(profile.sum()) for profile in demand.profiles]
    order = sorted(range(lanes), key=lambda lane: -busy[lane])
    offsets = [0] * lanes
    total = np.repeat(demand.steady[:, None], demand.slots.cycle, axis=1)
    ends_at = time.monotonic() + time_limit_s
    for sweep in range(_SWEEPS):
        moved = False
        for lane in order:
            rest = total - demand.loads(lane, offsets[lane]) if sweep else total
            best = _best_slot(demand, lane, rest, offsets[lane], is_first=sweep == 0 and lane == order[0])
            moved = moved or best != offsets[lane]
            offsets[lane] = best
            total = rest + demand.loads(lane, best)
        if sweep and (not moved or time.monotonic() > ends_at):
            break
    return offsets


def _best_slot(demand: CycleDemand, lane: int, rest: Floats, now: int, *, is_first: bool) -> int:
    """The slot at which a lane's step adds least to the worst link, then to all; the one that it has among equals."""
    rows = np.flatnonzero((demand.profiles[lane] > 0).any(axis=1))
    if is_first or not len(rows):
        return now
    kept = overlap_of(np.delete(rest, rows, axis=0)).max(initial=0.0)
    period, cycle = demand.slots.periods[lane], demand.slots.cycle
    profile, mine = demand.profiles[lane][rows], rest[rows] - 1
    slot = np.arange(cycle)
    ranks = []
    for offset in range(period):
        over = np.maximum(mine + profile[:, (slot - offset) % period], 0).mean(axis=1)
        ranks.append((round(max(float(over.max()), kept), 9), round(float(over.sum()), 9), offset != now, offset))
    return min(ranks)[3]


def _proved(demand: CycleDemand, found: FoundShifts, time_limit_s: float) -> tuple[tuple[int, ...], float]:
    """Slots and bound by CP-SAT, from what was found on."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    cycle, periods = demand.slots.cycle, demand.slots.periods
    begins = [[model.new_bool_var("") for _ in range(period)] for period in periods]
    for lane, at in enumerate(begins):
        model.add_exactly_one(at)
        for offset, variable in enumerate(at):
            model.add_hint(variable, offset == found.offsets[lane])
    if demand.slots.whole:
        fixed = max(range(len(begins)), key=lambda lane: periods[lane])
        shift = found.offsets[fixed]
        model.add(begins[fixed][shift] == 1)  # any rotation of a whole cycle is as good
    asked = [np.floor(profile * _SCALE + 1e-6).astype(np.int64) for profile in demand.profiles]
    steady = np.floor(demand.steady * _SCALE + 1e-6).astype(np.int64)
    most = int(steady.max(initial=0) + sum(int(one.max(initial=0)) for one in asked))
    least = floor(found.bound * _SCALE * cycle) - len(begins) * cycle  # what rounding down may take from the bound
    worst = model.new_int_var(max(least, 0), most * cycle, "overlap of the worst link")
    for row in range(len(steady)):
        excess = []
        for slot in range(cycle):
            terms = [
                int(asked[lane][row, (slot - offset) % periods[lane]]) * variable
                for lane, at in enumerate(begins)
                for offset, variable in enumerate(at)
                if asked[lane][row, (slot - offset) % periods[lane]]
            ]
            if not terms and steady[row] <= _SCALE:
                continue
            over = model.new_int_var(0, most, "")
            model.add(over >= sum(terms) + int(steady[row]) - _SCALE)
            excess.append(over)
        model.add(worst >= sum(excess))
    model.minimize(worst)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = time_limit_s
    solver.parameters.num_workers = 2
    solver.parameters.random_seed = 0
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return found.offsets, found.bound
    bound = max(found.bound, solver.best_objective_bound / (_SCALE * cycle))
    return tuple(next(o for o, variable in enumerate(at) if solver.value(variable)) for at in begins), bound
