"""Which endpoints hang on the same switches by links of the same speeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from topologies.columns import column

if TYPE_CHECKING:
    from topologies.topology import AttachmentGroups, Topology


def attachment_groups(topology: Topology) -> AttachmentGroups:
    """Group the endpoints of a topology.

    Endpoints that forward (routers, server-centric hosts) are groups of their own. Single-homed endpoints are grouped
    by (switch, speed) without a loop in Python; multi-homed ones by their sorted list of (switch, speed, weight), so
    that 10^5 endpoints take milliseconds.
    """
    from topologies.topology import AttachmentGroups

    nodes, links = topology.nodes, topology.links
    endpoints = topology.endpoint_nodes
    live = np.flatnonzero(topology.up)
    out = live[np.argsort(links.src[live], kind="stable")]
    start = np.searchsorted(links.src[out], np.arange(len(nodes) + 1))
    degree = np.diff(start)

    key = np.full(len(nodes), -1, dtype=np.int64)
    fresh = 0
    alone = endpoints[nodes.forwards[endpoints] | (degree[endpoints] == 0)]
    key[alone] = np.arange(len(alone))
    fresh += len(alone)

    single = endpoints[~nodes.forwards[endpoints] & (degree[endpoints] == 1)]
    if len(single):
        link = out[start[single]]
        speeds, speed = np.unique(links.capacity_gbps[link], return_inverse=True)
        key[single] = fresh + links.dst[link].astype(np.int64) * len(speeds) + speed
        fresh += len(nodes) * len(speeds)

    seen: dict[tuple[bytes, bytes, bytes], int] = {}
    for node in endpoints[~nodes.forwards[endpoints] & (degree[endpoints] > 1)].tolist():
        rows = out[start[node] : start[node + 1]]
        rows = rows[np.lexsort((links.weight[rows], links.capacity_gbps[rows], links.dst[rows]))]
        signature = (links.dst[rows].tobytes(), links.capacity_gbps[rows].tobytes(), links.weight[rows].tobytes())
        key[node] = fresh + seen.setdefault(signature, len(seen))

    _, first, code, size = np.unique(key[endpoints], return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(first), dtype=np.int32)
    order = np.argsort(first, kind="stable")
    rank[order] = np.arange(len(first))
    of_node = np.full(len(nodes), -1, dtype=np.int32)
    of_node[endpoints] = rank[code]
    return AttachmentGroups(
        of_node=column(of_node, np.int32),
        first=column(endpoints[first[order]], np.int32),
        size=column(size[order], np.int32),
    )
