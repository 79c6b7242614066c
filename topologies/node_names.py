"""Names of the nodes that builders make, by one rule (docs/names.md).

A name is the containers of a node from the outside in, each a word and a number, joined by ``/``, and last the word of
its role with its index inside the innermost container: ``pod3/leaf7``, ``plane1/core3``, ``leaf0/h3``. Numbers start at
0 and have no leading zeros, so that a fabric that grows keeps its names. Where a position is a coordinate, the index is
the coordinates joined by dots: ``switch0.2.1``.

Containers are numbered as the columns ``pod``, ``unit``, ``rail`` and ``plane`` are; a unit, whose number holds for the
whole fabric, does not repeat its pod.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

ROLE_WORDS = {"host": "h", "aggregation": "agg", "management": "mgmt"}
"""Words of roles in names; every other role is its own word."""

CONTAINERS = ("pod", "unit", "plane", "rail", "group")
"""Words of containers in names."""


def role_word(role: str) -> str:
    """The word that names use for a role.

    >>> role_word("aggregation"), role_word("spine")
    ('agg', 'spine')
    """
    return ROLE_WORDS.get(role, role)


def node_names(role: str, index: ArrayLike, *, prefix: str = "", **containers: ArrayLike) -> list[str]:
    """Names of the nodes of one role.

    Parameters
    ----------
    index : array of int, shape (N,) or (N, D)
        Index of every node in its innermost container, or the D coordinates of its place.
    prefix : str
        Containers around all of them, such as ``rail2/``.
    containers : array of int, shape (N,), or int
        Number of every node's container by the container's word, the outermost first.

    >>> node_names("leaf", [0, 1, 0], unit=[0, 0, 1])
    ['unit0/leaf0', 'unit0/leaf1', 'unit1/leaf0']
    >>> node_names("switch", [[0, 2, 1]])
    ['switch0.2.1']
    """
    unknown = set(containers) - set(CONTAINERS)
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]!r} is not a word for a container")
    places = np.asarray(index)
    count = len(places)
    rows = (".".join(map(str, place)) if isinstance(place, list) else str(place) for place in places.tolist())
    columns = [np.broadcast_to(np.asarray(numbers), (count,)).tolist() for numbers in containers.values()]
    form = prefix + "".join(f"{word}%d/" for word in containers) + role_word(role) + "%s"
    return [form % row for row in zip(*columns, rows, strict=True)]


def names_inside(outer: Sequence[str], role: str, counts: Sequence[int] | int) -> list[str]:
    """Names of the nodes of one role inside of named ones, each with so many.

    >>> names_inside(["leaf0", "leaf1"], "host", [2, 1])
    ['leaf0/h0', 'leaf0/h1', 'leaf1/h0']
    """
    each = [counts] * len(outer) if isinstance(counts, int) else counts
    word = role_word(role)
    return [f"{name}/{word}{index}" for name, count in zip(outer, each, strict=True) for index in range(count)]
