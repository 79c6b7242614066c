"""Which GPUs a failure cuts off: those outside the largest part that it leaves of their network.

Counted per fabric, on endpoints and what they are attached to, whatever they send; where parts are equally large none
of them is cut off from the others. An endpoint that reaches nobody is. A GPU that is cut off on any of its host's
fabrics counts once. Paths go through what forwards: switches, and hosts in fabrics that hosts are part of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fabric.failures.cases import Damage
from fabric.pipeline.network import Network
from fabric.routing.compiled import compiled
from topologies.columns import Bools, Ints, Longs, column
from topologies.parts import parts_of
from topologies.topology import Topology

_ONE_CABLE = 2  # directed links
_MOST_LOOKED_AT = 400  # switches of which it is looked at whether two part the others

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, eq=False)
class GpuPlaces:
    """The GPUs of a scenario and the endpoints they send from; a scenario without nodes has one per endpoint."""

    count: int
    gpu: Mapping[str, Ints]  # by fabric, shape (M,): a GPU and
    endpoint: Mapping[str, Ints]  # an endpoint of its

    @staticmethod
    def of(network: Network) -> GpuPlaces:
        """All of them."""
        gpus: dict[str, list[Ints]] = {name: [] for name in network.topologies}
        ends: dict[str, list[Ints]] = {name: [] for name in network.topologies}
        count, inventory = 0, network.inventory
        for group in inventory.groups.values():
            places = len(group.hosts) * group.gpus_per_host
            for fabric in group.nics if places else ():
                if fabric in network.topologies:
                    ends[fabric].append(inventory.gpu_endpoints(fabric, group.name).reshape(-1))
                    gpus[fabric].append(column(np.arange(count, count + places), np.int32))
            count += places
        if not inventory.groups:
            for fabric, topology in network.topologies.items():
                ends[fabric].append(topology.endpoint_nodes)
                gpus[fabric].append(column(np.arange(count, count + len(topology.endpoint_nodes)), np.int32))
                count += len(topology.endpoint_nodes)
        none = np.empty(0, np.int32)
        return GpuPlaces(
            count,
            {name: column(np.concatenate([none, *parts]), np.int32) for name, parts in gpus.items()},
            {name: column(np.concatenate([none, *parts]), np.int32) for name, parts in ends.items()},
        )


@dataclass(frozen=True, eq=False)
class Reach:
    """How many endpoints every endpoint of a fabric reaches, intact and in failure cases."""

    topology: Topology
    src: Ints  # one row per pair of nodes that are joined: both forward first, then access sorted by endpoint
    dst: Ints  # of access the endpoint
    links: Ints  # links of each that are up intact
    joined: Ints  # shape (L,), which of these a directed link is of; -1 where it carries nothing
    start: Ints  # shape (E + 1,), rows of access of every endpoint that does not forward
    cores: int  # rows of ``src`` whose nodes both forward
    intact: Ints  # shape (E,), endpoints that it reaches, as ``_reached`` says
    network: Ints  # shape (E,), equal for endpoints that have a path to each other, or a common one to others

    @staticmethod
    def of(topology: Topology) -> Reach:
        """Of a fabric as it is."""
        links, up, nodes = topology.links, np.flatnonzero(topology.up), len(topology.nodes)
        forwards, ends = topology.nodes.forwards, topology.endpoint_nodes
        tail, head = links.src[up].astype(np.int64), links.dst[up].astype(np.int64)
        is_core, is_access = forwards[tail] & forwards[head], forwards[tail] != forwards[head]
        low, high = np.minimum(tail, head), np.maximum(tail, head)
        switch, end = np.where(forwards[tail], tail, head), np.where(forwards[tail], head, tail)
        is_access &= topology.nodes.nics[end] > 0
        key = np.where(is_core, low * nodes + high, nodes * nodes + end * nodes + switch)
        kept = is_core | is_access
        pairs, which, count = np.unique(key[kept], return_inverse=True, return_counts=True)
        joined = np.full(len(links), -1, dtype=np.int32)
        joined[up[kept]] = which.reshape(-1)
        cores = int(np.searchsorted(pairs, nodes * nodes))
        access = pairs[cores:] - nodes * nodes
        src = np.concatenate([pairs[:cores] // max(nodes, 1), access % max(nodes, 1)])
        dst = np.concatenate([pairs[:cores] % max(nodes, 1), access // max(nodes, 1)])
        start = cores + np.searchsorted(access // max(nodes, 1), np.append(ends, nodes))
        columns = [column(each, np.int32) for each in (src, dst, count, joined, start)]
        counted = columns[2].copy()
        intact = _reached(columns[0], columns[1], counted, columns[3], joined[:0], cores, columns[4], forwards, ends)
        network = parts_of(nodes, src, dst)[ends]
        return Reach(
            topology,
            src=columns[0],
            dst=columns[1],
            links=columns[2],
            joined=columns[3],
            start=columns[4],
            cores=cores,
            intact=intact,
            network=column(network, np.int32),
        )

    def lost_to_two(self, damage: Damage) -> dict[tuple[int, int], list[int]]:
        """Endpoints that lose their last links to two cases together, and to neither alone; by both cases."""
        killers: dict[int, list[int]] = {}  # row of access -> cases that take all its links
        for case in range(len(damage)):
            rows, count = np.unique(self.joined[np.unique(damage.of(case)[0])], return_counts=True)
            for row in rows[(rows >= self.cores) & (count >= self.links[rows])].tolist():
                killers.setdefault(row, []).append(case)
        lost: dict[tuple[int, int], list[int]] = {}
        for place, end in enumerate(self.topology.endpoint_nodes.tolist()):
            access = range(int(self.start[place]), int(self.start[place + 1]))
            each = [set(killers.get(row, ())) for row in access]
            if len(each) < 2 or not all(each):
                continue
            some = sorted(set().union(*each))
            for at, one in enumerate(some):
                for two in some[at + 1 :]:
                    alone = any(all(case in cases for cases in each) for case in (one, two))
                    if not alone and all(one in cases or two in cases for cases in each):
                        lost.setdefault((one, two), []).append(end)
        return lost

    def cut(self, dead: Ints) -> Bools:
        """Which endpoints are cut off where links are dead, shape (E,)."""
        ends, forwards = self.topology.endpoint_nodes, self.topology.nodes.forwards
        links = self.links.copy()
        reached = _reached(self.src, self.dst, links, self.joined, dead, self.cores, self.start, forwards, ends)
        order, first, network = self._by_network
        most = np.maximum.reduceat(reached[order], first) if len(first) else reached
        return np.asarray((reached < most[network]) | ((reached == 1) & (self.intact > 1)))

    @cached_property
    def _by_network(self) -> tuple[Longs, Longs, Longs]:
        """Endpoints by their network, the first place of each network among them, and its number by endpoint."""
        _, number = np.unique(self.network, return_inverse=True)
        order = np.argsort(number, kind="stable")
        first = np.flatnonzero(np.diff(number[order], prepend=-1))
        return column(order, np.int64), column(first, np.int64), column(number, np.int64)


def gpus_cut_off(places: GpuPlaces, reach: Mapping[str, Reach], damage: Mapping[str, Damage], cases: int) -> Ints:
    """GPUs that every case cuts off, shape (N,)."""
    return np.array([len(cut_gpus(places, reach, damage, case)) for case in range(cases)], dtype=np.int32)


def cut_gpus(places: GpuPlaces, reach: Mapping[str, Reach], damage: Mapping[str, Damage], case: int) -> Ints:
    """GPUs that one case cuts off, ascending."""
    gone = [np.empty(0, dtype=np.int32)]
    for fabric, fabric_reach in reach.items():
        dead = damage[fabric].of(case)[0]
        if len(dead) and len(places.gpu[fabric]):
            cut = np.zeros(len(fabric_reach.topology.nodes), dtype=np.bool_)
            cut[fabric_reach.topology.endpoint_nodes] = fabric_reach.cut(dead)
            gone.append(places.gpu[fabric][cut[places.endpoint[fabric]]])
    return np.unique(np.concatenate(gone))


def stays_whole(reach: Reach, damage: Damage) -> bool:
    """Whether no two of the cases can part what forwards, but for switches that are down themselves.

    So it is where each case takes one joint of switches, or all of one switch, and no two switches part the others:
    then no cut of two, of either kind, does (Whitney 1932). Fabrics of several networks are not looked at.
    """
    cores = reach.cores
    if (reach.links[cores:] > _ONE_CABLE).any():
        return False
    one, other = reach.src[:cores], reach.dst[:cores]
    for case in range(len(damage)):
        rows = np.unique(reach.joined[damage.of(case)[0]])
        rows = rows[(rows >= 0) & (rows < cores)]
        if len(rows) > 1 and not any(
            ((one[rows] == node) | (other[rows] == node)).all() for node in (one[rows[0]], other[rows[0]])
        ):
            return False
    switches = np.unique(np.concatenate([one, other])).tolist()
    if not switches:
        return not damage.any.any() or len(reach.start) == 1
    import networkx as nx

    graph = nx.Graph(zip(one.tolist(), other.tolist(), strict=True))
    if reach.topology.nodes.forwards[reach.topology.endpoint_nodes].any() or len(graph) > _MOST_LOOKED_AT:
        return False
    attached = set(reach.src[cores:].tolist())
    return attached <= set(switches) and _parted_by_three(graph)


def _parted_by_three(graph: nx.Graph) -> bool:
    """Whether it takes three nodes or more to part a graph."""
    import networkx as nx

    if len(graph) < 4 or not nx.is_biconnected(graph):
        return False
    for node in list(graph):
        joined = list(graph[node])
        graph.remove_node(node)
        whole = nx.is_biconnected(graph)
        graph.add_edges_from((node, each) for each in joined)
        if not whole:
            return False
    return True


@compiled
def _root(parent: Ints, node: int) -> int:
    """The node that stands for the part that one is in."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@compiled
