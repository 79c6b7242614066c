"""One collective by itself: its bus factor, what ranks send, and the time that takes the busiest NIC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from topologies.columns import Floats, column
from topologies.errors import TrafficError, nearest_hint
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.expert_hosts import most_hosts, visited_hosts
from traffic.formula import Formula
from traffic.scale_up import inside_domains
from traffic.seats import algorithms, check_exchange, run

OPERATIONS = ("all-reduce", "reduce-scatter", "all-gather", "all-to-all", "broadcast", "reduce", "send-recv")
DEFAULT_ALGORITHM = {"all-to-all": "direct", "broadcast": "pipelined", "reduce": "pipelined", "send-recv": "direct"}
# Names that nccl-tests and MPI give them, without their hyphens.
_SPELLED = {name.replace("-", ""): name for name in OPERATIONS}


@dataclass(frozen=True)
class BareCollective:
    """What one collective among ranks comes to; bytes are one direction."""

    operation: str
    algorithm: str
    ranks: int
    ranks_per_host: int
    size_bytes: float
    bus_factor: float  # as nccl-tests prints it
    bus_factor_by_page: float  # by the convention of its page, which leaves in-network reduction out
    sent: Formula
    sent_bytes_per_rank: float  # the busiest, over NVLink and fabric, by the closed form
    sent_on_fabric_bytes_per_rank: float  # the busiest NIC
    received_on_fabric_bytes_per_rank: float
    sent_inside_bytes_per_rank: float  # the busiest rank, to ranks of its host, what it hands on included
    total_bytes: float  # summed over pairs
    pairs: int
    nic_time_s: float | None  # of the busiest NIC at full speed, without latency
    lower_bound_s: float | None  # the same where the bytes are certain; None where they are a mean or the worst case
    hosts_of_token: float | None = None  # of copies of tokens: different hosts, on average
    hosts_of_token_worst: int | None = None


def operation_of(name: str) -> str:
    """Our name of an operation, however it is spelled; the name itself where there is none.

    >>> operation_of("AllReduce"), operation_of("alltoall"), operation_of("reduce_scatter"), operation_of("scan")
    ('all-reduce', 'all-to-all', 'reduce-scatter', 'scan')
    """
    return _SPELLED.get(name.lower().replace("_", "").replace("-", ""), name)


def bus_factor(operation: str, ranks: int) -> float:
    """Bus bandwidth over algorithm bandwidth, as nccl-tests prints it whatever the algorithm.

    References
    ----------
    nccl-tests, doc/PERFORMANCE.md; src/all_reduce.cu and its like, ``GetBw``.

    >>> bus_factor("all-reduce", 8), bus_factor("all-to-all", 8), bus_factor("broadcast", 8)
    (1.75, 0.875, 1.0)
    """
    share = (ranks - 1) / ranks
    return {"all-reduce": 2 * share, "reduce-scatter": share, "all-gather": share, "all-to-all": share}.get(
        operation, 1.0 if ranks > 1 else 0.0
    )


def bus_factor_by_page(operation: str, ranks: int, algorithm: str) -> float:
    """Bus factor by the convention of nccl-tests' page, where it is that of point-to-point sends.

    The page counts what crosses the wire for a byte of the buffer, and says so of algorithms that send from rank to
    rank. Where switches add up, a rank sends its buffer once and receives it once: 1. The program knows nothing of the
    algorithm and prints 2(n-1)/n all the same.

    References
    ----------
    nccl-tests, doc/PERFORMANCE.md (note on all-reduce) and src/all_reduce.cu (``AllReduceGetBw``).

    >>> bus_factor_by_page("all-reduce", 8, "ring"), bus_factor_by_page("all-reduce", 8, "in-network")
    (1.75, 1.0)
    """
    adds_up = operation == "all-reduce" and COLLECTIVES[f"{algorithm}-{operation}"].name == "in-network-all-reduce"
    return min(bus_factor(operation, ranks), 1.0) if adds_up else bus_factor(operation, ranks)


def bare_collective(
    operation: str,
    algorithm: str | None,
    ranks: int,
    size_bytes: float,
    *,
    ranks_per_host: int = 1,
    speed_gbps: float | None = None,
    copies: int | None = None,
    experts: int | None = None,
    node_limit: int | None = None,
    hosts: str | None = None,
) -> BareCollective:
    """Work out one collective; consecutive ranks share hosts.

    Parameters
    ----------
    size_bytes : float
        Full buffer of one rank.
    speed_gbps : float, optional
        What a NIC sends and receives at a time.
    copies, experts, node_limit, hosts : optional
        Keys of the node-deduplicated all-to-all.

    Raises
    ------
    TrafficError
        When there is no such operation or algorithm (FP4015), it has no use for a key (FP4047), or it does not fit the
        memory (FP4028).
    """
    operation = operation_of(operation)
    if operation not in OPERATIONS:
        raise TrafficError(
            f"unknown collective {operation!r}",
            hint=nearest_hint(operation, OPERATIONS),
            code="FP4015",
        )
    used = DEFAULT_ALGORITHM.get(operation, "ring") if algorithm is None else algorithm
    if used not in algorithms(operation):
        raise TrafficError(
            f"there is no {operation} by the algorithm {used!r}",
            hint=nearest_hint(used, algorithms(operation), "algorithms"),
            code="FP4015",
        )
    check_exchange(f"{used}-{operation}", ranks, ranks_per_host, where="--ranks")
    layout = GroupLayout.of(ranks, ranks_per_host)
    keys: dict[str, Any] = {"copies": copies, "experts": experts, "node_limit": node_limit, "hosts": hosts}
    _check_keys(f"{used}-{operation}", {key: value for key, value in keys.items() if value is not None})
    traffic = run(f"{used}-{operation}", ranks, size_bytes, layout, **keys)
    sent, received = _on_fabric(traffic, layout)
    busiest_s = None if speed_gbps is None else max(float(sent.max()), float(received.max())) * 8e-9 / speed_gbps
    token = (
        _hosts_of_token(layout, copies or 1, experts, node_limit) if _takes(f"{used}-{operation}", "copies") else None
    )
    group = column(np.arange(ranks)[None, :], np.int32)
    inside = inside_domains([(traffic, group)], layout.host)
    return BareCollective(
        operation,
        used,
        ranks,
        ranks_per_host,
        size_bytes,
        bus_factor(operation, ranks),
        bus_factor_by_page(operation, ranks, used if ranks > ranks_per_host else "ring"),
        traffic.sent,
        traffic.sent_bytes_per_rank,
        float(sent.max()),
        float(received.max()),
        inside.bytes_per_rank,
        traffic.total_bytes,
        traffic.pairs,
        busiest_s,
        busiest_s if token is None else None,
        *(token or (None, None)),
    )


def _takes(name: str, key: str) -> bool:
    return key in COLLECTIVES[name].model.model_fields


def _check_keys(name: str, given: Mapping[str, object]) -> None:
    """Refuse keys that the collective does not have: they would change nothing."""
    for key in given:
        if not _takes(name, key):
            flag = "--dispatch-hosts" if key == "hosts" else f"--{key.replace('_', '-')}"
            raise TrafficError(
                f"{name} sends every byte; {flag} is of copies of tokens that go to a host once",
                hint=f"--algorithm node-deduplicated, or leave {flag} out",
                code="FP4047",
            )


def _hosts_of_token(
    layout: GroupLayout, copies: int, experts: int | None, node_limit: int | None
) -> tuple[float, int] | None:
    """Different hosts of a token, on average and at worst; None inside one host."""
    count = int(layout.host.max()) + 1
    if count == 1:
        return None
    most = min(copies, most_hosts(layout.host, experts, None, None, node_limit))
    if node_limit is None or node_limit >= count:
        return float(visited_hosts(layout.host, copies, experts).sum()), most
    if experts is None:
        return node_limit * (1 - (1 - 1 / node_limit) ** copies), most
    return float(visited_hosts(layout.host, copies, experts, count, node_limit).sum()), most


def _on_fabric(traffic: CollectiveTraffic, layout: GroupLayout) -> tuple[Floats, Floats]:
    """What every rank's NIC sends and receives, shapes (n,)."""
    ranks = len(layout.host)
    apart = layout.host[traffic.src] != layout.host[traffic.dst]
    sent = np.bincount(traffic.src, traffic.sent_bytes * apart, ranks).astype(np.float64)
    received = np.bincount(traffic.dst, traffic.sent_bytes * apart, ranks).astype(np.float64)
    for block in traffic.blocks:
        hosts = layout.host[block.members]
        others = len(hosts) - np.bincount(hosts)[hosts]
        sent[block.members] += block.sent_bytes * others
        received[block.members] += block.sent_bytes * others
    return sent, received
