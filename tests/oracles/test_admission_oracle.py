"""What is let in through NICs and network together, against programmes with a variable per pair and link.

The oracle routes pair by pair on the topology itself, access links included; it knows no graph, classes or terminals.
"""

from __future__ import annotations

import numpy as np
import pytest
from oracle_fabrics import Case, PairFlows, larger_case, node_imbalance_gbps, ours
from scipy.optimize import linprog
from scipy.sparse import coo_array, hstack

from topologies.assemble import assemble
from traffic.demands import Flows, UniformBlock

SAME = 1e-6


def pairs_of(case):
    """Gbps by (src, dst), in the order of the oracle's rows of balance."""
    found = {}
    for src, dst, gbps in case.rows:
        found[src, dst] = found.get((src, dst), 0.0) + gbps
    return found


def most_admitted(case):
    """max Σ x[pair] with x at most the pair's demand and no link of the topology above its capacity."""
    plain, pairs = PairFlows(case), pairs_of(case)
    links, nodes, flows = case.net.links, len(case.net.nodes), len(plain.link)
    at = np.arange(len(pairs))
    src, dst = np.array(list(pairs)).T
    rows = np.concatenate([at * nodes + src, at * nodes + dst])
    ends = coo_array((np.repeat([-1.0, 1.0], len(at)), (rows, np.tile(at, 2))), shape=(len(at) * nodes, len(at)))
    load = plain.capacity[:, :flows]
    free = coo_array((load.shape[0], len(at)))
    found = linprog(
        np.append(np.zeros(flows), -np.ones(len(at))),
        A_ub=hstack([load, free]),
        b_ub=links.capacity_gbps,
        A_eq=hstack([plain.balance[:, :flows], ends]),
        b_eq=np.zeros(len(at) * nodes),
        bounds=[(0, None)] * flows + [(0, gbps) for gbps in pairs.values()],
        method="highs",
    )
    assert found.status == 0, found.message
    return -found.fun


def let_in(route, case):
    """Gbps that sources put on their links or, for switches that send, into the network."""
    routed = route.routed
    entries = float(routed.routing.admitted @ routed.demand.total_gbps)
    graph = routed.graph
    local = [gbps for src, dst, gbps in case.rows if graph.source[src] == graph.sink[dst]]
    return entries + sum(local)


@pytest.mark.parametrize("seed", range(25))
def test_throughput_counts_what_nics_can_carry(seed):
    """Six to nine switches, hosts on one to three of them that may offer several times their line rate."""
    case = larger_case(seed)
    route = ours(case, "optimal", objective="max-throughput")
    assert route.max_utilisation <= 1 + 1e-9
    assert let_in(route, case) == pytest.approx(most_admitted(case), rel=SAME)


@pytest.mark.parametrize("seed", range(25))
def test_the_lowest_fair_level_is_what_all_could_get_at_once_nics_included(seed):
    """min(1, 1/θ) with θ the least maximum utilisation over all links of the topology."""
    case = larger_case(seed)
    route = ours(case, "optimal", objective="max-min-fair")
    level = min(1.0, 1 / PairFlows(case).least_theta())
    assert route.max_utilisation <= 1 + 1e-9
    assert route.routed.routing.admitted.min(initial=1.0) == pytest.approx(level, rel=SAME)
    assert route.objective.bound == pytest.approx(level, rel=SAME)


@pytest.mark.parametrize("objective", ["max-throughput", "max-min-fair"])
@pytest.mark.parametrize("seed", range(10))
def test_links_carry_what_is_let_in_and_no_more(seed, objective):
    """At every node, leaving minus entering is what the node sends minus what it receives of the admitted pairs."""
    case = larger_case(seed)
    route = ours(case, "optimal", objective=objective)
    graph, demand, routing = route.routed.graph, route.routed.demand, route.routed.routing
    part = {
        (int(s), int(d)): float(x) for s, d, x in zip(demand.src, demand.dest_of_entry, routing.admitted, strict=True)
    }
    rows = [(s, d, g * part.get((int(graph.source[s]), int(graph.sink[d])), 1.0)) for s, d, g in case.rows]
    imbalance = node_imbalance_gbps(case.net, route.link_gbps.sum(axis=1), rows)
    np.testing.assert_allclose(imbalance, 0, atol=1e-6)


def one_switch(*nic_gbps):
    """Hosts on one leaf, each with a NIC of its own speed."""
    net = assemble("leaf", "drawn")
    leaf = net.switches("leaf", ["leaf"], level=1)
    for number, gbps in enumerate(nic_gbps):
        net.cables(net.hosts([f"h{number}"], nics=1), leaf, gbps, tier="access")
    return net.freeze()


@pytest.mark.parametrize("objective", ["max-throughput", "max-min-fair"])
def test_a_slow_nic_limits_its_host_and_nobody_else(objective):
    """h1 (100 G) sends 80 to h3 (400 G); h2 (100 G) sends 250 to h3: 80 + 100 get in, parts 1 and 0.4."""
    net = one_switch(100.0, 100.0, 400.0)
    case = Case(net, ((1, 3, 80.0), (2, 3, 250.0)))
    route = ours(case, "optimal", objective=objective)
    assert let_in(route, case) == pytest.approx(180.0)
    assert route.routed.routing.admitted == pytest.approx([0.4])
    load = {net.link_name(link): gbps for link, gbps in enumerate(route.link_gbps[:, 0])}
    assert load["h0 -> leaf"] == pytest.approx(80.0)
    assert load["h1 -> leaf"] == pytest.approx(100.0)
    assert load["leaf -> h2"] == pytest.approx(180.0)


def test_an_incast_shares_the_receivers_nic_fairly():
    """Three hosts of 100 G send 60, 60 and 120 to one of 120 G: 240 offered, so each gets half of what it offers."""
    route = ours(
        Case(one_switch(100.0, 200.0, 100.0, 120.0), ((1, 4, 60.0), (2, 4, 120.0), (3, 4, 60.0))),
        "optimal",
        objective="max-min-fair",
    )
    assert route.routed.routing.admitted == pytest.approx(0.5)
    assert route.max_utilisation == pytest.approx(1.0)


@pytest.mark.parametrize("objective", ["max-throughput", "max-min-fair"])
def test_an_all_to_all_above_line_rate_fills_every_nic(objective):
    """Four hosts of 100 G on one switch, each offering 150 to the others: two thirds get in, every NIC is full."""
    net = one_switch(*[100.0] * 4)
    hosts = net.endpoint_nodes
    none = Flows.none()
    flows = Flows(none.src, none.dst, none.amount, (UniformBlock(hosts, 50.0),))
    route = ours(Case(net, ()), "optimal", flows=flows, objective=objective)
    assert route.routed.routing.admitted == pytest.approx(2 / 3)
    np.testing.assert_allclose(route.utilisation, 1.0)
