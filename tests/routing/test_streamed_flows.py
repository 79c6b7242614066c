"""Flows hashed a stretch at a time against flows that are kept, and against the average and spread of chance."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.hashing import streamed_flows
from fabric.routing.hashing.flow_entries import FlowEntries
from fabric.routing.hashing.flows import FlowTable
from fabric.routing.hashing.hashed_flows import HashedFlows
from fabric.routing.hashing.streamed_flows import StreamedFlows
from fabric.routing.router import ROUTERS, HashOptions, PairTraffic, RoutingOptions
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows, UniformBlock

LEAVES = {"leaves": 2, "spines": 4, "hosts_per_leaf": 24, "host_speed": "100G", "uplink_speed": "100G"}
FAT_TREE = ("fat-tree", {"radix": 4, "speed": "100G"})
PLANES = ("multi-plane", {"planes": 2, "plane": {"kind": "fat-tree", "radix": 4, "speed": "100G"}})


def phase(kind, keys, down=()):
    """Pairs on a ring in one class, three dense blocks and a pair in another, with 3 and 2 queue pairs."""
    net = TOPOLOGIES[kind](keys)
    net = net.with_down(links=down)
    ends = net.endpoint_nodes
    ring = Flows.of(ends, np.roll(ends, 5), 1.0 + np.arange(len(ends)))
    blocks = (UniformBlock(ends[:6], 2.0), UniformBlock(ends[5::3], 0.5), UniformBlock(ends[-2:], 8.0))
    dense = Flows(ends[:1], ends[-1:], np.array([3.0]), blocks)
    graph = build_graph(net, [ring, dense], per_endpoint=True)
    pairs = [PairTraffic(ring, 1.0, 3), PairTraffic(dense, 2.0, 2)]
    return graph, phase_demand(graph, [ring, dense], [1.0, 2.0]), pairs


CASES = [
    (*FAT_TREE, (), HashOptions()),
    (*FAT_TREE, (40, 50), HashOptions(function="crc16")),
    (*FAT_TREE, (40, 50), HashOptions(resilient=False, per_switch_seed=False)),
    (*PLANES, (70,), HashOptions(function="xor", fields=("src_ip", "src_port"))),
]


@pytest.mark.parametrize(("kind", "keys", "down", "hashing"), CASES)
def test_stretches_of_flows_load_links_as_all_flows_at_once(kind, keys, down, hashing, monkeypatch):
    """Seven flows at a time, intact and with links down, in two draws: the loads of the flows that are kept."""
    monkeypatch.setattr(streamed_flows, "STRETCH", 7)
    graph, demand, pairs = phase(kind, keys, down)
    options = RoutingOptions(seed=3, hash=hashing)
    kept = HashedFlows.of(graph, demand, pairs, options, most_listed=0)
    streamed = StreamedFlows.of(graph, demand, pairs, options)
    assert len(streamed.entries.stretches(7)) > 10
    np.testing.assert_allclose(streamed.loads_gbps((3, 8)), kept.loads_gbps((3, 8)), rtol=1e-12)
    np.testing.assert_array_equal(streamed.unreachable, kept.unreachable)
    ours, theirs = streamed.by_destination(3), kept.by_destination(3)
    np.testing.assert_array_equal(ours.edge, theirs.edge)
    np.testing.assert_allclose(ours.gbps, theirs.gbps, rtol=1e-12)


def test_entries_written_out_are_the_rows_of_all_flows():
    """Every flow once, with its ends, class, Gbps and name: 16 pairs of a ring by 3, and the blocks' by 2."""
    graph, _, pairs = phase(*FAT_TREE)
    entries, table = FlowEntries.of(graph, pairs), FlowTable.of(graph, pairs)
    assert entries.flows == table.flows == 16 * 3 + (6 * 5 + 4 * 3 + 2 + 1) * 2
    written = [entries.table(*stretch) for stretch in entries.stretches(10)]
    for column in ("src", "src_endpoint", "dst_endpoint", "code", "gbps", "name", "dest_of_flow"):
        ours = np.concatenate([getattr(part, column) for part in written])
        names = np.concatenate([part.name for part in written])
        np.testing.assert_array_equal(ours[np.argsort(names)], getattr(table, column)[np.argsort(table.name)])


def test_draws_have_the_mean_and_the_spread_of_independent_choices():
    """24 flows of 1 to 24 Gb/s over 4 spines: mean Σ v / 4, variance Σ v² p (1 - p) with p = 1/4, over 1,000 draws."""
    net = TOPOLOGIES["leaf-spine"](LEAVES)
    ends = net.endpoint_nodes
    flows = Flows.of(ends[:24], ends[24:], 1.0 + np.arange(24))
    graph, pairs = build_graph(net, [flows], per_endpoint=True), [PairTraffic(flows, 1.0, 1)]
    streamed = StreamedFlows.of(graph, phase_demand(graph, [flows], [1.0]), pairs, RoutingOptions())
    up = streamed.loads_gbps(range(1000))[:, graph.src == 0, 0]
    variance = np.sum(flows.amount**2) * 3 / 16
    assert up.mean(axis=0) == pytest.approx(np.full(4, flows.amount.sum() / 4), abs=4 * np.sqrt(variance / 1000))
    assert up.var(axis=0) == pytest.approx(np.full(4, variance), rel=0.2)


@pytest.mark.parametrize(("limit", "replicas"), [("MOST_FLOWS", 1), ("MOST_FLOWS_REPLICATED", 4)])
def test_more_flows_than_are_kept_are_hashed_all_the_same(limit, replicas, monkeypatch):
    """The answer says that all flows were hashed, and of how many draws; other routers of flows have it too."""
    graph, demand, pairs = phase(*FAT_TREE)
    options = RoutingOptions(seed=5, draws=2, hash=HashOptions(replicas=replicas))
    whole = HashedFlows.of(graph, demand, pairs, options, most_listed=0).routing(5)
    monkeypatch.setattr(streamed_flows, limit, 7)
    answer = ROUTERS["ecmp-hash"]({}, graph=graph, demand=demand, pairs=pairs, options=options)
    np.testing.assert_allclose(answer.edge_gbps, whole.edge_gbps, rtol=1e-12)
    said = ["138 flows hashed, every one of them; fair rates of single flows are not worked out"]
    fewer = ["2 of 4 replicas drawn: the links of more do not fit in memory"]
    assert list(answer.notes) == said + (fewer if replicas == 4 else [])
    assert answer.paths is None
    assert answer.spread is None
