"""Balanced edge colouring of bipartite multigraphs.

König: u colours suffice when no node has more than u edges, and alternating paths find them. A node with more is cut
into nodes of u edges each, largest flows first (de Werra, "Equitable colorations of graphs", 1971): it then has ⌈n/u⌉
edges of a colour at most, and two colours differ there by less than one largest flow.
"""

from __future__ import annotations

import numpy as np

from fabric.routing.compiled import compiled
from topologies.columns import Ints

_NO = -1


def balanced_colours(near: Ints, far: Ints, colours: int) -> Ints:
    """A colour per flow so that every node has at most ⌈n / colours⌉ flows of each.

    Parameters
    ----------
    near, far : ndarray, shape (F,)
        The flows' ends, which are nodes of two separate sets; largest flows first.
    colours : int

    Returns
    -------
    ndarray, shape (F,)
        Colours from 0.

    Examples
    --------
    Three hosts of leaf 0 send to leaves 1, 1, and 2; two uplinks carry two flows and one.

    >>> balanced_colours(np.array([0, 0, 0]), np.array([1, 1, 2]), 2)
    array([0, 1, 0], dtype=int32)
    """
    left, right = _cut(near, colours), _cut(far, colours)
    found = np.full(len(near), _NO, dtype=np.int32)
    at_left = np.full((int(left.max(initial=-1)) + 1, colours), _NO, dtype=np.int32)
    at_right = np.full((int(right.max(initial=-1)) + 1, colours), _NO, dtype=np.int32)
    _colour_edges(left, right, at_left, at_right, found)
    return found


def _cut(node: Ints, size: int) -> Ints:
    """Nodes cut into parts of ``size`` flows each, in the order the flows come; number of every flow's part."""
    order = np.argsort(node, kind="stable")
    ranked = node[order]
    fresh = np.ones(len(node), dtype=np.bool_)
    fresh[1:] = ranked[1:] != ranked[:-1]
    first = np.flatnonzero(fresh)
    rank = np.arange(len(node)) - np.repeat(first, np.diff(np.append(first, len(node))))
    part = np.empty(len(node), dtype=np.int32)
    part[order] = np.cumsum(rank % size == 0) - 1
    return part


@compiled
def _colour_edges(left: Ints, right: Ints, at_left: Ints, at_right: Ints, found: Ints) -> None:
    """Proper edge colouring by alternating paths; ``at_left[node, colour]`` is the edge there, or -1."""
    colours = at_left.shape[1]
    for edge in range(len(left)):
        a, b = -1, -1
        both = -1
        for turn in range(colours):
            # Starting at another colour for every edge spreads what stays free.
            colour = (edge + turn) % colours
            free_left, free_right = at_left[left[edge], colour] < 0, at_right[right[edge], colour] < 0
            if free_left and free_right:
                both = colour
                break
            if free_left and a < 0:
                a = colour
            if free_right and b < 0:
                b = colour
        if both < 0:
            both = a
            _flip(left, right, at_left, at_right, found, right[edge], a, b)
        found[edge] = both
        at_left[left[edge], both] = edge
        at_right[right[edge], both] = edge


@compiled
def _flip(left: Ints, right: Ints, at_left: Ints, at_right: Ints, found: Ints, node: int, a: int, b: int) -> None:
    """Exchange the colours on the path of alternating ``a`` and ``b`` that begins with ``a`` at a right node.

    ``b`` is free there, so the path cannot return; the left end of the new edge lacks ``a``, so it cannot end there.
    """
    edge = at_right[node, a]
    at_right[node, a] = -1
    colour, other = a, b
    on_right = True
    while edge >= 0:
        found[edge] = other
        if on_right:
            at_right[right[edge], other] = edge
            following = at_left[left[edge], other]
            at_left[left[edge], other] = edge
            if following < 0:
                at_left[left[edge], colour] = -1
        else:
            at_left[left[edge], other] = edge
            following = at_right[right[edge], other]
            at_right[right[edge], other] = edge
            if following < 0:
                at_right[right[edge], colour] = -1
        edge = following
        colour, other = other, colour
        on_right = not on_right
