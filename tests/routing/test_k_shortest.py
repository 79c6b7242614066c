"""k shortest loop-free paths against NetworkX, and the equal split over them."""

from __future__ import annotations

from itertools import islice

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from oracle_fabrics import Case, cases, larger_case, ours, reachable

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.k_paths import k_shortest_paths
from fabric.routing.reach import split_reachable
from fabric.routing.router import ROUTERS, RoutingOptions
from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES
from topologies.errors import RoutingError
from traffic.demands import Flows

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


@pytest.mark.parametrize("k", [1, 2, 3])
def test_shortest_paths_are_dealt_over_all_next_hops(k):
    """k = 4 fat tree: a pair of pods has 4 shortest paths; k of them go over different cores, both aggregations if two.

    All pairs of edge switches together use every link, for the first choice turns with the pair.
    """
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    hosts = net.endpoint_nodes
    tail, head = np.meshgrid(hosts, hosts)
    graph, demand = graph_and_demand(net, Flows.of(tail.ravel(), head.ravel(), 1.0))
    found = k_shortest_paths(graph, demand, k)
    assert (np.bincount(found.edge, minlength=len(graph.src)) > 0).all()
    pods = net.nodes.pod[graph.node_of]
    for entry in np.flatnonzero(pods[demand.src] != pods[demand.dest_of_entry]).tolist():
        paths = np.flatnonzero(found.entry == entry)
        edges = found.edge[found.start[paths][:, None] + np.arange(4)]
        assert len(np.unique(edges[:, 1])) == k
        assert len(np.unique(edges[:, 0])) == min(k, 2)


@pytest.mark.parametrize(("k", "loads"), [(1, (90, 0, 0)), (2, (45, 45, 0)), (3, (30, 30, 30)), (9, (30, 30, 30))])
def test_a_pair_splits_equally_over_its_paths(k, loads):
    """a sends 90 to d: straight (weight 1), over b (2) or over c (3): three loop-free paths in all."""
    net = assemble("three", "test")
    a, b, c, d = net.switches("router", ["a", "b", "c", "d"], level=1, nics=1)
    net.one_way([a, a, b, a, c], [d, b, d, c, d], 100.0, tier="x", weight=np.array([1.0, 1.0, 1.0, 1.5, 1.5]))
    route = ours(Case(net.freeze(), ((int(a), int(d), 90.0),)), "k-shortest", k_paths=k)
    straight, over_b, over_c = loads
    assert route.link_gbps.sum(axis=1) == pytest.approx([straight, over_b, over_b, over_c, over_c])


@pytest.mark.parametrize("radix", [4, 8])
def test_with_all_shortest_paths_of_a_fat_tree_it_is_ecmp(radix):
    """Between pods there are (k/2)² shortest paths; that many, split equally, are what equal next hops give."""
    net = TOPOLOGIES["fat-tree"]({"radix": radix, "speed": "100G"})
    hosts = net.endpoint_nodes.tolist()
    rows = tuple(zip(hosts, np.roll(hosts, radix**2 // 4).tolist(), [70.0] * len(hosts), strict=True))
    case = Case(net, rows)
    found = ours(case, "k-shortest", k_paths=radix**2 // 4)
    np.testing.assert_allclose(found.link_gbps, ours(case, "ecmp").link_gbps, atol=1e-9)


def test_paths_handed_out_carry_the_loads_of_every_class():
    """Two classes over the same pairs: what the paths carry per class is the answer's loads."""
    case = larger_case(2)
    flows = [case.flows, Flows.of(case.flows.dst, case.flows.src, 7.0)]
    graph = build_graph(case.net, flows)
    kept, _ = split_reachable(graph, flows)
    demand = phase_demand(graph, kept, [1.0, 2.0])
    routing = ROUTERS["k-shortest"]({}, graph=graph, demand=demand, options=RoutingOptions(k_paths=3))
    paths = routing.paths
    loads = np.zeros_like(routing.edge_gbps)
    for path, (code, gbps) in enumerate(zip(paths.code, paths.gbps, strict=True)):
        edges = paths.edge[paths.start[path] : paths.start[path + 1]]
        assert graph.src[edges[0]] == paths.src[path]
        assert graph.dst[edges[-1]] == paths.dst[path]
        loads[edges, code] += gbps
    np.testing.assert_allclose(loads, routing.edge_gbps)
    np.testing.assert_allclose(paths.gbps.sum(), demand.total_gbps.sum())


@pytest.mark.parametrize(("k", "words"), [(0, "0 paths per pair"), (10**8, "too many to list")])
def test_a_number_of_paths_that_cannot_be_is_refused(k, words):
    """None at all, and more than memory holds."""
    graph, demand = graph_and_demand(larger_case(0).net, larger_case(0).flows)
    with pytest.raises(RoutingError, match=words):
        k_shortest_paths(graph, demand, k)
