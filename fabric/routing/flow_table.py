"""Single flows: traffic class x pair of endpoints x queue pair, one row each, for routers that place flows one by one.

Dense blocks are written out. A pair's rate is spread evenly over its queue pairs. Pairs behind the same graph node, and
pairs whose ends have no place in the graph, load no edge and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.routing.graph import RoutingGraph
from fabric.routing.router import PairTraffic
from topologies.columns import Floats, Ints, column, concatenate


@dataclass(frozen=True, eq=False)
class FlowTable:
    """Flows sorted by the node they leave the graph at; those to ``dest[row]`` are ``start[row]:start[row + 1]``."""

    dest: Ints  # shape (D,), graph nodes
    start: Ints  # shape (D + 1,)
    src: Ints  # shape (F,), graph node where the flow enters
    src_endpoint: Ints  # topology nodes
    dst_endpoint: Ints
    code: Ints  # traffic class
    gbps: Floats

    def __len__(self) -> int:
        return len(self.src)

    @property
    def row(self) -> Ints:
        """Index into ``dest`` of every flow, shape (F,)."""
        return column(np.repeat(np.arange(len(self.dest)), np.diff(self.start)), np.int32)

    @property
    def dst(self) -> Ints:
        """Graph node where every flow leaves, shape (F,)."""
        return column(np.repeat(self.dest, np.diff(self.start)), np.int32)


def flow_count(pairs: Sequence[PairTraffic]) -> int:
    """Flows that a table would have at most, without building it."""
    return sum(part.flows.pairs * part.flows_per_pair for part in pairs)


def flow_table(graph: RoutingGraph, pairs: Sequence[PairTraffic]) -> FlowTable:
    """All flows of a phase that cross the graph."""
    src, dst, code, gbps = [], [], [], []
    for number, part in enumerate(pairs):
        tail, head, amount = part.flows.rows()
        keep = (graph.source[tail] >= 0) & (graph.sink[head] >= 0) & (graph.source[tail] != graph.sink[head])
        keep &= amount > 0
        each = amount[keep] * (part.gbps_per_unit / part.flows_per_pair)
        src.append(np.repeat(tail[keep], part.flows_per_pair))
        dst.append(np.repeat(head[keep], part.flows_per_pair))
        gbps.append(np.repeat(each, part.flows_per_pair))
        code.append(np.full(len(src[-1]), number))
    tail, head = concatenate(src, np.int32), concatenate(dst, np.int32)
    sink = graph.sink[head]
    order = np.argsort(sink, kind="stable")
    dest, first = np.unique(sink[order], return_index=True)
    return FlowTable(
        dest=column(dest, np.int32),
        start=column(np.append(first, len(sink)), np.int32),
        src=column(graph.source[tail[order]], np.int32),
        src_endpoint=column(tail[order], np.int32),
        dst_endpoint=column(head[order], np.int32),
        code=column(concatenate(code, np.int32)[order], np.int32),
        gbps=column(concatenate(gbps, np.float64)[order], np.float64),
    )
