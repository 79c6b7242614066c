"""The most pieces of several jobs that nodes can hold at once, each piece whole on one node: packing of vectors.

Sets: jobs j, nodes n, kinds of resource r (GPUs among them).
Variables: ``x[j, n]``, whole, pieces of job j on node n.
Maximise ``sum x``, subject to ``sum_j request[j, r] * x[j, n] <= room[n, r]`` and ``sum_n x[j, n] <= pieces[j]``.

A job alone needs no solver: a node holds ``min_r floor(room / request)`` of its pieces. Several are solved as a
mixed-integer program, whose answer is checked in whole numbers; where the time is over, what is found and the bound
are both said: that of the solver, or of all nodes as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from topologies.columns import Longs, column

TIME_LIMIT_S = 5.0


@dataclass(frozen=True, eq=False)
class Packed:
    """Pieces on nodes.

    Attributes
    ----------
    pieces : ndarray of int, shape (jobs, nodes)
        Pieces of every job on every node.
    most : int
        No way to place pieces holds more; equal to what is placed where that is proved best.
    """

    pieces: Longs
    most: int

    @property
    def placed(self) -> int:
        """Pieces that have a node."""
        return int(self.pieces.sum())


def pieces_alone(room: Longs, request: Longs) -> Longs:
    """Pieces of one job that every node holds, shape (nodes,).

    Parameters
    ----------
    room : ndarray of int, shape (nodes, kinds)
        What every node has left.
    request : ndarray of int, shape (kinds,)
        What a piece needs; kinds that it does not need are 0.

    Examples
    --------
    >>> pieces_alone(np.array([[64, 100], [8, 100]]), np.array([16, 10]))
    array([4, 0])
    """
    asked = request > 0
    each = np.maximum(room[:, asked], 0) // request[asked]
    return column(each.min(axis=1), np.int64)


def pack(room: Longs, requests: Longs, pieces: Longs, *, time_limit_s: float = TIME_LIMIT_S) -> Packed:
    """The most pieces of all jobs together.

    Parameters
    ----------
    room : ndarray of int, shape (nodes, kinds)
        What every node has.
    requests : ndarray of int, shape (jobs, kinds)
        What one piece of every job needs.
    pieces : ndarray of int, shape (jobs,)
        How many pieces every job has.
    """
    if len(pieces) == 1:
        fits = pieces_alone(room, requests[0])
        ends = np.minimum(np.cumsum(fits), pieces[0])
        taken = np.diff(ends, prepend=0)
        return Packed(column(taken[None, :], np.int64), int(ends[-1]) if len(ends) else 0)
    return _solved(room, requests, pieces, time_limit_s)


def _solved(room: Longs, requests: Longs, pieces: Longs, time_limit_s: float) -> Packed:
    from scipy.optimize import Bounds, LinearConstraint, milp

    first = _one_after_another(room, requests, pieces)
    wanted = int(pieces.sum())
    if int(first.sum()) == wanted:
        return Packed(column(first, np.int64), wanted)
    jobs, nodes = len(pieces), len(room)
    held, amounts, each = _rows(room, requests, pieces)
    answer = milp(
        -np.ones(jobs * nodes), integrality=np.ones(jobs * nodes), bounds=Bounds(0, each),
        constraints=[LinearConstraint(held, ub=amounts)], options={"time_limit": time_limit_s},
    )  # fmt: skip
    bound = answer.get("mip_dual_bound")
    most = _all_nodes_as_one(room, requests, pieces, each)
    if bound is not None and np.isfinite(bound):
        most = min(most, int(np.floor(-bound + 1e-6)))
    found = first
    if answer.x is not None:
        solved = _within(np.rint(answer.x).astype(np.int64).reshape(jobs, nodes), room, requests)
        found = solved if solved.sum() > first.sum() else first
    return Packed(column(found, np.int64), max(min(most, wanted), int(found.sum())))


def _rows(room: Longs, requests: Longs, pieces: Longs) -> tuple[Any, Longs, Longs]:
    """Rows of the program by kind and node, then by job; their limits; and the most of every variable."""
    from scipy.sparse import eye_array, kron, vstack

    jobs, nodes = len(pieces), len(room)
    alone = [np.minimum(pieces_alone(room, request), most) for request, most in zip(requests, pieces, strict=True)]
    scale = np.maximum(requests.max(axis=0), 1)
    held = kron((requests / scale).T, eye_array(nodes))  # row (kind, node), column (job, node)
    whole = kron(eye_array(jobs), np.ones((1, nodes)))
    amounts = np.concatenate([(np.maximum(room, 0) / scale).T.reshape(-1), pieces.astype(float)])
    return vstack([held, whole]).tocsr(), amounts, np.concatenate(alone).astype(float)


def _all_nodes_as_one(room: Longs, requests: Longs, pieces: Longs, each: Longs) -> int:
    """What no way exceeds: the most where all nodes are one, and pieces may be cut in parts."""
    from scipy.optimize import linprog

    scale = np.maximum(requests.max(axis=0), 1)
    most = np.minimum(each.reshape(len(pieces), -1).sum(axis=1), pieces)
    answer = linprog(
        -np.ones(len(pieces)), A_ub=(requests / scale).T, b_ub=np.maximum(room, 0).sum(axis=0) / scale,
        bounds=[(0, float(value)) for value in most],
    )  # fmt: skip
    return int(np.floor(-answer.fun + 1e-6)) if answer.status == 0 else int(most.sum())


def _one_after_another(room: Longs, requests: Longs, pieces: Longs) -> Longs:
    """Pieces of the jobs in an order, each on the first nodes that hold them: a way, and often not the best."""
    left, found = room.copy(), np.zeros((len(pieces), len(room)), dtype=np.int64)
    share = (requests / np.maximum(room.sum(axis=0), 1)).max(axis=1)
    for job in np.argsort(-share, kind="stable"):
        fits = pieces_alone(left, requests[job])
        found[job] = np.diff(np.minimum(np.cumsum(fits), pieces[job]), prepend=0)
        left = left - found[job][:, None] * requests[job]
    return found


def _within(found: Longs, room: Longs, requests: Longs) -> Longs:
    """The answer without pieces that fit only by the solver's tolerance."""
    found = found.copy()
    for node in np.flatnonzero((found.T @ requests > np.maximum(room, 0)).any(axis=1)):
        for job in range(len(requests)):
            while found[job, node] and (found[:, node] @ requests > room[node]).any():
                found[job, node] -= 1
    return found
