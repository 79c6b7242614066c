"""Prices against flows: value and proof against the plain programme, on random regular and wide-area networks."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from test_trees_oracle import _incumbent, _network, _plain_optimum

from fabric.optimise.by_saddle import improve_by_saddle, improve_flat
from fabric.optimise.incumbent import Incumbent
from fabric.optimise.path_shifts import Costs, level
from fabric.optimise.proofs import entry_prices, theta_bound
from fabric.optimise.saddle import find_saddle
from fabric.optimise.trees import TreeNet
from fabric.routing.graph import PhaseDemand, RoutingGraph, build_graph, phase_demand
from topologies.assemble import assemble
from traffic.demands import Flows


def _regular(nodes: int, permutations: int, *, mixed: bool = False, seed: int = 1) -> tuple[RoutingGraph, PhaseDemand]:
    """A random regular graph of degree 4; each node sends 10 Gbps to every partner, or to all alike."""
    rng = np.random.default_rng(seed)
    net = assemble("random", "random")
    ids = net.nodes("router", [f"r{node}" for node in range(nodes)], level=1, nics=1)
    ends = np.array(sorted(nx.random_regular_graph(4, nodes, seed=seed).edges))
    net.cables(ids[ends[:, 0]], ids[ends[:, 1]], rng.choice([100.0, 400.0 if mixed else 100.0], len(ends)))
    gbps = np.zeros((nodes, nodes))
    for _ in range(permutations):
        gbps[np.arange(nodes), rng.permutation(nodes)] += 10.0
    gbps += 0.0 if permutations else 10.0
    np.fill_diagonal(gbps, 0.0)
    src, dst = np.nonzero(gbps)
    flows = Flows.of(src.astype(np.int32), dst.astype(np.int32), gbps[src, dst])
    graph = build_graph(net.freeze(), [flows])
    return graph, phase_demand(graph, [flows], [1.0])


def _is_within(best: Incumbent, gap: float) -> None:
    """The routing is that near the optimum, and the proof that near below it."""
    optimum = _plain_optimum(best)
    assert best.theta == pytest.approx(optimum, rel=gap)
    assert best.certificate.lower_bound == pytest.approx(optimum, rel=gap)
    assert best.certificate.lower_bound <= best.theta * (1 + 1e-12)
    price = best.certificate.price
    assert price is not None
    assert theta_bound(
        best.graph, best.demand, best.routable, price, entry_prices(best.graph, best.demand, price)
    ) == pytest.approx(best.certificate.lower_bound, rel=1e-9)


@pytest.mark.parametrize("permutations", [0, 1, 3])
@pytest.mark.parametrize("mixed", [False, True])
def test_random_regular_graphs_close_to_the_gap(permutations: int, mixed: bool) -> None:
    """Uniform demand and permutations, equal links and two speeds: all certified without trees."""
    best = _incumbent(*_regular(24, permutations, mixed=mixed))
    best.options = best.options.__class__(time_limit_s=60.0, gap=1e-4)
    assert improve_flat(best)
    assert best.solver.startswith("first-order")
    _is_within(best, 1.1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_wide_area_networks_close_to_the_last_digits(seed: int) -> None:
    """Parallel cables, several parts, and speeds that differ by a factor of 1e9 among the networks."""
    speeds = (1e-3, 1.0, 1e6) if seed % 4 == 3 else (10.0, 40.0, 100.0)
    best = _incumbent(*_network(seed, parts=1 + seed % 3, speeds=speeds))
    assert improve_flat(best)
    _is_within(best, 2e-6)


@pytest.mark.parametrize("limit_s", [0.0, 0.02])
def test_a_time_limit_leaves_a_routing_and_a_proof(limit_s: float) -> None:
    """Whatever it stops at holds: the bound is below the optimum, the routing not above that of equal splitting."""
    best = _incumbent(*_regular(24, 1), limit_s=limit_s)
    before = best.theta
    improve_flat(best)
    optimum = _plain_optimum(best)
    assert 0 < best.certificate.lower_bound <= optimum * (1 + 1e-9)
    assert optimum * (1 - 1e-9) <= best.theta <= before


def test_all_demand_to_one_node_one_demand_and_none() -> None:
    """A cut around the destination, the best paths of one entry, and nothing to do."""
    graph, demand = _network(5)
    for keep in (demand.dest_of_entry == demand.dest[0], np.arange(len(demand.src)) == 0):
        flows = Flows.of(
            graph.node_of[demand.src[keep]], graph.node_of[demand.dest_of_entry[keep]], demand.total_gbps[keep]
        )
        best = _incumbent(graph, phase_demand(graph, [flows], [1.0]))
        assert improve_flat(best)
        _is_within(best, 2e-6)
    best.space = replace(best.space, routable=np.zeros_like(best.routable))
    assert improve_by_saddle(best, TreeNet.of(best.arcs, best.demand, best.routable)) is None


def test_flows_stay_flows() -> None:
    """At every node and for every destination, what leaves is what enters and what is sent."""
    graph, demand = _regular(24, 2)
    best = _incumbent(graph, demand)
    net = TreeNet.of(best.arcs, demand, best.routable)
    found = find_saddle(
        net, gap=1e-4, aim=1e-4, least=0.0, known_bound=0.0, deadline=best.deadline, report=lambda *_: None
    )
    assert found.flow.min() >= 0.0
    assert found.theta == pytest.approx(float((found.flow.sum(axis=0) / net.capacity).max()), rel=1e-9)
    for row, dest in enumerate(demand.dest):
        balance = np.bincount(net.slots.tail, found.flow[row], graph.nodes)
        balance -= np.bincount(net.slots.head, found.flow[row], graph.nodes)
        mine = demand.row_of_entry == row
        balance -= np.bincount(demand.src[mine], demand.total_gbps[mine], graph.nodes)
        balance[dest] = 0.0
        assert np.abs(balance).max() <= 1e-9 * demand.total_gbps.sum()


def test_the_level_lets_the_multipliers_sum_to_one() -> None:
    """Against a plain search by halves."""
    rng = np.random.default_rng(3)
    for start in (-5.0, 0.0, 5.0):
        costs = Costs(*(rng.random(30) + 0.1 for _ in range(4)))
        load = 3 * rng.random(30)
        low, high = -500.0, 500.0
        for _ in range(80):
            middle = 0.5 * (low + high)
            total = np.maximum(costs.multiplier + costs.penalty * (load / costs.capacity - middle), 0.0).sum()
            low, high = (middle, high) if total > 1.0 else (low, middle)
        assert level(costs, load, start) == pytest.approx(low, abs=1e-9)
