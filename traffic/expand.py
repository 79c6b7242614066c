"""From a collective among ranks to flows between endpoints, for all groups of one dimension at once.

Traffic between ranks of one host, or of one scale-up domain, stays on its links and is dropped: it never meets a
fabric.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topologies.budget import ROW_BYTES, Counts, check_memory
from topologies.columns import Ints, column
from topologies.errors import TrafficError
from traffic.collective import CollectiveTraffic
from traffic.demands import Flows, UniformBlock, merge_flows

BLOCK_ABOVE = 32  # members from which a dense exchange is kept as a block
MOST_ROWS = 40_000_000  # pairs that are written out


def expand(traffic: CollectiveTraffic, endpoints: Ints, hosts: Ints) -> Flows:
    """Flows of one collective run by many groups.

    Parameters
    ----------
    traffic : CollectiveTraffic
        Who sends what inside one group of n ranks.
    endpoints : ndarray of int, shape (count, n)
        Endpoint node every rank sends from.
    hosts : ndarray of int, shape (count, n)
        Host every rank sits in, or scale-up domain; pairs in one are dropped.

    Returns
    -------
    Flows
        Bytes per ordered pair of endpoints, summed over groups. A dense exchange among more than 32 ranks, each in its
        own host and on its own endpoint, is one block.

    Raises
    ------
    TrafficError
        When a dense exchange that is not a block has too many pairs (FP4018).
    """
    parts = [_rows(endpoints, hosts, traffic.src, traffic.dst, traffic.sent_bytes)]
    for block in traffic.blocks:
        parts += _dense(endpoints[:, block.members], hosts[:, block.members], block.sent_bytes)
    return parts[0] if len(parts) == 1 else merge_flows(parts)


def _dense(endpoints: Ints, hosts: Ints, amount: float) -> list[Flows]:
    apart = (hosts != hosts[:, :1]).any(axis=1)
    endpoints, hosts = column(endpoints[apart], np.int32), column(hosts[apart], np.int32)
    count, size = endpoints.shape
    if size < 2 or not amount or not count:
        return []
    whole = np.zeros(count, dtype=np.bool_)
    if size > BLOCK_ABOVE:
        whole = _all_differ(endpoints) & _all_differ(hosts)
    none = Flows.none()
    blocks = tuple(UniformBlock(column(np.sort(row), np.int32), amount) for row in endpoints[whole])
    parts = [Flows(none.src, none.dst, none.amount, blocks)] if blocks else []
    rest = np.flatnonzero(~whole)
    if len(rest) * size * (size - 1) > MOST_ROWS:
        raise TrafficError(
            f"an all-to-all of {len(rest):,} x {size:,} ranks that share hosts is {len(rest) * size * (size - 1):,} "
            f"pairs; {MOST_ROWS:,} are the most",
            where="collectives.all_to_all",
            hint="all_to_all: pxn, as NCCL does, needs a pair per rail and host only",
            code="FP4018",
        )
    pairs = len(rest) * size * (size - 1)
    counts = Counts([("ranks", endpoints.size), ("pairs", pairs)], pairs * ROW_BYTES, pairs)
    check_memory(
        counts,
        "an all-to-all of ranks that share hosts",
        where="collectives.all_to_all",
        error=TrafficError,
        code="FP4028",
        smaller="all_to_all: pxn, as NCCL does",
    )
    tail, head = np.nonzero(~np.eye(size, dtype=np.bool_)) if len(rest) else (np.empty(0, int), np.empty(0, int))
    step = max(4_000_000 // (size * size), 1)
    for first in range(0, len(rest), step):
        some = rest[first : first + step]
        parts.append(_rows(endpoints[some], hosts[some], tail, head, np.full(len(tail), amount)))
    return parts


def _rows(
    endpoints: Ints, hosts: Ints, tail: NDArray[np.integer], head: NDArray[np.integer], sent: NDArray[np.float64]
) -> Flows:
    apart = hosts[:, tail] != hosts[:, head]
    amount = np.where(apart, sent, 0.0)
    return Flows.of(endpoints[:, tail].ravel(), endpoints[:, head].ravel(), amount.ravel())


def _all_differ(values: Ints) -> NDArray[np.bool_]:
    """Whether the values of each row are all different."""
    ordered = np.sort(values, axis=1)
    return np.asarray((ordered[:, 1:] != ordered[:, :-1]).all(axis=1))
