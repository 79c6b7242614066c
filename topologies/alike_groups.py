"""Attachment groups that have equal places in a network: the same distances and path counts to all others.

Two switches with the same neighbours may change places, and nothing else moves. So may two groups of endpoints that
are alone on such switches, one switch after the other: as seen from any third group they are the same, and what the one
sees the other does. On a folded Clos the groups of a pod's leaves are one class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topologies.columns import Floats, Ints, Longs
from topologies.equal_rows import first_equal_row


@dataclass(frozen=True, eq=False)
class AlikeGroups:
    """Classes of groups; each is told by its first group."""

    leader: Longs  # shape (G,), first group of the class of every group
    size: Floats  # shape (G,), endpoints of every group

    @property
    def leaders(self) -> Longs:
        """The first groups of all classes."""
        return np.unique(self.leader)

    def pairs(self, first: Longs) -> Floats:
        """Ordered pairs of endpoints that a group and the class of ``first`` have, shape (G, classes), float64.

        Of the pairs between different groups of one class all are counted at its second group.
        """
        of_class = np.bincount(self.leader, self.size, len(self.leader))
        squares = np.bincount(self.leader, self.size**2, len(self.leader))
        pairs = self.size[:, None] * of_class[first]
        pairs[self.leader[:, None] == first] = 0.0
        column = np.arange(len(first))
        pairs[first, column] = (squares - of_class)[first]
        rest = np.flatnonzero(self.leader != np.arange(len(self.leader)))
        leaders, at = np.unique(self.leader[rest], return_index=True)
        second = np.full(len(self.leader), -1)
        second[leaders] = rest[at]
        several = second[first] >= 0
        pairs[second[first[several]], column[several]] = (of_class**2 - squares)[first[several]]
        return pairs


def alike_groups(size: Ints, group: Ints, vertex: Ints, links: Floats, twin: Longs) -> AlikeGroups:
    """Classes of attachment groups.

    Parameters
    ----------
    size : ndarray of int, shape (G,)
        Endpoints of every group.
    group, vertex, links : ndarray, shape (H,)
        Groups, ascending, the vertices they enter at, and by how many links.
    twin : ndarray of int, shape (V,)
        One of the vertices with the same arcs, out and back, for every vertex.
    """
    groups = len(size)
    crowded = np.bincount(vertex, minlength=len(twin)) > 1
    alone = np.ones(groups, dtype=np.bool_)
    alone[group] = False
    alone[group[crowded[vertex]]] = True
    order = np.lexsort((links, twin[vertex], group))
    start = np.searchsorted(group[order], np.arange(groups + 1))
    apart = np.where(alone[group[order]], group[order], -1)
    leader = first_equal_row(start, twin[vertex[order]], links[order], apart)
    leader[alone] = np.flatnonzero(alone)
    return AlikeGroups(leader, size.astype(np.float64))


def twins(count: int, tail: Ints, head: Ints, *columns: NDArray[np.float64]) -> Longs:
    """One of the vertices with the same arcs out and back, columns of arcs included, for every vertex, shape (V,)."""
    sides = []
    for near, far in ((tail, head), (head, tail)):
        order = np.lexsort((far, near))
        start = np.searchsorted(near[order], np.arange(count + 1))
        sides.append(first_equal_row(start, far[order], *(values[order] for values in columns)))
    _, first, place = np.unique(sides[0] * count + sides[1], return_index=True, return_inverse=True)
    return np.asarray(first[place], dtype=np.int64)
