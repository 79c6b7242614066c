"""From a collective among ranks to flows between endpoints, for all groups of one dimension at once.

Traffic between ranks of one host stays on NVLink and is dropped: it never meets a fabric.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topologies.columns import Ints, column
from traffic.demands import Flows, UniformBlock
from traffic.workload import CollectiveTraffic

BLOCK_ABOVE = 256  # members from which a dense exchange is kept as a block: 65,536 rows a group


def expand(traffic: CollectiveTraffic, endpoints: Ints, hosts: Ints) -> Flows:
    """Flows of one collective run by many groups.

    Parameters
    ----------
    traffic : CollectiveTraffic
        Who sends what inside one group of n ranks.
    endpoints : ndarray of int, shape (count, n)
        Endpoint node every rank sends from.
    hosts : ndarray of int, shape (count, n)
        Host every rank sits in; pairs in one host are dropped.

    Returns
    -------
    Flows
        Bytes per ordered pair of endpoints, summed over groups. A dense exchange among more than 256 ranks, each in
        its own host and on its own endpoint, is one block.
    """
    size = endpoints.shape[1]
    if not traffic.dense:
        return _rows(endpoints, hosts, traffic.src, traffic.dst, traffic.sent_bytes)
    if size < 2:
        return Flows.none()
    amount = traffic.sent_bytes_per_rank / (size - 1)
    blocks, rest = [], []
    for row in range(len(endpoints)):
        if size > BLOCK_ABOVE and _all_differ(endpoints[row]) and _all_differ(hosts[row]):
            blocks.append(UniformBlock(column(np.sort(endpoints[row]), np.int32), amount))
        else:
            rest.append(row)
    tail, head = np.nonzero(~np.eye(size, dtype=np.bool_)) if rest else (np.empty(0, int), np.empty(0, int))
    flows = _rows(endpoints[rest], hosts[rest], tail, head, np.full(len(tail), amount))
    return Flows(flows.src, flows.dst, flows.amount, tuple(blocks))


def group_pairs(traffic: CollectiveTraffic, group_size: int) -> int:
    """Ordered pairs of ranks that exchange something in one group, wherever they sit."""
    return group_size * (group_size - 1) if traffic.dense else int(np.count_nonzero(traffic.sent_bytes))


def group_bytes(traffic: CollectiveTraffic, group_size: int) -> float:
    """Bytes that all ranks of one group send, wherever they sit."""
    return group_size * traffic.sent_bytes_per_rank if traffic.dense else float(np.sum(traffic.sent_bytes))


def _rows(
    endpoints: Ints, hosts: Ints, tail: NDArray[np.int_], head: NDArray[np.int_], sent: NDArray[np.float64]
) -> Flows:
    apart = hosts[:, tail] != hosts[:, head]
    amount = np.where(apart, sent, 0.0)
    return Flows.of(endpoints[:, tail].ravel(), endpoints[:, head].ravel(), amount.ravel())


def _all_differ(values: Ints) -> bool:
    return len(np.unique(values)) == len(values)
