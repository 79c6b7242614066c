"""Flat networks of the comparisons: wide-area ones, made here or real, and random regular graphs of switches.

=======================  ============================================================================================
``wan-200``              200 nodes, as many cables as the Gabriel graph has; gravity between all pairs
``wan-149``              149 nodes and 193 cables, the counts of GtsCe in the Topology Zoo, but a graph made here
``wan-197``              197 nodes and 245 cables, the counts of Cogentco in the Topology Zoo, but a graph made here
                         without cables that cut the network in two where it can be
``inter-as-1739``        1,739 nodes joined by preference to those of high degree, 4,238 cables; demand in proportion to
                         what the links of both ends carry
``dense-100``            100 nodes, each joined to its five nearest or so; gravity, links of 10, 40 and 100G
``regular-N``            random regular graph of N switches of degree 10, links of 100G; the same between all pairs
``regular-gravity-N``    the same with log-normal masses
``regular-permuted-N``   the same, every switch sending to one other
``regular-sparse-N``     the same, eight random partners each
``regular-mixed-N``      the same, all pairs, half of the links 400G
``topohub/GROUP/NAME``   a network of PyPI's topohub (real and synthetic, MIT); gravity, links of 10, 40 and 100G
=======================  ============================================================================================
"""

from __future__ import annotations

import numpy as np

from topologies.columns import Floats, Ints, column
from topologies.topology import Topology
from traffic.demands import Flows

GTSCE_NODES, GTSCE_CABLES = 149, 193
COGENTCO_NODES, COGENTCO_CABLES = 197, 245
DEGREE, NEAREST, PARTNERS = 10, 5, 8
REAL = "topohub/"
SPEEDS = (10.0, 40.0, 100.0)
FULL = 0.02  # demand beside the capacity of all links, so that the fullest is full or so


def wide_area(nodes: int) -> tuple[Topology, Flows]:
    """A Gabriel graph of random points."""
    rng = np.random.default_rng(7)
    at = rng.random((nodes, 2))
    cables = _gabriel(at)
    if nodes == GTSCE_NODES:
        cables = _sparse(at, cables, GTSCE_CABLES)
    if nodes == COGENTCO_NODES:
        cables = _thinned(at, cables, COGENTCO_CABLES)
    total_gbps = nodes * (
        2.0 if nodes in (GTSCE_NODES, COGENTCO_NODES) else 15.0
    )  # fills the fullest link to a half or so
    gbps = rng.choice([100.0, 200.0, 400.0], len(cables))
    src, dst, demand = gravity(nodes, rng)
    return _network(f"wan({nodes})", nodes, cables, gbps), Flows.of(src, dst, demand * (total_gbps / demand.sum()))


def inter_as(nodes: int) -> tuple[Topology, Flows]:
    """Every new node joined to two or three others, in proportion to their degree; links and demand grow with it."""
    import networkx as nx

    graph = nx.dual_barabasi_albert_graph(nodes, 2, 3, 0.54, seed=19)
    cables = np.array(sorted(tuple(sorted(edge)) for edge in graph.edges))
    rng = np.random.default_rng(19)
    degree = np.bincount(cables.ravel(), minlength=nodes)
    gbps = 10.0 * degree[cables].min(axis=1) * rng.choice([1.0, 2.0, 4.0], len(cables))
    own = np.bincount(cables.ravel(), np.repeat(gbps, 2), nodes)
    src, dst, demand = _products(own * (0.5 + rng.random(nodes)))
    demand = demand * (FULL * gbps.sum() * 2 / demand.sum())
    return _network(f"inter-as({nodes})", nodes, cables, gbps), Flows.of(src, dst, demand)


def dense(nodes: int) -> tuple[Topology, Flows]:
    """Random points, each joined to its nearest."""
    from scipy.spatial import KDTree

    rng = np.random.default_rng(11)
    at = rng.random((nodes, 2))
    _, near = KDTree(at).query(at, NEAREST + 1)
    pairs = np.stack([np.repeat(np.arange(nodes), NEAREST), near[:, 1:].ravel()], axis=1)
    cables = np.unique(np.sort(pairs, axis=1), axis=0)
    return _gravity_over(f"dense({nodes})", nodes, cables, rng)


def real(name: str) -> tuple[Topology, Flows]:
    """A network of topohub, by its name there."""
    import topohub

    given = topohub.get(name.removeprefix(REAL))
    number = {node["id"]: row for row, node in enumerate(given["nodes"])}
    ends = [sorted((number[edge["source"]], number[edge["target"]])) for edge in given["edges"]]
    cables = np.unique(np.array([pair for pair in ends if pair[0] != pair[1]]), axis=0)
    return _gravity_over(name, len(number), cables, np.random.default_rng(13))


