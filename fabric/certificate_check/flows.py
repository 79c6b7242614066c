"""Loads of routings that are no splits by destination: over a switch to turn at, or as flows that are conserved."""

from __future__ import annotations

import numpy as np

from fabric.certificate_check.columns import Floats, FlowColumns, Ints
from fabric.certificate_check.demand import Amounts, PointDemand
from fabric.certificate_check.network import Network
from fabric.certificate_check.walk import Walked, distances_to, walk_equal_splits

_CONSERVED = 1e-7  # of what goes to a destination; how much may appear or vanish at a point by rounding


def walk_flows(network: Network, demand: PointDemand, flows: FlowColumns) -> Walked:
    """Loads of flows by destination: at every point what leaves is what enters and what is sent from there.

    Flows that are conserved are paths that carry the demand, and perhaps cycles, which only add load.
    """
    rows = np.searchsorted(demand.dest, flows.point)
    known = (rows < len(demand.dest)) & (np.append(demand.dest, -1)[rows] == flows.point)
    row = np.repeat(rows, np.diff(flows.start))
    walked = Walked(np.bincount(flows.edge, flows.gbps, len(network.tail)).astype(np.float64))
    if not known.all():
        walked.wrong.append(
            f"flows towards {network.point_name(int(flows.point[np.argmin(known)]))}, which gets nothing"
        )
        return walked
    points = network.points
    size = len(demand.dest) * points
    left = np.bincount(row * points + network.tail[flows.edge], flows.gbps, size)
    left -= np.bincount(row * points + network.head[flows.edge], flows.gbps, size)
    wanted = np.bincount(np.repeat(np.arange(len(demand.dest)), np.diff(demand.start)), demand.gbps, len(demand.dest))
    sent = np.bincount(
        np.repeat(np.arange(len(demand.dest)), np.diff(demand.start)) * points + demand.src, demand.gbps, size
    )
    sent[np.arange(len(demand.dest)) * points + demand.dest] -= wanted
    off = np.abs(left - sent).reshape(len(demand.dest), points) > _CONSERVED * wanted[:, None]
    for number in np.flatnonzero(off.any(axis=1)).tolist():
        point = int(np.argmax(off[number]))
        amount = (left - sent)[number * points + point]
        where = f"{network.point_name(point)} of what goes to {network.point_name(int(demand.dest[number]))}"
        walked.wrong.append(f"{abs(amount):.6g} Gbps {'appear' if amount > 0 else 'vanish'} at {where}")
    return walked


def conserved(network: Network, demand: PointDemand, load_gbps: Floats) -> list[str]:
    """Points where loads of all destinations together appear or vanish."""
    left = np.bincount(network.tail, load_gbps, network.points) - np.bincount(network.head, load_gbps, network.points)
    left -= np.bincount(demand.src, demand.gbps, network.points)
    left += np.bincount(demand.dest_of_entry, demand.gbps, network.points)
    off = np.abs(left) > _CONSERVED * demand.gbps.sum()
    if not off.any():
        return []
    point = int(np.argmax(off))
    return [f"{abs(left[point]):.6g} Gbps {'appear' if left[point] > 0 else 'vanish'} at {network.point_name(point)}"]


def walk_via(network: Network, demand: PointDemand, via: Ints) -> Walked:
    """Loads of valiant balancing: every entry evenly over the switches of ``via`` between its ends, by equal splits.

    A switch is between the ends when the source reaches it and it reaches the destination; either may be the switch
    itself. What has none goes straight.
    """
    wrong = [f"{network.point_name(int(point))} is an endpoint" for point in via[network.members[via] > 0][:1]]
    if wrong or len(np.unique(via)) < len(via):
        return Walked(np.zeros(len(network.tail)), wrong or ["a switch to turn at is listed twice"])
    reached = np.array([np.isfinite(far) for _, far in distances_to(network, network.weight, via)])
    reached = reached.reshape(len(via), network.points)
    out, back = np.zeros((len(via), network.points)), np.zeros((len(demand.dest), len(via)))
    straight = np.zeros(len(demand.src))
    for row, distance in distances_to(network, network.weight, demand.dest):
        entries = demand.entries(row)
        src, gbps = demand.src[entries], demand.gbps[entries]
        between = reached[:, src] & np.isfinite(distance[via])[:, None]
        ways = between.sum(axis=0)
        part = between * (gbps / np.maximum(ways, 1))
        np.add.at(out.T, src, part.T)
        back[row] = part.sum(axis=1)
        straight[entries] = np.where(ways > 0, 0.0, gbps)
    legs = [
        _leg(via, np.arange(network.points), out),
        _leg(demand.dest, via, back),
        Amounts(demand.dest, demand.start, demand.src, straight),
    ]
    walked = [walk_equal_splits(network, leg) for leg in legs]
    loads = np.zeros(len(network.tail))
    return Walked(sum((each.edge_gbps for each in walked), loads), [words for each in walked for words in each.wrong])


def _leg(dest: Ints, src: Ints, gbps: Floats) -> Amounts:
    """Amounts from a table (dest, src); what would go from a point to itself is there already."""
    row, column = np.nonzero((gbps > 0) & (dest[:, None] != src[None, :]))
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(dest)))])
    return Amounts(dest, start, src[column], gbps[row, column])
