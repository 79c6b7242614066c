"""Adaptive routing: by packet as spraying, by flow as hashing, and flowlets between the two."""

from __future__ import annotations

import numpy as np
import pytest
from oracle_fabrics import larger_case, ours

from fabric.cli.main import run
from fabric.evaluation.phases import route_phase
from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.hashing.pieces import flow_bytes, pieces_per_flow
from fabric.routing.router import ROUTERS, AdaptiveOptions, HashOptions, PairTraffic, RoutingOptions
from topologies.builder import TOPOLOGIES
from traffic.demands import Demands, Flows, TrafficClass, UniformBlock

MEGABYTE = 1e6


def adaptive(granularity, flowlet_bytes=500e3):
    return {"adaptive": AdaptiveOptions(granularity, flowlet_bytes)}


def fan(hosts=16, uplinks=8):
    """Two leaves under ``uplinks`` spines, every host of the first sends one megabyte to its counterpart."""
    keys = {"leaves": 2, "spines": uplinks, "hosts_per_leaf": hosts, "host_speed": "100G", "uplink_speed": "100G"}
    net = TOPOLOGIES["leaf-spine"](keys)
    ends = net.endpoint_nodes
    return net, Flows.of(ends[:hosts], ends[hosts:], MEGABYTE)


def uplink_gbps(pieces, draws=2000, hosts=16, uplinks=8):
    """Load of the first leaf's uplinks in draws of flowlets of so many pieces a flow, shape (draws, uplinks)."""
    net, flows = fan(hosts, uplinks)
    graph = build_graph(net, [flows], per_endpoint=True)
    demand = phase_demand(graph, [flows], [1e-6])
    options = RoutingOptions(**adaptive("flowlet", MEGABYTE / pieces))
    pairs = [PairTraffic(flows, 1e-6, 1)]
    routing = ROUTERS["adaptive"]({}, graph=graph, demand=demand, pairs=pairs, options=options)
    loads = routing.draws.loads_gbps(range(draws))[:, :, 0]
    leaf = graph.src[np.flatnonzero(routing.edge_gbps[:, 0] > 0)].min()
    return loads[:, np.flatnonzero((graph.src == leaf) & (loads.sum(axis=0) > 0))]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("efficiency", [1.0, 0.92])
def test_packets_are_sprayed(seed, efficiency):
    """The same loads and the same room as router spray, on random networks."""
    case = larger_case(seed)
    packet = ours(case, "adaptive", spray_efficiency=efficiency, **adaptive("packet"))
    spray = ours(case, "spray", spray_efficiency=efficiency)
    np.testing.assert_allclose(packet.link_gbps, spray.link_gbps, atol=1e-9)
    np.testing.assert_allclose(packet.utilisation, spray.utilisation, atol=1e-9)
    assert packet.draws is None


@pytest.mark.parametrize("seed", range(4))
def test_whole_flows_are_hashed(seed):
    """The same loads in every draw, the same rates and the same slowdown as router ecmp-hash."""
    case = larger_case(seed)
    options = {"draws": 20, "rate_draws": 10, "seed": seed}
    flow, hashed = ours(case, "adaptive", **options, **adaptive("flow")), ours(case, "ecmp-hash", **options)
    assert flow.draws == hashed.draws
    assert flow.spread == hashed.spread
    assert flow.link_gbps.tobytes() == hashed.link_gbps.tobytes()
    assert flow.packet_slowdown == hashed.packet_slowdown == 1.15


@pytest.mark.parametrize("pieces", [1, 2, 4, 8, 32, 128])
def test_loads_of_flowlets_are_those_of_pieces_in_bins(pieces):
    """16 flows of k pieces onto 8 uplinks: mean 2, variance 16 (1/8) (7/8) / k; walked up to 8 pieces, shrunk above.

    Mean and variance of the 2,000 draws of 8 uplinks, within four standard errors.
    """
    loads = uplink_gbps(pieces)
    assert loads.shape == (2000, 8)
    variance = 16 * (1 / 8) * (7 / 8) / pieces
    np.testing.assert_allclose(loads.sum(axis=1), 16.0)
    assert loads.mean() == pytest.approx(2.0)
    assert loads.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / 2000))
    assert loads.min() >= 0


