"""Where lost parts go: to servers that are left in failure domains that hold no other part of the object.

Objects lie evenly, in closed form, or in placement groups. CRUSH tries one domain after another, and one server in it,
until one may take the part; what is lost is marked out and keeps its place in the tree, as Ceph does by itself. Of an
erasure code every chunk tries on its own, so that all servers that may are alike, by their weight. Copies try in one
row: the lost one either finds a server of its old domain first, or takes the place of the next copy, which then tries
in turn; so the old domain is tried more often. A surviving member of the object leads: it pushes the new part, and
under an erasure code first reads the k − 1 chunks it lacks: k bytes cross the network for one.

References
----------
``crush_choose_firstn`` and ``crush_choose_indep`` of Ceph; held to ``crushtool`` in tests/real.
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
    steps = np.arange(members)
    beside = (elsewhere - steps) * size  # servers that the copy in each place may go to outside of the domain
    back = float(np.mean([_back(own, beside[place:], pool.code.erasure) for place in range(members)]))
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
    row, place = np.nonzero(lost)  # of every lost part: its group, and which part of it
    nothing = np.zeros((servers, servers))
    if not len(row):
        return False, nothing, nothing, 0.0
    there = (members >= 0) & ~lost
    used = np.where(there, domain[members], -1)[row]
    room = np.bincount(domain, weight)
    mine = domain[members[row, place]]
    own = room[mine]
    taken = np.where(used < 0, 0.0, room[used])
    order = np.argsort(np.arange(members.shape[1]) == place[:, None], axis=1, kind="stable")  # the lost one last
    before = np.cumsum(np.take_along_axis(taken, order, axis=1), axis=1) - np.take_along_axis(taken, order, axis=1)
    beside = np.maximum(room.sum() - own[:, None] - before, 0.0)
    beside[beside < 1e-9 * room.sum()] = 0.0
    free = beside[:, -1]
    survives = np.zeros((len(row), servers))
    part, which = np.nonzero(there[row])
    survives[part, members[row][part, which]] = 1
    count = survives.sum(axis=1)
    good = (count >= pool.code.data) & (own + free > 0)
    if not good.any():
        return False, nothing, nothing, 1.0
    homeless = 1 - float(good.mean())
    back = np.array([
        _back(one, options[at:], pool.code.erasure) if fits else 0.0
        for one, options, at, fits in zip(own, beside, place, good, strict=True)
    ])  # fmt: skip
    at_home = domain[None, :] == mine[:, None]
    closed = np.zeros((len(row), len(room)), dtype=bool)
    closed[part, used[part, which]] = True
    inside = np.where(at_home, weight, 0.0) / np.maximum(own, 1e-300)[:, None]
    outside = np.where(at_home | closed[:, domain], 0.0, weight) / np.maximum(free, 1e-300)[:, None]
    target = (back[:, None] * inside + (1 - back)[:, None] * outside)[good]
    lead = survives[good] / (good.sum() * count[good])[:, None]
    push = lead.T @ target
    reads = (survives[good] / np.maximum(count[good] - 1, 1)[:, None]).T @ lead
    np.fill_diagonal(reads, 0)
    return True, push, reads, homeless


def _back(own: float, beside: np.ndarray, erasure: bool) -> float:
    """Probability that a lost part stays in its own domain.

    Parameters
    ----------
    own : float
        Weight that is left there.
    beside : ndarray
        Weight of other domains that the lost copy, and every copy after it, may go to: fewer by one domain each.
    """
    if erasure:
        return float(own / (own + beside[-1]))
    return 1 - float(np.prod(beside / np.maximum(own + beside, 1e-300)))