def _reached(
    src: Ints, dst: Ints, links: Ints, joined: Ints, dead: Ints, cores: int, start: Ints, forwards: Bools, ends: Ints
) -> Ints:
    """Endpoints in the largest part that every endpoint is in or attached to, itself included; ``links`` is used up."""
    nodes = len(forwards)
    parent = np.arange(nodes).astype(np.int32)
    is_dead = np.zeros(len(joined), dtype=np.bool_)
    for link in dead:
        if joined[link] >= 0 and not is_dead[link]:
            links[joined[link]] -= 1
        is_dead[link] = True
    for row in range(cores):
        if links[row] > 0:
            one, other = _root(parent, src[row]), _root(parent, dst[row])
            if one != other:
                parent[other] = one
    size = np.zeros(nodes, dtype=np.int32)  # endpoints of every part, by its root
    last = np.full(nodes, -1, dtype=np.int32)  # the endpoint that a part has counted last
    for place in range(len(ends)):
        if forwards[ends[place]]:
            size[_root(parent, ends[place])] += 1
        for row in range(start[place], start[place + 1]):
            root = _root(parent, src[row])
            if links[row] > 0 and last[root] != place:
                last[root] = place
                size[root] += 1
    reached = np.ones(len(ends), dtype=np.int32)
    for place in range(len(ends)):
        if forwards[ends[place]]:
            reached[place] = size[_root(parent, ends[place])]
        for row in range(start[place], start[place + 1]):
            if links[row] > 0:
                reached[place] = max(reached[place], size[_root(parent, src[row])])
    return reached
