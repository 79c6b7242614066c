"""Path policies of ``optimal`` on small layered fabrics, against programmes over all paths that NetworkX lists."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from oracle_fabrics import routed
from scipy.optimize import linprog
from scipy.sparse import coo_array

from topologies.assemble import assemble
from traffic.demands import Flows

SAME = 1e-6
# Where no way was found to give switches the optimum: bounds hold, and the routing says how far it is above.
ABOVE = {44, 197}


def layered(seed):
    """Two to four leaves that exchange traffic, spines, cores; links across, in parallel, unequal, with no capacity."""
    rng = np.random.default_rng(seed)
    net = assemble("layers", "random")
    leaves, spines, cores = int(rng.integers(2, 5)), int(rng.integers(1, 4)), int(rng.integers(0, 3))
    leaf = net.switches("leaf", [f"l{i}" for i in range(leaves)], level=1, nics=np.ones(leaves, dtype=int))
    spine = net.switches("spine", [f"s{i}" for i in range(spines)], level=2)
    core = net.switches("core", [f"c{i}" for i in range(cores)], level=3) if cores else []

    def cable(low, high):
        gbps = rng.choice((10.0, 40.0, 100.0) if rng.random() < 0.9 else (10.0, 40.0, 100.0, 0.0))
        back = rng.choice((10.0, 40.0, 100.0))
        net.cables([low], [high], gbps, back_gbps=back, tier="core", weight=rng.choice([1.0, 1.0, 2.0]))

    for low in leaf:
        for high in spine:
            for chance in (0.75, 0.1):
                if rng.random() < chance:
                    cable(low, high)
    for low in spine:
        for high in core:
            if rng.random() < 0.75:
                cable(low, high)
    for group in (leaf, spine):
        for one, other in pairwise(group):
            if rng.random() < 0.3:
                cable(one, other)
    rows = [(a, b, rng.choice([5.0, 20.0, 50.0])) for a in leaf for b in leaf if a != b and rng.random() < 0.7]
    return net.freeze(), Flows.of(*zip(*rows, strict=True)) if rows else Flows.none()


def edge_rise(graph):
    """Direction of every edge: 1 up, 0 across, -1 down; hosts are below all switches."""
    level = np.where(graph.is_terminal, -1, graph.topology.nodes.level[graph.node_of])
    return np.sign(level[graph.dst] - level[graph.src])


def valley_free_paths(graph, src, dst):
    """All simple paths, as lists of edges, that go up, then across, then down."""
    net, rise = nx.MultiDiGraph(), edge_rise(graph)
    net.add_nodes_from(range(graph.nodes))
    for edge, (tail, head) in enumerate(zip(graph.src.tolist(), graph.dst.tolist(), strict=True)):
        net.add_edge(tail, head, key=edge)
    paths = [[edge for _, _, edge in path] for path in nx.all_simple_edge_paths(net, src, dst)]
    return [path for path in paths if (np.diff(rise[path]) <= 0).all()]


def least_theta(graph, gbps, paths_of_entry):
    """min θ with a variable per path."""
    owner = [entry for entry, paths in enumerate(paths_of_entry) for _ in paths]
    every = [edges for paths in paths_of_entry for edges in paths]
    steps = [(edge, path) for path, edges in enumerate(every) for edge in edges]
    edge, path = np.array(steps).T
    count, edges = len(owner), len(graph.src)
    share = gbps[np.array(owner)[path]] / graph.capacity_gbps[edge]
    data, row = np.append(share, -np.ones(edges)), np.append(edge, np.arange(edges))
    load = coo_array((data, (row, np.append(path, np.full(edges, count)))), shape=(edges, count + 1)).tocsr()
    choose = coo_array((np.ones(count), (owner, np.arange(count))), shape=(len(gbps), count + 1)).tocsr()
    cost = np.append(np.zeros(count), 1.0)
    return linprog(cost, A_ub=load, b_ub=np.zeros(edges), A_eq=choose, b_eq=np.ones(len(gbps)), method="highs").fun


def makes_valleys(graph, splits):
    """Whether a packet that follows the splits can climb after it went down or across, or cross after it went down."""
    rise = edge_rise(graph)
    for row in range(len(splits.start) - 1):
        edges = splits.edge[splits.start[row] : splits.start[row + 1]].tolist()
        steps = nx.MultiDiGraph((int(graph.src[e]), int(graph.dst[e]), {"rise": int(rise[e])}) for e in edges)
        lowest = dict.fromkeys(steps, 1)
        for node in nx.topological_sort(steps):
            for _, head, way in steps.out_edges(node, data="rise"):
                if way > lowest[node]:
                    return True
                lowest[head] = min(lowest[head], way)
    return False


@pytest.mark.parametrize("seed", [*range(40), *sorted(ABOVE - set(range(40)))])
def test_valley_free_is_bounded_by_the_programme_over_all_such_paths_and_nearly_always_reaches_it(seed):
    """The bound is the optimum; splits, which switches can use, make no valley, and reach it unless they say so."""
    net, flows = layered(seed)
    graph, demand, routing = routed(net, flows, paths="valley-free")
    paths = [valley_free_paths(graph, s, d) for s, d in zip(demand.src, demand.dest_of_entry, strict=True)]
    open_entries = np.array([bool(found) for found in paths], dtype=bool)
    np.testing.assert_array_equal(routing.unreachable, ~open_entries)
    assert any("without a path" in note for note in routing.notes) == (not open_entries.all())
    if not open_entries.any():
        assert not routing.edge_gbps.any()
        return
    least = least_theta(graph, demand.total_gbps[open_entries], [found for found in paths if found])
    theta = (routing.edge_gbps.sum(axis=1) / graph.capacity_gbps).max()
    assert routing.certificate.lower_bound == pytest.approx(least, rel=SAME)
    assert not makes_valleys(graph, routing.splits)
    assert theta >= least * (1 - SAME)
    assert (theta > least * (1 + SAME)) == (seed in ABOVE) == routing.partial
    assert any("above the bound" in note for note in routing.notes) == routing.partial


def weak_link_below():
    """A leaf whose spine has a thin link to the other leaf, and a way round over the core.

    ::

                 core
               /      \\            all 100 Gb/s,
          spine s    spine t        s - leaf b: 10 Gb/s
           /     \\    /
        leaf a    leaf b
    """
    net = assemble("weak", "drawn")
    a, b = net.switches("leaf", ["a", "b"], level=1, nics=np.ones(2, dtype=int))
    s, t = net.switches("spine", ["s", "t"], level=2)
    (core,) = net.switches("core", ["c"], level=3)
    for low, high, gbps in ((a, s, 100.0), (s, b, 10.0), (s, core, 100.0), (t, core, 100.0), (b, t, 100.0)):
        net.cables([low], [high], gbps, tier="fabric")
    return net.freeze()


def test_a_detour_over_the_core_relieves_a_thin_link():
    """55 Gb/s from a to b all cross a - s: 0.55. Down s - b goes 5.5 of them at most, the others over the core.

    Climbing only as far as needed would send all 55 down the 10 Gb/s: 5.5.
    """
    graph, _, routing = routed(weak_link_below(), Flows.of([0], [1], [55.0]), paths="valley-free")
    assert (routing.edge_gbps[:, 0] / graph.capacity_gbps).max() == pytest.approx(0.55)
    assert routing.certificate.lower_bound == pytest.approx(0.55)
    assert not routing.partial


def test_the_thin_link_takes_its_part_upwards_too():
    """30 Gb/s from b to a all end on s - a: 0.3.

    b - s takes 3 of them at most, the others climb over t and the core.
    """
    graph, _, routing = routed(weak_link_below(), Flows.of([1], [0], [30.0]), paths="valley-free")
    loads = dict(zip([graph.edge_name(edge) for edge in range(len(graph.src))], routing.edge_gbps[:, 0], strict=True))
    assert loads["s -> a"] == pytest.approx(30.0)
    assert loads["b -> s"] <= 3.0 * (1 + SAME)
    assert (routing.edge_gbps[:, 0] / graph.capacity_gbps).max() == pytest.approx(0.3)
    assert not makes_valleys(graph, routing.splits)


@pytest.mark.parametrize("paths", ["valley-free", "k-shortest"])
@pytest.mark.parametrize("seed", range(6))
def test_without_time_the_answer_still_keeps_to_the_policy(seed, paths):
    """All demand with a path arrives, over allowed paths only, and the bound is no higher than the optimum's."""
    net, flows = layered(seed)
    graph, demand, stopped = routed(net, flows, paths=paths, time_limit_s=0.0)
    _, _, solved = routed(net, flows, paths=paths)
    rate = np.where(stopped.unreachable, 0.0, demand.total_gbps)
    load = stopped.edge_gbps.sum(axis=1)
    leaving = np.bincount(graph.src, load, graph.nodes) - np.bincount(graph.dst, load, graph.nodes)
    sent = np.bincount(demand.src, rate, graph.nodes) - np.bincount(demand.dest_of_entry, rate, graph.nodes)
    np.testing.assert_allclose(leaving, sent, atol=1e-9)
    assert stopped.certificate.lower_bound <= solved.certificate.lower_bound * (1 + 1e-9)
    if paths == "valley-free":
        assert not makes_valleys(graph, stopped.splits)