@pytest.mark.parametrize("function", ["random", "crc32"])
def test_finer_pieces_have_a_lower_fullest_link_down_to_packets(function):
    """Medians of the fullest link fall from flows to packets, and flowlets without end come to what spraying does."""
    net, flows = fan(hosts=16, uplinks=16)
    demands = Demands("main", (TrafficClass("job", "p", "rows", steady=False),), (flows,))

    def median(granularity, flowlet=1.0):
        options = RoutingOptions(draws=50, hash=HashOptions(function=function), **adaptive(granularity, flowlet))
        route = route_phase(net, demands, "p", router="adaptive", options=options, efficiency=1.0)
        return route.draws.max_utilisation.median if route.draws else route.max_utilisation

    whole, halves, tenths = median("flow"), median("flowlet", MEGABYTE / 2), median("flowlet", MEGABYTE / 10)
    endless, packets = median("flowlet", 1e-9), median("packet")
    assert whole > halves > tenths > packets
    assert packets == pytest.approx(1 / 0.92)
    assert endless == pytest.approx(packets, rel=1e-4)


def test_pieces_follow_the_bytes_of_flows_each_weighted_by_its_size():
    """Flows of 1 and 3 MB: (1 + 9) / (1 + 3) = 2.5 MB, half of it with two queue pairs; steady traffic has no end."""
    flows = Flows.of([0, 1], [1, 0], [MEGABYTE, 3 * MEGABYTE])
    assert flow_bytes(PairTraffic(flows, 1.0, 1)) == pytest.approx(2.5 * MEGABYTE)
    assert flow_bytes(PairTraffic(flows, 1.0, 2)) == pytest.approx(1.25 * MEGABYTE)
    block = Flows(flows.src[:0], flows.dst[:0], flows.amount[:0], (UniformBlock(np.arange(4), 2 * MEGABYTE),))
    assert flow_bytes(PairTraffic(block, 1.0, 1)) == pytest.approx(2 * MEGABYTE)
    pairs = [PairTraffic(flows, 1.0, 1), PairTraffic(flows, 1.0, 1, steady=True), PairTraffic(flows, 1.0, 1)]
    np.testing.assert_allclose(pieces_per_flow(pairs, 10 * MEGABYTE), [1, np.inf, 1])
    np.testing.assert_allclose(pieces_per_flow(pairs, MEGABYTE), [2.5, np.inf, 2.5])


@pytest.mark.parametrize("granularity", ["packet", "flowlet", "flow"])
def test_the_command_line_takes_it(granularity, tmp_path):
    """fabric route --router adaptive answers; JSON says what decided."""
    import json

    path = tmp_path / "x.json"
    key = f"fabrics.main.routing.adaptive.granularity={granularity}"
    words = ["route", "examples/quickstart.fabric.yaml", "--router", "adaptive", "--set", key, "-o", str(path)]
    assert run(words) == 0
    (entry,) = json.loads(path.read_text())["routes"]
    assert entry["router"] == "adaptive"
    assert (entry["draws"] is None) == (granularity == "packet")
    assert ("hashed" in entry["routing_basis"]) == (granularity != "packet")


def test_tables_of_it_are_refused_with_a_way_out(tmp_path, capsys):
    """No table says what queues decide."""
    words = [
        "export",
        "openflow",
        "examples/quickstart.fabric.yaml",
        "--router",
        "adaptive",
        "-o",
        str(tmp_path / "out"),
    ]
    assert run(words) != 0
    said = capsys.readouterr().err
    assert "chooses by the queues of the moment" in said
    assert "export under router ecmp" in said
