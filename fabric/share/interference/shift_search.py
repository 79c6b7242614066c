"""Shifts by search, and by a constraint program that proves how good any can be."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import floor, gcd, lcm

import numpy as np

from fabric.share.interference.any_shift import MOST_FREE, least_of_any, least_of_means, polished
from fabric.share.interference.circle import Circle
from fabric.share.interference.overlap import CycleDemand, overlap_of
from topologies.columns import Floats, Longs

_SWEEPS = 6
_SCALE = 10_000  # parts of a link's capacity that the program counts in
TOLERANCE = 2 / _SCALE  # what rounding leaves between a program's optimum and its bound
_MOST_COMPARED = 2e8  # numbers, where all shifts are compared: a second or two
_AT_RANDOM = 6  # starts of the search between slots
_MOST_MEANS = 400_000  # overlaps of all shifts, from which the best mean of links is made
_MOST_TERMS = 3_000_000  # of the program; what is larger is searched only


Exact = Callable[[Sequence[float]], float]


@dataclass(frozen=True)
class FoundShifts:
    """When steps begin, the overlap of the worst link in continuous time, and below what no shifts are."""

    begins_s: tuple[float, ...]
    overlap: float
    bound: float
    solver: str

    @property
    def proved(self) -> bool:
        """Whether no shifts are better."""
        return self.overlap <= self.bound + TOLERANCE


def find_shifts(
    demand: CycleDemand, touched: CycleDemand, circle: Circle | None, exact: Exact, time_limit_s: float
) -> FoundShifts:
    """The least overlap of the worst link over all shifts: by whole slots first, from there between them.

    Variables: one of 0 and 1 for every lane and slot at which its step may begin, x[j, o]; excess e[r, t] >= 0 of row r
    in slot t; z. Constraints: every lane begins once, Σ_o x[j, o] = 1; one lane begins at 0 where the cycle is whole;
    e[r, t] >= Σ_j Σ_o x[j, o] · asked[j, r, (t - o) mod P_j] + steady[r] - 1; z >= Σ_t e[r, t]. Objective: least z.
    What is asked for is the mean over a slot, rounded down to 1/10,000 of a link, so that z is a bound from below of
    shifts by whole slots. Of all shifts it is one less ``between_slots``.

    Parameters
    ----------
    demand, touched : CycleDemand
        With the mean and with the most that is asked for in every slot.
    circle : Circle, optional
        The same in continuous time; None where not all of a cycle is looked at.
    exact : callable
        Overlap of the worst link in continuous time, of steps that begin at these times, s.
    """
    bound = max(demand.mean_bound, pair_bound(demand, time_limit_s / 12))
    found = []
    for each in (touched, demand):
        offsets = _searched(each, time_limit_s / 6)
        found.append(_found(demand, offsets, exact, bound, "search"))
    best = min(found, key=lambda one: one.overlap)
    if not best.proved:
        best = _by_slots(demand, best, exact, time_limit_s / 4)
    if circle is None:
        return best
    if not best.proved:
        for start in _starts(circle, [best, *found]):
            begins = polished(circle, start, 0, time_limit_s / 60)
            better = _at(begins.tolist(), exact, best.bound, best.solver)
            best = better if better.overlap < best.overlap else best
    if not best.proved and len(best.begins_s) <= 1 + MOST_FREE:
        begins, any_bound = least_of_any(circle, np.array(best.begins_s), TOLERANCE / 2, time_limit_s / 6)
        begins = polished(circle, begins, 1, time_limit_s / 12)
        better = _at(begins.tolist(), exact, best.bound, "branch and bound")
        best = better if better.overlap < best.overlap else replace(best, solver="branch and bound")
        best = replace(best, bound=min(max(best.bound, any_bound), best.overlap))
    return best


def _starts(circle: Circle, found: Sequence[FoundShifts]) -> list[Floats]:
    """What was found, and some shifts at random: where the best between slots is looked for."""
    rng = np.random.default_rng(0)
    known = dict.fromkeys(one.begins_s for one in found)
    return [*map(np.array, known), *(rng.random(len(circle.periods_s)) * circle.periods_s for _ in range(_AT_RANDOM))]


def _at(begins_s: Sequence[float], exact: Exact, bound: float, solver: str) -> FoundShifts:
    return FoundShifts(tuple(begins_s), exact(begins_s), bound, solver)


def _found(demand: CycleDemand, offsets: Sequence[int], exact: Exact, bound: float, solver: str) -> FoundShifts:
    return _at([offset * demand.slots.slot_s for offset in offsets], exact, bound, solver)


def _by_slots(demand: CycleDemand, best: FoundShifts, exact: Exact, time_limit_s: float) -> FoundShifts:
    """The best by whole slots: all compared, or by CP-SAT, where the case is not too large for either."""
    rows, cycle, means = len(demand.steady), demand.slots.cycle, 0.0
    if _work(demand) <= _MOST_COMPARED:
        offsets, least, means = _compared(demand)
        solver = "all compared"
    elif rows * cycle * sum(demand.slots.periods) <= _MOST_TERMS:
        offsets, least = _proved(demand, best, time_limit_s)
        solver = "cp-sat"
    else:
        return best
    solved = _found(demand, offsets, exact, best.bound, solver)
    solved = solved if solved.overlap <= best.overlap else best
    bound = max(best.bound, means, least - between_slots(demand))
    return replace(solved, bound=min(bound, solved.overlap), solver=solver)


def _slopes(demand: CycleDemand) -> Floats:
    """What a lane's shift by a slot can change the overlap of every row by, shape (N, R)."""
    cycle = demand.slots.cycle
    turns = [cycle / period if demand.slots.whole else cycle // period + 2 for period in demand.slots.periods]
    return np.asarray(demand.rising * (np.array(turns, np.float64) / cycle)[:, None])


def between_slots(demand: CycleDemand) -> float:
    """How much less than the best by whole slots other shifts can have.

    Every shift is half a slot or less from one by whole slots, and one lane may be taken to begin with a slot where a
    whole cycle may be turned. Where edges are those of slots and one row decides, nothing: its overlap is linear
    between shifts by whole slots, and least at one.
    """
    if demand.slots.on_edges and demand.slots.whole and len(demand.steady) == 1:
        return 0.0
    slopes = _slopes(demand)
    total = slopes.sum(axis=0)
    if not demand.slots.whole:
        return float(total.max(initial=0.0)) / 2
    return min(float((total - mine).max(initial=0.0)) for mine in slopes) / 2


def pair_bound(demand: CycleDemand, time_limit_s: float) -> float:
    """No shifts have less overlap: the most that two jobs by themselves cannot avoid on a link, whatever the others do.

    Of two jobs only the shift against each other counts, up to the greatest common divisor of their periods. 0 where
    not all of a cycle is looked at.
    """
    if not demand.slots.whole:
        return 0.0
    ends_at, bound = time.monotonic() + time_limit_s, 0.0
    used = [(profile > 0).any(axis=1) for profile in demand.profiles]
    slopes = _slopes(demand)
    for one in range(len(used)):
        for other in range(one):
            rows = np.flatnonzero(used[one] & used[other])
            if len(rows) and time.monotonic() < ends_at:
                between = np.minimum(slopes[one], slopes[other])[rows] / 2
                each = _pair_overlaps(demand, one, other, rows)
                alone = each.min(axis=0) - (0.0 if demand.slots.on_edges else between)
                together = each.max(axis=1).min() - between.max()  # of several links the worst, at one shift
                bound = max(bound, float(alone.max()), float(together))
    return bound


def _pair_overlaps(demand: CycleDemand, one: int, other: int, rows: Longs) -> Floats:
    """Overlap of some links by two jobs alone, shape (S, R), at their shifts against each other by whole slots."""
    first, second = (demand.slots.periods[lane] for lane in (one, other))
    slot = np.arange(lcm(first, second))
    fixed = demand.profiles[one][rows][:, slot % first] + demand.steady[rows][:, None] - 1
    moving = demand.profiles[other][rows]
    return np.stack(
        [np.maximum(fixed + moving[:, (slot - shift) % second], 0).mean(axis=1) for shift in range(gcd(first, second))]
    )


def _work(demand: CycleDemand) -> float:
    """Numbers that comparing all shifts takes."""
    first = 0 if demand.slots.whole else 1
    return (
        float(np.prod([float(p) for p in demand.slots.periods[1 - first :]])) * len(demand.steady) * demand.slots.cycle
    )


def _compared(demand: CycleDemand) -> tuple[tuple[int, ...], float, float]:
    """The best of all shifts; the first lane stays where a whole cycle may be turned. Also what no other shifts have.

    The last is 0 where edges are not those of slots, or shifts too many.
    """
    periods, lanes = demand.slots.periods, len(demand.profiles)
    ranges = [range(1 if lane == 0 and demand.slots.whole else periods[lane]) for lane in range(lanes - 1)]
    last = np.stack([demand.loads(lanes - 1, offset) for offset in range(periods[-1])])
    least, best = np.inf, (0,) * lanes
    all_of_them = np.prod([len(each) for each in ranges]) * len(last) * len(demand.steady)
    kept: list[Floats] | None = None
    if demand.slots.on_edges and demand.slots.whole and all_of_them <= _MOST_MEANS:
        kept = []
    for offsets in product(*ranges):
        rest = np.repeat(demand.steady[:, None] - 1, demand.slots.cycle, axis=1)
        for lane, offset in enumerate(offsets):
            rest += demand.loads(lane, offset)
        each = np.maximum(rest[None] + last, 0).mean(axis=2)
        overlaps = each.max(axis=1)
        at = int(np.argmin(overlaps))
        if overlaps[at] < least - 1e-12:
            least, best = float(overlaps[at]), (*offsets, at)
        if kept is not None:
            kept.append(each)
    return best, least, least_of_means(np.unique(np.concatenate(kept).round(12), axis=0)) if kept else 0.0


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
    offsets = tuple(
        round(begin_s / demand.slots.slot_s) % period for begin_s, period in zip(found.begins_s, periods, strict=True)
    )
    begins = [[model.new_bool_var("") for _ in range(period)] for period in periods]
    for lane, at in enumerate(begins):
        model.add_exactly_one(at)
        for offset, variable in enumerate(at):
            model.add_hint(variable, offset == offsets[lane])
    if demand.slots.whole:
        fixed = max(range(len(begins)), key=lambda lane: periods[lane])
        model.add(begins[fixed][offsets[fixed]] == 1)  # any rotation of a whole cycle is as good
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
        return offsets, found.bound
    bound = max(found.bound, solver.best_objective_bound / (_SCALE * cycle))
    return tuple(next(o for o, variable in enumerate(at) if solver.value(variable)) for at in begins), bound
