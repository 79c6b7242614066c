"""One way through a fabric: by hand, and against NetworkX."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from fabric.evaluation.latency import pair_ways_s, way_s
from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.scenario.latency_schema import FabricLatency
from fabric.scenario.load import load_scenario
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows, UniformBlock

PLAIN = FabricLatency()


def leaf_spine(leaves: int = 2):
    """Four hosts of 100 Gb/s on each leaf, two spines."""
    keys = {"spines": 2, "hosts_per_leaf": 4, "host_speed": "100G", "uplink_speed": "100G"}
    return TOPOLOGIES["leaf-spine"]({"kind": "leaf-spine", "leaves": leaves, **keys})


def test_under_one_leaf_two_nics_one_switch_two_cables_two_packets():
    """1 + 0.6 + 2 (0.1 + 0.32768) µs; over a spine three switches and four cables."""
    topology = leaf_spine()
    ends = topology.endpoint_nodes
    near, far = Flows.of([ends[0]], [ends[1]], [1.0]), Flows.of([ends[0]], [ends[4]], [1.0])
    assert way_s(topology, near, PLAIN) == pytest.approx(1e-6 + 0.6e-6 + 2 * 0.42768e-6)
    assert way_s(topology, far, PLAIN) == pytest.approx(1e-6 + 1.8e-6 + 4 * 0.42768e-6)


def test_a_ring_takes_the_mean_of_its_pairs():
    """Of the eight steps around two leaves, two cross a spine."""
    topology = leaf_spine()
    ends = topology.endpoint_nodes
    ring = Flows.of(ends, np.roll(ends, -1), np.ones(8))
    near, far = 1e-6 + 0.6e-6 + 2 * 0.42768e-6, 1e-6 + 1.8e-6 + 4 * 0.42768e-6
    assert way_s(topology, ring, PLAIN) == pytest.approx((6 * near + 2 * far) / 8)


def test_blocks_count_as_their_pairs_do():
    """Everyone to everyone: between those of one leaf and those of two."""
    topology = leaf_spine()
    none = np.empty(0, dtype=np.int32)
    block = Flows(none, none, np.empty(0), (UniformBlock(topology.endpoint_nodes, 1.0),))
    assert 1e-6 + 0.6e-6 < way_s(topology, block, PLAIN) < 1e-6 + 1.8e-6 + 4 * 0.42768e-6


def test_nothing_sent_takes_no_way():
    """And what is down is waited for as if it were up."""
    topology = leaf_spine()
    ends = topology.endpoint_nodes
    assert way_s(topology, Flows.none(), PLAIN) == 0.0
    cut = topology.with_down(nodes=[topology.node("leaf1")])
    pair = Flows.of([ends[0]], [ends[4]], [1.0])
    assert way_s(cut, pair, PLAIN) == way_s(topology, pair, PLAIN) > 0


@pytest.mark.parametrize("kind", ["fat-tree", "torus", "dragonfly", "jellyfish", "bcube", "rail-only", "dual-plane"])
def test_ways_are_those_that_networkx_finds(kind):
    """The quickest path, with hosts crossed only where they forward."""
    topology = TOPOLOGIES[kind]({"kind": kind, **TOPOLOGIES[kind].example})
    links, nodes = topology.links, topology.nodes
    ends = topology.endpoint_nodes
    rng = np.random.default_rng(3)
    src, dst = (rng.choice(ends, 6) for _ in range(2))
    src, dst = src[src != dst], dst[src != dst]
    graph = nx.DiGraph()
    for tail, head, gbps, length in zip(links.src, links.dst, links.capacity_gbps, links.length_m, strict=True):
        metres = PLAIN.cable if np.isnan(length) else length
        wire = PLAIN.packet * 8 / (gbps * 1e9) + metres * PLAIN.per_metre
        if not graph.has_edge(tail, head) or graph[tail][head]["wire"] > wire:
            graph.add_edge(int(tail), int(head), wire=wire)

    def quickest(tail: int, head: int) -> float:
        inside = {int(node) for node in np.flatnonzero(nodes.forwards)} | {tail, head}
        part = graph.subgraph(inside)

        def cost(one: int, other: int, data: dict) -> float:
            through = 0.0 if other == head else PLAIN.switch if topology.is_switch[other] else PLAIN.nic
            return data["wire"] + through

        if not nx.has_path(part, tail, head):
            return float("inf")
        path = nx.dijkstra_path(part, tail, head, weight=cost)
        return 2 * PLAIN.nic + sum(cost(one, other, graph[one][other]) for one, other in pairwise(path))

    expected = [quickest(int(tail), int(head)) for tail, head in zip(src, dst, strict=True)]
    np.testing.assert_allclose(pair_ways_s(topology, src, dst, PLAIN), expected)


SCENARIO = """\
version: 1
name: ring
nodes:
  - {{group: gpu, count: 8, gpus: 1, name: "n{{index}}", nics: {{net: {{speed: 100G}}}}}}
fabrics:
  net:
    topology: {{kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 4, host_speed: 100G, uplink_speed: 100G}}
    latency: {{switch: {switch}}}
workloads:
  - {{id: test, kind: collective, collective: all-reduce, size: 1 KiB, collectives: {{algorithm: ring, protocol: ll}}}}
"""


def test_the_time_of_a_small_collective_follows_the_switches(tmp_path):
    """14 steps of a ring, of which a quarter crosses three switches and the others one: 21 switches more or less."""
    times = []
    for switch in ("0.6 us", "1.6 us"):
        path = tmp_path / "ring.fabric.yaml"
        path.write_text(SCENARIO.format(switch=switch))
        (job,) = route(load_scenario(path), RouteRequest()).jobs
        times.append(job.step_time_s)
    assert times[1] - times[0] == pytest.approx(14 * 1.5e-6)
