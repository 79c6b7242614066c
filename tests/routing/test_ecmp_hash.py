"""Hashed ECMP against the fluid it averages to, and against balls in bins."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.router import ROUTERS, PairTraffic, RoutingOptions
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows


def two_leaves(spines: int, hosts: int):
    """Two leaves of ``hosts`` hosts each, ``spines`` spines: every flow from leaf to leaf has ``spines`` paths."""
    keys = {"leaves": 2, "spines": spines, "hosts_per_leaf": hosts, "host_speed": "100G", "uplink_speed": "100G"}
    topology = TOPOLOGIES["leaf-spine"](keys)
    ends = topology.endpoint_nodes
    return topology, Flows.of(ends[:hosts], ends[hosts:], np.full(hosts, 10.0))


def hashed(topology, flows, *, seed: int, queue_pairs: int = 1):
    """Loads per edge, Gbps."""
    graph = build_graph(topology, [flows], per_endpoint=True)
    demand = phase_demand(graph, [flows], [1.0])
    pairs = [PairTraffic(flows, 1.0, queue_pairs)]
    routing = ROUTERS["ecmp-hash"]({}, graph=graph, demand=demand, pairs=pairs, options=RoutingOptions(seed=seed))
    return graph, demand, routing.edge_gbps[:, 0]


def test_a_flow_takes_one_path():
    """Every uplink carries a whole number of 10 Gb/s flows, 32 in all."""
    topology, flows = two_leaves(spines=8, hosts=32)
    graph, _, loads = hashed(topology, flows, seed=5)
    up = loads[(graph.src == 0)]
    assert up.sum() == pytest.approx(320)
    np.testing.assert_allclose(up / 10, np.round(up / 10))
    assert up.max() > 40


def test_the_mean_over_seeds_is_the_fluid_answer():
    """32 flows on 8 uplinks: 40 Gb/s each on average, standard error 10 sqrt(3.5 / 400) = 0.94."""
    topology, flows = two_leaves(spines=8, hosts=32)
    total = np.zeros(0)
    for seed in range(400):
        graph, demand, loads = hashed(topology, flows, seed=seed)
        total = loads if not len(total) else total + loads
    fluid = ROUTERS["ecmp"]({}, graph=graph, demand=demand).edge_gbps[:, 0]
    np.testing.assert_allclose(total / 400, fluid, atol=5 * 0.94)


def test_the_fullest_uplink_is_as_full_as_balls_in_bins():
    """Mean of the fullest of 8 bins with 32 balls, against 20,000 random draws."""
    topology, flows = two_leaves(spines=8, hosts=32)
    ours = []
    for seed in range(400):
        graph, _, loads = hashed(topology, flows, seed=seed)
        ours.append(loads[graph.src == 0].max() / 10)
    draws = np.random.default_rng(0).multinomial(32, [1 / 8] * 8, size=20_000).max(axis=1)
    assert np.mean(ours) == pytest.approx(draws.mean(), abs=4 * draws.std() / 20)


def test_more_queue_pairs_spread_better():
    """64 queue pairs per connection come close to the fluid 40 Gb/s."""
    topology, flows = two_leaves(spines=8, hosts=32)
    few = np.mean([hashed(topology, flows, seed=seed)[2].max() for seed in range(20)])
    many = np.mean([hashed(topology, flows, seed=seed, queue_pairs=64)[2].max() for seed in range(20)])
    assert many < 46 < few


def test_it_is_the_seed_that_decides():
    """Equal seeds, equal loads; other seeds, others."""
    topology, flows = two_leaves(spines=8, hosts=32)
    first, again, other = (hashed(topology, flows, seed=seed)[2] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
