"""The fabric as a tree: role, then unit or pod, then switch, then its hosts; every branch with its worst load."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.result import PhaseRoute
from topologies.columns import Floats, Ints, Longs, column


@dataclass(frozen=True, eq=False)
class Branch:
    """One line of the tree.

    ``key`` tells branches apart for good; ``node`` is the topology node of a switch or host, else -1; ``worst`` is the
    highest utilisation of the links of all nodes inside.
    """

    key: tuple[str, ...]
    name: str
    kind: str  # fabric, role, unit, pod, switch, host
    depth: int
    nodes: int
    worst: float
    down: int
    node: int = -1
    opens: bool = True
    number: int = -1  # of a unit or pod


class FabricTree:
    """Branches of a routed phase, made when they are opened."""

    def __init__(self, route: PhaseRoute) -> None:
        self.route = route
        topology = route.topology
        links = topology.links
        worst = np.zeros(len(topology.nodes))
        load = np.where(np.isfinite(route.utilisation), route.utilisation, 1e9)
        np.maximum.at(worst, links.src, load)
        np.maximum.at(worst, links.dst, load)
        self._inside: dict[tuple[str, ...], list[Branch]] = {}
        self.worst: Floats = worst
        self.down: Ints = column(np.bincount(links.src[~topology.up], minlength=len(worst)), np.int32)

    def root(self) -> Branch:
        """The fabric."""
        switches = column(np.flatnonzero(self.route.topology.is_switch), np.int32)
        return self._branch((self.route.fabric,), self.route.fabric, "fabric", 0, switches)

    def children(self, branch: Branch) -> list[Branch]:
        """What is inside a branch, in structural order; made once."""
        if branch.key not in self._inside:
            self._inside[branch.key] = self._found(branch)
        return self._inside[branch.key]

    def _found(self, branch: Branch) -> list[Branch]:
        topology = self.route.topology
        nodes, depth = topology.nodes, branch.depth + 1
        if branch.kind == "fabric":
            codes = nodes.role[topology.is_switch]
            order = sorted(set(codes.tolist()), key=lambda code: -int(nodes.level[nodes.role == code].max()))
            return [
                self._branch((*branch.key, topology.roles[code]), topology.roles[code], "role", depth, self._role(code))
                for code in order
            ]
        if branch.kind == "role":
            inside = self._role(topology.roles.index(branch.key[1]))
            for kind, words, group_of in (("unit", "SU", nodes.unit), ("pod", "pod", nodes.pod)):
                groups = sorted(set(group_of[inside].tolist()) - {-1})
                if len(groups) > 1:
                    found = [
                        self._branch(
                            (*branch.key, f"{words}{group}"),
                            f"{words}{group}",
                            kind,
                            depth,
                            inside[group_of[inside] == group],
                            number=group,
                        )
                        for group in groups
                    ]
                    return found + [self._single(branch, node, depth) for node in inside[group_of[inside] < 0].tolist()]
            return [self._single(branch, node, depth) for node in inside.tolist()]
        if branch.kind in ("unit", "pod"):
            inside = self._role(topology.roles.index(branch.key[1]))
            group_of = nodes.unit if branch.kind == "unit" else nodes.pod
            return [self._single(branch, node, depth) for node in inside[group_of[inside] == branch.number].tolist()]
        if branch.kind == "switch":
            return [self._single(branch, node, depth) for node in self._hosts(branch.node).tolist()]
        return []

    def way(self, node: int) -> list[Branch]:
        """Branches from the root down to a node."""
        topology = self.route.topology
        found = [self.root()]
        if not topology.is_switch[node]:
            links = topology.links
            above = links.dst[(links.src == node) & topology.nodes.forwards[links.dst]]
            if len(above):
                found = self.way(int(above[0]))
        while found[-1].node != node:
            step = next((child for child in self.children(found[-1]) if self._holds(child, node)), None)
            if step is None:
                break
            found.append(step)
        return found

    def _holds(self, branch: Branch, node: int) -> bool:
        nodes = self.route.topology.nodes
        if branch.node >= 0:
            return branch.node == node
        if branch.kind == "role":
            return str(self.route.topology.roles[nodes.role[node]]) == branch.name
        group_of = nodes.unit if branch.kind == "unit" else nodes.pod
        return int(group_of[node]) == branch.number

    def _role(self, code: int) -> Ints:
        topology = self.route.topology
        return np.flatnonzero(topology.is_switch & (topology.nodes.role == code)).astype(np.int32)

    @cached_property
    def _attached(self) -> tuple[Longs, Longs]:
        """Links from switches to hosts, sorted by switch: switches, and hosts beside them."""
        topology = self.route.topology
        links = topology.links
        mine = np.flatnonzero((topology.nodes.nics[links.dst] > 0) & topology.is_switch[links.src])
        mine = mine[np.lexsort((links.dst[mine], links.src[mine]))]
        return links.src[mine].astype(np.int64), links.dst[mine].astype(np.int64)

    @cached_property
    def _host_count(self) -> Ints:
        """Hosts on every switch, shape (N,); a host with several cables to it is one."""
        switches, hosts = self._attached
        fresh = np.ones(len(switches), dtype=np.bool_)
        fresh[1:] = (np.diff(switches) != 0) | (np.diff(hosts) != 0)
        return column(np.bincount(switches[fresh], minlength=len(self.route.topology.nodes)), np.int32)

    def _hosts(self, switch: int) -> Ints:
        switches, hosts = self._attached
        first, last = np.searchsorted(switches, [switch, switch + 1])
        return column(np.unique(hosts[first:last]), np.int32)

    def _single(self, above: Branch, node: int, depth: int) -> Branch:
        topology = self.route.topology
        name = topology.nodes.name[node]
        is_switch = bool(topology.is_switch[node])
        count = int(self._host_count[node]) if is_switch else 0
        kind = "switch" if is_switch else "host"
        return Branch(
            (*above.key, name), name, kind, depth, count, float(self.worst[node]), int(self.down[node]), node, count > 0
        )

    def _branch(
        self, key: tuple[str, ...], name: str, kind: str, depth: int, inside: Ints, *, number: int = -1
    ) -> Branch:
        worst = float(self.worst[inside].max(initial=0.0))
        return Branch(key, name, kind, depth, len(inside), worst, int(self.down[inside].sum()), number=number)
