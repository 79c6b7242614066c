"""``SwitchTree``: the hosts of one fabric as schedulers see them, in groups inside groups.

A scheduler knows no rails, planes or cables, only which hosts are near each other. The **lowest group** is the hosts
attached to the same switches: those of one leaf, of a dual-homed pair, of a rail-optimised unit (one group, not one per
rail). Each **higher group** is a connected part of the network when it is cut above a level: hosts that reach each
other over switches of level 1 to t. Links inside a level join first within a pod (groups of a dragonfly, cubes of a
torus), then all. Levels that join nothing are left out, so that the depth is the network's own.

The tree is that of the network as it is built: what is down now changes which hosts are down, not what they are
attached to. It knows which hosts are near, not how fast: the speed and the number of links between groups are not in
it.

Where every host has a set of switches of its own (BCube, ZCube), the lowest group is the hosts on the same first
switch. Parts that never meet (rails of a rail-only fabric) have no common top, unless a scale-up domain joins them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fabric.pipeline.host_parts import HostsOfFabric
from fabric.share.schedulers.group_names import GroupSwitches, level_names
from topologies.columns import Bools, Ints, Longs, column
from topologies.equal_rows import first_equal_row
from topologies.topology import Topology
from traffic.inventory import Inventory


@dataclass(frozen=True, eq=False)
class TreeLevel:
    """Groups of one level."""

    word: str  # what a group is: leaf, unit, pod, ...
    names: tuple[str, ...]  # unique over all levels of the tree
    parent: Ints  # shape (G,), group of the next level that each is in; -1 where it is in none
    joint: bool = False  # whether scale-up domains, not switches, join what is below

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class SwitchTree:
    """Hosts of one fabric in groups inside groups; row ``i`` of the columns is host ``i``."""

    fabric: str
    hosts: tuple[str, ...]
    group: Ints  # shape (H,), lowest group of every host; -1 where no cable leads to a switch
    levels: tuple[TreeLevel, ...]  # lowest first; empty where no host is attached
    down: Bools  # shape (H,), hosts that no link reaches now
    notes: tuple[str, ...] = ()  # what is to be said of the tree

    @cached_property
    def group_at(self) -> tuple[Ints, ...]:
        """Group of every host by level, lowest first, each of shape (H,); -1 for hosts that are not attached."""
        rows = [self.group]
        for level in self.levels[:-1]:
            known = rows[-1] >= 0
            rows.append(column(np.where(known, level.parent[np.where(known, rows[-1], 0)], -1), np.int32))
        return tuple(rows[: len(self.levels)])

    @cached_property
    def attached(self) -> Ints:
        """Hosts with a place in the tree, by number."""
        return column(np.flatnonzero(self.group >= 0), np.int32)

    def members(self, level: int) -> list[Ints]:
        """Hosts of every group of a level, by number, in the order of the hosts."""
        group = self.group_at[level]
        order = np.argsort(group, kind="stable")
        bounds = np.searchsorted(group[order], np.arange(len(self.levels[level]) + 1))
        return [column(order[a:b], np.int32) for a, b in itertools.pairwise(bounds)]

    def children(self, level: int) -> list[Ints]:
        """Groups of the level below in every group of a level above the lowest."""
        parent = self.levels[level - 1].parent
        order = np.argsort(parent, kind="stable")
        bounds = np.searchsorted(parent[order], np.arange(len(self.levels[level]) + 1))
        return [column(order[a:b], np.int32) for a, b in itertools.pairwise(bounds)]

    @property
    def roots(self) -> int:
        """Groups of the highest level: parts of the network that never meet, where there are several."""
        return len(self.levels[-1]) if self.levels else 0


def switch_tree(inventory: Inventory, fabric: str) -> SwitchTree:
    """The tree of one fabric.

    Parameters
    ----------
    inventory : Inventory
        The hosts of a scenario, listed or made up by builders, and its topologies with what is down.

    Returns
    -------
    SwitchTree
        Hosts are in the order of the scenario; groups in that of their first host.
    """
    topology = inventory.topologies[fabric]
    nodes = HostsOfFabric(fabric, inventory).nodes
    hosts = tuple(nodes)
    host_of = np.full(len(topology.nodes), -1, dtype=np.int64)
    count = np.fromiter(map(len, nodes.values()), dtype=np.int64, count=len(hosts))
    ends = np.fromiter((node for each in nodes.values() for node in each), dtype=np.int64, count=int(count.sum()))
    host_of[ends] = np.repeat(np.arange(len(hosts)), count)
    cables = _HostCables.of(topology, host_of, len(hosts))
    lowest, first = _lowest(topology, cables, len(hosts))
    parts = _Parts(topology, cables, host_of, lowest)
    domains = _domain_of_host(inventory, fabric, hosts)
    partitions, joint = parts.coarser(domains)
    levels = _levels(_own_switches(topology, cables, lowest, first), lowest, partitions, joint=joint)
    tree = SwitchTree(fabric, hosts, lowest, levels, cables.down)
    return replace(tree, notes=tuple(_notes(topology, tree, singled=first is not None, joint=joint)))


@dataclass(frozen=True, eq=False)
class _HostCables:
    """Which switches hosts are cabled to: every pair once, by host and then by switch."""

    host: Ints
    switch: Ints  # node ids
    start: Ints  # shape (H + 1,), where the pairs of each host begin
    down: Bools  # shape (H,)

    @staticmethod
    def of(topology: Topology, host_of: Longs, hosts: int) -> _HostCables:
        links = topology.links
        ends = (host_of >= 0) & ~topology.is_switch
        leaving, entering = (
            ends[links.src] & topology.is_switch[links.dst],
            ends[links.dst] & topology.is_switch[links.src],
        )
        routers = np.flatnonzero((host_of >= 0) & topology.is_switch)  # where traffic starts and ends: each is its own
        host = np.concatenate([host_of[links.src[leaving]], host_of[links.dst[entering]], host_of[routers]])
        switch = np.concatenate([links.dst[leaving], links.src[entering], routers])
        pairs = np.unique(host * len(topology.nodes) + switch)
        host, switch = pairs // len(topology.nodes), pairs % len(topology.nodes)
        live = np.zeros(hosts, dtype=np.bool_)
        touched = topology.up & ((host_of[links.src] >= 0) | (host_of[links.dst] >= 0))
        for end in (host_of[links.src[touched]], host_of[links.dst[touched]]):
            live[end[end >= 0]] = True
        start = np.searchsorted(host, np.arange(hosts + 1))
        return _HostCables(
            column(host, np.int32), column(switch, np.int32), column(start, np.int32), column(~live, np.bool_)
        )


def _lowest(topology: Topology, cables: _HostCables, hosts: int) -> tuple[Ints, Ints | None]:
    """Lowest group of every host, -1 for none; and the switch of every group, where groups are by the first switch."""
    attached = np.flatnonzero(np.diff(cables.start) > 0)
    starts = np.append(cables.start[:-1][attached], len(cables.switch)).astype(np.int64)
    equal = column(first_equal_row(starts, cables.switch) if len(attached) else attached, np.int32)
    singled = len(np.unique(equal)) == len(attached) and len(np.unique(cables.switch)) < len(cables.switch)
    if singled:
        plane, unit = topology.nodes.plane[cables.switch], topology.nodes.unit[cables.switch]
        order = np.lexsort((cables.switch, unit, plane, cables.host))
        equal = cables.switch[order][np.searchsorted(cables.host[order], attached)]
    found, first, code = np.unique(equal, return_index=True, return_inverse=True)
    group = np.full(hosts, -1, dtype=np.int64)
    group[attached] = np.argsort(np.argsort(first))[code]
    return column(group, np.int32), column(found[np.argsort(first)], np.int32) if singled else None


def _own_switches(topology: Topology, cables: _HostCables, lowest: Ints, first: Ints | None) -> GroupSwitches:
    """Switches of every lowest group, for its name."""
    if first is not None:
        return GroupSwitches(topology, column(np.arange(len(first)), np.int32), first)
    pairs = np.unique(lowest[cables.host].astype(np.int64) * len(topology.nodes) + cables.switch)
    return GroupSwitches(topology, pairs // len(topology.nodes), pairs % len(topology.nodes))


class _Parts:
    """The network cut above a level, over lowest groups and switches as the nodes of one graph."""

    def __init__(self, topology: Topology, cables: _HostCables, host_of: Longs, lowest: Ints) -> None:
        self.topology, self.lowest = topology, lowest
        self.groups = int(lowest.max(initial=-1)) + 1
        pairs = np.unique(lowest[cables.host].astype(np.int64) * len(topology.nodes) + cables.switch)
        self.own_group, self.own_switch = pairs // len(topology.nodes), pairs % len(topology.nodes)
        links, nodes = topology.links, topology.nodes
        keep = topology.is_cable & topology.is_switch[links.src] & topology.is_switch[links.dst]
        self.src, self.dst = links.src[keep].astype(np.int64), links.dst[keep].astype(np.int64)
        level, pod = nodes.level, nodes.pod
        self.link_level = np.maximum(level[self.src], level[self.dst])
        same_level = level[self.src] == level[self.dst]
        self.across = same_level & ((pod[self.src] != pod[self.dst]) | (pod[self.src] < 0))
        # Hosts that forward are cabled to each other (DCell); they meet at the lowest level, after its pods.
        keep = topology.is_cable & (host_of[links.src] >= 0) & (host_of[links.dst] >= 0)
        keep &= nodes.forwards[links.src] & nodes.forwards[links.dst]
        self.near, self.far = lowest[host_of[links.src[keep]]], lowest[host_of[links.dst[keep]]]

    def coarser(self, domains: Ints | None) -> tuple[list[Ints], bool]:
        """Part of every lowest group, level by level while parts join; and whether the last joins scale-up domains."""
        found: list[Ints] = []
        groups = column(np.arange(self.groups), np.int32)
        count = self.groups
        for height in np.unique(self.topology.nodes.level[self.topology.is_switch]).tolist():
            for across in (False, True):
                parts = self._cut(height, across=across)
                if len(np.unique(parts)) < count:
                    count = len(np.unique(parts))
                    found.append(parts)
        if count <= 1 or domains is None:
            return found, False
        joined = self._joined(found[-1] if found else groups, domains)
        if len(np.unique(joined)) == count:
            return found, False
        return [*found, joined], True

    def _cut(self, height: int, *, across: bool) -> Ints:
        level = self.topology.nodes.level
        own = level[self.own_switch] <= height
        inner = (self.link_level < height) | ((self.link_level == height) & (across | ~self.across))
        ends = (
            [self.own_group[own], self.groups + self.src[inner]],
            [
                self.groups + self.own_switch[own],
                self.groups + self.dst[inner],
            ],
        )
        if across:
            ends[0].append(self.near)
            ends[1].append(self.far)
        return self._components(np.concatenate(ends[0]), np.concatenate(ends[1]))

    def _joined(self, parts: Ints, domains: Ints) -> Ints:
        """Parts that scale-up domains join."""
        known = (domains >= 0) & (self.lowest >= 0)
        offset = self.groups + int(parts.max()) + 1
        groups = np.arange(self.groups)
        near = np.concatenate([groups, self.lowest[known]])
        far = np.concatenate([self.groups + parts, offset + domains[known]])
        return self._components(near, far)

    def _components(self, near: Ints, far: Ints) -> Ints:
        size = max(int(np.max(near, initial=0)), int(np.max(far, initial=0)), self.groups) + 1
        graph = coo_array((np.ones(len(near), dtype=np.int8), (near, far)), shape=(size, size))
        return column(connected_components(graph, directed=False)[1][: self.groups], np.int32)


def _domain_of_host(inventory: Inventory, fabric: str, hosts: tuple[str, ...]) -> Ints | None:
    """Scale-up domain of every host, -1 for none; None where none joins hosts."""
    place = {host: number for number, host in enumerate(hosts)}
    domain = np.full(len(hosts), -1, dtype=np.int64)
    first = 0
    for name, group in inventory.groups.items():
        spanned = hosts_per_domain(inventory, name)
        if fabric not in group.nics or spanned <= 1:
            continue
        rows = np.array([place[host] for host in group.hosts], dtype=np.int64)
        domain[rows] = first + np.arange(len(rows)) // spanned
        first = int(domain.max()) + 1
    return column(domain, np.int32) if first else None


def hosts_per_domain(inventory: Inventory, group: str) -> int:
    """Hosts that one scale-up domain of a node group joins; 1 where it has none, or none beyond a host."""
    links = inventory.scale_up(group)
    per_host = inventory.gpus_per_host(group)
    return max(links.domain // max(per_host, 1), 1) if links and per_host else 1


def _levels(own: GroupSwitches, lowest: Ints, partitions: list[Ints], *, joint: bool) -> tuple[TreeLevel, ...]:
    """Levels with names and parents; groups are numbered in the order of their first."""
    groups = int(lowest.max(initial=-1)) + 1
    if not groups:
        return ()
    rows: list[Ints] = [column(np.arange(groups), np.int32)]
    for parts in partitions:
        _, first, code = np.unique(parts, return_index=True, return_inverse=True)
        rows.append(column(np.argsort(np.argsort(first))[code], np.int32))
    levels = []
    for number, (word, names) in enumerate(level_names(own, rows, joint=joint)):
        parent = np.full(len(names), -1, dtype=np.int64)
        if number + 1 < len(rows):
            parent[rows[number]] = rows[number + 1]
        levels.append(TreeLevel(word, names, column(parent, np.int32), joint and number + 1 == len(rows)))
    return tuple(levels)


def _notes(topology: Topology, tree: SwitchTree, *, singled: bool, joint: bool) -> Iterator[str]:
    """What a tree cannot express, or expresses differently."""
    loose = [tree.hosts[host] for host in np.flatnonzero(tree.group < 0)[:3].tolist()]
    if loose:
        count = int((tree.group < 0).sum())
        some = _some(loose, count)
        yield f"{count:,} of {len(tree.hosts):,} hosts are attached to no switch and are not in the tree: {some}"
    gone = np.flatnonzero(tree.down & (tree.group >= 0))
    if len(gone):
        some = _some([tree.hosts[host] for host in gone[:3].tolist()], len(gone))
        what = "host is down and is" if len(gone) == 1 else "hosts are down and are"
        yield f"{len(gone):,} {what} in the tree all the same, as it is built: {some}"
    if singled:
        yield (
            "every host has switches of its own choice; the lowest group is the hosts on the same first switch, though "
            "they meet others as near on their other switches"
        )
    if joint:
        yield (
            f"{len(tree.levels[-2]):,} parts of the network never meet; only scale-up domains join them, so a job that "
            "spans parts relies on these"
        )
    elif tree.roots > 1:
        some = _some(list(tree.levels[-1].names[:3]), tree.roots)
        yield f"{tree.roots:,} parts of the network never meet, and have no common top: {some}"
    if len(tree.levels) == 2 and tree.roots == 1 and not singled and _is_flat(topology):
        yield (
            f"{topology.kind} has no tiers: every {tree.levels[0].word} is one group under one top, and how near two "
            "of them are is not in the tree"
        )


def _is_flat(topology: Topology) -> bool:
    """Whether all switches that forward are of one level and several."""
    return len(np.unique(topology.nodes.level[topology.is_switch])) == 1 and int(topology.is_switch.sum()) > 1


def _some(names: list[str], count: int) -> str:
    return ", ".join(names) + (", …" if count > len(names) else "")
