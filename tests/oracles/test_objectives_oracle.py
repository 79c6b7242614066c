"""Objectives and path policies of ``optimal`` against programmes with a variable per demand and edge, or per path."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from oracle_fabrics import Case, larger_case, reachable
from scipy.optimize import linprog
from scipy.sparse import coo_array

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.k_paths import k_shortest_paths
from fabric.routing.router import ROUTERS, RoutingOptions
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows

SEEDS = range(20)
SAME = 1e-6


def solved(net, flows, **options):
    """Graph, demand and the optimal routing."""
    graph = build_graph(net, [flows])
    demand = phase_demand(graph, [flows], [1.0])
    given = RoutingOptions(**options)
    return graph, demand, ROUTERS["optimal"]({}, graph=graph, demand=demand, options=given)


def connected_case(seed):
    """A random network with multi-homed hosts, and its demands that have a path."""
    case = larger_case(seed)
    return Case(case.net, tuple(reachable(case)[0]))


class PlainFlows:
    """f[e, l] ≥ 0 per entry e and edge l in Gbps, x[e] in [0, 1]; nothing shared with ``fabric.optimise``."""

    def __init__(self, graph, demand):
        self.gbps = demand.total_gbps
        entries, edges = len(self.gbps), len(graph.src)
        self.flows = entries * edges
        entry, edge = np.repeat(np.arange(entries), edges), np.tile(np.arange(edges), entries)
        out, into = entry * graph.nodes + graph.src[edge], entry * graph.nodes + graph.dst[edge]
        dest = demand.dest_of_entry
        at = np.arange(entries)
        rows = np.concatenate([out, into, at * graph.nodes + demand.src, at * graph.nodes + dest])
        columns = np.concatenate([np.arange(self.flows)] * 2 + [self.flows + at] * 2)
        data = np.concatenate([np.ones(self.flows), -np.ones(self.flows), -self.gbps, self.gbps])
        size = self.flows + entries
        self.balance = coo_array((data, (rows, columns)), shape=(entries * graph.nodes, size)).tocsr()
        self.load = coo_array((np.ones(self.flows), (edge, np.arange(self.flows))), shape=(edges, size)).tocsr()
        self.graph, self.edge = graph, edge

    def solve(self, cost, least, most, capacity):
        """Least cost with x between bounds and loads within capacity."""
        bounds = [(0, None)] * self.flows + list(zip(least, most, strict=True))
        zero = np.zeros(self.balance.shape[0])
        found = linprog(
            cost, A_ub=self.load, b_ub=capacity, A_eq=self.balance, b_eq=zero, bounds=bounds, method="highs"
        )
        assert found.status == 0, found.message
        return found

    def most_admitted(self):
        """Most Gbps that fit."""
        entries = len(self.gbps)
        cost = np.concatenate([np.zeros(self.flows), -self.gbps])
        return -self.solve(cost, np.zeros(entries), np.ones(entries), self.graph.capacity_gbps).fun

    def least_cost(self, most):
        """Least Σ weight x Gbps with utilisation at most ``most``."""
        ones = np.ones(len(self.gbps))
        cost = np.concatenate([self.graph.weight[self.edge], np.zeros(len(ones))])
        return self.solve(cost, ones, ones, self.graph.capacity_gbps * most).fun

    def fair_levels(self):
        """Progressive filling: raise all, then ask each alone whether it could rise further; those that cannot stay."""
        entries = len(self.gbps)
        level, rising = np.zeros(entries), np.ones(entries, dtype=bool)
        while rising.any():
            top = self._highest(level, rising)
            level[rising] = top
            stuck = []
            for one in np.flatnonzero(rising):
                cost = np.zeros(self.flows + entries)
                cost[self.flows + one] = -1.0
                slack = level * (1 - 1e-9)
                most = np.where(rising, 1.0, level)
                if -self.solve(cost, slack, most, self.graph.capacity_gbps).fun <= top + 1e-6:
                    stuck.append(one)
            rising[stuck if stuck else rising] = False
        return level

    def _highest(self, level, rising):
        low, high = level[rising].max(), 1.0
        if self._fits(level, rising, high):
            return high
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if self._fits(level, rising, middle) else (low, middle)
        return low

    def _fits(self, level, rising, top):
        x = np.where(rising, top, level)
        bounds = [(0, None)] * self.flows + [(value, value) for value in x]
        zero = np.zeros(self.balance.shape[0])
        found = linprog(
            np.zeros(self.flows + len(x)), A_ub=self.load, b_ub=self.graph.capacity_gbps * (1 + 1e-9),
            A_eq=self.balance, b_eq=zero, bounds=bounds, method="highs",
        )  # fmt: skip
        return found.status == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_most_throughput_is_that_of_the_plain_programme(seed):
    """Admitted Gbps, its bound, loads within capacity, and parts that add up to the value."""
    case = connected_case(seed)
    graph, demand, routing = solved(case.net, case.flows, objective="max-throughput")
    most = PlainFlows(graph, demand).most_admitted()
    proof = routing.certificate.objective
    assert proof.value == pytest.approx(most, rel=SAME)
    assert proof.bound == pytest.approx(most, rel=SAME)
    assert routing.admitted @ demand.total_gbps == pytest.approx(proof.value)
    assert (routing.edge_gbps.sum(axis=1) <= graph.capacity_gbps * (1 + 1e-9)).all()
    assert not routing.partial


@pytest.mark.parametrize("seed", range(8))
def test_fair_levels_are_those_of_progressive_filling(seed):
    """Every demand's level, by bisection and by asking each demand alone."""
    case = connected_case(seed)
    case = Case(case.net, case.rows[:8])
    graph, demand, routing = solved(case.net, case.flows, objective="max-min-fair")
    np.testing.assert_allclose(routing.admitted, PlainFlows(graph, demand).fair_levels(), atol=1e-5)
    assert routing.certificate.objective.value == pytest.approx(routing.admitted.min(), rel=1e-6)
    assert routing.certificate.objective.bound >= routing.certificate.objective.value * (1 - 1e-9)
    assert (routing.edge_gbps.sum(axis=1) <= graph.capacity_gbps * (1 + 1e-9)).all()


