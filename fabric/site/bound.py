"""A lower bound on the length of cables, whatever the placement of the free switches.

Ways are a metric, so that the way between two switches i and j at x and y is at least what it is longer from any point
a: ``d(x, y) >= d(a, y) - d(a, x)``, and at least the mean of that over any points a. With such a mean for every cable
between free switches, the total falls apart into a cost of each switch at each slot, and a linear assignment of every
kind of switch to the slots there are is a lower bound on its sum:

    sum over cables of d >= sum over kinds of min over assignments of sum_i cost_i(slot_i)
    cost_i(x) = sum of d(end, x) over cables to what stands
              + sum over lower neighbours j of cables * pull_j * mean_j d(a, x)
              - sum over upper neighbours of cables * pull_i * mean_i d(a, x)

``mean_i`` is over the hosts beneath switch i, by their cables, and ``pull_i`` in [0, 1] keeps the last sum from
exceeding the others; points are no higher than the lowest free unit of their rack. For a leaf with as many cables up as
down this says: the way from host to leaf to spine is no shorter than from host to spine. Between switches of one level
both directions count half.

That forgets that a cable goes down into a rack and up again. A second bound takes every cable between free switches up
to the trays and down, with ``d`` between racks in the sums above, and gives back what cables within racks can save at
most. A third takes such cables for nothing. The largest counts.
"""

from __future__ import annotations

import numpy as np

from fabric.site.place import MOST_CELLS, Block, assign, blocks
from fabric.site.problem import Measure, Problem, Slots
from topologies.columns import Floats, Ints, column
from topologies.sparse_rows import SparseRows


def least_way_m(problem: Problem) -> float:
    """Way of all cables that no placement falls below, metres."""
    standing = problem.total_way_m(problem.rack, problem.unit)
    if not len(problem.free):
        return standing
    known = problem.measure(problem.rack, problem.unit)
    kinds, apart = _kinds(problem), _kinds(problem, apart=True)
    whole = _split(problem, known, over_trays=False)
    over_trays = _split(problem, known, over_trays=True)
    return standing + max(
        sum(_least_of(problem, known, kind) for kind in kinds),
        sum(_least_of(problem, whole, kind) for kind in kinds),
        sum(_least_of(problem, over_trays, kind) for kind in apart),
    )


def _kinds(problem: Problem, *, apart: bool = False) -> list[Block]:
    """Free switches of one height and power together: they compete for the same slots; ``apart``: by role."""
    members: dict[tuple[int, float, int], list[Ints]] = {}
    for number, part in enumerate(blocks(problem)):
        members.setdefault((part.units, part.watts, number if apart else 0), []).append(part.rows)
    return [Block(column(np.concatenate(rows), np.int32), *size[:2], 0) for size, rows in members.items()]


