"""Which endpoints are attached to the same switches by links of the same speeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from topologies.columns import Bools, Ints, Longs, column
from topologies.elements import Links, Nodes
from topologies.equal_rows import first_equal_row


@dataclass(frozen=True, eq=False)
class AttachmentGroups:
    """Endpoints by where they are attached; group ids are in order of their first endpoint."""

    of_node: Ints  # shape (N,), group of every endpoint, -1 for the rest
    first: Ints  # shape (G,), the lowest node id of each group
    size: Ints  # shape (G,)

    def __len__(self) -> int:
        return len(self.first)


def attachment_groups(nodes: Nodes, links: Links, up: Bools) -> AttachmentGroups:
    """Group the endpoints of a network by the links that are up.

    Endpoints that forward (routers, server-centric hosts) are groups of their own. Single-homed endpoints are grouped
    by (switch, speed out, speed back); all others by their sorted lists of (switch, speed, weight), out and back:
    traffic to an endpoint goes by the weights of the links that enter it. There is no loop in Python.
    """
    endpoints = column(np.flatnonzero(nodes.nics > 0), np.int32)
    hosts = (nodes.nics > 0) & ~nodes.forwards
    out, start = _of_nodes(links.src, hosts, up)
    back, back_start = _of_nodes(links.dst, hosts, up)
    degree = np.diff(start)

    key = np.full(len(nodes), -1, dtype=np.int64)
    alone = endpoints[~hosts[endpoints] | (degree[endpoints] == 0)]
    key[alone] = np.arange(len(alone))
    fresh = len(alone)

    grouped = endpoints[hosts[endpoints] & (degree[endpoints] > 0)]
    one = grouped[(degree[grouped] == 1) & (np.diff(back_start)[grouped] == 1)]
    single = one[links.dst[out[start[one]]] == links.src[back[back_start[one]]]]
    if len(single):
        there, home = out[start[single]], back[back_start[single]]
        speeds, speed = np.unique(links.capacity_gbps[np.concatenate((there, home))], return_inverse=True)
        pair = speed[: len(single)].astype(np.int64) * len(speeds) + speed[len(single) :]
        key[single] = fresh + links.dst[there].astype(np.int64) * len(speeds) ** 2 + pair
        fresh += len(nodes) * len(speeds) ** 2

    several = np.setdiff1d(grouped, single, assume_unique=True)
    if len(several):
        there_rows = _equal_sides(several, out, start, links.dst, links)
        back_rows = _equal_sides(several, back, back_start, links.src, links)
        key[several] = fresh + there_rows * len(several) + back_rows

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


def _of_nodes(end: Ints, chosen: Bools, up: Bools) -> tuple[Longs, Longs]:
    """Links that are up at the chosen nodes by their end there, and where those of each node start."""
    live = np.flatnonzero(up & chosen[end])
    start = np.concatenate(([0], np.cumsum(np.bincount(end[live], minlength=len(chosen)))))
    return live[np.argsort(end[live], kind="stable")], start


def _equal_sides(members: Ints, rows: Longs, start: Longs, far: Ints, links: Links) -> Longs:
    """First of the members whose links on one side lead to the same nodes, as fast, by the same weights."""
    count = np.diff(start)[members]
    begin = np.cumsum(count) - count
    mine = rows[np.repeat(start[members] - begin, count) + np.arange(int(count.sum()))]
    owner = np.repeat(np.arange(len(members)), count)
    mine = mine[np.lexsort((links.weight[mine], links.capacity_gbps[mine], far[mine], owner))]
    sides = (far[mine], links.capacity_gbps[mine], links.weight[mine])
    return first_equal_row(np.append(begin, len(mine)), *sides)