@pytest.mark.parametrize("seed", range(4))
def test_levels_by_programmes_are_those_by_moves(seed, monkeypatch):
    """What networks that are too large for memory do has the same levels, as exact."""
    case = connected_case(seed)
    first = solved(case.net, case.flows, objective="max-min-fair")[2]
    monkeypatch.setattr("fabric.optimise.fair_levels.MOST_ENTRIES", 0)
    graph, _, routing = solved(case.net, case.flows, objective="max-min-fair")
    np.testing.assert_allclose(routing.admitted, first.admitted, rtol=1e-5)
    assert routing.certificate.objective.levels_gap <= 1e-5
    assert (routing.edge_gbps.sum(axis=1) <= graph.capacity_gbps * (1 + 1e-9)).all()


@pytest.mark.parametrize("target", [0.5, 1.0, 4.0, 50.0])
@pytest.mark.parametrize("seed", range(6))
def test_least_cost_is_that_of_the_plain_programme(seed, target):
    """At the target, or at the least utilisation there is when the target is below it, which a note says."""
    case = connected_case(seed)
    graph, demand, routing = solved(case.net, case.flows, objective="min-cost", target_utilisation=target)
    reached = (routing.edge_gbps.sum(axis=1) / graph.capacity_gbps).max()
    least = (solved(case.net, case.flows)[2].edge_gbps.sum(axis=1) / graph.capacity_gbps).max()
    cost = PlainFlows(graph, demand).least_cost(max(target, least * (1 + 1e-6)))
    assert routing.certificate.objective.value == pytest.approx(cost, rel=1e-5)
    assert routing.certificate.objective.bound <= cost * (1 + 1e-6)
    assert graph.weight @ routing.edge_gbps.sum(axis=1) == pytest.approx(routing.certificate.objective.value)
    assert reached <= max(target, least) * (1 + 1e-5)
    assert any("no routing meets" in note for note in routing.notes) == (least > target * (1 + 1e-4))


def least_theta_over_paths(graph, gbps, paths_of_entry):
    """min θ with a variable per path; paths are lists of edges."""
    rows, columns, data, owner = [], [], [], []
    for entry, paths in enumerate(paths_of_entry):
        for path in paths:
            for edge in path:
                rows.append(edge)
                columns.append(len(owner))
                data.append(gbps[entry] / graph.capacity_gbps[edge])
            owner.append(entry)
    count, edges = len(owner), len(graph.src)
    load = coo_array(
        (np.append(data, -np.ones(edges)), (np.append(rows, np.arange(edges)), np.append(columns, [count] * edges))),
        shape=(edges, count + 1),
    )
    choose = coo_array((np.ones(count), (owner, np.arange(count))), shape=(len(gbps), count + 1))
    cost = np.append(np.zeros(count), 1.0)
    found = linprog(
        cost, A_ub=load.tocsr(), b_ub=np.zeros(edges), A_eq=choose.tocsr(), b_eq=np.ones(len(gbps)), method="highs"
    )
    assert found.status == 0
    return found.fun


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("seed", range(6))
def test_policy_k_shortest_uses_the_given_paths_best(seed, k):
    """Against a programme by path over the same paths; the bound proves it."""
    case = connected_case(seed)
    graph, demand, routing = solved(case.net, case.flows, paths="k-shortest", k_paths=k)
    found = k_shortest_paths(graph, demand, k)
    paths = [[] for _ in demand.src]
    for number, entry in enumerate(found.entry.tolist()):
        paths[entry].append(found.edge[found.start[number] : found.start[number + 1]].tolist())
    least = least_theta_over_paths(graph, demand.total_gbps, paths)
    theta = (routing.edge_gbps.sum(axis=1) / graph.capacity_gbps).max()
    access = routing.certificate.lower_bound if "access" in routing.certificate.witness else 0.0
    assert theta <= max(least, access) * (1 + SAME)
    assert routing.certificate.lower_bound == pytest.approx(max(least, access), rel=SAME)


