"""Fields, polarisation, balls in bins over replicas, and what decides the figures: the seed and nothing else."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fabric.routing import kernels
from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.hashing import flows as flow_rows
from fabric.routing.hashing import replicas as hash_replicas
from fabric.routing.hashing import slices
from fabric.routing.names import HASH_FUNCTIONS
from fabric.routing.router import ROUTERS, HashOptions, PairTraffic, RoutingOptions
from topologies.builder import TOPOLOGIES
from topologies.columns import column
from topologies.errors import RoutingError
from traffic.demands import Flows, UniformBlock


def leaves(count, spines, hosts, host_speed="100G"):
    keys = {"leaves": count, "spines": spines, "hosts_per_leaf": hosts}
    return TOPOLOGIES["leaf-spine"]({**keys, "host_speed": host_speed, "uplink_speed": "100G"})


def across(net, gbps):
    """Every host of the first half sends to its counterpart in the second."""
    ends = net.endpoint_nodes
    half = len(ends) // 2
    return Flows.of(ends[:half], ends[half:], np.full(half, gbps))


def routed(net, flows, *, queue_pairs=1, seed=0, time_limit_s=600.0, report=lambda _: None, **hashing):
    graph = build_graph(net, [flows], per_endpoint=True)
    options = RoutingOptions(seed=seed, time_limit_s=time_limit_s, report=report, hash=HashOptions(**hashing))
    demand = phase_demand(graph, [flows], [1.0])
    pairs = [PairTraffic(flows, 1.0, queue_pairs)]
    return graph, ROUTERS["ecmp-hash"]({}, graph=graph, demand=demand, pairs=pairs, options=options)


def uplinks(graph, routing, switch=0):
    """Gbps of the links out of a switch."""
    return routing.edge_gbps[graph.src == switch, 0]


# ---- which fields ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", HASH_FUNCTIONS)
def test_without_the_source_port_all_queue_pairs_of_a_pair_collide(function):
    """One pair, 64 queue pairs of 1 Gb/s, 8 uplinks: addresses alone put 64 on one, ports spread them over all."""
    net = leaves(2, 8, 1)
    flows = across(net, 64.0)
    blind = uplinks(*routed(net, flows, queue_pairs=64, function=function, fields=("src_ip", "dst_ip")))
    assert sorted(blind.tolist()) == [0.0] * 7 + [64.0]
    seen = uplinks(*routed(net, flows, queue_pairs=64, function=function))
    assert seen.max() < 32
    assert (seen > 0).sum() >= 6


@pytest.mark.parametrize("function", HASH_FUNCTIONS)
def test_fields_that_all_flows_share_send_all_one_way(function):
    """UDP to port 4791 is what every flow is: 32 flows of 10 Gb/s on one of 8 uplinks."""
    net = leaves(2, 8, 32)
    found = uplinks(*routed(net, across(net, 10.0), function=function, fields=("proto", "dst_port")))
    assert sorted(found.tolist()) == [0.0] * 7 + [320.0]


# ---- polarisation ---------------------------------------------------------------------------------------------------


def core_links_used(seed=0, **hashing):
    """Part of the aggregation-to-core links of a fat tree of radix 8 that carry any of 1,024 flows between pods."""
    net = TOPOLOGIES["fat-tree"]({"radix": 8, "speed": "100G"})
    ends = net.endpoint_nodes
    flows = Flows.of(ends, np.roll(ends, len(ends) // 2), np.full(len(ends), 80.0))
    graph, routing = routed(net, flows, queue_pairs=8, seed=seed, **hashing)
    level = net.nodes.level[graph.node_of]
    core = (level[graph.src] == 2) & (level[graph.dst] == 3)
    assert core.sum() == 128
    return float((routing.edge_gbps[core, 0] > 0).mean())


@pytest.mark.parametrize("function", HASH_FUNCTIONS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_everywhere_leaves_three_core_links_in_four_empty(function, seed):
    """Aggregation switch i gets the flows with hash i modulo 4, and hashes them all to its next hop i again."""
    assert core_links_used(seed, function=function, per_switch_seed=False) == pytest.approx(1 / 4)


@pytest.mark.parametrize(("function", "least"), [("random", 0.99), ("crc32", 0.9), ("crc16", 0.9), ("xor", 0.85)])
def test_seeds_of_their_own_use_the_core_again(function, least):
    """8 flows a link on average leave one link in 3,000 empty; rotations of CRC and XOR that agree leave some more."""
    assert np.mean([core_links_used(seed, function=function) for seed in range(5)]) >= least


# ---- balls in bins --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("balls", "bins"), [(2, 2), (4, 3), (6, 2), (5, 4)])
def test_few_flows_fall_like_all_placements_taken_together(balls, bins):
    """Mean of the fullest of m uplinks with n flows over 500 seeds, against all m**n placements one by one."""
    net = leaves(2, bins, balls)
    flows = across(net, 1.0)
    ours = [uplinks(*routed(net, flows, seed=seed)).max() for seed in range(500)]
    every = [max(np.bincount(place)) for place in itertools.product(range(bins), repeat=balls)]
    assert np.mean(ours) == pytest.approx(np.mean(every), abs=4 * np.std(every) / np.sqrt(500))


def test_replicas_are_as_spread_as_balls_in_bins_on_both_leaves():
    """256 flows of 12.5 Gb/s, 16 spines: the uplinks of one leaf and the downlinks of the other carry the same flows.

    16 flows a link on average. The median, p95 and p99 of the fullest of 2,000 replicas are within one flow of 20,000
    multinomial draws.
    """
    net = leaves(2, 16, 256)
    spread = routed(net, across(net, 12.5), replicas=2000)[1].spread
    draws = np.random.default_rng(0).multinomial(256, [1 / 16] * 16, size=20_000).max(axis=1)
    for part in (50, 95, 99):
        expected = np.quantile(draws, part / 100)
        assert getattr(spread.max_utilisation, f"p{part}") * 8 == pytest.approx(expected, abs=1)


def test_equal_flows_at_line_rate_fare_as_the_fullest_link_says():
    """n flows of 100 Gb/s on a link of 100: each has 1/n, and no flow can have less; so worst = 1 / fullest."""
    net = leaves(4, 8, 8)
    spread = routed(net, across(net, 100.0), replicas=100)[1].spread
    for part in ("p50", "p95", "p99"):
        fullest = getattr(spread.max_utilisation, part)
        assert fullest == pytest.approx(round(fullest))
        assert getattr(spread.worst_rate, part) == pytest.approx(1 / fullest)


def test_access_links_bound_the_fullest_link_from_below():
    """Three hosts of a leaf send 50 Gb/s each to a fourth there: its NIC at 150 %, 2/3 for each, in every replica."""
    net = leaves(2, 4, 4)
    ends = net.endpoint_nodes
    flows = Flows.of([*ends[:3], ends[0]], [ends[3], ends[3], ends[3], ends[4]], [50.0, 50.0, 50.0, 1.0])
    spread = routed(net, flows, replicas=20)[1].spread
    assert spread.max_utilisation.p50 == spread.max_utilisation.p99 == pytest.approx(1.5)
    assert spread.worst_rate.p50 == spread.worst_rate.p99 == pytest.approx(2 / 3)


# ---- what decides the figures ---------------------------------------------------------------------------------------


def everything(routing):
    return routing.edge_gbps.tobytes(), routing.paths.edge.tobytes(), routing.spread


@pytest.mark.parametrize("function", HASH_FUNCTIONS)
def test_threads_slices_and_batches_change_nothing(function, monkeypatch):
    """40 replicas on one thread or four, in batches of one or all at once: the same bytes."""
    net = leaves(8, 4, 8)
    members = net.endpoint_nodes
    none = Flows.none()
    flows = Flows(none.src, none.dst, none.amount, (UniformBlock(column(members, np.int32), 3.0),))
    first = everything(routed(net, flows, replicas=40, function=function)[1])
    one, four = ThreadPoolExecutor(1), ThreadPoolExecutor(4)
    for module, name, value in [
        (slices, "kernel_threads", lambda: one),
        (slices, "kernel_threads", lambda: four),
        (hash_replicas, "_BATCH", 1),
        (kernels, "SLICES", 3),
    ]:
        monkeypatch.setattr(module, name, value)
        assert everything(routed(net, flows, replicas=40, function=function)[1]) == first
    one.shutdown()
    four.shutdown()


def test_the_loads_are_those_of_the_scenarios_seed_whatever_the_replicas():
    """Replica 0 decides; one replica has no spread, because one draw says nothing about luck."""
    net = leaves(4, 4, 8)
    one, many = (routed(net, across(net, 50.0), seed=9, replicas=replicas)[1] for replicas in (1, 10))
    assert one.edge_gbps.tobytes() == many.edge_gbps.tobytes()
    assert one.spread is None
    assert many.spread.replicas == 10


def test_paths_are_walks_that_carry_the_loads():
    """Each path begins at its source, ends at its destination, is joined up; summed up, paths are the loads."""
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    ends = net.endpoint_nodes
    flows = Flows.of(ends, np.roll(ends, 1), np.full(len(ends), 30.0))
    graph, routing = routed(net, flows, queue_pairs=3)
    paths, total = routing.paths, np.zeros(len(graph.src))
    assert len(paths.gbps) == 8 * 3  # every other host's neighbour is on another switch
    for flow in range(len(paths.gbps)):
        edges = paths.edge[paths.start[flow] : paths.start[flow + 1]]
        total[edges] += paths.gbps[flow]
        nodes = [*graph.src[edges].tolist(), int(graph.dst[edges[-1]])]
        assert nodes[0] == paths.src[flow] == graph.source[paths.src_endpoint[flow]]
        assert nodes[-1] == paths.dst[flow] == graph.sink[paths.dst_endpoint[flow]]
        assert nodes[1:-1] == graph.dst[edges][:-1].tolist()
    np.testing.assert_allclose(total, routing.edge_gbps[:, 0])


def test_very_long_lists_of_paths_are_left_out(monkeypatch):
    """The loads stay."""
    net = leaves(2, 4, 8)
    monkeypatch.setattr("fabric.routers.ecmp_hash.MOST_PATH_EDGES", 15)
    routing = routed(net, across(net, 10.0))[1]  # 8 flows of 2 edges
    assert routing.paths is None
    assert routing.edge_gbps.sum() == pytest.approx(160)


def test_the_time_limit_leaves_out_the_last_replicas_and_says_so(monkeypatch):
    """A limit of 0 s, batches of one: the first replica only, in percentiles, answer and note."""
    monkeypatch.setattr(hash_replicas, "_BATCH", 1)
    net = leaves(2, 4, 8)
    told = []
    routing = routed(net, across(net, 10.0), replicas=50, time_limit_s=0.0, report=told.append)[1]
    assert routing.partial
    assert routing.spread.replicas == 1
    assert routing.notes == ("the time limit of 0 s left out the last of 50 replicas",)
    assert [state.text for state in told] == ["ecmp-hash: 1 of 50 replicas"]


def test_no_traffic_fills_no_link():
    """Replicas of nothing: utilisation 0, nobody is worse off."""
    net = leaves(2, 4, 8)
    spread = routed(net, Flows.none(), replicas=10)[1].spread
    assert spread.max_utilisation.p99 == 0
    assert spread.worst_rate.p99 == 1


@pytest.mark.parametrize(
    ("limit", "value", "replicas", "message"),
    [
        ("MOST_FLOW_DRAWS", 7, 1, "8 flows to hash; 7 are the most"),
        ("MOST_FLOW_DRAWS", 79, 10, "10 replicas of 8 flows to hash; 79 are the most in all"),
    ],
)
def test_more_flows_than_can_be_hashed_are_refused(limit, value, replicas, message, monkeypatch):
    """Eight flows against a limit of less."""
    monkeypatch.setattr(flow_rows, limit, value)
    net = leaves(2, 4, 8)
    with pytest.raises(RoutingError, match=message) as caught:
        routed(net, across(net, 10.0), replicas=replicas)
    assert caught.value.problems[0].code == "FP5002"
