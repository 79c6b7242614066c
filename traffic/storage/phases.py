"""Phases of storage traffic."""

from __future__ import annotations

from typing import Literal

import numpy as np

from topologies.columns import Floats, Ints, column
from traffic.demands import Flows
from traffic.formula import Formula, formula
from traffic.storage.spread import between, between_hosts, replicated_write
from traffic.workload import Payload, Phase, TimeLimit


def checkpoint_phase(
    fabric: str,
    clients: Ints,
    servers: Ints,
    bytes_per_client: Floats,
    ranks: int,
    copies: int,
    *,
    formula: Formula,
    asynchronous: bool = False,
) -> Phase:
    """One checkpoint: every client host writes its share to all servers, which replicate it.

    Parameters
    ----------
    clients, servers : ndarray of int, shapes (C, a) and (S, b)
        Endpoint node ids on ``fabric``.
    bytes_per_client : ndarray, shape (C,)
        Bytes of each client host.
    ranks : int
        Ranks the state is sharded over; ``payload_bytes_per_rank`` is an equal share.
    copies : int
        Copies kept.
    formula : Formula
        Where the bytes of a rank are from.
    asynchronous : bool
        Whether training goes on meanwhile.
    """
    flows = replicated_write(clients, servers, bytes_per_client, copies)
    share = float(bytes_per_client.sum()) / ranks
    return Phase(
        name="checkpoint",
        collective="replicated-write",
        fabric=fabric,
        group_size=len(servers),
        payload_bytes_per_rank=share,
        sent_bytes_per_rank=share,
        total_bytes=flows.total,
        pairs=flows.pairs,
        flows=flows,
        every_step=False,
        overlaps_compute=asynchronous,
        payloads=(Payload(ranks, formula),),
    )


def checkpoint_limits(
    fabric: str, every_s: float | None, deadline_s: float | None, *, under: str = ""
) -> tuple[TimeLimit, ...]:
    """What a checkpoint may take: its deadline, and where that is no tighter, the time until the next one begins.

    >>> [(limit.word, limit.max_s) for limit in checkpoint_limits("storage", 1800.0, 60.0)]
    [('deadline', 60.0)]
    >>> [(limit.key, limit.max_s) for limit in checkpoint_limits("storage", 1800.0, None, under="checkpoint.")]
    [('checkpoint.every', 1800.0)]
    """
    limits = []
    if deadline_s is not None:
        limits.append(TimeLimit(f"{under}deadline", "checkpoint", fabric, deadline_s))
    if every_s is not None and (deadline_s is None or deadline_s > every_s):
        limits.append(TimeLimit(f"{under}every", "checkpoint", fabric, every_s))
    return tuple(limits)


def restore_phase(
    fabric: str,
    clients: Ints,
    servers: Ints,
    bytes_per_client: Floats,
    ranks: int,
    *,
    payloads: tuple[Payload, ...] = (),
) -> Phase:
    """Reading a checkpoint: every client host reads what its ranks need from all servers."""
    flows = between(clients, servers, bytes_per_client, reads=True)
    return Phase(
        name="checkpoint.restore",
        collective="read",
        fabric=fabric,
        group_size=len(servers),
        payload_bytes_per_rank=float(bytes_per_client.sum()) / ranks,
        sent_bytes_per_rank=0.0,
        total_bytes=flows.total,
        pairs=flows.pairs,
        flows=flows,
        every_step=False,
        payloads=payloads,
    )


def steady_phase(name: str, collective: str, fabric: str, group_size: int, flows: Flows, formula: Formula) -> Phase:
    """A phase that goes on all the time; amounts of ``flows`` are Gbps. ``formula`` says where their sum is from."""
    return Phase(
        name=name,
        collective=collective,
        fabric=fabric,
        group_size=group_size,
        payload_bytes_per_rank=0.0,
        sent_bytes_per_rank=0.0,
        total_bytes=0.0,
        pairs=flows.pairs,
        flows=flows,
        payloads=(Payload(group_size, formula),),
        steady=True,
        rate_gbps=flows.total,
    )


def dataset_phase(
    fabric: str,
    clients: Ints,
    servers: Ints,
    gpus_of_client: Ints,
    read_gbps: float,
    per: Literal["gpu", "host", "total"],
) -> Phase:
    """Reading of training data from all servers by all client hosts.

    Parameters
    ----------
    clients, servers : ndarray of int, shapes (C, a) and (S, b)
        Endpoint node ids on ``fabric``.
    gpus_of_client : ndarray of int, shape (C,)
        GPUs in use in each client host; with ``per`` total the rate is shared by GPU.
    read_gbps : float
        Rate of one GPU, one host or all, Gbps.
    """
    gpus = gpus_of_client.astype(np.float64)
    weight = {"gpu": gpus, "host": np.ones(len(gpus)), "total": gpus / gpus.sum()}[per]
    flows = between(clients, servers, column(read_gbps * weight, np.float64), reads=True)
    return steady_phase("dataset", "read", fabric, len(servers), flows, _rate_of_all(read_gbps, per, gpus, "reads"))


def shuffle_phase(
    fabric: str, hosts: Ints, gpus_of_host: Ints, gbps: float, per: Literal["gpu", "host", "total"]
) -> Phase:
    """Samples that hosts exchange, each with every other evenly by GPUs."""
    gpus = gpus_of_host.astype(np.float64)
    rate = gbps * {"gpu": gpus, "host": np.ones(len(gpus)), "total": gpus / gpus.sum()}[per]
    amount = np.outer(rate, gpus)
    np.fill_diagonal(amount, 0)
    amount *= (rate / np.maximum(amount.sum(axis=1), 1e-300))[:, None]
    flows = between_hosts(hosts, hosts, column(amount, np.float64))
    exchanged = _rate_of_all(gbps, per, gpus, "exchanges with other hosts")
    return steady_phase("dataset.shuffle", "all-to-all", fabric, len(hosts), flows, exchanged)


def _rate_of_all(gbps: float, per: Literal["gpu", "host", "total"], gpus_of_host: Floats, does: str) -> Formula:
    """Rate of all hosts from that of one GPU, one host or all."""
    source = "dataset keys of the scenario"
    if per == "total":
        return formula("R", source, "Gbps", R=(gbps, f"what the job {does}, Gbps"))
    count, what = (gpus_of_host.sum(), "GPUs") if per == "gpu" else (len(gpus_of_host), "hosts")
    return formula(
        "R * n", source, "Gbps", R=(gbps, f"what one {per.replace('gpu', 'GPU')} {does}, Gbps"), n=(float(count), what)
    )