def valley_free_paths(graph, src, dst):
    """All simple paths that never climb, or cross, after they went down; by NetworkX."""
    level = np.where(graph.is_terminal, 0, graph.topology.nodes.level[graph.node_of])
    net = nx.MultiDiGraph()
    net.add_nodes_from(range(graph.nodes))
    for edge, (tail, head) in enumerate(zip(graph.src.tolist(), graph.dst.tolist(), strict=True)):
        net.add_edge(tail, head, key=edge)
    good = []
    for path in nx.all_simple_edge_paths(net, src, dst, cutoff=6):
        rise = [int(np.sign(level[head] - level[tail])) for tail, head, _ in path]
        if all(one >= other for one, other in pairwise(rise)):
            good.append([edge for _, _, edge in path])
    return good


@pytest.mark.parametrize("seed", range(6))
def test_policy_valley_free_climbs_once_and_is_bounded_over_all_such_paths(seed):
    """A k = 4 fat tree without five cables: splits go up, then down; the bound is that of a programme by path."""
    rng = np.random.default_rng(seed)
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    links, forwards = net.links, net.nodes.forwards
    cables = np.flatnonzero(forwards[links.src] & forwards[links.dst] & (links.reverse > np.arange(len(links))))
    net = net.with_down(links=rng.choice(cables, 5, replace=False))
    hosts = net.endpoint_nodes
    other = hosts[rng.permutation(len(hosts))]
    case = Case(net, tuple((int(a), int(b), 100.0) for a, b in zip(hosts, other, strict=True) if a != b))
    graph = build_graph(net, [case.flows])
    demand = phase_demand(graph, [case.flows], [1.0])
    paths = [valley_free_paths(graph, s, d) for s, d in zip(demand.src, demand.dest_of_entry, strict=True)]
    if not all(paths):
        pytest.skip("some pair has no valley-free path")
    routing = solved(net, case.flows, paths="valley-free")[2]
    least = max(least_theta_over_paths(graph, demand.total_gbps, paths), 1.0)
    theta = max((routing.edge_gbps.sum(axis=1) / graph.capacity_gbps).max(), 1.0)
    assert least * (1 - SAME) <= theta <= least * 1.5
    assert routing.certificate.lower_bound <= least * (1 + SAME)
    assert routing.partial == (theta > routing.certificate.lower_bound * (1 + 1e-4))
    level = graph.topology.nodes.level[graph.node_of]
    for row in range(len(demand.dest)):
        edges = routing.splits.edge[routing.splits.start[row] : routing.splits.start[row + 1]]
        came_down = set(graph.dst[edges[level[graph.dst[edges]] < level[graph.src[edges]]]].tolist())
        climbs = set(graph.src[edges[level[graph.dst[edges]] > level[graph.src[edges]]]].tolist())
        assert not came_down & climbs


@pytest.mark.parametrize("objective", ["max-throughput", "max-min-fair", "min-cost", "min-max-utilisation"])
@pytest.mark.parametrize("paths", ["any", "shortest", "k-shortest", "valley-free"])
def test_no_time_and_nothing_to_send_are_answers(objective, paths):
    """Time limit 0 is marked partial unless bounds alone decide; no demand is no failure."""
    case = connected_case(1)
    _, _, stopped = solved(case.net, case.flows, objective=objective, paths=paths, time_limit_s=0.0)
    assert stopped.partial
    assert np.isfinite(stopped.edge_gbps).all()
    none = Flows.none()
    _, _, empty = solved(case.net, none, objective=objective, paths=paths)
    assert not empty.edge_gbps.any()
    assert not empty.partial
