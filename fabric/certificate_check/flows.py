"""Loads of routings that are no splits by destination: over a switch to turn at, or as flows that are conserved."""

from __future__ import annotations

import numpy as np

from fabric.certificate_check.columns import Floats, FlowColumns, Ints
from fabric.certificate_check.demand import Amounts, PointDemand
from fabric.certificate_check.network import Network
from fabric.certificate_check.walk import Walked, distances_to, walk_equal_splits

_CONSERVED = 1e-7  # of what goes to a destination; how much may appear or vanish by rounding, at all points together


def walk_flows(network: Network, demand: PointDemand, flows: FlowColumns) -> Walked:
    """Loads of flows by destination: at every point what leaves is what enters and what is sent from there.

    Flows that are conserved are paths that carry the demand, and perhaps cycles, which only add load.
    """
    walked = Walked(np.bincount(flows.edge, flows.gbps, len(network.tail)).astype(np.float64))
    unknown = ~np.isin(flows.point, demand.dest)
    if unknown.any():
        name = network.point_name(int(flows.point[np.argmax(unknown)]))
        walked.wrong.append(f"flows towards {name}, which gets nothing")
        return walked
    row_of = {int(point): row for row, point in enumerate(flows.point)}
    for number, dest in enumerate(demand.dest.tolist()):
        row, entries = row_of.get(dest), demand.entries(number)
        rows = slice(0, 0) if row is None else slice(int(flows.start[row]), int(flows.start[row + 1]))
        sent = np.bincount(demand.src[entries], demand.gbps[entries], network.points).astype(np.float64)
        wanted = float(sent.sum())
        sent[dest] -= wanted
        off = _left(network, flows.edge[rows], flows.gbps[rows]) - sent
        if np.abs(off).sum() > _CONSERVED * wanted:
            walked.wrong.append(f"{_worst(network, off)} of what goes to {network.point_name(dest)}")
    return walked


def _left(network: Network, edge: Ints, gbps: Floats) -> Floats:
    """What leaves every point less what enters it, shape (V,)."""
    out = np.bincount(network.tail[edge], gbps, network.points).astype(np.float64)
    return out - np.bincount(network.head[edge], gbps, network.points)


def _worst(network: Network, off: Floats) -> str:
    """How much appears or vanishes at the point where that is most."""
    point = int(np.argmax(np.abs(off)))
    return f"{abs(off[point]):.6g} Gbps {'appear' if off[point] > 0 else 'vanish'} at {network.point_name(point)}"


def conserved(network: Network, demand: PointDemand, load_gbps: Floats) -> list[str]:
    """Points where loads of all destinations together appear or vanish."""
    off = _left(network, np.arange(len(network.tail)), load_gbps)
    off -= np.bincount(demand.src, demand.gbps, network.points)
    off += np.bincount(demand.dest_of_entry, demand.gbps, network.points)
    return [_worst(network, off)] if np.abs(off).sum() > _CONSERVED * demand.gbps.sum() else []


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
