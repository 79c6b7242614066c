"""Routing without multipath: one way per switch and destination, by the lowest number."""

from __future__ import annotations

import numpy as np
import pytest
from oracle_fabrics import Case, larger_case, ours, plain_ecmp, routed
from shortest_oracle import lowest_parts, routed_by

from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows


@pytest.mark.parametrize("seed", range(8))
def test_single_path_equals_a_plain_walk(seed):
    """The lowest shortest next hop at every node, pair by pair; only links that ECMP uses too."""
    case = larger_case(seed)
    loads = ours(case, "single-path").link_gbps.sum(axis=1)
    np.testing.assert_allclose(loads, routed_by(lowest_parts, case)[0], atol=1e-9)
    assert not (loads > 0)[plain_ecmp(case) == 0].any()


@pytest.mark.parametrize("spines", [1, 2, 4])
def test_all_traffic_between_leaves_crosses_one_spine(spines):
    """3 leaves x 2 hosts at 100G on 100G uplinks, hosts send to the next leaf: 200 Gbps over one uplink, 200 %."""
    keys = {"leaves": 3, "spines": spines, "hosts_per_leaf": 2, "host_speed": "100G", "uplink_speed": "100G"}
    net = TOPOLOGIES["leaf-spine"](keys)
    hosts = net.endpoint_nodes
    route = ours(
        Case(net, tuple(zip(hosts.tolist(), np.roll(hosts, 2).tolist(), [100.0] * 6, strict=True))), "single-path"
    )
    assert route.max_utilisation == pytest.approx(2.0)
    loaded = {net.nodes.name[node] for node in net.links.dst[route.link_gbps[:, 0] > 0]}
    assert {name for name in loaded if name.startswith("spine")} == {"spine0"}


def test_the_first_parallel_link_carries_everything():
    """Three cables a - b: the first has 60 Gbps, the others nothing."""
    net = assemble("bundle", "test")
    a, b = net.switches("router", ["a", "b"], level=1, nics=1)
    net.cables([a, a, a], [b, b, b], 100.0)
    loads = ours(Case(net.freeze(), ((int(a), int(b), 60.0),)), "single-path").link_gbps.sum(axis=1)
    assert loads.tolist() == [60, 0, 0, 0, 0, 0]


def test_every_switch_has_one_next_hop_per_destination():
    """All fractions are 1, and no source comes twice for one destination."""
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    hosts = net.endpoint_nodes
    graph, demand, routing = routed(net, Flows.of(hosts, np.roll(hosts, 3), 10.0), "single-path")
    assert (routing.splits.fraction == 1).all()
    for row in range(len(demand.dest)):
        sources = graph.src[routing.splits.edge[routing.splits.start[row] : routing.splits.start[row + 1]]]
        assert len(np.unique(sources)) == len(sources)
