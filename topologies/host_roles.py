"""Which nodes of a file are hosts: what the user says, else what the file says, else a guess that is told.

In this order: patterns beside the path (``hosts``, ``roles``), the node groups of the scenario, the file's own roles,
and structure. Structure is a guess: clues of a format (the kind of a container), then words in names, and only where
the hosts so found are at the edge of a network that hangs together without them. Where nothing tells hosts from
switches, every node stays a router, an endpoint that forwards. Hosts never forward.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

import numpy as np

from topologies.columns import Bools, Ints, column
from topologies.elements import Links, Nodes
from topologies.errors import FormatError, nearest_hint
from topologies.tables import ENDPOINT_ROLES, ROUTER, default_tiers, encode, role_level
from topologies.topology import Topology

HOST, SWITCH = "host", "switch"
LEVEL_ROLES = {1: "leaf", 2: "spine", 3: "core"}
_HOST_WORDS = (
    "client clients compute cpu dgx dtn gpu gpus hgx host hosts login osd pc server servers srv storage vm worker "
    "workers"
)
_SWITCH_WORDS = (
    "access agg aggr aggregation asw bgw bl border br core csw dist distribution dsw edge firewall fsw fw gateway gw "
    "leaf leafs leaves lsw mls pe rack router rsw rtr spine spines ssw superspine sw switch tor"
)
_WORD_KINDS = dict.fromkeys(_HOST_WORDS.split(), HOST) | dict.fromkeys(_SWITCH_WORDS.split(), SWITCH)
_ROLE_OF_WORD = {word: word for word in ("leaf", "spine", "core", "superspine", "tor", "edge", "agg", "aggregation")}
_ROLE_OF_WORD |= {"leafs": "leaf", "leaves": "leaf", "spines": "spine"}
_NAMED = 4


@dataclass(frozen=True)
class NodeFacts:
    """What a file says of its nodes beside the columns of a topology."""

    told: bool | None = None  # whether it says what its nodes are; None: yes, unless every node is a plain router
    clues: Mapping[str, str] = field(default_factory=dict)  # host or switch by node, where the file does not say so
    why: str = ""  # how the clues came, a clause for the note
    adapters: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # host and adapter by endpoint
    labels: Mapping[str, str] = field(default_factory=dict)  # what the file calls a node, where names differ from it


@dataclass(frozen=True)
class HostKeys:
    """What a scenario says of the nodes of a file, beside its path."""

    hosts: tuple[str, ...] = ()  # patterns of names: these are the hosts, and no other
    roles: Mapping[str, str] = field(default_factory=dict)  # role by pattern of names; the first that matches
    nics: str | None = None  # template of endpoint names, {host} and {nic}
    adapters: tuple[str, ...] = ()  # adapters or ports of a host in the order of NICs; others are left out


def matching(pattern: str, name: str, label: str = "") -> bool:
    """Whether a pattern with ``*`` and ``?`` is a node's name, or what the file calls it."""
    return fnmatchcase(name, pattern) or bool(label and fnmatchcase(label, pattern))


def given_role(roles: Mapping[str, str], name: str, label: str = "") -> str | None:
    """The role that the first fitting pattern gives a node; None where none fits."""
    return next((role for pattern, role in roles.items() if matching(pattern, name, label)), None)


def some(names: Sequence[str], most: int = _NAMED) -> str:
    """A few names, and how many more there are.

    >>> some(["a", "b", "c", "d", "e", "f"])
    'a, b, c, d and 2 more'
    """
    rest = len(names) - most
    return ", ".join(names) if rest <= 1 and len(names) <= most + 1 else f"{', '.join(names[:most])} and {rest:,} more"


def is_told(topology: Topology, facts: NodeFacts) -> bool:
    """Whether the file says what its nodes are."""
    if facts.told is not None:
        return facts.told
    nodes = topology.nodes
    plain = {topology.roles[code] for code in np.unique(nodes.role).tolist()} <= {ROUTER}
    return not (plain and bool(nodes.forwards.all()) and bool((nodes.nics == 1).all()))


