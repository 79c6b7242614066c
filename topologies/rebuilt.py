"""A topology with some of its nodes joined, split or left out; columns of the others stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from topologies.columns import column
from topologies.elements import Links, Nodes
from topologies.errors import FormatError
from topologies.topology import Topology


@dataclass(frozen=True)
class CableEnd:
    """One end of a cable at a host."""

    link: int
    leaves: bool  # whether the link leaves the host; else it only arrives
    node: int
    adapter: str
    port: str


class RebuiltTopology:
    """A topology with nodes joined, split and left out."""

    def __init__(self, base: Topology) -> None:
        self.base = base
        count = len(base.nodes)
        self.name: list[str] = list(base.nodes.name)
        self.source: list[int] = list(range(count))
        self.nics: list[int] = base.nodes.nics.tolist()
        self.rail: list[int] = base.nodes.rail.tolist()
        self.becomes = np.arange(count)
        self.gone: set[int] = set()
        self.src_of: dict[int, int] = {}
        self.dst_of: dict[int, int] = {}

    def join(self, name: str, nodes: Sequence[int], nics: int) -> None:
        """Several nodes become the first of them, under one name."""
        first = nodes[0]
        self.name[first], self.nics[first] = name, nics
        self.becomes[list(nodes)] = first
        self.gone |= set(nodes[1:])

    def split(self, name: str, ends: Sequence[CableEnd], *, rail: int) -> None:
        """A new node with some of the cable ends of another."""
        new = len(self.name)
        self.name.append(name)
        self.source.append(ends[0].node)
        self.nics.append(len(ends))
        self.rail.append(rail)
        for end in ends:
            mate = int(self.base.links.reverse[end.link])
            if end.leaves:
                self.src_of[end.link] = new
                if mate >= 0:
                    self.dst_of[mate] = new
            else:
                self.dst_of[end.link] = new

    def leave_out(self, nodes: Sequence[int]) -> None:
        """Nodes go, and cables of theirs that no other node took."""
        self.gone |= set(nodes)

    def topology(self, file: str) -> Topology:
        """What came of it."""
        base, nodes, links = self.base, self.base.nodes, self.base.links
        if self.name == list(nodes.name) and not self.gone:
            fresh = replace(nodes, nics=column(self.nics, np.int32), rail=column(self.rail, np.int32))
            return replace(base, nodes=fresh)
        kept = [node for node in range(len(self.name)) if node not in self.gone]
        kept.sort(key=lambda node: (self.source[node], node))
        names = [self.name[node] for node in kept]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise FormatError(
                f"a host and another node of {file} would both be called {twice}",
                hint='nics: "{host}" beside path keeps adapters apart',
                code="FP6013",
            )
        place = np.full(len(self.name), -1)
        place[kept] = np.arange(len(kept))
        src, dst = self.becomes[links.src], self.becomes[links.dst]
        for moved, ends in ((self.src_of, src), (self.dst_of, dst)):
            ends[list(moved)] = list(moved.values())
        src, dst = place[src], place[dst]
        stay = np.flatnonzero((src >= 0) & (dst >= 0))
        row = np.full(len(links) + 1, -1)
        row[stay] = np.arange(len(stay))
        source = [self.source[node] for node in kept]
        numbers = {
            key: column(getattr(nodes, key)[source], np.int32)
            for key in ("role", "level", "pod", "unit", "plane", "radix")
        }
        other = {
            key: column(getattr(links, key)[stay], getattr(links, key).dtype)
            for key in ("capacity_gbps", "weight", "tier", "src_ports", "length_m", "delay_us")
        }
        circuit = base.circuit
        return replace(
            base,
            nodes=Nodes(
                name=tuple(names),
                nics=column([self.nics[node] for node in kept], np.int32),
                rail=column([self.rail[node] for node in kept], np.int32),
                forwards=column(nodes.forwards[source], np.bool_),
                **numbers,
            ),
            links=Links(
                src=column(src[stay], np.int32),
                dst=column(dst[stay], np.int32),
                reverse=column(row[links.reverse[stay]], np.int32),
                **other,
            ),
            up=column(base.up[stay], np.bool_),
            src_port_names=tuple(base.src_port_names[link] for link in stay.tolist()) if base.src_port_names else None,
            circuit=None
            if circuit is None
            else column(np.where(circuit[stay] < 0, -1, place[circuit[stay]]), np.int32),
        )
