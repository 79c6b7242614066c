"""Port numbers of switches: place among the links that leave a node, from 1, as built; failures renumber nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from topologies.columns import Ints, column
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class Ports:
    """Ports of every node of a topology."""

    topology: Topology

    @cached_property
    def of_link(self) -> Ints:
        """Port at the source of every directed link, shape (L,), from 1."""
        return column(self.topology.src_port + 1, np.int32)

    @cached_property
    def _by_source(self) -> tuple[Ints, Ints]:
        src = self.topology.links.src
        order = np.argsort(src, kind="stable")
        start = np.searchsorted(src[order], np.arange(len(self.topology.nodes) + 1))
        return column(start, np.int32), column(order, np.int32)

    def links(self, node: int) -> Ints:
        """Directed links that leave a node, by port: port p is row p - 1."""
        start, order = self._by_source
        return order[start[node] : start[node + 1]]

    def link(self, node: int, port: int) -> int:
        """The directed link that leaves ``node`` by ``port``, -1 when there is no such port."""
        links = self.links(node)
        return int(links[port - 1]) if 1 <= port <= len(links) else -1
