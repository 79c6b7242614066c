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
exceeding the others; points are no higher than the lowest free unit of their rack. For a leaf with as many cables up as down this says: a byte's way from host to leaf to spine is no
shorter than from host to spine. Between switches of one level both directions count half.
"""

from __future__ import annotations

import numpy as np

from fabric.site.place import MOST_CELLS, Block, assign, blocks
from fabric.site.problem import Measure, Problem
from topologies.columns import Floats, Ints, column


def least_way_m(problem: Problem) -> float:
    """Way of all cables that no placement falls below, metres."""
    standing = problem.total_way_m(problem.rack, problem.unit)
    if not len(problem.free):
        return standing
    known = problem.measure(problem.rack, problem.unit)
    kinds = _kinds(problem)
    return standing + max(
        sum(_least_of(problem, measure, kind) for kind in kinds) for measure in (known, _split(problem, known))
    )


def _kinds(problem: Problem) -> list[Block]:
    """Free switches of one height and power together: they compete for the same slots."""
    members: dict[tuple[int, float], list[Ints]] = {}
    for part in blocks(problem):
        members.setdefault((part.units, part.watts), []).append(part.rows)
    return [Block(column(np.concatenate(rows), np.int32), *size) for size, rows in members.items()]


def _least_of(problem: Problem, measure: Measure, part: Block) -> float:
    """Least cost of all switches of a kind."""
    slots = problem.slots(part.units, part.watts)
    if len(part.rows) * len(slots.rack) > MOST_CELLS:
        some = max(1, MOST_CELLS // max(len(slots.rack), 1))
        chunks = [part.rows[at : at + some] for at in range(0, len(part.rows), some)]
        return float(sum(problem.costs(measure, rows, slots, least=True).min(axis=1).sum() for rows in chunks))
    costs = problem.costs(measure, part.rows, slots, least=True)
    return float(costs[np.arange(len(costs)), assign(costs)].sum())


def _split(problem: Problem, known: Measure) -> Measure:
    """Costs of cables between free switches, divided between their ends."""
    weight, moment = known.weight.copy(), known.moment.copy()
    lowest_m = np.array([(runs[-1][0] - 1 if runs else 0) * problem.floor.unit_m for runs in problem.runs])
    level = np.array([problem.devices[device].level for device in problem.free.tolist()])
    rows, ends, cables = problem.neighbours
    others = problem.row_of[ends]
    kept = others >= 0
    rows, others, cables = rows[kept], others[kept], cables[kept]
    for own in np.unique(level).tolist():
        members = np.flatnonzero(level == own)
        total = weight[members].sum(axis=1)
        mean = np.divide(1.0, total, out=np.zeros(len(members)), where=total > 0)
        upward = (level[rows] == own) & (level[others] > own)
        level_with = (level[rows] == own) & (level[others] == own)
        pulled = np.bincount(rows[upward], cables[upward], minlength=len(level))
        pulled += np.bincount(rows[level_with], cables[level_with] / 2, minlength=len(level))
        pull = np.divide(total, pulled[members], out=np.ones(len(members)), where=pulled[members] > 0)
        factor = np.zeros(len(level))
        factor[members] = np.minimum(pull, 1.0) * mean
        share = np.where(level_with, cables / 2, cables)
        pairs = upward | level_with
        source_weight = weight[members] * factor[members][:, None]
        source_moment = np.minimum(moment[members] * factor[members][:, None], source_weight * lowest_m)
        position = np.full(len(level), -1)
        position[members] = np.arange(len(members))
        _spread(weight, source_weight, others[pairs], position[rows[pairs]], share[pairs])
        _spread(moment, source_moment, others[pairs], position[rows[pairs]], share[pairs])
        weight[members] -= source_weight * pulled[members][:, None]
        moment[members] -= source_moment * pulled[members][:, None]
    return Measure(weight, moment)


def _spread(values: Floats, source: Floats, targets: Ints, position: Ints, share: Floats) -> None:
    """Add the rows of lower switches to their neighbours, times the cables between them."""
    from scipy.sparse import csr_array

    joined = csr_array((share, (targets, position)), shape=(len(values), len(source)))
    values += joined @ source
