"""``Topology``: the network as frozen columns of nodes and directed links.

One row of the link columns is one direction of one cable; parallel cables are parallel rows. Ids are row numbers, names
are stable and hierarchical. A failure is a mask (``up``), never a rewritten copy: ids stay valid across what-ifs.

Nodes with ``nics > 0`` are **endpoints**: traffic starts and ends there. Nodes that do not ``forward`` (hosts) are
never crossed by traffic of others. Endpoints attached to the same switches by links of the same speeds form one
**attachment group**: no routing can treat them differently unless it wants to, so routing works per group.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from topologies.attachment import AttachmentGroups, attachment_groups
from topologies.columns import Bools, Floats, Ints, column
from topologies.elements import Links, Nodes
from topologies.errors import TopologyError, nearest_hint


@dataclass(frozen=True, eq=False)
class Topology:
    """A network: nodes, directed links, and which of the links are up."""

    name: str
    kind: str
    roles: tuple[str, ...]
    tiers: tuple[str, ...]
    nodes: Nodes
    links: Links
    up: Bools  # shape (L,)
    src_port_names: tuple[str, ...] | None = None  # of every link, where a file names them
    circuit: Ints | None = None  # shape (L,), optical switch each link is patched through, -1 for none; None: no link
    said: tuple[str, ...] = ()  # what its builder has to say of it, where it differs from what was asked for
    left: Floats | None = None  # shape (L,), part of its capacity that a degraded link has left; None: all of it, all
    in_clear: Floats | None = None  # shape (L,), part of its rate that encryption leaves; None: nothing is encrypted

    # ---- identity -------------------------------------------------------------------------------------------------

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {name: node for node, name in enumerate(self.nodes.name)}

    def node(self, name: str) -> int:
        """Id of the node called ``name``.

        Raises
        ------
        TopologyError
            When there is none; the hint names the nearest.
        """
        found = self._ids.get(name)
        if found is None:
            raise TopologyError(
                f"{self.name} has no node {name!r}",
                hint=nearest_hint(
                    name,
                    self.nodes.name[:20_000],
                    otherwise=f"it has {len(self.nodes):,} nodes, such as {', '.join(self.nodes.name[:3])}",
                ),
                code="FP3101",
            )
        return found

    def has_node(self, name: str) -> bool:
        """Whether a node of that name exists."""
        return name in self._ids

    def link_name(self, link: int) -> str:
        """``"leaf3 -> spine1"``, with the cable's ordinal when several run in parallel."""
        src, dst = self.nodes.name[self.links.src[link]], self.nodes.name[self.links.dst[link]]
        ordinal = self.parallel_ordinal[link]
        return f"{src} -> {dst}" + (f" #{ordinal + 1}" if self.parallel_count[link] > 1 else "")

    # ---- derived columns ------------------------------------------------------------------------------------------

    @cached_property
    def capacity_gbps(self) -> Floats:
        """Capacity that is there now, shape (L,): 0 on links that are down, less on degraded and encrypted ones."""
        whole = self.nominal_gbps if self.left is None else self.nominal_gbps * self.left
        return column(np.where(self.up, whole, 0.0), np.float64)

    @property
    def nominal_gbps(self) -> Floats:
        """Capacity for traffic in clear with everything up and whole, shape (L,): the line rate less encryption."""
        line = self.links.capacity_gbps
        return line if self.in_clear is None else column(line * self.in_clear, np.float64)

    @cached_property
    def is_switch(self) -> Bools:
        """Whether a node forwards and is not a host, shape (N,)."""
        return column(self.nodes.forwards & (self.nodes.level > 0), np.bool_)

    @cached_property
    def endpoint_nodes(self) -> Ints:
        """Ids of the nodes where traffic starts and ends."""
        return column(np.flatnonzero(self.nodes.nics > 0), np.int32)

    @cached_property
    def _parallel(self) -> tuple[Ints, Ints]:
        pair = self.links.src.astype(np.int64) * len(self.nodes) + self.links.dst
        order = np.argsort(pair, kind="stable")
        _, start, count = np.unique(pair[order], return_index=True, return_counts=True)
        ordinal = np.empty(len(pair), dtype=np.int32)
        ordinal[order] = np.arange(len(pair)) - np.repeat(start, count)
        total = np.empty(len(pair), dtype=np.int32)
        total[order] = np.repeat(count, count)
        return column(ordinal, np.int32), column(total, np.int32)

    @property
    def parallel_ordinal(self) -> Ints:
        """Which of the parallel links of its node pair a link is, from 0, shape (L,)."""
        return self._parallel[0]

    @property
    def parallel_count(self) -> Ints:
        """How many links run in parallel to each, itself included, shape (L,)."""
        return self._parallel[1]

    @cached_property
    def src_port(self) -> Ints:
        """Ordinal of each link among the links that leave its source, from 0, shape (L,)."""
        order = np.argsort(self.links.src, kind="stable")
        sources = self.links.src[order]
        ordinal = np.empty(len(sources), dtype=np.int32)
        ordinal[order] = np.arange(len(sources)) - np.searchsorted(sources, sources, side="left")
        return column(ordinal, np.int32)

    @cached_property
    def ports_used(self) -> Floats:
        """Ports taken on every node by cables, up or down, shape (N,)."""
        used = np.bincount(self.links.src, self.links.src_ports, len(self.nodes))
        one_way = self.links.reverse < 0
        used += np.bincount(self.links.dst[one_way], self.links.src_ports[one_way], len(self.nodes))
        if self.circuit is not None:  # a cable through an optical switch takes a port on each side of it
            used += 2 * np.bincount(self.circuit[self.is_cable & (self.circuit >= 0)], minlength=len(self.nodes))
        return column(used, np.float64)

    @cached_property
    def is_cable(self) -> Bools:
        """One true row per physical cable, shape (L,): the direction with the lower id, and every one-way link."""
        ids = np.arange(len(self.links))
        return column((self.links.reverse < 0) | (ids < self.links.reverse), np.bool_)

    @cached_property
    def direction(self) -> Ints:
        """Where every link leads, shape (L,): +1 to a higher level, -1 to a lower one, 0 within a level."""
        level = self.nodes.level
        return column(np.sign(level[self.links.dst] - level[self.links.src]), np.int32)

    @cached_property
    def groups(self) -> AttachmentGroups:
        """Attachment groups of the endpoints, over the links that are up."""
        as_built = self.left is None and self.in_clear is None
        links = self.links if as_built else replace(self.links, capacity_gbps=self.capacity_gbps)
        return attachment_groups(self.nodes, links, self.up)

    # ---- failures -------------------------------------------------------------------------------------------------

    @property
    def whole(self) -> Topology:
        """The same network with everything up."""
        if self.left is None and self.up.all():
            return self
        return replace(self, up=column(np.ones(len(self.links)), np.bool_), left=None)

    def with_down(self, *, nodes: Iterable[int] = (), links: Iterable[int] = ()) -> Topology:
        """The same network with more things down: a node takes all its links, a link its cable's other direction."""
        dead = np.zeros(len(self.nodes), dtype=np.bool_)
        dead[np.fromiter(nodes, dtype=np.int64)] = True
        up = self.up & ~dead[self.links.src] & ~dead[self.links.dst]
        if self.circuit is not None:
            up &= ~(dead[self.circuit] & (self.circuit >= 0))
        cut = np.fromiter(links, dtype=np.int64)
        up[cut] = False
        other = self.links.reverse[cut]
        up[other[other >= 0]] = False
        return replace(self, up=column(up, np.bool_))

    @property
    def with_left_capacity(self) -> Topology:
        """The same network built with what degraded and encrypted links have left; for files that know neither."""
        if self.left is None and self.in_clear is None:
            return self
        capacity = column(self.nominal_gbps * (1.0 if self.left is None else self.left), np.float64)
        return replace(self, links=replace(self.links, capacity_gbps=capacity), left=None, in_clear=None)

    @property
    def at_line_rate(self) -> Topology:
        """The same network with its links in clear, at the rate of their ports."""
        return self if self.in_clear is None else replace(self, in_clear=None)

    def with_encryption(self, tiers: Iterable[str] | None, left: float) -> Topology:
        """The same network with encrypted links, whose rate has ``left`` of it for traffic in clear.

        Parameters
        ----------
        tiers : iterable of str, optional
            Tiers whose links are encrypted; None: all.
        """
        chosen = np.ones(len(self.links), dtype=np.bool_)
        if tiers is not None:
            chosen = np.isin(self.links.tier, [self.tiers.index(tier) for tier in tiers])
        return replace(self, in_clear=column(np.where(chosen, left, 1.0), np.float64))

    def with_slowed(self, links: Ints, left: Floats) -> Topology:
        """The same network with links that keep a part of their capacity, one direction each; parts multiply.

        Parameters
        ----------
        links : ndarray of int
            Ids of directed links.
        left : ndarray, shape of ``links``
            Part of the capacity that is left, above 0 and at most 1; what leaves nothing is down.
        """
        part = np.ones(len(self.links)) if self.left is None else self.left.copy()
        np.multiply.at(part, links, left)
        return replace(self, left=column(part, np.float64))


def role_nodes(topology: Topology, role: str) -> Ints:
    """Ids of the nodes of one role, in order; empty for an unknown role."""
    if role not in topology.roles:
        return column([], np.int32)
    return column(np.flatnonzero(topology.nodes.role == topology.roles.index(role)), np.int32)
