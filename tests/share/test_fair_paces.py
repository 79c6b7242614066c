"""Weighted max-min paces against linear programmes and against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from sharing_cases import water_fill

from fabric.share.interference.fair_pace import fair_paces


def lexicographic(values, cap, rise):
    """Largest smallest level, then the next, each by a linear programme: paces x with x / rise as even as can be."""
    count = values.shape[1]
    fixed = {}
    while len(fixed) < count:
        free = [at for at in range(count) if at not in fixed]

        def most(level_of, more=()):
            # Variables: paces, and the level t that every free pace over its rise reaches.
            rows = [np.append(row, 0.0) for row in values]
            bounds = [(fixed[at], fixed[at]) if at in fixed else (0, cap[at]) for at in range(count)] + [(0, None)]
            right = [1.0] * len(rows)
            for at in level_of:
                row = np.zeros(count + 1)
                row[at], row[-1] = -1 / rise[at], 1.0
                rows.append(row)
                right.append(0.0)
            for at, level in more:
                row = np.zeros(count + 1)
                row[at] = -1 / rise[at]
                rows.append(row)
                right.append(-level)
            cost = np.zeros(count + 1)
            cost[-1] = -1
            return -linprog(cost, A_ub=np.array(rows), b_ub=right, bounds=bounds).fun

        level = most(free)
        # Those that cannot have more than the level while the others keep it are fixed.
        held = [at for at in free if most([at], [(other, level) for other in free]) <= level + 1e-7]
        for at in held:
            fixed[at] = min(level * rise[at], cap[at])
    return np.array([fixed[at] for at in range(count)])


@pytest.mark.parametrize("seed", range(12))
def test_paces_are_what_linear_programmes_give(seed):
    """Four jobs on three links, random parts, weights and caps; level by level."""
    rng = np.random.default_rng(seed)
    values = rng.random((3, 4)) * (rng.random((3, 4)) < 0.7) * 1.5
    cap, rise = rng.uniform(0.3, 1, 4), rng.uniform(0.5, 3, 4)
    paces, _ = fair_paces(values, cap, rise)
    np.testing.assert_allclose(paces, lexicographic(values, cap, rise), atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_paces_are_what_filling_by_the_definition_gives(seed):
    """Ten jobs on eight links; every pace is its cap, or a full link on its way has none that is better off."""
    rng = np.random.default_rng(seed)
    values = rng.random((8, 10)) * (rng.random((8, 10)) < 0.4)
    weight = rng.uniform(0.5, 4, 10)
    paces, held = fair_paces(values, np.ones(10), weight)
    np.testing.assert_allclose(paces, water_fill(values, weight), atol=1e-9)
    assert (values @ paces <= 1 + 1e-9).all()
    for job in np.flatnonzero(held >= 0):
        row = held[job]
        assert values[row] @ paces == pytest.approx(1)
        assert ((paces / weight)[values[row] > 0] <= paces[job] / weight[job] + 1e-9).all()


def test_a_link_of_two_flows_of_one_job_and_one_of_another_is_divided_by_flows():
    """2 and 1 flows that would each fill a NIC as fast as the link: a third of the link each."""
    paces, held = fair_paces(np.array([[2.0, 1.0]]), np.array([0.5, 1.0]), np.ones(2))
    np.testing.assert_allclose(paces, [1 / 3, 1 / 3])
    assert held.tolist() == [0, 0]


def test_twice_the_weight_is_twice_the_rate_until_the_job_has_what_it_wants():
    """Weights 2 and 1 on one link; then 9 and 1, where the first wants 0.6 of it."""
    np.testing.assert_allclose(fair_paces(np.ones((1, 2)), np.ones(2), np.array([2.0, 1.0]))[0], [2 / 3, 1 / 3])
    np.testing.assert_allclose(fair_paces(np.array([[0.6, 1.0]]), np.ones(2), np.array([9.0, 1.0]))[0], [1, 0.4])
