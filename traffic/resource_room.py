"""What the pieces of jobs leave of the nodes' processors, memory and storage; and why a job does not fit.

A job is offered on every node as many GPUs as its pieces fit there, so that each policy of placement keeps to it. Where
they are too few, all jobs so far are packed again: whether another assignment would hold them all is answered too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from topologies.budget import counted
from topologies.columns import Bools, Ints, Longs, column
from topologies.errors import TrafficError
from traffic.hostlist import folded_hosts
from traffic.packing import Packed, pack, pieces_alone
from traffic.resources import ResourceRequests, amount_words

_GPUS = "gpus"


@dataclass(frozen=True, eq=False)
class _Job:
    """Pieces that have their nodes."""

    name: str
    requests: ResourceRequests
    pieces: Longs  # shape (hosts,)
    movable: bool  # False: the nodes are named by a file, or whatever its owner has


@dataclass(eq=False)
class ResourceRoom:
    """The nodes of one group and the jobs on them."""

    hosts: tuple[str, ...]
    has: Mapping[str, tuple[int, ...]]
    gpus: tuple[int, ...] | None = None  # of every host, those that jobs may have: its first; None: all
    jobs: list[_Job] = field(default_factory=list)

    def offered(self, free: Bools, requests: ResourceRequests, ranks: int, job: str) -> Bools:
        """Free GPUs that pieces of a job can use, shape (hosts, GPUs).

        Raises
        ------
        TrafficError
            When nobody says what the nodes have of something requested (FP4083), the ranks are no whole pieces
            (FP4082), or there is not enough for all of them (FP4081).
        """
        absent = [kind for kind in requests.amounts if kind not in self.has]
        if absent:
            raise TrafficError(
                f"{absent[0]} is requested, and nothing says how much of it the nodes have",
                where="placement.requests",
                hint="resources: {cpu: 96, memory: 1 TiB} in the node group; from: kubernetes reads it",
                code="FP4083",
            )
        if ranks % requests.ranks:
            raise TrafficError(
                f"{ranks:,} ranks are not whole pieces of {requests.ranks}",
                where="placement.requests.ranks",
                hint=f"gpus: {ranks // requests.ranks * requests.ranks or requests.ranks}, or other ranks of a piece",
                code="FP4082",
            )
        if self.gpus is not None:
            free = column(free & (np.arange(free.shape[1]) < np.array(self.gpus)[:, None]), np.bool_)
        fits = pieces_alone(self._room(free), self._request(requests))
        pieces = ranks // requests.ranks
        if int(fits.sum()) < pieces:
            raise self._too_little(free, requests, fits, pieces, job)
        offered = free.copy()
        offered[np.cumsum(free, axis=1) > (fits * requests.ranks)[:, None]] = False
        return column(offered, np.bool_)

    def take(self, requests: ResourceRequests, placed: Ints, job: str, *, movable: bool) -> str:
        """Note the pieces of a job; what it has where, in words.

        Raises
        ------
        TrafficError
            When a piece is on several hosts (FP4082), or a host has more pieces than it holds (FP4081).
        """
        hosts = placed[:, 0].reshape(-1, requests.ranks)
        torn = np.flatnonzero((hosts != hosts[:, :1]).any(axis=1))
        if len(torn):
            first = torn[0] * requests.ranks
            raise TrafficError(
                f"ranks {first:,} to {first + requests.ranks - 1:,} are one piece, and would be on "
                f"{folded_hosts([self.hosts[host] for host in dict.fromkeys(hosts[torn[0]].tolist())])}",
                where="placement.order",
                hint=f"order: packed keeps ranks together where a host's GPUs are pieces of {requests.ranks}",
                code="FP4082",
            )
        pieces = column(np.bincount(hosts[:, 0], minlength=len(self.hosts)), np.int64)
        self._check_room(requests, pieces)
        self.jobs.append(_Job(job, requests, pieces, movable))
        return f"{_pieces_words(requests, int(pieces.sum()))} on {_on_hosts(pieces, self.hosts)}"

    def _check_room(self, requests: ResourceRequests, pieces: Longs) -> None:
        """Refuse a placement that does not keep to what it was offered."""
        room = self._room(np.zeros((len(self.hosts), 0), np.bool_))[:, :-1]
        asked = pieces[:, None] * self._request(requests)[:-1]
        over = np.argwhere(asked > room)
        if len(over):
            host, at = over[0].tolist()
            kind = self._kinds()[at]
            raise TrafficError(
                f"{self.hosts[host]} has {_words(kind, max(int(room[host, at]), 0))} left, and the placement puts "
                f"pieces there that request {_words(kind, int(asked[host, at]))}",
                where="placement.order",
                hint="another order keeps to what fits",
                code="FP4081",
            )

    # ---- amounts ----

    def _kinds(self) -> tuple[str, ...]:
        return tuple(self.has)

    def _room(self, free: Bools, without: tuple[_Job, ...] = ()) -> Longs:
        """What is left on every host, GPUs last, shape (hosts, kinds + 1); ``without`` jobs that would give way."""
        left = [np.array(self.has[kind], dtype=np.int64) for kind in self._kinds()] + [free.sum(axis=1)]
        room = np.stack(left, axis=1).astype(np.int64)
        for job in self.jobs:
            if job not in without:
                request = self._request(job.requests)
                request[-1] = 0  # their GPUs are not free as it is
                room -= job.pieces[:, None] * request
        for job in without:
            room[:, -1] += job.pieces * job.requests.ranks
        return column(room, np.int64)

    def _request(self, requests: ResourceRequests) -> Longs:
        return np.array([*(requests.amounts.get(kind, 0) for kind in self._kinds()), requests.ranks], dtype=np.int64)

    # ---- refusals ----

    def _too_little(self, free: Bools, requests: ResourceRequests, fits: Longs, pieces: int, job: str) -> TrafficError:
        """Why the pieces do not fit, what binds, and whether another assignment of all jobs would."""
        room, request = self._room(free), self._request(requests)
        alone = {
            kind: int((np.maximum(room[:, at], 0) // request[at]).sum())
            for at, kind in enumerate([*self._kinds(), _GPUS])
            if request[at]
        }
        binding = min(alone, key=lambda kind: alone[kind])
        at = [*self._kinds(), _GPUS].index(binding)
        most = max(int(room[:, at].max(initial=0)), 0)
        left = "have left" if self.jobs or not free.all() else "have"
        words = (
            f"no room for {_pieces_words(requests, pieces)}: {int(fits.sum()):,} of {pieces:,} fit. "
            f"{counted(len(self.hosts), 'hosts')} {left} {_words(binding, max(int(room[:, at].sum()), 0))}, at most "
            f"{_words(binding, most)} on one, and the pieces request {_words(binding, pieces * int(request[at]))}"
        )
        if most < request[at]:
            words += "; no piece fits on any host"
        each = ", ".join(f"{kind} {count:,}" for kind, count in alone.items())
        notes = [f"pieces that would fit by each alone: {each}", *self._other_ways(free, requests, pieces, job)]
        return TrafficError(
            words,
            where="placement.requests",
            hint=f"smaller pieces, fewer ranks (gpus: {int(fits.sum()) * requests.ranks} would fit), or hosts with more"
            if fits.any()
            else f"pieces that request less of {binding}, or hosts with more of it",
            notes=notes,
            code="FP4081",
        )

    def _other_ways(self, free: Bools, requests: ResourceRequests, pieces: int, job: str) -> list[str]:
        """Whether all jobs fit when those before are placed again."""
        movable = tuple(one for one in self.jobs if one.movable)
        if not movable:
            return []
        every = [*(one.requests for one in movable), requests]
        counts = [*(int(one.pieces.sum()) for one in movable), pieces]
        found = pack(
            self._room(free, movable), np.stack([self._request(one) for one in every]), np.array(counts, np.int64)
        )
        names = [*(one.name for one in movable), job]
        return [_verdict(found, names, sum(counts), self.hosts)]


def _verdict(found: Packed, names: list[str], pieces: int, hosts: tuple[str, ...]) -> str:
    together = ", ".join(names)
    if found.placed == pieces:
        ways = "; ".join(f"{name} on {_on_hosts(row, hosts)}" for name, row in zip(names, found.pieces, strict=True))
        return f"another assignment holds {together} together: {ways}; placement: {{order: file}} takes such lists"
    if found.most < pieces:
        return f"no assignment of {together} holds all {pieces:,} pieces: at most {found.most:,} fit (proved)"
    return (
        f"whether another assignment of {together} fits was not decided in time: {found.placed:,} of {pieces:,} found"
    )


def _on_hosts(pieces: Longs, hosts: tuple[str, ...]) -> str:
    """``n[0-2] (2 on each), n3 (1)``."""
    parts = []
    for many in sorted(set(pieces.tolist()) - {0}, reverse=True):
        names = [hosts[host] for host in np.flatnonzero(pieces == many)]
        each = f"{many:,} on each" if len(names) > 1 else f"{many:,}"
        parts.append(f"{folded_hosts(names)} ({each})")
    return ", ".join(parts)


def _pieces_words(requests: ResourceRequests, pieces: int) -> str:
    """``4 pieces of 1 rank and 16 cores each``."""
    asked = ", ".join(amount_words(kind, amount) for kind, amount in requests.amounts.items())
    return f"{counted(pieces, 'pieces')} of {counted(requests.ranks, 'ranks')} and {asked} each"


def _words(kind: str, amount: int) -> str:
    return f"{amount:,} GPUs" if kind == _GPUS else amount_words(kind, amount)