def _least_of(problem: Problem, measure: Measure, part: Block) -> float:
    """Least cost of all switches of a kind."""
    slots = problem.slots(part.units, part.watts)
    if len(part.rows) * len(slots.rack) > MOST_CELLS:
        some = max(1, MOST_CELLS // max(len(slots.rack), 1))
        chunks = [part.rows[at : at + some] for at in range(0, len(part.rows), some)]
        return sum(float(_costs_of(problem, measure, rows, slots).min(axis=1).sum()) for rows in chunks)
    costs = _costs_of(problem, measure, part.rows, slots)
    return float(costs[np.arange(len(costs)), assign(costs)].sum())


def _costs_of(problem: Problem, measure: Measure, rows: Ints, slots: Slots) -> Floats:
    """Least cost of some switches at every slot."""
    costs = problem.costs(measure, rows, slots, least=True)
    return costs if measure.flat is None else costs - _saved_within_racks(problem, rows, slots)


def _split(problem: Problem, known: Measure, *, over_trays: bool) -> Measure:
    """Costs of cables between free switches, divided between their ends.

    Parameters
    ----------
    over_trays : bool
        Whether each such cable is taken to go up to the trays and down again; else the whole way is a metric.
    """
    weight, moment, flat = known.weight.copy(), known.moment.copy(), np.zeros_like(known.weight)
    lowest_m = np.array([(runs[-1][0] - 1 if runs else 0) * problem.floor.unit_m for runs in problem.runs])
    level = np.array([problem.devices[device].level for device in problem.free.tolist()])
    rows, others, cables = _between_free(problem)
    for own in np.unique(level).tolist():
        members = np.flatnonzero(level == own)
        total = (weight + flat)[members].sum(axis=1)
        upward, level_with = level[others] > own, level[others] == own
        pairs = (level[rows] == own) & (upward | level_with)
        share = np.where(level_with, cables / 2, cables)[pairs]
        pulled = np.bincount(rows[pairs], share, minlength=len(level))[members]
        pull = np.minimum(np.divide(total, pulled, out=np.ones(len(members)), where=pulled > 0), 1.0)
        factor = np.divide(pull, total, out=np.zeros(len(members)), where=total > 0)[:, None]
        position = np.searchsorted(members, rows[pairs])
        if over_trays:
            source = (weight + flat)[members] * factor
            _spread(flat, source, others[pairs], position, share)
            flat[members] -= source * pulled[:, None]
            continue
        source = weight[members] * factor
        heights = np.minimum(moment[members] * factor, source * lowest_m)
        _spread(weight, source, others[pairs], position, share)
        _spread(moment, heights, others[pairs], position, share)
        weight[members] -= source * pulled[:, None]
        moment[members] -= heights * pulled[:, None]
    if not over_trays:
        return Measure(weight, moment)
    return Measure(weight, moment, flat, column(np.bincount(rows, cables, minlength=len(level)), np.float64))


def _between_free(problem: Problem) -> tuple[Ints, Ints, Floats]:
    """Both ends of cables between free switches, as rows, each pair in both orders, and how many there are."""
    rows, ends, cables = problem.neighbours
    others = problem.row_of[ends]
    kept = others >= 0
    return rows[kept], others[kept], cables[kept]


def _saved_within_racks(problem: Problem, part: Ints, slots: Slots) -> Floats:
    """What cables within racks save at most against the way up to the trays and down again, by switch and slot, metres.

    Slot k of a rack is that of its k-th switch of this block. A pair saves twice the way of its upper end, which is on
    average at most half way down, and counts for the switch of the higher level, of which there are fewer. Where s of n
    places are taken by switches with c lower neighbours, at most min(s c, s (n - s)) pairs are in the rack, and slot k
    has what the k-th adds to that. Pairs of one level count half for each.
    """
    rows, others, cables = _between_free(problem)
    level = np.array([problem.devices[device].level for device in problem.free.tolist()])
    lower = np.bincount(rows, level[others] < level[rows], minlength=len(level))[part]
    alike = np.bincount(rows, level[others] == level[rows], minlength=len(level))[part]
    parallel = np.zeros(len(level))
    np.maximum.at(parallel, rows, np.where(level[others] <= level[rows], cables, 0))
    racks = len(problem.floor.racks)
    places = problem.most_slots
    room = np.bincount(places.rack, minlength=racks)
    middle = np.zeros(racks)
    np.add.at(middle, places.rack, places.depth_m / room[places.rack])
    first = np.searchsorted(slots.rack, slots.rack)
    number = np.arange(len(slots.rack)) - first + 1

    def pairs(taken: Ints) -> Floats:
        most = room[slots.rack]
        return np.asarray(np.minimum(taken * lower[:, None], taken * np.maximum(most - taken, 0)), dtype=np.float64)

    count = pairs(number) - pairs(number - 1) + np.minimum(alike[:, None], np.maximum(room - 1, 0)[slots.rack]) / 2
    return np.asarray(parallel[part][:, None] * count * 2 * (problem.leg_m + middle[slots.rack]), dtype=np.float64)


def _spread(values: Floats, source: Floats, targets: Ints, position: Ints, share: Floats) -> None:
    """Add the rows of lower switches to their neighbours, times the cables between them."""
    values += SparseRows.of(share, targets, position, (len(values), len(source))) @ source
