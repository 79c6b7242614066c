"""Names of the nodes that builders make, by one rule (docs/names.md).

A name is the containers of a node from the outside in, each a word and a number, joined by ``/``, and last the word of
its role with its index inside the innermost container: ``pod3/leaf7``, ``plane1/core3``, ``leaf0/h3``. Numbers start at
0 and have no leading zeros, so that a fabric that grows keeps its names. Where a position is a coordinate, the index is
the coordinates joined by dots: ``switch0.2.1``.

Containers are numbered as the columns ``pod``, ``unit``, ``rail`` and ``plane`` are; a unit, whose number holds for the
whole fabric, does not repeat its pod.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence, Sized

import numpy as np
from numpy.typing import ArrayLike

from topologies.budget import NODE_BYTES, Counts, check_memory
from topologies.errors import TopologyError

ROLE_WORDS = {"host": "h", "aggregation": "agg", "management": "mgmt"}
"""Words of roles in names; every other role is its own word."""

CONTAINERS = ("pod", "unit", "plane", "rail", "group")
"""Words of containers in names."""


_LONGEST_TEMPLATE = 256
_WIDEST = 64  # digits of a number in a name


def check_names(count: int) -> None:
    """Refuse more nodes than fit the memory, before their names are made (FP3050)."""
    check_memory(Counts([("nodes", count)], count * NODE_BYTES), "this fabric")


def check_template(template: str, *, where: str) -> None:
    """Refuse a name template that makes names nobody can read (FP3031).

    Raises
    ------
    TopologyError
        When it is longer than 256 characters, or gives a number more than 64 digits.
    """
    try:
        forms = [form or "" for _, name, form, _ in string.Formatter().parse(template) if name is not None]
    except ValueError:
        return  # what is wrong with it is said where it is filled in
    widest = max((int(digits[:9]) for form in forms for digits in re.findall(r"\d+", form)), default=0)
    nested = any("{" in form for form in forms)
    if len(template) <= _LONGEST_TEMPLATE and widest <= _WIDEST and not nested:
        return
    shown = template if len(template) < 60 else f"{template[:60]}…"
    what = f"is {len(template):,} characters long" if len(template) > _LONGEST_TEMPLATE else "makes very long names"
    raise TopologyError(
        f"name template {shown!r} {what}",
        where=where,
        hint=f"at most {_LONGEST_TEMPLATE} characters, and a width of at most {_WIDEST}, such as {{index:03d}}",
        code="FP3031",
    )


def check_unique(names: Sequence[str], hint: str = "names must be unique") -> None:
    """Refuse two nodes of one name.

    Raises
    ------
    TopologyError
        With the first name that comes twice (FP3102).
    """
    if len(set(names)) != len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise TopologyError(f"two nodes are called {twice!r}", hint=hint, code="FP3102")


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
    check_names(len(index) if isinstance(index, Sized) else 1)
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
    check_names(len(outer) * counts if isinstance(counts, int) else sum(counts))
    each = [counts] * len(outer) if isinstance(counts, int) else counts
    word = role_word(role)
    return [f"{name}/{word}{index}" for name, count in zip(outer, each, strict=True) for index in range(count)]
