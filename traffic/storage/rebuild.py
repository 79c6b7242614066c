"""Where lost parts go: to servers that are left in failure domains that hold no other part of the object.

Objects lie evenly, in closed form, or in placement groups. Ceph tries domains and servers at random until one may take
the part, so that all servers that may are alike, by their weight. A surviving member of the object leads: it pushes the
new part, and under an erasure code first reads the k − 1 chunks it lacks: k bytes cross the network for one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from topologies.columns import Floats, Ints, column
from traffic.storage.pool import Pool

BACKFILL_FULL = 0.90  # backfillfull_ratio of Ceph: a fuller OSD takes nothing more


@dataclass(frozen=True, eq=False)
class Rebuild:
    """What the loss of some servers asks of the others.

    Attributes
    ----------
    gone : ndarray of int
        Servers that are lost, or one that lost an OSD.
    matrix : ndarray, shape (n, n)
        Bytes from server to server for one byte rebuilt.
    lost_share : float
        Part of all data, copies and parity with it, that the loss takes.
    homeless : float
        Part of that which no server may take.
    taken : ndarray, shape (n,)
        Part of what is rebuilt that every server takes.
    kept : ndarray, shape (n,)
        Part of all data that every server keeps before it takes anything.
    """

    gone: Ints
    matrix: Floats
    lost_share: float
    homeless: float
    taken: Floats
    kept: Floats

    @property
    def fullest(self) -> tuple[int, float]:
        """The server that keeps most afterwards, and its part of all data."""
        after = self.kept + self.taken * self.lost_share * (1 - self.homeless)
        return int(after.argmax()), float(after.max())

    @property
    def busiest(self) -> float:
        """What the busiest server sends or takes, as a part of all data."""
        ways = (self.matrix.sum(axis=0), self.matrix.sum(axis=1))
        return self.lost_share * max(float(way.max(initial=0.0)) for way in ways)


def worst_rebuild(pool: Pool, losses: list[Ints], stays: float = 0.0) -> Rebuild:
    """The worst of some losses: some of it has no place; else that which fills a server or a server's links most.

    Of equal ones the first is taken.

    Parameters
    ----------
    losses : list of ndarray of int
        Servers that fail together.
    stays : float
        Part of a server that is left: 0 unless only an OSD is lost.
    """
    found = [rebuild_after(pool, gone, stays) for gone in losses]
    return max(found, key=lambda one: (one.homeless > 0, _rounded(one.fullest[1]), _rounded(one.busiest)))


def _rounded(part: float) -> float:
    """Without what sums in another order leave."""
    return float(f"{part:.9g}")


def rebuild_after(pool: Pool, gone: Ints, stays: float = 0.0) -> Rebuild:
    """Where the parts of lost servers go; ``pool.domain`` has to be known."""
    left = np.ones(len(pool.primary))
    left[gone] = stays
    lead, push, reads, homeless = _in_groups(pool, gone, left) if pool.members is not None else _even(pool, gone, left)
    weight = np.asarray(pool.weight)
    matrix = push + (pool.code.data - 1) * reads if lead else push
    kept = weight * left
    taken = push.sum(axis=0)
    lost = float((weight * (1 - left)).sum())
    return Rebuild(
        gone, column(matrix, np.float64), lost, homeless, column(taken, np.float64), column(kept, np.float64)
    )


def _even(pool: Pool, gone: Ints, left: np.ndarray) -> tuple[bool, np.ndarray, np.ndarray, float]:
    """Push and reads of even objects: by symmetry, only the domain of the lost server is unlike the others."""
    servers, members = len(left), pool.code.members
    domain = np.unique(np.asarray(pool.domain), return_inverse=True)[1]
    size = servers / (domain.max() + 1)
    dead = np.isin(domain, domain[gone])
    others = ~dead
    elsewhere = round(float(others.sum()) / size)  # domains that lost nothing
    own = float(left[dead].sum())
    free = (elsewhere - (members - 1)) * size
    nothing = np.zeros((servers, servers))
    if pool.code.parity < 1 or free < 0 or own + free <= 0:
        return False, nothing, nothing, 1.0
    back = own / (own + free)
    lead = others / others.sum()
    apart = others[:, None] & others[None, :] & (domain[:, None] != domain[None, :])
    near = apart / np.maximum(apart.sum(axis=1, keepdims=True), 1)
    target = back * np.where(dead, left, 0.0) / max(own, 1e-300) + (1 - back) * near
    push = lead[:, None] * target
    return True, push, (lead[:, None] * near).T, 0.0


def _in_groups(pool: Pool, gone: Ints, left: np.ndarray) -> tuple[bool, np.ndarray, np.ndarray, float]:
    """Push and reads group by group."""
    members, domain, servers = np.asarray(pool.members), np.asarray(pool.domain), len(left)
    weight = left * (np.ones(servers) if pool.capacity is None else np.asarray(pool.capacity))
    lost = np.isin(members, gone)
    rows = lost.any(axis=1)
    members, lost = members[rows], lost[rows]
    times = lost.sum(axis=1).astype(np.float64)
    survives = np.zeros((len(members), servers))
    at, place = np.nonzero((members >= 0) & ~lost)
    survives[at, members[at, place]] = 1
    taken = np.zeros((len(members), int(domain.max()) + 1), dtype=bool)
    taken[at, domain[members[at, place]]] = True
    may = np.where(taken[:, domain], 0.0, weight)
    count, room = survives.sum(axis=1), may.sum(axis=1)
    good = (count >= pool.code.data) & (room > 0)
    total = float(times.sum())
    nothing = np.zeros((servers, servers))
    if not good.any():
        return False, nothing, nothing, 1.0 if total else 0.0
    homeless = 1 - float(times[good].sum()) / total
    lead = survives[good] * (times[good] / times[good].sum() / count[good])[:, None]
    push = lead.T @ (may[good] / room[good][:, None])
    reads = (survives[good] / np.maximum(count[good] - 1, 1)[:, None]).T @ lead
    np.fill_diagonal(reads, 0)
    return True, push, reads, homeless
