"""Recovery and rebalance: what servers send each other after a loss, per recovered byte."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from topologies.columns import Floats, Ints, column
from topologies.errors import TrafficError
from topologies.registry import Spec
from topologies.units import RateGbps, TimeS
from traffic.storage.pool import Pool


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
    lost: str | None = Field(
        default=None,
        description="Server that lost it, or any server of the rack; the one whose loss is worst if absent",
    )


def lost_servers(spec: RecoverySpec, names: tuple[str, ...], rack: Ints) -> Ints:
    """Servers that are gone, or the one that lost an OSD or is new; none where no server is named.

    Raises
    ------
    TrafficError
        When the server is unknown (FP4054), or a rack is lost and the scenario has none (FP4052).
    """
    if spec.when == "rack-loss" and (rack < 0).any():
        raise TrafficError(
            "the scenario does not say how servers stand in racks",
            where="recovery.when",
            hint="give nodes.per_rack of the servers",
            code="FP4052",
        )
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


def possible_losses(when: str, pool: Pool, rack: Ints) -> list[Ints]:
    """What may be lost, of losses that ask the same of the others only the first."""
    if when == "rack-loss":
        found = [column(np.flatnonzero(rack == number), np.int32) for number in np.unique(rack)]
        most = max(len(one) for one in found)
        return found if pool.members is not None else [next(one for one in found if len(one) == most)]
    servers = np.flatnonzero(np.asarray(pool.weight) > 0)
    return [column([one], np.int32) for one in servers[: None if pool.members is not None else 1]]


def check_window(spec: RecoverySpec, stored: float | None, pool: Pool) -> None:
    """Raise where a time to rebuild does not follow.

    Raises
    ------
    TrafficError
        When nothing says how much is lost (FP4090), or where it goes (FP4094).
    """
    if spec.within is None or spec.rate is not None:
        return
    if stored is None or spec.when not in ("host-loss", "rack-loss"):
        raise TrafficError(
            "how long a rebuild takes depends on what was lost, which the scenario does not say",
            where="recovery.within",
            hint="add stored: 2 PB, and recovery.when: host-loss or rack-loss; or rate instead of within",
            code="FP4090",
        )
    if pool.domain is None:
        raise TrafficError(
            "how long a rebuild takes depends on which servers may take lost parts, which is not read from a CRUSH map "
            "or a rule of several steps",
            where="recovery.within",
            hint="rate instead of within; or osd_tree with failure_domain host or rack instead of the map",
            code="FP4094",
        )


def recovery_gbps(spec: RecoverySpec, lost: float) -> float:
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
    return spec.rate if spec.rate is not None else lost * 8 / 1e9 / (spec.within or 1.0)


def repair_matrix(pool: Pool, gone: Ints, rack: Ints, when: str) -> Floats:
    """Bytes from server to server for one byte rebuilt where failure domains are not known, shape (n, n).

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