def word_kind(name: str) -> str | None:
    """What the words in a name say a node is; the innermost part of a hierarchical name counts first.

    >>> word_kind("pod3/leaf7"), word_kind("gpu-node-12"), word_kind("n007")
    ('switch', 'host', None)
    """
    for part in reversed(re.split(r"[/]", name)):
        words = [word for word in re.findall(r"[a-z]+", part.lower()) if word in _WORD_KINDS]
        if words:
            kinds = {_WORD_KINDS[word] for word in words}
            return kinds.pop() if len(kinds) == 1 else _WORD_KINDS[words[-1]]
    return None


def neighbours(topology: Topology) -> list[set[int]]:
    """Neighbours of every node over all cables, up or down."""
    near: list[set[int]] = [set() for _ in topology.nodes.name]
    for one, other in zip(topology.links.src.tolist(), topology.links.dst.tolist(), strict=True):
        near[one].add(other)
        near[other].add(one)
    return near


def guessed_hosts(topology: Topology, facts: NodeFacts, known: frozenset[int] = frozenset()) -> tuple[set[int], str]:
    """Nodes that structure and words take for hosts, and why; none where they do not tell.

    ``known`` are hosts already. Two hosts are never neighbours: of two such nodes the one behind which others hang
    forwards. What is left when the hosts are taken away has to hang together as it did before.
    """
    names, near = topology.nodes.name, neighbours(topology)
    kinds = [facts.clues.get(name) or word_kind(name) for name in names]
    by_clue = any(facts.clues.get(name) == HOST for name in names)
    rest = [node for node in range(len(names)) if node not in known and near[node]]
    switches = {node for node in rest if kinds[node] == SWITCH}
    candidates = {node for node in rest if kinds[node] == HOST}
    why = facts.why if by_clue else "by the words in their names"
    if not candidates and switches and not known:
        candidates = {node for node in rest if node not in switches}
        why = "by the words in the names of the switches, the only nodes they are cabled to"
        if any(near[node] - switches for node in candidates):
            return set(), ""
    candidates = _edge_only(candidates, near)
    others = set(rest) - candidates
    if not candidates or not others or any(not near[node] & others for node in candidates):
        return set(), ""
    return (candidates, why) if _hangs_together(others, near, candidates) else (set(), "")


def _edge_only(candidates: set[int], near: Sequence[set[int]]) -> set[int]:
    """Candidates, less those behind which another candidate hangs."""
    inside = [node for node in candidates if near[node] <= candidates]
    forwarding = {other for node in inside for other in near[node] if not near[other] <= candidates}
    return candidates - forwarding if inside else candidates


def _hangs_together(others: set[int], near: Sequence[set[int]], hosts: set[int]) -> bool:
    """Whether the nodes that are joined with hosts among them are joined without."""

    def parts(within: set[int]) -> int:
        left, count = set(within), 0
        while left:
            count += 1
            todo = [left.pop()]
            while todo:
                fresh = near[todo.pop()] & left
                left -= fresh
                todo += fresh
        return count

    return parts(others) <= parts(others | hosts)


def distances(host: Bools, one: Ints, other: Ints) -> Ints:
    """Level of every node by its distance from the nearest host, shape (N,); 1 where there is none."""
    level = np.where(host, 0, -1)
    for distance in range(1, len(host) + 1):
        near = np.concatenate([other[level[one] == distance - 1], one[level[other] == distance - 1]])
        fresh = near[level[near] < 0]
        if not len(fresh):
            break
        level[fresh] = distance
    return column(np.where(level < 0, 1, level), np.int32)


def named_role(name: str) -> str | None:
    """The role that a name has a word for: leaf, spine, core, ...

    >>> named_role("dc1-leaf3"), named_role("r7")
    ('leaf', None)
    """
    words = [word for word in re.findall(r"[a-z]+", name.lower()) if word in _ROLE_OF_WORD]
    return _ROLE_OF_WORD[words[-1]] if words else None


