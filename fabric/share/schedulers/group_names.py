"""Names of the groups of a switch tree: those that the topology has for them, else a word and a number.

A group of one switch has its name. A group of several has the name of the container around them (``pod3``, from names
such as ``pod3/leaf7`` or from the column), where no other group of its level is in it; one of a switch per plane or
rail has the name that they share; a pair has both names. Else it is numbered: ``group4``. A name that a lower level has
already is left to that level.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from topologies.columns import Ints
from topologies.topology import Topology

_COLUMNS = ("pod", "unit", "rail", "plane")
_NUMBERED = re.compile(r"(.*?)\d*$")


@dataclass(frozen=True, eq=False)
class GroupSwitches:
    """Switches that hosts of the lowest groups are attached to, each pair once, ordered by group."""

    topology: Topology
    group: Ints
    switch: Ints  # node ids


def level_names(own: GroupSwitches, rows: Sequence[Ints], *, joint: bool) -> list[tuple[str, tuple[str, ...]]]:
    """Word and names of every level, lowest first.

    Parameters
    ----------
    rows : sequence of ndarray, shape (lowest groups,)
        Group of every lowest group by level.
    joint : bool
        Whether the last level is of scale-up domains that join parts of the network.
    """
    taken: set[str] = set()
    named: list[tuple[str, tuple[str, ...]]] = []
    words: set[str] = set()
    for number, row in enumerate(rows):
        count = int(row.max()) + 1
        top = number + 1 == len(rows) and count == 1
        word, names = ("fabric", [own.topology.name]) if top and number else _named(own, row, count, leaf=not number)
        if joint and number + 1 == len(rows) and not top:
            word, names = "joined", [f"joined{place}" for place in range(count)]
        while word in words:
            word = f"outer-{word}"
        if taken.intersection(names) or len(set(names)) < count:
            names = [f"{word}-{place}" for place in range(count)]
        names = [_free(name, taken) for name in names]
        words.add(word)
        taken.update(names)
        named.append((word, tuple(names)))
    return named


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "-group"
    return name


def _named(own: GroupSwitches, row: Ints, count: int, *, leaf: bool) -> tuple[str, list[str]]:
    """Word and names of one level, which may not be unique."""
    nodes = own.topology.nodes
    group = row[own.group]
    pairs = np.unique(group.astype(np.int64) * len(nodes) + own.switch)
    group, switch = pairs // len(nodes), pairs % len(nodes)
    start = np.searchsorted(group, np.arange(count + 1))
    most = int(np.diff(start).max())
    roles = [own.topology.roles[code] for code in np.unique(nodes.role[switch]).tolist()]
    role = roles[0] if len(roles) == 1 else "switch"
    if most == 1:
        return role, [nodes.name[node] for node in switch.tolist()]
    members = [[nodes.name[node] for node in switch[a:b].tolist()] for a, b in itertools.pairwise(start)]
    if names := _containers(members):
        word = _NUMBERED.sub(r"\1", names[0].rsplit("/", 1)[-1])
        return word or "group", names
    tails = [{_tail(name) for name in each} for each in members]
    if all(len(tail) == 1 for tail in tails) and len(set().union(*tails)) == count:
        return role, [tail.pop() for tail in tails]
    for name in _COLUMNS:
        values = getattr(nodes, name)[switch]
        first = values[start[:-1]]
        if (values == np.repeat(first, np.diff(start))).all() and first.min() >= 0 and len(np.unique(first)) == count:
            return name, [f"{name}{value}" for value in first.tolist()]
    if leaf and most <= 2:
        return f"{role}-pair", ["-".join(name.replace("/", "-") for name in each) for each in members]
    return "group", [f"group{place}" for place in range(count)]


def _tail(name: str) -> str:
    """A name without the plane or the rail around it."""
    head, _, rest = name.partition("/")
    return rest if rest and head.startswith(("plane", "rail")) else name


def _containers(members: Sequence[Sequence[str]]) -> list[str]:
    """The innermost container around the switches of every group; none where two groups share one, or one has none."""
    found = []
    for names in members:
        parts = [name.split("/")[:-1] for name in names]
        shared = []
        for words in zip(*parts, strict=False):
            if len(set(words)) > 1:
                break
            shared.append(words[0])
        found.append("/".join(shared))
    return found if all(found) and len(set(found)) == len(found) else []
