"""A topology from plain tables of nodes and directed links: what readers of files and graphs share.

A table names only the columns it knows; the others take the defaults below. ``role`` and ``tier`` are words here and
become codes in the topology.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from topologies.columns import Bools, Ints, column
from topologies.elements import Links, Nodes
from topologies.node_names import check_unique
from topologies.topology import Topology

ROUTER = "router"
ENDPOINT_ROLES = ("host", "nic")
"""Roles that end traffic and never forward that of others."""

_LEVELS = {
    **dict.fromkeys(ENDPOINT_ROLES, 0),
    **dict.fromkeys(("leaf", "edge", "tor", ROUTER), 1),
    **dict.fromkeys(("spine", "aggregation", "agg"), 2),
    **dict.fromkeys(("core", "superspine", "super-spine"), 3),
}

NODE_COLUMNS: dict[str, tuple[type, Any]] = {
    "level": (np.int32, 1),
    "pod": (np.int32, -1),
    "unit": (np.int32, -1),
    "rail": (np.int32, -1),
    "plane": (np.int32, -1),
    "radix": (np.int32, 0),
    "nics": (np.int32, 1),
    "forwards": (np.bool_, True),
}
"""Numeric node columns: type and default."""

LINK_COLUMNS: dict[str, tuple[type, Any]] = {
    "weight": (np.float64, 1.0),
    "src_ports": (np.float64, 1.0),
    "length_m": (np.float64, np.nan),
    "delay_us": (np.float64, np.nan),
}
"""Numeric link columns that may be left out: type and default. ``src``, ``dst`` and ``capacity_gbps`` may not."""


def role_level(role: str) -> int:
    """Height above the hosts that a role usually has; 1 for roles we do not know.

    >>> role_level("host"), role_level("spine"), role_level("cpe")
    (0, 2, 1)
    """
    return _LEVELS.get(role, 1)


def encode(words: Sequence[str], known: Sequence[str] = ()) -> tuple[tuple[str, ...], Ints]:
    """Codes of words: the table starts with ``known`` and goes on in order of first appearance.

    >>> encode(["leaf", "spine", "leaf"])
    (('leaf', 'spine'), array([0, 1, 0], dtype=int32))
    """
    table = tuple(dict.fromkeys([*known, *words]))
    codes = {word: code for code, word in enumerate(table)}
    return table, column(np.fromiter(map(codes.__getitem__, words), np.int32, len(words)), np.int32)


def pair_directions(src: ArrayLike, dst: ArrayLike) -> Ints:
    """Pair directed links into cables: the k-th link u to v with the k-th link v to u.

    Returns
    -------
    ndarray, shape (L,)
        The row of the other direction, -1 where there is none.

    Examples
    --------
    >>> pair_directions([0, 1, 0], [1, 0, 1])
    array([ 1,  0, -1], dtype=int32)
    """
    tail, head = np.asarray(src, np.int64), np.asarray(dst, np.int64)
    count = len(tail)
    if not count:
        return column([], np.int32)
    width = int(max(tail.max(), head.max())) + 1
    there, back = tail * width + head, head * width + tail
    order = np.argsort(there, kind="stable")
    ranked = there[order]
    ordinal = np.empty(count, dtype=np.int64)
    ordinal[order] = np.arange(count) - np.searchsorted(ranked, ranked, side="left")
    # Rows of ``back`` in ``ranked`` start here; the k-th of them is k further on, if it is still the same pair.
    place = np.searchsorted(ranked, back, side="left") + ordinal
    inside = np.minimum(place, count - 1)
    found = (place < count) & (ranked[inside] == back) & (tail != head)
    return column(np.where(found, order[inside], -1), np.int32)


def default_tiers(roles: Sequence[str], role: Ints, level: Ints, src: Ints, dst: Ints) -> list[str]:
    """``lower-upper`` by role, the same for both directions of a cable; one word per link."""
    down = (level[src] > level[dst]) | ((level[src] == level[dst]) & (role[src] > role[dst]))
    low, high = role[np.where(down, dst, src)].astype(np.int64), role[np.where(down, src, dst)]
    pairs, inverse = np.unique(low * len(roles) + high, return_inverse=True)
    words = [f"{roles[pair // len(roles)]}-{roles[pair % len(roles)]}" for pair in pairs.tolist()]
    return [words[pair] for pair in inverse.tolist()]


def topology_of_tables(
    name: str,
    kind: str,
    *,
    names: Sequence[str],
    roles: Sequence[str],
    nodes: Mapping[str, ArrayLike],
    links: Mapping[str, ArrayLike],
    tiers: Sequence[str | None],
    reverse: ArrayLike,
    up: ArrayLike | None = None,
    known_roles: Sequence[str] = (),
    known_tiers: Sequence[str] = (),
) -> Topology:
    """Build a topology from tables.

    Parameters
    ----------
    roles : sequence of str, length N
        Role of every node.
    nodes : mapping
        Node columns by name; see ``NODE_COLUMNS`` for those that may be left out. Scalars hold for all.
    links : mapping
        ``src``, ``dst``, ``capacity_gbps`` (Gbps, one direction) and any of ``LINK_COLUMNS``, each of length L.
    tiers : sequence of str or None, length L
        Tier of every link; None takes ``lower-upper`` by role.
    reverse : array, shape (L,)
        Row of the other direction of the same cable, -1 for one-way links.

    Raises
    ------
    TopologyError
        When two nodes share a name.
    """
    check_unique(names)
    role_table, role = encode(roles, known_roles)
    columns = {
        key: column(np.broadcast_to(np.asarray(nodes.get(key, default), dtype), (len(names),)), dtype)
        for key, (dtype, default) in NODE_COLUMNS.items()
    }
    src, dst = column(links["src"], np.int32), column(links["dst"], np.int32)
    values = {
        key: column(np.broadcast_to(np.asarray(links.get(key, default), dtype), (len(src),)), dtype)
        for key, (dtype, default) in LINK_COLUMNS.items()
    }
    words = list(tiers)
    if None in words:
        usual = default_tiers(role_table, role, columns["level"], src, dst)
        words = [word if word is not None else other for word, other in zip(words, usual, strict=True)]
    tier_table, tier = encode([word for word in words if word is not None], known_tiers)
    alive: Bools = np.ones(len(src), dtype=np.bool_) if up is None else np.asarray(up, dtype=np.bool_)
    return Topology(
        name=name,
        kind=kind,
        roles=role_table,
        tiers=tier_table,
        nodes=Nodes(name=tuple(names), role=role, **columns),
        links=Links(
            src=src,
            dst=dst,
            capacity_gbps=column(links["capacity_gbps"], np.float64),
            tier=tier,
            reverse=column(reverse, np.int32),
            **values,
        ),
        up=column(alive, np.bool_),
    )
