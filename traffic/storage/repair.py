"""Recovery and rebalance: what servers send each other after a loss, per recovered byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from topologies.columns import Floats, Ints, column
from topologies.errors import TrafficError
from topologies.registry import Spec
from topologies.units import RateGbps, TimeS
from traffic.storage.pool import Code, Pool


class RecoverySpec(Spec):
    """Rebuilding after a failure, or moving data to new servers."""

    rate: RateGbps | None = Field(
        default=None, description="Bytes rebuilt per second over the whole cluster; or else within"
    )
    within: Annotated[TimeS, Field(gt=0)] | None = Field(
        default=None,
        description="Time to rebuild what a host or a rack holds of stored: a limit, judged like those of limits",
        examples=["4 h"],
    )
    when: Literal["osd-loss", "host-loss", "rack-loss", "rebalance"] = Field(
        default="osd-loss", description="What happened"
    )
    lost: str | None = Field(default=None, description="Server that lost it, or any server of the rack; any if absent")


def lost_servers(spec: RecoverySpec, names: tuple[str, ...], rack: Ints) -> Ints:
    """Servers that are gone, as numbers; none where an OSD of a server is, or no server is named.

    Raises
    ------
    TrafficError
        When the server is unknown (FP4054).
    """
    if spec.lost is None:
        return column([], np.int32)
    if spec.lost not in names:
        raise TrafficError(
            f"there is no server {spec.lost!r}",
            where="recovery.lost",
            hint=f"servers are named like {names[0]}",
            code="FP4054",
        )
    server = names.index(spec.lost)
    if spec.when == "rack-loss":
        return column(np.flatnonzero(rack == rack[server]), np.int32)
    return column([server], np.int32)


def lost_bytes(spec: RecoverySpec, stored: float | None, code: Code, gone: Ints, rack: Ints, servers: int) -> float:
    """Bytes that servers held which are gone, copies and parity with them.

    Parameters
    ----------
    gone : ndarray of int
        Servers that are gone; none where any may be.

    Raises
    ------
    TrafficError
        When nothing says how much that is (FP4090).
    """
    if stored is None or spec.when not in ("host-loss", "rack-loss"):
        raise TrafficError(
            "how long a rebuild takes depends on what was lost, which the scenario does not say",
            where="recovery.within",
            hint="add stored: 2 PB, and recovery.when: host-loss or rack-loss; or rate instead of within",
            code="FP4090",
        )
    if spec.when == "rack-loss" and (rack < 0).any():
        raise TrafficError(
            "the scenario does not say how servers stand in racks",
            where="recovery.when",
            hint="give nodes.per_rack of the servers",
            code="FP4052",
        )
    several = len(gone) or (1 if spec.when == "host-loss" else int(np.bincount(rack).max()))
    return stored * code.members / code.data * several / servers


def recovery_gbps(spec: RecoverySpec, lost: Callable[[], float]) -> float:
    """The rate of rebuilding: as given, or what the window asks for.

    Raises
    ------
    TrafficError
        When both or neither is given (FP4091).
    """
    if (spec.rate is None) == (spec.within is None):
        raise TrafficError(
            "recovery goes at a rate, or has a time to be done within; one of them",
            where="recovery",
            hint="rate: 20 GB/s; or within: 4 h, with stored: 2 PB beside recovery",
            code="FP4091",
        )
    return spec.rate if spec.rate is not None else lost() * 8 / 1e9 / (spec.within or 1.0)


def repair_matrix(pool: Pool, gone: Ints, rack: Ints, when: str) -> Floats:
    """Bytes from server to server for one byte rebuilt, shape (n, n).

    A surviving member of a lost object leads: it pushes the new part to a server that is chosen by weight, and under an
    erasure code first reads the k − 1 chunks it lacks: k bytes cross the network for one. With ``rebalance`` data moves
    from everywhere to the named server, or evenly between all.

    Parameters
    ----------
    gone : ndarray of int
        Servers that failed, or lost an OSD; any server in turn if empty.
    """
    servers = len(pool.primary)
    together = pool.others + pool.others.T
    weight = pool.weight.copy()
    if when == "rebalance":
        new = np.zeros(servers)
        new[gone] = 1 / max(len(gone), 1)
        target = new if len(gone) else weight
        return _normal(np.outer(np.where(new > 0, 0, weight), target))
    if not len(gone):
        leader = weight
    else:
        leader = together[gone].sum(axis=0)
        if when != "osd-loss":
            leader[gone] = 0
            weight[gone] = 0
            if when == "rack-loss":
                weight[np.isin(rack, rack[gone])] = 0
    push = _normal(np.outer(leader, weight))
    if pool.code.data == 1:
        return push
    helper = np.array(together)
    if len(gone) and when != "osd-loss":
        helper[:, gone] = 0
        helper[gone] = 0
    each = helper / np.maximum(helper.sum(axis=1, keepdims=True), 1e-300)
    lead = push.sum(axis=1)
    return column(push + (pool.code.data - 1) * (each * lead[:, None]).T, np.float64)


def _normal(matrix: np.ndarray) -> Floats:
    """Without the diagonal, summing to 1."""
    np.fill_diagonal(matrix, 0)
    total = matrix.sum()
    return column(matrix / total if total > 0 else matrix, np.float64)
