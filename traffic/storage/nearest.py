"""Reads from the nearest copy: one under the reader's own switch where an object has one there, else any.

Objects lie evenly: the failure domains of an object are a random choice among all, and its server in each is a random
one of the domain. How many copies an object has among the servers near a reader then follows exactly, domain by domain.
"""

from __future__ import annotations

from math import comb

import numpy as np

from topologies.columns import Floats, Ints, column


def near_counts(near: Floats, members: int) -> Floats:
    """Ways that a choice of domains has copies among near servers, shape (members + 1, members + 1).

    Row m, column j: the sum over all choices of m domains of the probability that j of their copies are near.

    Parameters
    ----------
    near : ndarray, shape (domains,)
        Part of every domain's servers that is near.

    >>> near_counts(np.array([1.0, 0.0, 0.0]), 2)[2].tolist()
    [1.0, 2.0, 0.0]
    """
    ways = np.zeros((members + 1, members + 1))
    ways[0, 0] = 1.0
    for part in near.tolist():
        more = np.zeros_like(ways)
        more[1:] += ways[:-1] * (1 - part)
        more[1:, 1:] += ways[:-1, :-1] * part
        ways = ways + more
    return column(ways, np.float64)


def nearest_reads(near: np.ndarray, domain: Ints, members: int) -> Floats:
    """Part of a reader's bytes that comes from every server, shape (readers, servers); rows sum to 1.

    Parameters
    ----------
    near : ndarray of bool, shape (readers, servers)
        Servers under the reader's own switch.
    domain : ndarray of int, shape (servers,)
        Failure domain of every server, from 0; domains of equal size.
    members : int
        Copies of an object.
    """
    domains = int(domain.max()) + 1
    size = len(domain) / domains
    choices = comb(domains, members)
    patterns, which = np.unique(near, axis=0, return_inverse=True)
    shares = np.zeros(patterns.shape)
    for row, mine in enumerate(patterns):
        part = np.bincount(domain, mine, domains) / size
        # An object without a near copy is read from any of its copies, which are in domains by what is far of them.
        for number in range(domains):
            others = near_counts(column(np.delete(part, number), np.float64), members - 1)[members - 1]
            here = domain == number
            as_near = sum(ways / (count + 1) for count, ways in enumerate(others.tolist())) / choices
            as_far = others[0] / members / choices
            shares[row, here & mine] += as_near / size
            shares[row, here & ~mine] += as_far / size
    return column(shares[which.ravel()], np.float64)
