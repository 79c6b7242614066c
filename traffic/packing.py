"""The most pods of several jobs that nodes can hold at once, each pod whole on one node: packing of vectors.

Sets: jobs j, nodes n, kinds of resource r (GPUs among them).
Variables: ``x[j, n]``, whole, pods of job j on node n.
Maximise ``sum x``, subject to ``sum_j request[j, r] * x[j, n] <= room[n, r]`` and ``sum_n x[j, n] <= pods[j]``.

A job alone needs no solver: a node holds ``min_r floor(room / request)`` of its pods. Several are solved as a
mixed-integer program, whose answer is checked in whole numbers; where the time is over, what is found and the bound
are both said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from topologies.columns import Longs, column

TIME_LIMIT_S = 5.0


@dataclass(frozen=True, eq=False)
class Packed:
    """Pods on nodes.

    Attributes
    ----------
    pods : ndarray of int, shape (jobs, nodes)
        Pods of every job on every node.
    most : int
        No way to place pods holds more; equal to what is placed where that is proved best.
    """

    pods: Longs
    most: int

    @property
    def placed(self) -> int:
        """Pods that have a node."""
        return int(self.pods.sum())


def pods_alone(room: Longs, request: Longs) -> Longs:
    """Pods of one job that every node holds, shape (nodes,).

    Parameters
    ----------
    room : ndarray of int, shape (nodes, kinds)
        What every node has left.
    request : ndarray of int, shape (kinds,)
        What a pod needs; kinds that it does not need are 0.

    Examples
    --------
    >>> pods_alone(np.array([[64, 100], [8, 100]]), np.array([16, 10]))
    array([4, 0])
    """
    asked = request > 0
    each = np.maximum(room[:, asked], 0) // request[asked]
    return column(each.min(axis=1), np.int64)


def pack(room: Longs, requests: Longs, pods: Longs, *, time_limit_s: float = TIME_LIMIT_S) -> Packed:
    """The most pods of all jobs together.

    Parameters
    ----------
    room : ndarray of int, shape (nodes, kinds)
        What every node has.
    requests : ndarray of int, shape (jobs, kinds)
        What one pod of every job needs.
    pods : ndarray of int, shape (jobs,)
        How many pods every job has.
    """
    if len(pods) == 1:
        fits = pods_alone(room, requests[0])
        ends = np.minimum(np.cumsum(fits), pods[0])
        taken = np.diff(ends, prepend=0)
        return Packed(column(taken[None, :], np.int64), int(ends[-1]) if len(ends) else 0)
    return _solved(room, requests, pods, time_limit_s)


def _solved(room: Longs, requests: Longs, pods: Longs, time_limit_s: float) -> Packed:
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import eye_array, kron

    jobs, nodes = len(pods), len(room)
    alone = np.stack(
        [np.minimum(pods_alone(room, request), most) for request, most in zip(requests, pods, strict=True)]
    )
    scale = np.maximum(requests.max(axis=0), 1)
    held = kron((requests / scale).T, eye_array(nodes))  # row (kind, node), column (job, node)
    whole = kron(eye_array(jobs), np.ones((1, nodes)))
    limits = [
        LinearConstraint(held.tocsr(), ub=(np.maximum(room, 0) / scale).T.reshape(-1)),
        LinearConstraint(whole.tocsr(), ub=pods.astype(float)),
    ]
    answer = milp(
        -np.ones(jobs * nodes), integrality=np.ones(jobs * nodes), bounds=Bounds(0, alone.reshape(-1).astype(float)),
        constraints=limits, options={"time_limit": time_limit_s},
    )  # fmt: skip
    bound = answer.get("mip_dual_bound")
    most = int(pods.sum()) if bound is None or not np.isfinite(bound) else int(np.floor(-bound + 1e-6))
    most = min(most, int(pods.sum()))
    if answer.x is None:
        return Packed(column(np.zeros((jobs, nodes)), np.int64), most)
    found = _within(np.rint(answer.x).astype(np.int64).reshape(jobs, nodes), room, requests)
    return Packed(column(found, np.int64), max(most, int(found.sum())))


def _within(found: Longs, room: Longs, requests: Longs) -> Longs:
    """The answer without pods that fit only by the solver's tolerance."""
    found = found.copy()
    for node in np.flatnonzero((found.T @ requests > np.maximum(room, 0)).any(axis=1)):
        for job in range(len(requests)):
            while found[job, node] and (found[:, node] @ requests > room[node]).any():
                found[job, node] -= 1
    return found
