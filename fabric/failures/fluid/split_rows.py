"""Rows of explicit splits, for groups that are frozen as they are."""

from __future__ import annotations

import numpy as np

from fabric.failures.fluid.columns import Rows
from fabric.failures.fluid.row_state import empty_rows, index_rows
from fabric.failures.frozen_splits import link_of_edge
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Splits


def rows_by_splits(graph: RoutingGraph, demand: PhaseDemand, splits: Splits, columns: int) -> Rows:
    """Rows of a graph in which every endpoint with several links is a node of its own."""
    link, place = link_of_edge(graph), np.zeros(graph.nodes, np.int32)
    pieces = []
    for row, dest in enumerate(demand.dest.tolist()):
        some = slice(int(splits.start[row]), int(splits.start[row + 1]))
        used = splits.fraction[some] > 0
        edge, part = splits.edge[some][used], splits.fraction[some][used]
        tail = graph.src[edge]
        _, first = np.unique(tail, return_index=True)
        node = np.concatenate([[dest], tail[np.sort(first)[::-1]]]).astype(np.int32)  # nearest first
        place[node] = np.arange(len(node))
        order = np.argsort(place[tail], kind="stable")
        pieces.append((node, edge[order], part[order], place[tail][order], place[graph.dst[edge]][order]))
    nodes = np.array([len(piece[0]) for piece in pieces], np.int64)
    hops = np.array([len(piece[1]) for piece in pieces], np.int64)
    rows = empty_rows(demand.dest, nodes, hops, columns, len(graph.topology.links))
    for row, (node, edge, part, tail, head) in enumerate(pieces):
        base, first_hop = int(rows.row["node_start"][row]), int(rows.row["edge_start"][row])
        mine, own = slice(base, base + len(node)), slice(first_hop, first_hop + len(edge))
        entry = np.full(graph.nodes, -1, np.int64)
        sent = slice(int(demand.start[row]), int(demand.start[row + 1]))
        entry[demand.src[sent]] = np.arange(sent.start, sent.stop)
        rows.node["node"][mine], rows.node["entry"][mine] = node, entry[node]
        rows.node["hop_start"][mine] = first_hop + np.searchsorted(tail, np.arange(len(node)))
        rows.hop["link"][own], rows.hop["part"][own] = link[edge], part
        rows.hop["tail"][own], rows.hop["head"][own] = tail, head
    index_rows(rows)
    return rows
