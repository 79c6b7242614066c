"""A pool of a storage cluster: how often each server is an object's primary, and who keeps the rest with it.

Rows and columns are servers (hosts). Members of an object are the primary and the others that keep a copy, or a chunk
of an erasure code; they are in different failure domains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from topologies.columns import Floats, Ints, column
from topologies.errors import TrafficError


@dataclass(frozen=True)
class Code:
    """Copies (``data`` 1, ``parity`` r−1), or an erasure code of k data and m parity chunks."""

    data: int
    parity: int
    erasure: bool

    @property
    def members(self) -> int:
        """Servers that keep a part of an object."""
        return self.data + self.parity


@dataclass(frozen=True, eq=False)
class Pool:
    """Shares over many objects."""

    code: Code
    primary: Floats  # shape (n,), sums to 1
    others: Floats  # shape (n, n), expected other members j of objects with primary i
    data: Floats  # shape (n, n), those of them that hold one of the k data chunks
    domain: Ints | None = None  # shape (n,), failure domain of every server; None where it is not known
    members: Ints | None = None  # shape (groups, members), servers of placement groups; None where objects lie evenly
    capacity: Floats | None = None  # shape (n,), what every server weighs in its domain; None for all alike

    @property
    def weight(self) -> Floats:
        """Part of all members that each server is, shape (n,); sums to 1."""
        return column((self.primary + self.others.sum(axis=0)) / self.code.members, np.float64)


def even_pool(code: Code, domain: Ints) -> Pool:
    """Objects spread evenly over servers, members in different domains.

    Parameters
    ----------
    domain : ndarray of int, shape (n,)
        Failure domain of every server; domains of equal size.

    Raises
    ------
    TrafficError
        When there are fewer domains than members (FP4050).
    """
    check_domains(code, domain)
    servers = len(domain)
    apart = domain[:, None] != domain[None, :]
    reach = np.maximum(apart.sum(axis=1, keepdims=True), 1)
    primary = np.full(servers, 1 / servers)
    pair = primary[:, None] * apart / reach
    others = pair * (code.members - 1)
    return Pool(
        code,
        column(primary, np.float64),
        column(others, np.float64),
        column(pair * (code.data - 1), np.float64),
        domain,
    )


def mapped_pool(
    code: Code,
    members: Ints,
    servers: int,
    leader: Ints | None = None,
    *,
    domain: Ints | None = None,
    capacity: Floats | None = None,
) -> Pool:
    """Objects where placement groups lie.

    Parameters
    ----------
    members : ndarray of int, shape (groups, members)
        Servers of every placement group; -1 where one could not be placed. The others move up: the first that is there
        is the primary, and the first k hold what is read.
    leader : ndarray of int, shape (groups,), optional
        Which of the members that are there is the primary; the first if absent.
    domain, capacity : ndarray, shape (servers,), optional
        Failure domain of every server, and what it weighs there.
    """
    members = np.take_along_axis(members, np.argsort(members < 0, axis=1, kind="stable"), axis=1)
    at = np.zeros(len(members), dtype=np.int64) if leader is None else np.asarray(leader)
    first = members[np.arange(len(members)), at]
    count = max(int((first >= 0).sum()), 1)  # an object whose group has no member is nowhere
    primary = np.bincount(first[first >= 0], minlength=servers) / count
    others, data = np.zeros((servers, servers)), np.zeros((servers, servers))
    for place in range(members.shape[1]):
        good = (members[:, place] >= 0) & (at != place)
        pair = np.zeros((servers, servers))
        np.add.at(pair, (first[good], members[good, place]), 1 / count)
        others += pair
        if place < code.data:
            data += pair
    return Pool(
        code,
        column(primary, np.float64),
        column(others, np.float64),
        column(data, np.float64),
        domain,
        column(members, np.int32),
        capacity,
    )


def check_domains(code: Code, domain: Ints) -> None:
    """Raise unless every member of an object finds a domain of its own."""
    domains = len(np.unique(domain))
    if code.members > domains:
        what = f"k {code.data} + m {code.parity} chunks" if code.erasure else f"{code.members} copies"
        raise TrafficError(
            f"{what} need as many servers or failure domains; there are {domains}",
            where="erasure" if code.erasure else "replication",
            hint=f"at most {domains}, or failure_domain: host",
            code="FP4050",
        )
