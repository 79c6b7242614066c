"""Objectives under path policies against plain programmes with a variable per path, over paths found by NetworkX."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from oracle_fabrics import Case, larger_case, reachable
from scipy.optimize import linprog

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.router import ROUTERS, RoutingOptions

SAME = 2e-6
K_PATHS = 3
LOAD = 3.0


def solved(seed, **options):
    """Graph, demand and the optimal routing of a random network of few demands and heavy load."""
    case = larger_case(seed)
    rows = tuple((src, dst, gbps * LOAD) for src, dst, gbps in reachable(case)[0][:8])
    case = Case(case.net, rows)
    graph = build_graph(case.net, [case.flows])
    demand = phase_demand(graph, [case.flows], [1.0])
    given = RoutingOptions(k_paths=K_PATHS, **options)
    return graph, demand, ROUTERS["optimal"]({}, graph=graph, demand=demand, options=given)


def paths_of(graph, demand, policy):
    """Paths of every entry as lists of edges: the shortest, or the shortest few of all simple ones."""
    net = nx.MultiDiGraph()
    net.add_nodes_from(range(graph.nodes))
    for edge in range(len(graph.src)):
        net.add_edge(int(graph.src[edge]), int(graph.dst[edge]), key=edge)
    found = []
    for src, dst in zip(demand.src.tolist(), demand.dest_of_entry.tolist(), strict=True):
        paths = [[key for _, _, key in path] for path in nx.all_simple_edge_paths(net, src, dst)]
        length = np.array([graph.weight[path].sum() for path in paths])
        order = np.argsort(length, kind="stable")
        keep = length[order] == length.min() if policy == "shortest" else np.arange(len(order)) < K_PATHS
        found.append(([paths[i] for i in order[keep]], length[order]))
    return found


class ByPath:
    """f[p] ≥ 0 in Gbps, then x[e]: Σ f of an entry's paths = Gbps x."""

    def __init__(self, graph, demand, paths):
        owner = np.repeat(np.arange(len(paths)), [len(mine) for mine in paths])
        every = [path for mine in paths for path in mine]
        self.flows, self.gbps = len(every), demand.total_gbps
        self.load = np.zeros((len(graph.src), self.flows + len(paths)))
        self.balance = np.zeros((len(paths), self.flows + len(paths)))
        for column, path in enumerate(every):
            self.load[path, column] = 1.0
        self.balance[owner, np.arange(self.flows)] = 1.0
        self.balance[np.arange(len(paths)), self.flows + np.arange(len(paths))] = -self.gbps
        self.length = np.append([graph.weight[path].sum() for path in every], np.zeros(len(paths)))
        self.graph = graph

    def solve(self, cost, least, most, room=1.0):
        bounds = [(0, None)] * self.flows + list(zip(least, most, strict=True))
        found = linprog(
            cost, A_ub=self.load, b_ub=room * self.graph.capacity_gbps, A_eq=self.balance,
            b_eq=np.zeros(len(self.balance)), bounds=bounds, method="highs",
        )  # fmt: skip
        assert found.status == 0, found.message
        return found.fun

    def wish(self, entry, worth=1.0):
        cost = np.zeros(self.load.shape[1])
        cost[self.flows + np.atleast_1d(entry)] = -worth
        return cost

    def throughput(self):
        every = np.arange(len(self.gbps))
        return -self.solve(self.wish(every, self.gbps), np.zeros(len(every)), np.ones(len(every)))

    def cost(self, most):
        ones = np.ones(len(self.gbps))
        return self.solve(self.length, ones, ones, most)

    def levels(self):
        """All rise together; those that could not rise alone stay, and the others rise on."""
        level, rising = np.zeros(len(self.gbps)), np.ones(len(self.gbps), dtype=bool)
        while rising.any():
            top = self.highest(level, rising)
            level[rising] = top
            most = np.where(rising, 1.0, level)
            down = level * (1 - 1e-9)
            alone = [-self.solve(self.wish(entry), down, most) for entry in np.flatnonzero(rising)]
            stuck = np.flatnonzero(rising)[np.array(alone) <= top + 1e-6]
            rising[stuck if len(stuck) else rising] = False
        return level

    def highest(self, level, rising):
        """Most t with x = t for all that rise: t is a column in place of theirs."""
        flows = self.balance[:, : self.flows]
        together = np.column_stack([flows, np.where(rising, -self.gbps, 0.0)])
        load = np.column_stack([self.load[:, : self.flows], np.zeros(len(self.load))])
        cost = np.append(np.zeros(self.flows), -1.0)
        fixed = np.where(rising, 0.0, self.gbps * level * (1 - 1e-9))
        found = linprog(
            cost, A_ub=load, b_ub=self.graph.capacity_gbps, A_eq=together, b_eq=fixed,
            bounds=[(0, None)] * self.flows + [(0, 1)], method="highs",
        )  # fmt: skip
        assert found.status == 0, found.message
        return -found.fun


def plain(graph, demand, policy):
    """The programme by path; skips where the k shortest are not one set."""
    found = paths_of(graph, demand, policy)
    tied = any(len(length) > K_PATHS and length[K_PATHS] == length[K_PATHS - 1] for _, length in found)
    if policy == "k-shortest" and tied:
        from fabric.routing.k_paths import k_shortest_paths

        given = k_shortest_paths(graph, demand, K_PATHS)
        paths = [[] for _ in demand.src]
        for number, entry in enumerate(given.entry.tolist()):
            paths[entry].append(given.edge[given.start[number] : given.start[number + 1]].tolist())
        lengths = [sorted(graph.weight[path].sum() for path in mine) for mine in paths]
        assert all(
            np.allclose(mine, every[: len(mine)]) for mine, (_, every) in zip(lengths, found, strict=True)
        )  # any choice among equals
        return ByPath(graph, demand, paths)
    return ByPath(graph, demand, [paths for paths, _ in found])


@pytest.mark.parametrize("policy", ["shortest", "k-shortest"])
@pytest.mark.parametrize("seed", range(12))
def test_objectives_under_a_policy_are_those_of_the_programme_by_path(seed, policy):
    """Throughput, all levels, and the cost at the utilisation that was reached."""
    graph, demand, routing = solved(seed, objective="max-throughput", paths=policy)
    oracle = plain(graph, demand, policy)
    proof = routing.certificate.objective
    assert (proof.value, proof.bound) == pytest.approx((oracle.throughput(),) * 2, rel=SAME)
    fair = solved(seed, objective="max-min-fair", paths=policy)[2]
    np.testing.assert_allclose(fair.admitted, oracle.levels(), rtol=1e-5)
    assert fair.certificate.objective.levels_gap <= 1e-5
    assert (fair.edge_gbps.sum(axis=1) <= graph.capacity_gbps * (1 + 1e-9)).all()
    least = solved(seed, objective="min-cost", paths=policy)[2].certificate.objective
    assert least.value == pytest.approx(oracle.cost(least.most_utilisation), rel=1e-5)


def test_paths_of_the_oracle_join():
    """Every path starts at the source, ends at the destination, and goes on where it arrived."""
    graph, demand, _ = solved(0)
    for entry, (paths, _) in enumerate(paths_of(graph, demand, "k-shortest")):
        for path in paths:
            assert graph.src[path[0]] == demand.src[entry]
            assert graph.dst[path[-1]] == demand.dest_of_entry[entry]
            assert all(graph.dst[one] == graph.src[other] for one, other in pairwise(path))
