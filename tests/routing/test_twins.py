"""Sets of twins: found right, and equal splits over them load every link as one sweep per destination does."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.routing import twin_loads as folded
from fabric.routing.equal_split import swept_loads
from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.twins import find_twins, taken_apart
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows, UniformBlock


def built(name, **keys):
    return TOPOLOGIES[name](keys or TOPOLOGIES[name].example)


@pytest.fixture
def always(monkeypatch):
    """Sets are used however few they save."""
    monkeypatch.setattr(folded, "LEAST_FOLDING", 0)
    monkeypatch.setattr(folded, "LEAST_STEPS", 0)


def random_demand(topology, rng, *, per_endpoint):
    """Rows and a block of two classes between random endpoints that have links, as a graph and its demand."""
    ends = topology.endpoint_nodes
    flows = [
        Flows.of(rng.choice(ends, 30), rng.choice(ends, 30), rng.random(30)),
        Flows(
            *Flows.of(rng.choice(ends, 5), rng.choice(ends, 5), 1.0).rows(), (UniformBlock(np.unique(ends)[:9], 0.3),)
        ),
    ]
    graph = build_graph(topology, flows, per_endpoint=per_endpoint)
    has = (graph.source >= 0) & (graph.sink >= 0)
    kept = []
    for part in flows:
        good = has[part.src] & has[part.dst]
        blocks = tuple(UniformBlock(block.members[has[block.members]], block.amount) for block in part.blocks)
        some = tuple(block for block in blocks if len(block.members) > 1)
        kept.append(Flows(part.src[good], part.dst[good], part.amount[good], some))
    return graph, phase_demand(graph, kept, [1.0, 2.0])


@pytest.mark.parametrize("per_endpoint", [False, True])
@pytest.mark.parametrize("name", TOPOLOGIES.names())
def test_sets_give_the_loads_of_one_sweep_per_destination(name, per_endpoint, always):
    """Every builder, intact and with links down at random, which may cut pairs off."""
    rng = np.random.default_rng(7)
    for failed in (0.0, 0.05, 0.3):
        topology = built(name)
        down = rng.choice(len(topology.links), int(failed * len(topology.links)), replace=False)
        topology = topology.with_down(links=down.tolist())
        graph, demand = random_demand(topology, rng, per_endpoint=per_endpoint)
        if not graph.equal_weights or not len(demand.dest):
            continue
        wanted, cut = swept_loads(graph, demand)
        loads, unreachable = folded.twin_loads(graph, demand)
        np.testing.assert_array_equal(unreachable, cut)
        np.testing.assert_allclose(loads, wanted, rtol=1e-9, atol=1e-12)


def test_switches_that_send_beside_their_twins_are_taken_one_by_one(always):
    """Two spines of three leaves; both send to leaf 0, which is next to them: 3 and 5 on their own links."""
    topology = built("leaf-spine", leaves=3, spines=2, hosts_per_leaf=1, host_speed="100G", uplink_speed="100G")
    graph = build_graph(topology, [])
    names = [graph.node_name(node) for node in range(graph.nodes)]
    spines = [node for node, name in enumerate(names) if "spine" in name]
    leaf = next(node for node, name in enumerate(names) if name.endswith("leaf0"))
    of = topology.endpoint_nodes
    demand = phase_demand(graph, [Flows.of(of[:1], of[1:2], 1.0)], [1.0])
    demand = type(demand)(
        np.array([leaf], np.int32), np.array([0, 2], np.int32), np.array(spines, np.int32), np.array([[3.0], [5.0]]),
        demand.sent_gbps, demand.received_gbps,
    )  # fmt: skip
    loads, _ = folded.twin_loads(graph, demand)
    assert [loads[(graph.src == spine) & (graph.dst == leaf), 0].tolist() for spine in spines] == [[3.0], [5.0]]
    assert loads.sum() == 8.0


def test_twins_have_the_same_links_and_parallel_ones_count():
    """1 and 2 join 0 and 3 alike; 4 joins both too, but by two links to 3."""
    pairs = [(0, 1), (0, 2), (0, 4), (3, 1), (3, 2), (3, 4), (3, 4)]
    src = np.array([a for a, _ in pairs] + [b for _, b in pairs], np.int32)
    dst = np.array([b for _, b in pairs] + [a for a, _ in pairs], np.int32)
    assert find_twins(src, dst, 5).tolist() == [0, 1, 1, 2, 3]
    one_way = np.array([edge for edge in range(len(src)) if (src[edge], dst[edge]) != (2, 0)])
    assert find_twins(src[one_way], dst[one_way], 5).tolist() == [0, 1, 2, 3, 4]
    assert taken_apart(np.array([0, 1, 1, 2, 3], np.int32), np.array([0, 1, 0, 0], np.bool_)).tolist() == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_a_fat_tree_folds_to_pods_and_planes():
    """k = 8: 8 sets of edge switches, 32 aggregation switches, 4 planes; 32 pairs below and 32 above, both ways."""
    graph = build_graph(built("fat-tree", radix=8, speed="100G"), [])
    assert sorted(graph.twin_net.size.tolist()) == [1] * 32 + [4] * 12
    assert len(graph.twin_net.head) == 128
    assert len(graph.between_switches) == 512
