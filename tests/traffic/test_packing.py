"""The most pieces that nodes hold, against all assignments tried, and against CP-SAT."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from traffic.packing import pack, pieces_alone


def most_by_trying(room, requests, pieces):
    """The most pieces, by all ways to give every node so many of every job."""
    jobs, nodes = len(pieces), len(room)
    best = 0
    for counts in product(*(range(int(pieces[job]) + 1) for job in range(jobs) for _ in range(nodes))):
        held = np.array(counts).reshape(jobs, nodes)
        if (held.sum(axis=1) <= pieces).all() and (held.T @ requests <= room).all():
            best = max(best, int(held.sum()))
    return best


def most_by_cp_sat(room, requests, pieces):
    """The same by another solver, in whole numbers throughout."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    held = [[model.new_int_var(0, int(most), "") for _ in room] for most in pieces]
    for node, has in enumerate(room):
        for kind, amount in enumerate(has):
            model.add(sum(int(requests[job, kind]) * held[job][node] for job in range(len(pieces))) <= int(amount))
    for job, most in enumerate(pieces):
        model.add(sum(held[job]) <= int(most))
    model.maximize(sum(one for row in held for one in row))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return int(solver.objective_value)


@pytest.mark.parametrize("seed", range(12))
def test_small_cases_are_packed_as_well_as_by_trying_all(seed):
    rng = np.random.default_rng(seed)
    room = rng.integers(2, 9, (2, 2))
    requests = rng.integers(1, 5, (2, 2))
    pieces = rng.integers(1, 5, 2)
    found = pack(room, requests, pieces)
    assert found.placed == found.most == most_by_trying(room, requests, pieces)
    assert (found.pieces.T @ requests <= room).all()


@pytest.mark.parametrize("seed", range(6))
def test_larger_cases_are_packed_as_well_as_by_another_solver(seed):
    """4 kinds of pieces on 12 nodes, processors in thousandths and memory in bytes."""
    rng = np.random.default_rng(seed)
    room = np.stack([rng.integers(8, 97, 12) * 1000, rng.integers(2**33, 2**38, 12), rng.integers(1, 9, 12)], axis=1)
    requests = np.stack([rng.integers(1, 33, 4) * 500, rng.integers(2**30, 2**36, 4), rng.integers(1, 5, 4)], axis=1)
    pieces = rng.integers(3, 20, 4)
    found = pack(room, requests, pieces)
    assert (found.pieces.T @ requests <= room).all()
    assert found.placed == found.most == most_by_cp_sat(room, requests, pieces)


@pytest.mark.parametrize("seed", range(6))
def test_without_time_what_is_found_and_the_bound_hold_the_best_between_them(seed):
    """The solver is stopped at once: the pieces found are real, and no way has more than the bound."""
    rng = np.random.default_rng(100 + seed)
    room, requests, pieces = rng.integers(8, 40, (10, 2)), rng.integers(1, 9, (3, 2)), rng.integers(5, 40, 3)
    found = pack(room, requests, pieces, time_limit_s=1e-9)
    assert (found.pieces.T @ requests <= room).all()
    assert found.placed <= most_by_cp_sat(room, requests, pieces) <= found.most


def test_64_cores_in_pieces_of_16_do_not_fit_on_4_nodes_of_8():
    """32 cores are too few anyhow, and no piece fits; on nodes of 24 the sum would do, and one fits on each: 4."""
    assert pieces_alone(np.full((4, 1), 8), np.array([16])).tolist() == [0, 0, 0, 0]
    assert pack(np.full((4, 1), 24), np.array([[16]]), np.array([6])).placed == 4


def test_a_node_that_is_full_to_the_byte_is_full():
    """Three pieces of a third, and a fourth of one byte: the tolerance of a solver does not let it in."""
    third = (2**40) // 3
    room = np.array([[3 * third]])
    found = pack(room, np.array([[third], [1]]), np.array([3, 1]))
    assert found.placed == 3
    assert (found.pieces.T @ np.array([[third], [1]]) <= room).all()
