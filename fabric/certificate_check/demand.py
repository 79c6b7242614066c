"""Demand of endpoints, summed to the points where it enters and leaves and to the access links it must cross."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.certificate_check.columns import Bools, DemandColumns, Floats, Ints, PhaseColumns
from fabric.certificate_check.network import Network

_ALIKE = 1e-6  # of the largest; members of a set exchange equal amounts up to this
_PROJECTIONS = 2


@dataclass(frozen=True, eq=False)
class Amounts:
    """Gbps between points by destination: entries ``start[row]`` to ``start[row + 1]`` go to ``dest[row]``."""

    dest: Ints  # shape (D,)
    start: Ints  # shape (D + 1,)
    src: Ints  # shape (nnz,)
    gbps: Floats


@dataclass(frozen=True, eq=False)
class PointDemand:
    """Demand between different points, the part of it that is admitted, and what every endpoint exchanges."""

    dest: Ints  # shape (D,), points, rising
    start: Ints  # shape (D + 1,)
    src: Ints  # shape (nnz,), points
    offered_gbps: Floats  # shape (nnz,)
    part: Floats  # shape (nnz,), admitted
    stage: Ints  # shape (nnz,), of a max-min fair filling, -1: none
    sent_gbps: Floats  # shape (N,), by node, offered
    received_gbps: Floats
    sent_part_gbps: Floats  # shape (N,), by node, of what is admitted
    received_part_gbps: Floats

    @cached_property
    def gbps(self) -> Floats:
        """What is admitted of every entry, shape (nnz,)."""
        return self.offered_gbps * self.part

    @property
    def amounts(self) -> Amounts:
        """What is admitted."""
        return Amounts(self.dest, self.start, self.src, self.gbps)

    @cached_property
    def dest_of_entry(self) -> Ints:
        """Destination of every entry, shape (nnz,)."""
        return np.repeat(self.dest, np.diff(self.start))

    def entries(self, row: int) -> slice:
        """Entries of the destination ``dest[row]``."""
        return slice(int(self.start[row]), int(self.start[row + 1]))


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
    demand, points, nodes = phase.demand, max(network.points, 1), len(phase.fabric.node_name)
    served = _Served(phase, points)
    row_key = phase.receive_point[demand.dst] * points + phase.send_point[demand.src]
    ends = [np.bincount(at, demand.gbps, nodes).astype(np.float64) for at in (demand.src, demand.dst)]
    admitted = demand.gbps * served.part_of(row_key)
    ends += [np.bincount(at, admitted, nodes).astype(np.float64) for at in (demand.src, demand.dst)]
    keys, amounts = [row_key], [demand.gbps]
    for block in range(len(demand.block_gbps)):
        members = demand.block_member[demand.block_start[block] : demand.block_start[block + 1]]
        between = _Between.of(phase.send_point[members], phase.receive_point[members], points)
        each = float(demand.block_gbps[block])
        keys.append(between.key)
        amounts.append(between.pairs * each)
        whole = np.full(len(members), len(members) - 1.0)
        for total, partners in zip(ends, (whole, whole, *between.partners(served)), strict=True):
            total[members] += each * partners
    key, gbps = np.concatenate(keys), np.concatenate(amounts)
    apart = (key // points != key % points) & (gbps > 0)
    unique, inverse = np.unique(key[apart], return_inverse=True)
    total = np.bincount(inverse, gbps[apart], len(unique)).astype(np.float64)
    dest, first = np.unique(unique // points, return_index=True)
    return PointDemand(
        dest,
        np.append(first, len(unique)),
        unique % points,
        total,
        served.part_of(unique),
        served.stage_of(unique),
        *ends,
    )


class _Served:
    """Which part of a pair of points is admitted, and the stage that stopped it."""

    def __init__(self, phase: PhaseColumns, points: int) -> None:
        self._key = np.empty(0, dtype=np.int64)
        if phase.served is not None:
            key = phase.served.dst * points + phase.served.src
            order = np.argsort(key, kind="stable")
            self._key, self._part, self._stage = key[order], phase.served.part[order], phase.served.stage[order]

    def _at(self, key: Ints) -> tuple[Ints, Bools]:
        at = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        return at, self._key[at] == key

    def part_of(self, key: Ints) -> Floats:
        """Parts of pairs ``dst x points + src``, shape as given; 1 of those that are not listed."""
        if not len(self._key):
            return np.ones(key.shape)
        at, listed = self._at(key)
        return np.where(listed, self._part[at], 1.0)

    def stage_of(self, key: Ints) -> Ints:
        """Stages of pairs, shape as given; -1 of those that are not listed."""
        if not len(self._key):
            return np.full(key.shape, -1)
        at, listed = self._at(key)
        return np.where(listed, self._stage[at], -1)


@dataclass(frozen=True, eq=False)
class _Between:
    """Pairs of points of a block: members there x members here, less every member's own."""

    key: Ints  # shape (T x H,), dst x points + src
    pairs: Floats  # shape (T x H,), of members
    here: Ints  # shape (H,), members that send from each point
    there: Ints  # shape (T,), members that receive at each
    at_here: Ints  # shape (members,), place of a member's point in ``here``
    at_there: Ints

    @staticmethod
    def of(send: Ints, receive: Ints, points: int) -> _Between:
        """Of members by their points."""
        source, at_here, here = np.unique(send, return_inverse=True, return_counts=True)
        sink, at_there, there = np.unique(receive, return_inverse=True, return_counts=True)
        key = (sink[:, None] * points + source[None, :]).ravel()
        pairs = np.multiply.outer(there, here).ravel().astype(np.float64)
        own, times = np.unique(receive * points + send, return_counts=True)
        pairs[np.searchsorted(key, own)] -= times
        return _Between(key, pairs, here, there, at_here, at_there)

    def partners(self, served: _Served) -> tuple[Floats, Floats]:
        """To how many others every member sends, and from how many it receives, each counted by its admitted part."""
        part = served.part_of(self.key).reshape(len(self.there), len(self.here))
        own = part[self.at_there, self.at_here]
        return (self.there @ part)[self.at_here] - own, (part @ self.here)[self.at_there] - own


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
            total = projection(demand, ends, weight, other)
            inside = np.flatnonzero(~phase.fabric.node_forwards & (own >= 0) & (network.members[own] > 1))
            most, least = np.zeros(network.points), np.full(network.points, np.inf)
            np.maximum.at(most, own[inside], total[inside])
            np.minimum.at(least, own[inside], total[inside])
            unequal = most - least > _ALIKE * most
            unequal &= np.isfinite(least)
            if unequal.any():
                return [f"{network.point_name(int(np.argmax(unequal)))} exchange unequal amounts"]
    return []


def projection(demand: DemandColumns, ends: tuple[Ints, Ints], weight: Floats, other: Ints) -> Floats:
    """Σ amount x weight of the partner's point, per node, shape (N,)."""
    mine, theirs = ends
    of_node = np.where(other >= 0, weight[other], 0.0)
    total = np.bincount(mine, demand.gbps * of_node[theirs], len(other)).astype(np.float64)
    for block in range(len(demand.block_gbps)):
        members = demand.block_member[demand.block_start[block] : demand.block_start[block + 1]]
        total[members] += demand.block_gbps[block] * (of_node[members].sum() - of_node[members])
    return total
