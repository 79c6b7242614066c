"""Demand of endpoints, summed to the points where it enters and leaves and to the access links it must cross."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from fabric.certificate_check.columns import DemandColumns, Floats, Ints, PhaseColumns
from fabric.certificate_check.network import Network

_ALIKE = 1e-6  # of the largest; members of a set exchange equal amounts up to this
_PROJECTIONS = 2


@dataclass(frozen=True, eq=False)
class PointDemand:
    """Demand between different points as far as it is admitted, and what every endpoint offers and is offered."""

    dest: Ints  # shape (D,), points, rising
    start: Ints  # shape (D + 1,)
    src: Ints  # shape (nnz,), points
    gbps: Floats  # shape (nnz,)
    sent_gbps: Floats  # shape (N,), by node
    received_gbps: Floats

    @property
    def dest_of_entry(self) -> Ints:
        """Destination of every entry, shape (nnz,)."""
        return np.repeat(self.dest, np.diff(self.start))


def without_way(phase: PhaseColumns) -> list[str]:
    """Endpoints with demand that have no way into or out of the network."""
    demand, wrong = phase.demand, []
    for at, ends, words in (
        (phase.send_point, demand.src, "sends"),
        (phase.receive_point, demand.dst, "receives"),
    ):
        nodes = np.concatenate([ends, demand.block_member])
        lost = at[nodes] < 0
        if lost.any():
            wrong.append(f"{phase.fabric.node_name[nodes[np.argmax(lost)]]} {words} and is not connected")
    return wrong


def point_demand(phase: PhaseColumns, network: Network) -> PointDemand:
    """Demand between points; local traffic of a switch loads access links only."""
    demand, points, nodes = phase.demand, network.points, len(phase.fabric.node_name)
    parts = _ServedParts(phase, points)
    row_key = phase.receive_point[demand.dst] * points + phase.send_point[demand.src]
    sent = np.bincount(demand.src, demand.gbps, nodes).astype(np.float64)
    received = np.bincount(demand.dst, demand.gbps, nodes).astype(np.float64)
    keys, amounts = [row_key], [demand.gbps * parts.of(row_key)]
    for block in range(len(demand.block_gbps)):
        members = demand.block_member[demand.block_start[block] : demand.block_start[block + 1]]
        each = float(demand.block_gbps[block])
        key, gbps = _between(phase.send_point[members], phase.receive_point[members], points, each)
        keys.append(key)
        amounts.append(gbps * parts.of(key))
        sent[members] += each * (len(members) - 1)
        received[members] += each * (len(members) - 1)
    key, gbps = np.concatenate(keys), np.concatenate(amounts)
    apart = (key // points != key % points) & (gbps > 0) if points else gbps > 0
    unique, inverse = np.unique(key[apart], return_inverse=True)
    total = np.bincount(inverse, gbps[apart], len(unique)).astype(np.float64)
    dest, first = np.unique(unique // max(points, 1), return_index=True)
    return PointDemand(dest, np.append(first, len(unique)), unique % max(points, 1), total, sent, received)


class _ServedParts:
    """Which part of a pair of points is admitted."""

    def __init__(self, phase: PhaseColumns, points: int) -> None:
        self._key = np.empty(0, dtype=np.int64)
        self._part = np.empty(0)
        if phase.served is not None:
            key = phase.served.dst * points + phase.served.src
            order = np.argsort(key, kind="stable")
            self._key, self._part = key[order], phase.served.part[order]

    def of(self, key: Ints) -> Floats:
        """Parts of pairs ``dst x points + src``, shape as given."""
        if not len(self._key):
            return np.ones(len(key))
        at = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        return np.where(self._key[at] == key, self._part[at], 1.0)


def _between(send: Ints, receive: Ints, points: int, each: float) -> tuple[Ints, Floats]:
    """Pairs of points of a block and their Gbps: members there x members here, less every member's own."""
    here, senders = np.unique(send, return_counts=True)
    there, receivers = np.unique(receive, return_counts=True)
    key = (there[:, None] * points + here[None, :]).ravel()
    count = np.multiply.outer(receivers, senders).ravel().astype(np.float64)
    own, times = np.unique(receive * points + send, return_counts=True)
    count[np.searchsorted(key, own)] -= times
    return key, count * each


def unequal_members(phase: PhaseColumns, network: Network) -> list[str]:
    """Members of a set of endpoints that exchange unequal amounts, so that a common split does not load them alike.

    Every member's amounts to all points are weighed with random numbers and summed; equal sums of different amounts do
    not happen by chance. The random numbers follow from the demand itself, so that a check repeats to the last bit.
    """
    if not (network.members > 1).any():
        return []
    demand = phase.demand
    digest = hashlib.sha256()
    for column in (demand.src, demand.dst, demand.gbps, demand.block_member, demand.block_gbps):
        digest.update(np.ascontiguousarray(column).tobytes())
    rng = np.random.default_rng(int.from_bytes(digest.digest()[:8], "big"))
    for _ in range(_PROJECTIONS):
        weight = rng.random(network.points) + 0.5
        for own, other, ends in (
            (phase.send_point, phase.receive_point, (demand.src, demand.dst)),
            (phase.receive_point, phase.send_point, (demand.dst, demand.src)),
        ):
            total = _projection(demand, ends, weight, other)
            inside = np.flatnonzero(~phase.fabric.node_forwards & (own >= 0) & (network.members[own] > 1))
            most, least = np.zeros(network.points), np.full(network.points, np.inf)
            np.maximum.at(most, own[inside], total[inside])
            np.minimum.at(least, own[inside], total[inside])
            unequal = most - least > _ALIKE * most
            unequal &= np.isfinite(least)
            if unequal.any():
                return [f"{network.point_name(int(np.argmax(unequal)))} exchange unequal amounts"]
    return []


def _projection(demand: DemandColumns, ends: tuple[Ints, Ints], weight: Floats, other: Ints) -> Floats:
    """Σ amount x weight of the partner's point, per node, shape (N,)."""
    mine, theirs = ends
    of_node = np.where(other >= 0, weight[other], 0.0)
    total = np.bincount(mine, demand.gbps * of_node[theirs], len(other)).astype(np.float64)
    for block in range(len(demand.block_gbps)):
        members = demand.block_member[demand.block_start[block] : demand.block_start[block + 1]]
        total[members] += demand.block_gbps[block] * (of_node[members].sum() - of_node[members])
    return total
