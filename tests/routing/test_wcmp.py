"""WCMP: by hand on fabrics with a failure, and against a plain walk over NetworkX's shortest paths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from oracle_fabrics import Case, cases, larger_case, node_imbalance_gbps, ours, routed
from shortest_oracle import downstream_parts, equal_parts, link_parts, lowest_parts, routed_by

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.shortest_splits import shortest_loads, shortest_splits
from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows

SOME = settings(max_examples=20, deadline=None, derandomize=True, database=None)
RULES = pytest.mark.parametrize("rule", ["equal", "link-capacity", "downstream-capacity", "lowest"])


@SOME
@given(cases(weights=(1.0, 1.0, 2.0, 0.5)))
def test_wcmp_equals_a_plain_walk(case):
    """Parallel links, unequal speeds, weights, hosts with up to three links; pair by pair."""
    np.testing.assert_allclose(
        ours(case, "wcmp").link_gbps.sum(axis=1), routed_by(downstream_parts, case)[0], atol=1e-9
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ("equal", equal_parts),
        ("link-capacity", link_parts),
        ("downstream-capacity", downstream_parts),
        ("lowest", lowest_parts),
    ],
)
def test_every_rule_equals_a_plain_walk_on_larger_fabrics(rule, parts, seed):
    """Six to nine switches; the host terminals of ``lowest`` stand behind the switches in both numberings."""
    case = larger_case(seed)
    graph = build_graph(case.net, [case.flows])
    demand = phase_demand(graph, [case.flows], [1.0])
    loads, unreachable, _ = shortest_loads(graph, demand, rule)
    assert not unreachable.any()
    found = graph.link_loads(loads, demand.sent_gbps, demand.received_gbps).sum(axis=1)
    np.testing.assert_allclose(found, routed_by(parts, case)[0], atol=1e-9)


@RULES
@pytest.mark.parametrize("seed", range(6))
def test_explicit_splits_carry_the_loads(rule, seed):
    """A plain walk down the splits, edges in the order given, is what the sweep loaded; fractions sum to 1."""
    case = larger_case(seed)
    graph = build_graph(case.net, [case.flows])
    demand = phase_demand(graph, [case.flows], [1.0])
    loads, _, used = shortest_loads(graph, demand, rule)
    splits = shortest_splits(graph, demand, rule)
    walked = np.zeros(len(graph.src))
    for row in range(len(demand.dest)):
        amount = np.zeros(graph.nodes)
        entries = slice(demand.start[row], demand.start[row + 1])
        np.add.at(amount, demand.src[entries], demand.total_gbps[entries])
        mine = slice(splits.start[row], splits.start[row + 1])
        assert used[row] == splits.start[row + 1] - splits.start[row]
        left = []
        for edge, fraction in zip(splits.edge[mine].tolist(), splits.fraction[mine].tolist(), strict=True):
            left += [graph.src[edge]] if not left or left[-1] != graph.src[edge] else []
            assert graph.dst[edge] not in left
            walked[edge] += amount[graph.src[edge]] * fraction
            amount[graph.dst[edge]] += amount[graph.src[edge]] * fraction
        assert len(set(left)) == len(left)
        total = np.bincount(graph.src[splits.edge[mine]], splits.fraction[mine], graph.nodes)
        np.testing.assert_allclose(total[left], 1.0)
    np.testing.assert_allclose(walked, loads.sum(axis=1), atol=1e-9)


def crippled_pair(cables):
    """Leaves a and c under spines x and y, ``cables`` parallel 100G cables each; one of x - c is down.

    a ==x== c
     \\==y==/
    """
    built = assemble("pair", "test")
    a, c = built.switches("leaf", ["a", "c"], level=1, nics=1)
    x, y = built.switches("spine", ["x", "y"], level=2)
    for _ in range(cables):
        built.cables([a, a, x, y], [x, y, c, c], 100.0)
    net = built.freeze()
    down = np.flatnonzero((net.links.src == x) & (net.links.dst == c))[:1]
    return net.with_down(links=down), int(a), int(c)


@pytest.mark.parametrize("cables", [2, 4])
def test_traffic_avoids_the_spine_that_lost_a_link(cables):
    """n cables each way, one of x - c down: x can pass (n-1)·100, y n·100; a offers (2n-1)·100.

    WCMP sends (n-1)·100 over x and n·100 over y: every live link of x - c and y - c is exactly full. ECMP sends half
    over x: (2n-1)/2 over n-1 links, 150 % for n = 2, 700/2/300 = 116.7 % for n = 4.
    """
    net, a, c = crippled_pair(cables)
    case = Case(net, ((a, c, (2 * cables - 1) * 100.0),))
    assert ours(case, "wcmp").max_utilisation == pytest.approx(1.0)
    assert ours(case, "ecmp").max_utilisation == pytest.approx((cables - 0.5) / (cables - 1))
    assert ours(case, "optimal").max_utilisation == pytest.approx(1.0)


def test_parallel_cables_to_a_narrow_neighbour_count_once():
    """a has two 100G cables to b and one to c; b and c have one 100G link each to d. a offers 200 to d.

    Behind b and behind c there is 100 each: half each way, all full. Per link b would get two thirds, and 133 %.
    """
    net = assemble("narrow", "test")
    a, b, c, d = net.switches("router", ["a", "b", "c", "d"], level=1, nics=1)
    net.cables([a, a, a, b, c], [b, b, c, d, d], 100.0)
    case = Case(net.freeze(), ((int(a), int(d), 200.0),))
    assert ours(case, "wcmp").max_utilisation == pytest.approx(1.0)
    assert ours(case, "ecmp").max_utilisation == pytest.approx(4 / 3)


@pytest.mark.parametrize("k", [4, 6])
def test_on_an_intact_fat_tree_wcmp_is_ecmp(k):
    """Equal links everywhere: equal weights."""
    net = TOPOLOGIES["fat-tree"]({"radix": k, "speed": "100G"})
    hosts = net.endpoint_nodes
    case = Case(net, tuple(zip(hosts.tolist(), np.roll(hosts, 5).tolist(), [100.0] * len(hosts), strict=True)))
    expected = ours(case, "ecmp").link_gbps
    np.testing.assert_allclose(ours(case, "wcmp").link_gbps, expected, atol=1e-9)


def test_many_next_hops_are_left_to_the_exporter(monkeypatch):
    """Above the stated size the splits are not written out, and a note says so."""
    import fabric.routers.wcmp as module

    net, a, c = crippled_pair(2)
    flows = Flows.of([a], [c], [100.0])
    assert len(routed(net, flows, "wcmp")[2].splits.edge) == 7
    monkeypatch.setattr(module, "MOST_SPLITS", 6)
    routing = routed(net, flows, "wcmp")[2]
    assert routing.splits is None
    assert "7 next hops" in routing.notes[0]


def test_loads_are_conserved_after_a_failure():
    """What a sends, c receives."""
    net, a, c = crippled_pair(3)
    loads = ours(Case(net, ((a, c, 500.0),)), "wcmp").link_gbps.sum(axis=1)
    np.testing.assert_allclose(node_imbalance_gbps(net, loads, [(a, c, 500.0)]), 0, atol=1e-9)
