"""Trees as columns against the plain programme over arcs, and against a search of NetworkX."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array

from fabric.optimise.by_trees import improve_by_trees
from fabric.optimise.incumbent import Incumbent
from fabric.optimise.path_policy import arc_space
from fabric.optimise.proofs import entry_prices, theta_bound
from fabric.optimise.trees import TreeNet
from fabric.routing.graph import PhaseDemand, RoutingGraph, build_graph, phase_demand
from fabric.routing.router import Certificate, RoutingOptions
from topologies.assemble import assemble
from traffic.demands import Flows


def _network(
    seed: int, *, nodes: int = 14, extra: int = 9, parts: int = 1, speeds: tuple[float, ...] = (10.0, 40.0, 100.0)
) -> tuple[RoutingGraph, PhaseDemand]:
    """A random network, a tree with further cables, some of them in parallel; demand between random pairs."""
    rng = np.random.default_rng(seed)
    net = assemble("random", "random")
    ids = net.nodes("router", [f"r{node}" for node in range(nodes)], level=1, nics=1)
    part = np.arange(nodes) % parts
    cables = [
        (node, int(rng.choice(np.flatnonzero(part[:node] == part[node])))) for node in range(nodes) if node >= parts
    ]
    while len(cables) < nodes - parts + extra:
        first, second = rng.integers(nodes, size=2)
        if first != second and part[first] == part[second]:
            cables.append((int(first), int(second)))
    ends = np.array(cables)
    net.cables(ids[ends[:, 0]], ids[ends[:, 1]], rng.choice(speeds, len(ends)))
    src, dst = np.nonzero(rng.random((nodes, nodes)) < 0.4)
    flows = Flows.of(src.astype(np.int32), dst.astype(np.int32), rng.lognormal(0, 1, len(src)))
    topology = net.freeze()
    graph = build_graph(topology, [flows])
    return graph, phase_demand(graph, [flows], [1.0])


def _incumbent(graph: RoutingGraph, demand: PhaseDemand, limit_s: float = 60.0) -> Incumbent:
    best = Incumbent.first(arc_space(graph, demand, "any"), RoutingOptions(time_limit_s=limit_s, gap=1e-6))
    best.certificate = Certificate(0.0, "nothing")  # no cut helps
    return best


def _plain_optimum(best: Incumbent) -> float:
    """The textbook programme, a flow variable for every destination and arc."""
    arcs, demand = best.arcs, best.demand
    count, rows = len(arcs.src), len(demand.dest)
    supply = np.zeros((rows, arcs.nodes))
    np.add.at(supply, (demand.row_of_entry, demand.src), np.where(best.routable, demand.total_gbps, 0.0))
    supply[np.arange(rows), demand.dest] = 0.0
    variable = np.arange(rows * count).reshape(rows, count)
    leave = (np.arange(rows)[:, None] * arcs.nodes + arcs.src).ravel()
    enter = (np.arange(rows)[:, None] * arcs.nodes + arcs.dst).ravel()
    flat = variable.ravel()
    balance = coo_array(
        (np.r_[np.ones(flat.size), -np.ones(flat.size)], (np.r_[leave, enter], np.r_[flat, flat])),
        shape=(rows * arcs.nodes, flat.size + 1),
    ).tocsr()
    keep = np.ones((rows, arcs.nodes), dtype=bool)
    keep[np.arange(rows), demand.dest] = False
    use = coo_array(
        (
            np.r_[np.tile(1 / arcs.capacity_gbps, rows), -np.ones(count)],
            (np.r_[np.tile(np.arange(count), rows), np.arange(count)], np.r_[flat, np.full(count, flat.size)]),
        ),
        shape=(count, flat.size + 1),
    ).tocsr()
    answer = linprog(
        np.r_[np.zeros(flat.size), 1.0], A_ub=use, b_ub=np.zeros(count), A_eq=balance[keep.ravel()],
        b_eq=supply.ravel()[keep.ravel()], method="highs",
    )  # fmt: skip
    return float(answer.fun)


@pytest.mark.parametrize("seed", range(12))
def test_trees_reach_the_optimum_of_the_plain_programme(seed: int) -> None:
    """Value and bound both equal it; parallel cables, several parts and speeds far apart among the networks."""
    speeds = (1e-3, 1.0, 1e6) if seed % 4 == 3 else (10.0, 40.0, 100.0)
    graph, demand = _network(seed, parts=1 + seed % 3, speeds=speeds)
    best = _incumbent(graph, demand)
    improve_by_trees(best)
    optimum = _plain_optimum(best)
    assert best.theta == pytest.approx(optimum, rel=2e-6)
    assert best.certificate.lower_bound == pytest.approx(optimum, rel=2e-6)
    assert best.certificate.lower_bound <= best.theta * (1 + 1e-12)
    price = best.certificate.price
    assert price is not None
    assert theta_bound(graph, demand, best.routable, price, entry_prices(graph, demand, price)) == pytest.approx(
        best.certificate.lower_bound, rel=1e-9
    )


def test_all_demand_to_one_node_and_one_demand() -> None:
    """A destination of its own fills the cut around it; one entry takes the best of its paths."""
    graph, demand = _network(5)
    for keep in (demand.dest_of_entry == demand.dest[0], np.arange(len(demand.src)) == 0):
        flows = Flows.of(
            graph.node_of[demand.src[keep]], graph.node_of[demand.dest_of_entry[keep]], demand.total_gbps[keep]
        )
        best = _incumbent(graph, phase_demand(graph, [flows], [1.0]))
        improve_by_trees(best)
        assert best.theta == pytest.approx(_plain_optimum(best), rel=2e-6)


def test_no_time_leaves_a_valid_routing_and_bound() -> None:
    """A limit that has passed: the bound stays below the utilisation, which is not above that of equal splitting."""
    graph, demand = _network(3)
    best = _incumbent(graph, demand, limit_s=0.0)
    before = best.theta
    assert improve_by_trees(best) is False
    assert 0 < best.certificate.lower_bound <= best.theta <= before


@pytest.mark.parametrize("seed", range(3))
def test_distances_are_those_of_networkx(seed: int) -> None:
    """What a row pays is demand x Dijkstra's distance, and the tree carries all of its demand to the destination."""
    graph, demand = _network(seed, nodes=20, extra=25)
    best = _incumbent(graph, demand)
    net = TreeNet.of(best.arcs, demand, best.routable)
    price = np.random.default_rng(seed).random(len(net.capacity))
    trees = net.cheapest(price)
    peer = nx.DiGraph()
    for tail, head, cost in zip(net.slots.tail, net.slots.head, price, strict=True):
        if not peer.has_edge(head, tail) or peer[head][tail]["weight"] > cost:
            peer.add_edge(int(head), int(tail), weight=float(cost))
    for row, dest in enumerate(demand.dest):
        entries = slice(demand.start[row], demand.start[row + 1])
        far = nx.single_source_dijkstra_path_length(peer, int(dest))
        pays = sum(
            gbps * far[int(src)] for src, gbps in zip(demand.src[entries], demand.total_gbps[entries], strict=True)
        )
        assert trees.paid[row] == pytest.approx(pays, rel=1e-12)
        assert trees.priced(price)[row] == pytest.approx(pays, rel=1e-12)
