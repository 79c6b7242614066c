"""The fabric of two stages in one topology: every state of the work between them is a mask of its cables."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from fabric.growth.cable_ends import CableEnds
from fabric.growth.rewiring import Rewiring
from topologies.columns import Bools, Floats, Ints, column
from topologies.elements import Links, Nodes
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class UnionFabric:
    """All devices and cables that are there before, during or after the work.

    Cables of the new stage come first, in the order of ``Rewiring.after``; then those that are moved away, in the order
    of ``Rewiring.moved``; then those removed.
    """

    rewiring: Rewiring
    topology: Topology
    ends: CableEnds

    @cached_property
    def at_first(self) -> Bools:
        """Cables that are plugged before the work, shape (C,)."""
        plugged = np.zeros(len(self.ends), dtype=np.bool_)
        plugged[self.rewiring.kept[:, 1]] = True
        plugged[len(self.rewiring.after) :] = True
        return column(plugged, np.bool_)

    @cached_property
    def at_last(self) -> Bools:
        """Cables that are plugged after it."""
        return column(np.arange(len(self.ends)) < len(self.rewiring.after), np.bool_)

    @property
    def moves(self) -> Ints:
        """Where every moved cable is before and after, shape (M, 2), rows of ``ends``."""
        moved = self.rewiring.moved
        away = len(self.rewiring.after) + np.arange(len(moved))
        return column(np.stack([away, moved[:, 1]], axis=1), np.int32)

    @property
    def removed(self) -> Ints:
        """Rows of ``ends`` that are removed."""
        first = len(self.rewiring.after) + len(self.rewiring.moved)
        return column(np.arange(first, len(self.ends)), np.int32)

    @cached_property
    def ports_of(self) -> Floats:
        """Ports that a cable takes at its lower and its upper end, shape (C, 2)."""
        links = self.topology.links
        there, back = links.src_ports[self.ends.link], links.src_ports[links.reverse[self.ends.link]]
        there, back = there, np.where(links.reverse[self.ends.link] < 0, there, back)
        straight = links.src[self.ends.link] == self.ends.lower
        return column(np.stack([np.where(straight, there, back), np.where(straight, back, there)], axis=1), np.float64)

    def ports_used(self, plugged: Bools) -> Floats:
        """Ports taken on every node, shape (N,)."""
        count = len(self.topology.nodes)
        used = np.bincount(self.ends.lower[plugged], self.ports_of[plugged, 0], count)
        used += np.bincount(self.ends.upper[plugged], self.ports_of[plugged, 1], count)
        return column(used, np.float64)

    def state(self, up: Bools) -> Topology:
        """The fabric with these cables up."""
        links = self.topology.links
        alive = np.zeros(len(links), dtype=np.bool_)
        alive[self.ends.link[up]] = True
        mates = links.reverse[self.ends.link[up]]
        alive[mates[mates >= 0]] = True
        return replace(self.topology, up=column(alive, np.bool_))

    @cached_property
    def in_service(self) -> Ints:
        """Endpoints of the old stage, as nodes of the union."""
        return column(self._node_of(self.rewiring.old.endpoint_nodes), np.int32)

    def _node_of(self, old: Ints) -> np.ndarray:
        """Nodes of the union from nodes of the old stage."""
        return union_nodes(self.rewiring)[old]


def union_nodes(rewiring: Rewiring) -> np.ndarray:
    """Node of the union of every node of the old stage: the new stage's, then those taken out."""
    gone = rewiring.device < 0
    return np.where(gone, len(rewiring.new.nodes) + np.cumsum(gone) - 1, rewiring.device)


def unite(rewiring: Rewiring) -> UnionFabric:
    """Both stages in one topology, everything up."""
    old, new = rewiring.old, rewiring.new
    gone = np.flatnonzero(rewiring.device < 0)
    place = union_nodes(rewiring)
    names = list(new.nodes.name)
    names += [_free_name(old.nodes.name[node], new) for node in gone.tolist()]
    roles = tuple(dict.fromkeys((*new.roles, *old.roles)))
    tiers = tuple(dict.fromkeys((*new.tiers, *old.tiers)))
    columns: dict[str, Any] = {
        field.name: np.concatenate([getattr(new.nodes, field.name), getattr(old.nodes, field.name)[gone]])
        for field in fields(Nodes)
        if field.name not in ("name", "role")
    }
    columns["role"] = np.concatenate([new.nodes.role, _codes(old.roles, roles)[old.nodes.role[gone]]])
    cables = np.concatenate([rewiring.moved[:, 0], rewiring.removed]).astype(np.int64)
    rows = rewiring.before.link[cables]
    mates = old.links.reverse[rows]
    first, paired = len(new.links), mates >= 0
    rows = np.concatenate([rows, mates[paired]])
    reverse = np.full(len(rows), -1)
    forward = np.flatnonzero(paired)
    back = len(cables) + np.arange(len(forward))
    reverse[forward], reverse[back] = first + back, first + forward
    links: dict[str, Any] = {
        field.name: np.concatenate([getattr(new.links, field.name), getattr(old.links, field.name)[rows]])
        for field in fields(Links)
    }
    for end in ("src", "dst"):
        links[end] = np.concatenate([getattr(new.links, end), place[getattr(old.links, end)[rows]]])
    links["tier"] = np.concatenate([new.links.tier, _codes(old.tiers, tiers)[old.links.tier[rows]]])
    links["reverse"] = np.concatenate([new.links.reverse, reverse])
    topology = Topology(
        name=f"{old.name} to {new.name}",
        kind=new.kind,
        roles=roles,
        tiers=tiers,
        nodes=Nodes(name=tuple(names), **{key: column(value, value.dtype) for key, value in columns.items()}),
        links=Links(**{key: column(value, getattr(new.links, key).dtype) for key, value in links.items()}),
        up=column(np.ones(first + len(rows)), np.bool_),
    )
    before, after = rewiring.before, rewiring.after
    ends = CableEnds(
        column(np.concatenate([after.link, first + np.arange(len(cables))]), np.int32),
        column(np.concatenate([after.lower, place[before.lower[cables]]]), np.int32),
        column(np.concatenate([after.upper, place[before.upper[cables]]]), np.int32),
        column(np.concatenate([after.gbps, before.gbps[cables]]), np.float64),
    )
    return UnionFabric(rewiring, topology, ends)


def _free_name(name: str, new: Topology) -> str:
    """The name of a device that is taken out, told from one of the new stage that has it."""
    return f"{name} (taken out)" if new.has_node(name) else name


def _codes(names: tuple[str, ...], table: tuple[str, ...]) -> np.ndarray:
    """Codes of names in a larger table."""
    return np.array([table.index(name) for name in names], dtype=np.int32)
