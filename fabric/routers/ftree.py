"""Destination-modulo routing as the ``ftree`` engine of InfiniBand's subnet manager assigns it: one path per endpoint.

Rules and numbers are those of ``fabric.routing.modulo_trees``. On an intact k-ary fat tree every shift permutation has
links of its own; other permutations may meet on one, whatever the numbers of flows. A host with several ports on the
fabric is one destination with one path; engines give each port an address of its own. Fabrics whose switches stand on
one level are not trees: there every switch takes its shortest next hop of number j modulo their count, as a note says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fabric.routing.destination_flows import flows_by_destination
from fabric.routing.equal_split import ecmp_loads
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import parallel_loads
from fabric.routing.modulo_trees import Numbering, TreeNet, load_trees, number_endpoints, tree_net, walk_trees
from fabric.routing.router import ROUTERS, DestinationFlows, FlowPaths, PairTraffic, Routing
from fabric.routing.traits import RouterTraits
from topologies.columns import Floats, Ints, Longs, column, concatenate
from topologies.errors import RoutingError
from topologies.registry import Injected
from topologies.topology import Topology

MOST_PORTS = 100_000_000  # switches x endpoints, of tables
MOST_PATHS = 1_000_000  # paths (source switch, endpoint, class) written out unasked
_CHUNK = 1_000_000  # entries worked on at a time, 20 MB


@dataclass(frozen=True, eq=False)
class _Entries:
    """What some endpoints receive, sorted by endpoint, from which graph nodes."""

    start: Longs  # shape (endpoints + 1,)
    src: Ints  # shape (nnz,), graph nodes
    code: Ints  # traffic class
    gbps: Floats


class _Receivers:
    """Endpoints that receive over the graph, by sink; entries are made some endpoints at a time.

    A dense block is kept as members per source node: its all-to-all of n endpoints on s switches has n·s entries.
    """

    def __init__(self, graph: RoutingGraph, pairs: Sequence[PairTraffic]) -> None:
        self.graph = graph
        ends = [pair.flows.dst for pair in pairs] + [b.members for pair in pairs for b in pair.flows.blocks]
        node = np.unique(np.concatenate(ends)) if ends else np.empty(0, dtype=np.int32)
        node = node[graph.sink[node] >= 0]
        self.node = node[np.argsort(graph.sink[node], kind="stable")]
        self.sink: Ints = column(graph.sink[self.node], np.int32)
        self._row_of = np.full(len(graph.topology.nodes), -1, dtype=np.int64)
        self._row_of[self.node] = np.arange(len(self.node))
        self._rows = self._explicit(pairs)
        self._blocks = [
            (np.sort(self._row_of[block.members]), *np.unique(graph.source[block.members], return_counts=True),
             block.amount * pair.gbps_per_unit, code)
            for code, pair in enumerate(pairs) for block in pair.flows.blocks
        ]  # fmt: skip
        self.count = len(self._rows[0]) + sum(len(block[0]) * len(block[1]) for block in self._blocks)

    def _explicit(self, pairs: Sequence[PairTraffic]) -> tuple[Longs, Ints, Ints, Floats]:
        row = concatenate([self._row_of[pair.flows.dst] for pair in pairs], np.int64)
        src = concatenate([self.graph.source[pair.flows.src] for pair in pairs], np.int32)
        code = concatenate([np.full(len(pair.flows.src), number) for number, pair in enumerate(pairs)], np.int32)
        gbps = concatenate([pair.flows.amount * pair.gbps_per_unit for pair in pairs], np.float64)
        order = np.argsort(row, kind="stable")
        return row[order], src[order], code[order], gbps[order]

    def entries(self, first: int, last: int) -> _Entries:
        """What endpoints ``first`` to ``last`` receive; from themselves nothing, nor what crosses no link."""
        mine = slice(*np.searchsorted(self._rows[0], [first, last]).tolist())
        parts = [tuple(part[mine] for part in self._rows)]
        for rows, nodes, members, each, kind in self._blocks:
            to = rows[slice(*np.searchsorted(rows, [first, last]).tolist())]
            row, src = np.repeat(to, len(nodes)), np.tile(nodes, len(to))
            others = np.tile(members, len(to)) - (src == self.graph.source[self.node[row]])
            parts.append((row, src, np.full(len(row), kind), others * each))
        row, src, code, gbps = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        keep = (src >= 0) & (src != self.sink[row]) & (gbps > 0)
        row, src, code, gbps = row[keep], src[keep], code[keep], gbps[keep]
        order = np.argsort(row, kind="stable")
        return _Entries(
            start=column(np.searchsorted(row[order], np.arange(first, last + 1)), np.int64),
            src=column(src[order], np.int32),
            code=column(code[order], np.int32),
            gbps=column(gbps[order], np.float64),
        )

    def chunks(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Ranges of endpoints with about ``_CHUNK`` entries each."""
        step = max(1, _CHUNK * len(self.node) // max(self.count, 1))
        return ((at, min(at + step, last)) for at in range(first, last, step))


def _endpoint_ports(topology: Topology) -> Ints:
    """Link of every switch towards every endpoint, for tables."""
    from fabric.routing.modulo_ports import ftree_ports

    cells = int(topology.nodes.forwards.sum()) * len(topology.endpoint_nodes)
    if cells > MOST_PORTS:
        raise RoutingError(
            f"router ftree has a next hop per switch and endpoint: {cells:,}; {MOST_PORTS:,} are the most",
            hint="router ecmp has tables of any size",
            code="FP5030",
        )
    return ftree_ports(topology)


@ROUTERS.register(
    "ftree",
    example={},
    traits=RouterTraits(placement="one-path", endpoint_ports=_endpoint_ports, ties="number"),
)
def ftree(
    graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], pairs: Injected[Sequence[PairTraffic]]
) -> Routing:
    """One path per destination endpoint, next hops by its number modulo theirs (InfiniBand ftree, D-mod-k)."""
    receivers, net, numbers = _Receivers(graph, pairs), tree_net(graph), number_endpoints(graph.topology)
    number = numbers.of_node[receivers.node]

    def work(first: int, last: int, loads: Floats) -> None:
        for low, high in receivers.chunks(first, last):
            some = receivers.entries(low, high)
            load_trees(
                net, receivers.sink[low:high], number[low:high], some.start, some.src, some.code, some.gbps, loads
            )

    loads = parallel_loads(len(receivers.node), (len(graph.src), demand.gbps.shape[1]), work)
    _, unreachable = ecmp_loads(graph, demand)
    listed = receivers.count <= MOST_PATHS
    return Routing(
        "ftree",
        loads,
        unreachable,
        paths=_paths(receivers, net, numbers) if listed else None,
        notes=_notes(graph, receivers),
        flows=None if listed else partial(_by_destination, receivers, net, numbers, demand),
    )


