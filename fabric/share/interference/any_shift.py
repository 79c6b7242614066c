"""The least overlap of the worst link over all shifts, not only those by whole slots.

The worst link's overlap is the maximum of piecewise linear functions of the shifts. It can be least where two links
cross, between slots: three jobs that meet two by two on three links, each on the wire for 0.6 of a period, are best a
third of a period apart.

*Better shifts.* In the cell of shifts that leave the order of all edges as it is, every link is linear: a linear
program finds the cell's least. Variables: moves d[j] of lanes, z. Constraints: z >= overlap[r] + slope[r] · d; of every
two edges that follow each other, the second stays behind the first. Objective: least z. From its optimum, cells around
are tried until none is better.

*A bound.* A box of shifts has no less than the overlap at its centre, less what half the box can change it by, link by
link; the box of the lowest bound is halved until it is no lower than the best shifts known (branch and bound). And
where all edges are those of slots, any mean of the links' overlaps, λ[r] >= 0 with Σ λ[r] = 1, is least at a shift by
whole slots, as that of one link is; the worst link has no less than the mean: max over λ of min over shifts by slots.
"""

from __future__ import annotations

import heapq
import time

import numpy as np

from fabric.share.interference.circle import Circle
from topologies.columns import Floats

MOST_FREE = 3  # lanes besides the first, whose boxes are halved
_MOST_EDGES = 600  # of a linear program
_TRIES = 12  # cells around a point, before it counts as the best
_NEAR = 1e-7  # of the shortest period: how far cells around a point are looked for
_BOXES = 60_000


def polished(circle: Circle, begins_s: Floats, seed: int, time_limit_s: float) -> Floats:
    """Shifts no worse than these, the best of their cell and of those around that were tried."""
    best = np.array(begins_s, np.float64)
    least = float(circle.overlaps(best).max(initial=0.0))
    if not 0 < len(circle.lane) <= _MOST_EDGES // 2:
        return best
    rng, ends_at, failed = np.random.default_rng(seed), time.monotonic() + time_limit_s, 0
    near_s = _NEAR * float(circle.periods_s.min())
    while failed < _TRIES and least > 0 and time.monotonic() < ends_at:
        moved = _best_of_cell(circle, best + rng.uniform(-near_s, near_s, len(best)))
        overlap = float(circle.overlaps(moved).max(initial=0.0))
        failed += 1
        if overlap < least - 1e-9:
            best, least, failed = moved, overlap, 0
    return best


def _best_of_cell(circle: Circle, begins_s: Floats) -> Floats:
    """The best shifts among those that leave the order of all edges as it is."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, vstack

    times, lane, load = circle.edges(begins_s)
    over = np.maximum(load - 1, 0) / circle.cycle_s
    lasts = np.diff(times, append=times[0] + circle.cycle_s)
    edges, lanes, rows = len(times), len(circle.periods_s), over.shape[1]
    following, slopes = np.roll(lane, -1), circle.gradient(lane, load)
    place = np.arange(edges)
    order = coo_array(
        (np.repeat([1.0, -1.0], edges), (np.tile(place, 2), np.concatenate([lane, following]))),
        shape=(edges, lanes + 1),
    )
    links = np.concatenate([slopes.T, -np.ones((rows, 1))], axis=1)
    found = linprog(
        np.eye(lanes + 1)[-1],
        A_ub=vstack([order, coo_array(links)]).tocsr(),
        b_ub=np.concatenate([lasts, -(lasts @ over)]),
        bounds=[(0, 0), *([(None, None)] * (lanes - 1)), (0, None)],
        method="highs",
    )
    return begins_s + found.x[:-1] if found.success else begins_s


def least_of_means(overlaps: Floats) -> float:
    """The most that some mean of links has at least, whatever the shifts by whole slots; their overlaps, shape (S, R).

    >>> round(least_of_means(np.array([[0.6, 0.0], [0.0, 0.6], [0.4, 0.4]])), 6)
    0.3
    """
    from scipy.optimize import linprog

    shifts, rows = overlaps.shape
    found = linprog(
        np.append(np.zeros(rows), -1.0),
        A_ub=np.concatenate([-overlaps, np.ones((shifts, 1))], axis=1),
        b_ub=np.zeros(shifts),
        A_eq=np.append(np.ones(rows), 0.0)[None],
        b_eq=[1.0],
        bounds=[*([(0, None)] * rows), (None, None)],
        method="highs",
    )
    if not found.success:
        return 0.0
    mean = np.maximum(found.x[:-1], 0)
    return float((overlaps @ (mean / mean.sum())).min())  # by the weights alone: right whatever the solver's tolerance


def least_of_any(circle: Circle, begins_s: Floats, tolerance: float, time_limit_s: float) -> tuple[Floats, float]:
    """Shifts no worse than these, and what none have less than; the first lane stays: a whole cycle may be turned."""
    best, least = np.array(begins_s, np.float64), float(circle.overlaps(begins_s).max(initial=0.0))
    if not len(circle.lane):
        return best, least
    ends_at, steepest = time.monotonic() + time_limit_s, circle.slope.max(axis=1)
    half = circle.ranges_s / 2
    boxes: list[tuple[float, int, Floats, Floats]] = [(0.0, 0, half.copy(), half)]
    made = 1
    while boxes:
        bound = boxes[0][0]
        if bound >= least - tolerance or made > _BOXES or time.monotonic() > ends_at:
            return best, min(max(bound, 0.0), least)
        _, _, centre, half = heapq.heappop(boxes)
        at = int(np.argmax(half * steepest))
        halved = half.copy()
        halved[at] /= 2
        for side in (-1, 1):
            middle = centre.copy()
            middle[at] += side * halved[at]
            overlap, low = _of_box(circle, middle, halved)
            if overlap < least:
                best, least = middle, overlap
            heapq.heappush(boxes, (max(low, bound), made, middle, halved))
            made += 1
    return best, least


def _of_box(circle: Circle, middle: Floats, half: Floats) -> tuple[float, float]:
    """Overlap of the worst link at the middle of a box, and what it has not less than in all of it."""
    times, lane, load = circle.edges(middle)
    lasts = np.diff(times, append=times[0] + circle.cycle_s)
    overlaps = lasts @ np.maximum(load - 1, 0) / circle.cycle_s
    following = np.roll(lane, -1)
    stays = (lane == following) | (lasts >= half[lane] + half[following])  # the order of edges, in all of the box
    slope = np.abs(circle.gradient(lane, load)) if stays.all() else circle.slope
    return float(overlaps.max(initial=0.0)), float((overlaps - half @ slope).max(initial=0.0))