def with_hosts(topology: Topology, host: Bools, *, told: bool, others: bool = True) -> Topology:
    """The same network with these hosts, which never forward; all other nodes are switches that end no traffic.

    Parameters
    ----------
    host : ndarray, shape (N,)
        Hosts, and no other node is one.
    told : bool
        Whether the file says the roles of its nodes: then only what changes takes another role, else all do.
    others : bool
        Whether routers, which end traffic and forward it, become switches too.
    """
    nodes, links = topology.nodes, topology.links
    was = (nodes.nics > 0) & ~nodes.forwards
    words = [topology.roles[code] for code in nodes.role.tolist()]
    changed = (host != was) | (others & ~host & (nodes.nics > 0)) if told else np.ones(len(nodes), dtype=np.bool_)
    if not changed.any():
        return topology
    near = distances(host, links.src, links.dst)
    named = [named_role(name) for name in nodes.name]
    all_named = all(named[node] for node in np.flatnonzero(~host).tolist())
    level = nodes.level.copy()
    for node in np.flatnonzero(changed).tolist():
        if host[node]:
            words[node] = words[node] if words[node] in ENDPOINT_ROLES else HOST
            level[node] = 0
        else:
            role = named[node] if all_named else None
            words[node] = role or LEVEL_ROLES.get(int(near[node]), SWITCH)
            level[node] = role_level(role) if role else near[node]
    nics = np.where(host, np.maximum(nodes.nics, 1), np.where(changed, 0, nodes.nics))
    forwards = np.where(changed, ~host, nodes.forwards)
    return with_node_columns(topology, words, level=level, nics=nics, forwards=forwards)


def with_roles(topology: Topology, roles: Mapping[str, str], facts: NodeFacts, file: str) -> Topology:
    """The same network with the roles that a scenario gives by pattern.

    Raises
    ------
    FormatError
        FP6013, when a pattern matches no node.
    """
    if not roles:
        return topology
    nodes = topology.nodes
    words = [topology.roles[code] for code in nodes.role.tolist()]
    level, nics, forwards = nodes.level.copy(), nodes.nics.copy(), nodes.forwards.copy()
    unused = {
        pattern
        for pattern in roles
        if not any(matching(pattern, name, facts.labels.get(name, "")) for name in nodes.name)
    }
    for node, name in enumerate(nodes.name):
        role = given_role(roles, name, facts.labels.get(name, ""))
        if role is None:
            continue
        ends = role in ENDPOINT_ROLES
        words[node], level[node], forwards[node] = role, role_level(role), not ends
        nics[node] = max(int(nics[node]), 1) if ends or role == ROUTER else 0
    if unused:
        raise no_match("roles", sorted(unused)[0], topology, file)
    return with_node_columns(topology, words, level=level, nics=nics, forwards=forwards)


def no_match(key: str, pattern: str, topology: Topology, file: str) -> FormatError:
    """The error of a pattern that matches no node of a file."""
    return FormatError(
        f"{key}: {pattern!r} matches no node of {file}",
        where=key,
        hint=nearest_hint(pattern, topology.nodes.name[:20_000], otherwise=f"its nodes: {some(topology.nodes.name)}"),
        code="FP6013",
    )


def with_node_columns(topology: Topology, words: Sequence[str], **columns: np.ndarray) -> Topology:
    """The same network with other roles and node columns; tiers that went by role go by the new ones."""
    table, role = encode(words)
    old = topology.nodes
    kept = {key: getattr(old, key) for key in ("level", "pod", "unit", "rail", "plane", "radix", "nics", "forwards")}
    kept |= {key: column(values, getattr(old, key).dtype) for key, values in columns.items()}
    nodes = Nodes(name=old.name, role=role, **kept)
    return _with_tiers(topology, nodes, table, topology.links)


def _with_tiers(topology: Topology, nodes: Nodes, roles: tuple[str, ...], links: Links) -> Topology:
    before = default_tiers(topology.roles, topology.nodes.role, topology.nodes.level, links.src, links.dst)
    after = default_tiers(roles, nodes.role, nodes.level, links.src, links.dst)
    words = [topology.tiers[code] for code in links.tier.tolist()]
    tiers, tier = encode([new if word == old else word for word, old, new in zip(words, before, after, strict=True)])
    return replace(topology, nodes=nodes, roles=roles, tiers=tiers, links=replace(links, tier=tier))
