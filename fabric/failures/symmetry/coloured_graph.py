"""A fabric with all that is sent over it as one coloured graph: what a symmetry has to leave as it is.

Nodes are those of the topology, one more per host whose NICs are endpoints of their own, and one per block of dense
demand, joined to its members. Edges are directed links, demands, and those memberships; colours say everything else
about them: tier, capacity, weight, class and amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from topologies.columns import Floats, Ints, Longs, column
from topologies.topology import Topology
from traffic.demands import Flows

_DIGITS = 12  # of an amount that count


@dataclass(frozen=True, eq=False)
class ColouredGraph:
    """Directed edges and their colours; the first edges are the links of the topology, in their order."""

    colour: Ints  # shape (V,), of nodes, from 0
    src: Ints  # shape (E,)
    dst: Ints
    edge_colour: Ints  # shape (E,), from 0
    links: int

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.colour)

    @cached_property
    def incidence(self) -> tuple[Longs, Ints, Longs]:
        """Edges by node, twice: first place of every node, the node at the other end, and colour with direction."""
        ends = np.concatenate([self.dst, self.src])
        others = np.concatenate([self.src, self.dst])
        codes = np.concatenate([2 * self.edge_colour.astype(np.int64), 2 * self.edge_colour.astype(np.int64) + 1])
        order = np.argsort(ends, kind="stable")
        start = np.searchsorted(ends[order], np.arange(self.nodes + 1))
        return column(start, np.int64), column(others[order], np.int32), column(codes[order], np.int64)

    def edge_keys(self, image: Ints | Longs) -> Longs:
        """A number per edge that says its ends under ``image`` and its colour, shape (E,)."""
        colours = int(self.edge_colour.max(initial=0)) + 1
        ends = image[self.src].astype(np.int64) * self.nodes + image[self.dst]
        return ends * colours + self.edge_colour


def coloured_graph(topology: Topology, demands: Sequence[Flows], host_of: Ints | None = None) -> ColouredGraph:
    """The graph of a fabric and of all its demands.

    Parameters
    ----------
    demands : sequence of Flows
        Of every traffic class of every phase, each once.
    host_of : ndarray of int, shape (N,), optional
        Host of every endpoint, -1 for none; endpoints of one host stay together.
    """
    nodes, links = topology.nodes, topology.links
    whole = np.ones(len(links)) if topology.left is None else topology.left
    looks = [(nodes.role, nodes.level, nodes.nics, nodes.forwards)]
    kinds = [np.column_stack([np.asarray(values, dtype=np.float64) for values in looks[0]])]
    src, dst = [links.src], [links.dst]
    marks = [np.column_stack([links.tier, links.capacity_gbps, links.weight, topology.up, whole]).astype(np.float64)]
    number = len(nodes)
    if host_of is not None and (host_of >= 0).any():
        ends = np.flatnonzero(host_of >= 0)
        hosts, host = np.unique(host_of[ends], return_inverse=True)
        src.append(column(ends, np.int32))
        dst.append(column(number + host, np.int32))
        marks.append(_marked(-1, np.zeros(len(ends))))
        kinds.append(np.full((len(hosts), kinds[0].shape[1]), -1.0))
        number += len(hosts)
    for code, flows in enumerate(demands):
        src.append(flows.src)
        dst.append(flows.dst)
        marks.append(_marked(-2 - code, _rounded(flows.amount), _shared(topology, flows.src, flows.dst)))
        for block in flows.blocks:
            src.append(block.members)
            dst.append(column(np.full(len(block.members), number), np.int32))
            marks.append(_marked(-2 - code, np.full(len(block.members), _rounded(np.array([block.amount]))[0])))
            kinds.append(np.full((1, kinds[0].shape[1]), -2.0))
            number += 1
    _, colour = np.unique(np.concatenate(kinds), axis=0, return_inverse=True)
    _, edge_colour = np.unique(np.concatenate(marks), axis=0, return_inverse=True)
    return ColouredGraph(
        column(colour.ravel(), np.int32),
        column(np.concatenate(src), np.int32),
        column(np.concatenate(dst), np.int32),
        column(edge_colour.ravel(), np.int32),
        len(links),
    )


def _marked(kind: int, amount: Floats, shared: Ints | None = None) -> Floats:
    """Rows of a kind of edge that is no link."""
    near = np.zeros(len(amount)) if shared is None else shared
    return np.column_stack([np.full(len(amount), float(kind)), amount, near, np.zeros((len(amount), 2))])


def _shared(topology: Topology, src: Ints, dst: Ints) -> Ints:
    """What the ends of demands share: switch, pod, unit, rail, plane, one bit each.

    Refinement alone does not see who is near whom. A symmetry that would mix these is passed over.
    """
    nodes, links = topology.nodes, topology.links
    switch = np.arange(len(nodes), dtype=np.int64)
    leaving = np.flatnonzero((nodes.nics[links.src] > 0) & ~nodes.forwards[links.src])[::-1]
    switch[links.src[leaving]] = links.dst[leaving]
    code = (switch[src] == switch[dst]).astype(np.int32)
    for bit, column_of in enumerate((nodes.pod, nodes.unit, nodes.rail, nodes.plane), start=1):
        place = np.where(column_of >= 0, column_of, column_of[switch])
        code += (place[src] == place[dst]).astype(np.int32) << bit
    return column(code, np.int32)


def _rounded(amount: Floats) -> Floats:
    """Amounts without what rounding left in their last digits."""
    mantissa, exponent = np.frexp(amount)
    return np.asarray(np.ldexp(np.round(mantissa, _DIGITS), exponent))