def _by_destination(
    receivers: _Receivers, net: TreeNet, numbers: Numbering, demand: PhaseDemand
) -> DestinationFlows | None:
    """Loads by destination, of all endpoints behind it; None where they would be too many rows."""
    bounds = np.searchsorted(receivers.sink, [demand.dest, demand.dest + 1]).tolist()
    number = numbers.of_node[receivers.node]

    def add(row: int, loads: Floats) -> None:
        first, last = bounds[0][row], bounds[1][row]
        some = receivers.entries(first, last)
        load_trees(
            net, receivers.sink[first:last], number[first:last], some.start, some.src, some.code, some.gbps, loads
        )

    return flows_by_destination(len(demand.dest), len(receivers.graph.src), demand.gbps.shape[1], add)


def _notes(graph: RoutingGraph, receivers: _Receivers) -> tuple[str, ...]:
    """What about this answer is not as the name says."""
    level = graph.topology.nodes.level[graph.node_of[~graph.is_terminal]]
    several = int(graph.is_terminal[receivers.sink].sum())
    notes = {
        "all switches stand on one level: next hops by number, without a tree": len(np.unique(level)) < 2,
        f"{several:,} endpoints with several ports receive on one of them": several > 0,
        f"{receivers.count:,} paths are worked out when they are exported": receivers.count > MOST_PATHS,
    }
    return tuple(note for note, holds in notes.items() if holds)


def _paths(receivers: _Receivers, net: TreeNet, numbers: Numbering) -> FlowPaths:
    """Every entry's path; all endpoints behind a source node share it."""
    some = receivers.entries(0, len(receivers.node))
    length, edge = walk_trees(net, receivers.sink, numbers.of_node[receivers.node], some.start, some.src)
    row = np.repeat(np.arange(len(receivers.node)), np.diff(some.start))
    found = length > 0
    return FlowPaths(
        src=column(some.src[found], np.int32),
        dst=column(receivers.sink[row[found]], np.int32),
        src_endpoint=column(np.full(int(found.sum()), -1), np.int32),
        dst_endpoint=column(receivers.node[row[found]], np.int32),
        code=column(some.code[found], np.int32),
        gbps=column(some.gbps[found], np.float64),
        start=column(np.concatenate([[0], np.cumsum(length[found])]), np.int32),
        edge=column(edge, np.int32),
    )
