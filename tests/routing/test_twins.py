"""Sets of twins: found right, and equal splits over them load every link as one sweep per destination does."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.routing import twin_loads as folded
from fabric.routing.equal_split import swept_loads
from fabric.routing.graph import PhaseDemand, build_graph, phase_demand
from fabric.routing.twins import find_twins
from topologies.builder import TOPOLOGIES
from topologies.columns import column
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


def between_switches(graph, rng):
    """Two classes of demand between three in four pairs of switches, whatever they are."""
    nodes = graph.nodes
    chosen = (rng.random((nodes, nodes)) < 0.75) & ~np.eye(nodes, dtype=np.bool_)
    sink, source = np.nonzero(chosen)
    none = np.zeros((len(graph.topology.nodes), 2))
    start = np.searchsorted(sink, np.arange(nodes + 1))
    return PhaseDemand(
        np.arange(nodes, dtype=np.int32), column(start, np.int32), column(source, np.int32),
        rng.random((len(source), 2)), none, none,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["fat-tree", "leaf-spine", "clos", "rail-only", "explicit"])
def test_what_starts_next_to_where_it_ends_stays_on_its_own_links(name, always):
    """Every switch sends to switches beside it and far away."""
    rng = np.random.default_rng(3)
    for failed in (0.0, 0.1):
        topology = built(name)
        down = rng.choice(len(topology.links), int(failed * len(topology.links)), replace=False)
        graph = build_graph(topology.with_down(links=down.tolist()), [])
        demand = between_switches(graph, rng)
        wanted, cut = swept_loads(graph, demand)
        loads, unreachable = folded.twin_loads(graph, demand)
        np.testing.assert_array_equal(unreachable, cut)
        np.testing.assert_allclose(loads, wanted, rtol=1e-9, atol=1e-12)


def test_twins_have_the_same_links_and_parallel_ones_count():
    """1 and 2 join 0 and 3 alike; 4 joins both too, but by two links to 3."""
    pairs = [(0, 1), (0, 2), (0, 4), (3, 1), (3, 2), (3, 4), (3, 4)]
    src = np.array([a for a, _ in pairs] + [b for _, b in pairs], np.int32)
    dst = np.array([b for _, b in pairs] + [a for a, _ in pairs], np.int32)
    assert find_twins(src, dst, 5).tolist() == [0, 1, 1, 2, 3]
    one_way = np.array([edge for edge in range(len(src)) if (src[edge], dst[edge]) != (2, 0)])
    assert find_twins(src[one_way], dst[one_way], 5).tolist() == [0, 1, 2, 3, 4]


def test_a_fat_tree_folds_to_pods_and_planes():
    """k = 8: 8 sets of edge switches, 32 aggregation switches, 4 planes; 32 pairs below and 32 above, both ways."""
    graph = build_graph(built("fat-tree", radix=8, speed="100G"), [])
    assert sorted(graph.twin_net.size.tolist()) == [1] * 32 + [4] * 12
    assert len(graph.twin_net.head) == 128
    assert len(graph.between_switches) == 512


def test_sets_of_switches_are_found_once_for_all_demand():
    """Hosts on two planes: each demand has a graph of its own, of other nodes, and the same sets of switches."""
    plane = {"kind": "fat-tree", "radix": 4, "speed": "100G"}
    net = TOPOLOGIES["multi-plane"]({"planes": 2, "plane": plane})
    ends = net.endpoint_nodes
    one, other = (build_graph(net, [Flows.of(ends[:count], ends[-count:], 1.0)]) for count in (1, 8))
    assert one.nodes != other.nodes
    assert one.twins is other.twins
    assert len(other.strong_part) == other.nodes
    assert one.twin_net.head is other.twin_net.head
    assert (one.twin_net.set_of[len(one.twins) :] == -1).all()
