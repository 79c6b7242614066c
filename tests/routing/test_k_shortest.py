"""k shortest loop-free paths against NetworkX, and the equal split over them."""

from __future__ import annotations

from itertools import islice

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from oracle_fabrics import cases, larger_case, reachable

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.k_paths import k_shortest_paths
from fabric.routing.reach import split_reachable

SOME = settings(max_examples=25, deadline=None, derandomize=True, database=None)


def graph_and_demand(net, flows):
    graph = build_graph(net, [flows])
    flows, _ = split_reachable(graph, [flows])
    return graph, phase_demand(graph, flows, [1.0])


def lengths_by_networkx(graph, src, dst, k):
    """Weights of the k shortest simple paths; a node in the middle of every edge keeps parallel edges apart."""
    net = nx.DiGraph()
    net.add_nodes_from(range(graph.nodes))
    for edge, (tail, head, weight) in enumerate(zip(graph.src, graph.dst, graph.weight, strict=True)):
        net.add_edge(int(tail), ("edge", edge), weight=float(weight))
        net.add_edge(("edge", edge), int(head), weight=0.0)
    paths = islice(nx.shortest_simple_paths(net, src, dst, weight="weight"), k)
    return [nx.path_weight(net, path, "weight") for path in paths]


def check_against_networkx(graph, demand, k):
    found = k_shortest_paths(graph, demand, k)
    assert (np.diff(found.entry) >= 0).all()
    for entry, (src, dst) in enumerate(zip(demand.src.tolist(), demand.dest_of_entry.tolist(), strict=True)):
        paths = [
            found.edge[found.start[path] : found.start[path + 1]].tolist()
            for path in np.flatnonzero(found.entry == entry)
        ]
        for path in paths:
            nodes = [src, *graph.dst[path].tolist()]
            assert nodes[:-1] == graph.src[path].tolist()
            assert nodes[-1] == dst
            assert len(set(nodes)) == len(nodes)
        assert len({tuple(path) for path in paths}) == len(paths)
        ours = sorted(graph.weight[path].sum() for path in paths)
        assert ours == pytest.approx(lengths_by_networkx(graph, src, dst, k))


@pytest.mark.parametrize("k", [1, 3, 12])
@SOME
@given(case=cases(weights=(1.0, 1.0, 2.0, 2.5)))
def test_paths_of_small_fabrics_are_as_long_as_those_of_networkx(k, case):
    """Simple, different, connected from source to destination, and of the same weights; parallel links apart."""
    connected, _ = reachable(case)
    if connected:
        check_against_networkx(*graph_and_demand(case.net, case.flows), k)


@pytest.mark.parametrize("seed", range(12))
def test_paths_of_larger_fabrics_are_as_long_as_those_of_networkx(seed):
    """Up to nine switches in meshes with parallel links, twenty paths a pair."""
    case = larger_case(seed)
    check_against_networkx(*graph_and_demand(case.net, case.flows), 20)