def regular(kind: str, nodes: int) -> tuple[Topology, Flows]:
    """A random regular graph; ``kind`` says what is sent."""
    import networkx as nx

    rng = np.random.default_rng(17)
    cables = np.array(sorted(tuple(sorted(edge)) for edge in nx.random_regular_graph(DEGREE, nodes, seed=17).edges))
    gbps = np.full(len(cables), 100.0)
    every = np.arange(nodes)
    if kind == "regular-mixed":
        gbps[rng.permutation(len(cables))[: len(cables) // 2]] = 400.0
    if kind == "regular-gravity":
        src, dst, demand = gravity(nodes, rng)
    elif kind == "regular-permuted":
        order = rng.permutation(nodes)
        src, dst, demand = order, np.roll(order, -1), np.ones(nodes)
    elif kind == "regular-sparse":
        src = np.repeat(every, PARTNERS)
        away = np.stack([rng.permutation(nodes - 1)[:PARTNERS] for _ in every]) + 1
        dst, demand = (src + away.ravel()) % nodes, rng.random(len(src)) + 0.1
    else:
        src, dst = np.nonzero(~np.eye(nodes, dtype=np.bool_))
        demand = np.ones(len(src))
    demand = demand * (nodes * DEGREE * 100.0 * 0.2 / demand.sum())
    flows = Flows.of(column(src, np.int32), column(dst, np.int32), column(demand, np.float64))
    return _network(f"{kind}({nodes})", nodes, cables, gbps), flows


def gravity(nodes: int, rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    """Log-normal masses, every node to every other in proportion to both."""
    return _products(rng.lognormal(0.0, 1.0, nodes))


def _products(mass: Floats) -> tuple[Ints, Ints, Floats]:
    demand = np.outer(mass, mass)
    np.fill_diagonal(demand, 0.0)
    src, dst = np.nonzero(demand)
    return column(src, np.int32), column(dst, np.int32), column(demand[src, dst], np.float64)


def _gravity_over(name: str, nodes: int, cables: Ints, rng: np.random.Generator) -> tuple[Topology, Flows]:
    gbps = rng.choice(SPEEDS, len(cables))
    src, dst, demand = gravity(nodes, rng)
    return _network(name, nodes, cables, gbps), Flows.of(src, dst, demand * (FULL * gbps.sum() * 2 / demand.sum()))


def _network(name: str, nodes: int, cables: Ints, gbps: Floats) -> Topology:
    from topologies.assemble import assemble

    net = assemble(name, "random")
    ids = net.nodes("router", [f"r{node}" for node in range(nodes)], level=1, nics=1)
    net.cables(ids[cables[:, 0]], ids[cables[:, 1]], gbps)
    return net.freeze()


def _gabriel(at: Floats) -> Ints:
    """Cables (E, 2) of the Gabriel graph: the circle over each has no other point inside."""
    from scipy.spatial import Delaunay

    triangles = Delaunay(at).simplices
    pairs = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    pairs = np.unique(pairs, axis=0)
    middle = (at[pairs[:, 0]] + at[pairs[:, 1]]) / 2
    radius = np.linalg.norm(at[pairs[:, 0]] - at[pairs[:, 1]], axis=1) / 2
    nearest = np.linalg.norm(middle[:, None] - at[None], axis=2).min(axis=1)
    return np.asarray(pairs[nearest >= radius * (1 - 1e-9)])


def _thinned(at: Floats, cables: Ints, count: int) -> Ints:
    """Without the longest cables, as far as nothing is cut off by one failure that was not before."""
    import networkx as nx

    graph = nx.Graph(cables.tolist())
    most = sum(1 for _ in nx.bridges(graph))
    length = np.linalg.norm(at[cables[:, 0]] - at[cables[:, 1]], axis=1)
    for first, second in cables[np.argsort(-length, kind="stable")].tolist():
        if graph.number_of_edges() == count:
            break
        graph.remove_edge(first, second)
        if not nx.is_connected(graph) or sum(1 for _ in nx.bridges(graph)) > most:
            graph.add_edge(first, second)
    return np.array(sorted(tuple(sorted(edge)) for edge in graph.edges))


def _sparse(at: Floats, cables: Ints, count: int) -> Ints:
    """The minimum spanning tree and the shortest of the other cables, ``count`` in all."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    length = np.linalg.norm(at[cables[:, 0]] - at[cables[:, 1]], axis=1)
    graph = coo_array((length, (cables[:, 0], cables[:, 1])), shape=(len(at), len(at)))
    tree = minimum_spanning_tree(graph).tocoo()
    in_tree = np.isin(cables[:, 0] * len(at) + cables[:, 1], tree.row * len(at) + tree.col)
    order = np.lexsort((length, ~in_tree))
    return np.asarray(cables[np.sort(order[:count])])
