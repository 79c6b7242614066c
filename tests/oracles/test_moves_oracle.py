"""Objectives of flat networks, solved over trees and moves, against plain programmes by entry and the checker."""

from __future__ import annotations

import numpy as np
import pytest
from oracle_fabrics import Case
from scipy.optimize import linprog
from scipy.sparse import coo_array

from fabric.optimise.arcs import merge_parallel
from fabric.optimise.by_moves import MoveNet
from fabric.optimise.moves import Base
from fabric.optimise.proofs import entry_prices, levels_gap, throughput_bound
from fabric.routing.graph import RoutingGraph, build_graph, phase_demand
from fabric.routing.router import ROUTERS, RoutingOptions
from topologies.assemble import assemble

OBJECTIVES = ("max-throughput", "max-min-fair", "min-cost")
SAME = 1e-6


def network(seed, *, nodes=8, extra=6, parts=1, pairs=12, load=1.0):
    """A random network with parallel cables, in several parts that are not joined, and demand within the parts."""
    rng = np.random.default_rng(seed)
    net = assemble("random", "random")
    ids = net.nodes("router", [f"r{node}" for node in range(nodes)], level=1, nics=1)
    part = np.arange(nodes) % parts
    cables = [(node, int(rng.choice(np.flatnonzero(part[:node] == part[node])))) for node in range(parts, nodes)]
    while len(cables) < nodes - parts + extra:
        first, second = rng.integers(nodes, size=2).tolist()
        if first != second and part[first] == part[second]:
            cables.append((first, second))
    for first, second in cables:
        net.cables([ids[first]], [ids[second]], float(rng.choice([10.0, 40.0, 100.0])))
    joined = [(s, d) for s in range(nodes) for d in range(nodes) if s != d and part[s] == part[d]]
    chosen = rng.permutation(len(joined))[:pairs].tolist()
    rows = [(int(ids[joined[i][0]]), int(ids[joined[i][1]]), float(40 * load * rng.lognormal())) for i in chosen]
    return Case(net.freeze(), tuple(rows))


def solved(case, **options):
    """Graph, demand and the optimal routing of a case."""
    graph = build_graph(case.net, [case.flows])
    demand = phase_demand(graph, [case.flows], [1.0])
    return graph, demand, ROUTERS["optimal"]({}, graph=graph, demand=demand, options=RoutingOptions(**options))


class Plain:
    """A flow per entry and edge, f[e, l] ≥ 0 in Gbps, and its part x[e]: columns are f, then x."""

    def __init__(self, graph: RoutingGraph, demand):
        entries, edges = len(demand.src), len(graph.src)
        entry, edge = np.repeat(np.arange(entries), edges), np.tile(np.arange(edges), entries)
        flow, part = np.arange(entries * edges), entries * edges + np.arange(entries)
        place = np.arange(entries) * graph.nodes
        ends = [entry * graph.nodes + graph.src[edge], entry * graph.nodes + graph.dst[edge]]
        rows = np.concatenate([*ends, place + demand.src, place + demand.dest_of_entry])
        gbps = demand.total_gbps
        signs = np.concatenate([np.ones(len(flow)), -np.ones(len(flow)), -gbps, gbps])
        self.balance = coo_array((signs, (rows, np.concatenate([flow, flow, part, part]))))
        self.load = coo_array((np.ones(len(flow)), (edge, flow)), shape=(edges, len(flow) + entries)).tocsr()
        self.graph, self.entries, self.edge, self.gbps, self.count = graph, entries, edge, gbps, len(flow)

    def solve(self, cost_of_flow, cost_of_part, least, most, capacity):
        """The least cost, and the point."""
        bounds = [(0, None)] * self.count + list(zip(least, most, strict=True))
        found = linprog(
            np.concatenate([cost_of_flow, cost_of_part]), A_ub=self.load, b_ub=capacity, A_eq=self.balance.tocsr(),
            b_eq=np.zeros(self.balance.shape[0]), bounds=bounds, method="highs",
        )  # fmt: skip
        assert found.status == 0, found.message
        return found.fun, found.x[self.count :]

    def throughput(self):
        """Most Gbps."""
        none, ones = np.zeros(self.entries), np.ones(self.entries)
        return -self.solve(np.zeros(self.count), -self.gbps, none, ones, self.graph.capacity_gbps)[0]

    def cost(self, most):
        """Least Σ weight x Gbps at a utilisation."""
        ones = np.ones(self.entries)
        weight = self.graph.weight[self.edge]
        return self.solve(weight, 0 * ones, ones, ones, most * self.graph.capacity_gbps)[0]

    def levels(self):
        """Progressive filling with a common part as one more column; each entry is asked whether it could rise."""
        level, rising = np.zeros(self.entries), np.ones(self.entries, dtype=bool)
        while rising.any():
            top = self._top(level, rising)
            level[rising] = top
            stuck = []
            for one in np.flatnonzero(rising):
                wish = np.zeros(self.entries)
                wish[one] = -1.0
                most = np.where(rising, 1.0, level)
                room = self.graph.capacity_gbps * (1 + 1e-10)
                if -self.solve(np.zeros(self.count), wish, level * (1 - 1e-9), most, room)[0] <= top + 1e-6:
                    stuck.append(one)
            rising[stuck or rising] = False
        return level

    def _top(self, level, rising):
        """The highest common part: x of one rising entry, to which those of the others are tied."""
        first, *others = np.flatnonzero(rising).tolist()
        fixed = np.flatnonzero(~rising)
        tied = coo_array(
            (
                np.concatenate([np.ones(len(others)), -np.ones(len(others))]),
                (np.tile(np.arange(len(others)), 2), self.count + np.array([*others, *[first] * len(others)], int)),
            ),
            shape=(len(others), self.count + self.entries),
        )
        from scipy.sparse import vstack

        wish = np.zeros(self.count + self.entries)
        wish[self.count + first] = -1.0
        bounds = [(0, None)] * self.count + [(0, 1)] * self.entries
        for one in fixed.tolist():
            bounds[self.count + one] = (level[one], level[one])
        found = linprog(
            wish, A_ub=self.load, b_ub=self.graph.capacity_gbps * (1 + 1e-10),
            A_eq=vstack([self.balance, tied]).tocsr(), b_eq=np.zeros(self.balance.shape[0] + len(others)),
            bounds=bounds, method="highs",
        )  # fmt: skip
        assert found.status == 0, found.message
        return -found.fun


def within(graph, routing, most=1.0):
    return (routing.edge_gbps.sum(axis=1) <= most * graph.capacity_gbps * (1 + 1e-9)).all()


CASES = [
    *(pytest.param(network(seed, parts=1 + seed % 3, nodes=6 + seed), id=f"random-{seed}") for seed in range(6)),
    pytest.param(network(1, pairs=1, load=9.0), id="one-demand"),
    pytest.param(network(2, load=0.01), id="all-fits"),
]


def towards_one_node(seed):
    """Every other node sends to the first."""
    case = network(seed, nodes=9)
    hub = case.rows[0][1]
    rows = tuple((src, hub, gbps) for src, _, gbps in case.rows if src != hub)
    return Case(case.net, tuple({src: row for row in rows for src in [row[0]]}.values()))


CASES.append(pytest.param(towards_one_node(4), id="all-to-one"))


@pytest.mark.parametrize("case", CASES)
def test_throughput_is_that_of_the_plain_programme(case):
    """Value and bound, by trees that carry or leave out whole entries."""
    graph, demand, routing = solved(case, objective="max-throughput")
    most = Plain(graph, demand).throughput()
    proof = routing.certificate.objective
    assert (proof.value, proof.bound) == pytest.approx((most, most), rel=SAME)
    assert routing.admitted @ demand.total_gbps == pytest.approx(proof.value, rel=1e-9)
    assert within(graph, routing)
    assert not routing.partial
    found = entry_prices(graph, demand, proof.price)
    proven = min(throughput_bound(graph, demand, ~routing.unreachable, proof.price, found), demand.total_gbps.sum())
    assert proven == pytest.approx(proof.bound, rel=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_levels_are_those_of_plain_filling(case):
    """Every entry's level, and what the prices of its stage leave open."""
    graph, demand, routing = solved(case, objective="max-min-fair")
    np.testing.assert_allclose(routing.admitted, Plain(graph, demand).levels(), rtol=2e-6)
    proof = routing.certificate.objective
    assert proof.levels_gap <= SAME
    assert within(graph, routing)
    assert routing.notes[0].startswith("max-min fair, exact:")


@pytest.mark.parametrize("target", [0.9, 1.5, 20.0])
@pytest.mark.parametrize("case", CASES)
def test_cost_is_that_of_the_plain_programme(case, target):
    """At the target, or at the least utilisation where that is above it."""
    graph, demand, routing = solved(case, objective="min-cost", target_utilisation=target)
    proof = routing.certificate.objective
    cost = Plain(graph, demand).cost(proof.most_utilisation)
    assert (proof.value, proof.bound) == pytest.approx((cost, cost), rel=2e-6)
    assert within(graph, routing, proof.most_utilisation)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_trees_chosen_anew_change_no_value(objective, monkeypatch):
    """However early trees are given up for others, values stay, and so do all levels."""
    case = network(11, nodes=16, extra=16, pairs=120, load=0.5)
    first = solved(case, objective=objective)[2]
    monkeypatch.setattr("fabric.optimise.by_moves.MOST_EMPTY", 4)
    second = solved(case, objective=objective)[2]
    assert second.certificate.objective.value == pytest.approx(first.certificate.objective.value, rel=SAME)
    if first.admitted is not None and objective == "max-min-fair":
        np.testing.assert_allclose(second.admitted, first.admitted, rtol=2e-6)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_large_networks_take_the_plain_way_and_agree(objective, monkeypatch):
    """The programme with a variable for every destination and arc has the same optimum, and the same levels."""
    case = network(12, nodes=14, extra=10, pairs=60)
    by_moves = solved(case, objective=objective)[2]
    for module in ("fair_levels", "most_admitted", "least_cost"):
        monkeypatch.setattr(f"fabric.optimise.{module}.MOST_ENTRIES", 0)
    plain = solved(case, objective=objective)[2]
    assert "highs" in plain.solver
    assert by_moves.solver in ("moves", "trees")
    assert by_moves.certificate.objective.value == pytest.approx(plain.certificate.objective.value, rel=2e-6)
    if objective == "max-min-fair":
        np.testing.assert_allclose(by_moves.admitted, plain.admitted, rtol=1e-5)


def test_levels_that_are_not_fair_have_a_gap():
    """Of a fair routing, one level made smaller: the prices of the stages say by how much it could rise."""
    graph, demand, routing = solved(network(3), objective="max-min-fair")
    proof = routing.certificate.objective
    cut = int(np.argmax(routing.admitted))
    admitted = routing.admitted.copy()
    admitted[cut] *= 0.8
    gap = levels_gap(
        graph, demand, ~routing.unreachable, admitted, proof.stages, lambda price: entry_prices(graph, demand, price)
    )
    assert gap >= 0.2


@pytest.mark.parametrize("limit_s", [0.0, 1e-3])
def test_no_time_leaves_levels_that_fit(limit_s):
    """The first routing, scaled into capacity: everybody has the same part, and the bound is above it."""
    graph, _, routing = solved(network(5, load=3.0), objective="max-min-fair", time_limit_s=limit_s)
    proof = routing.certificate.objective
    assert 0 < proof.value <= proof.bound
    assert within(graph, routing)
    if routing.partial:
        assert "stopped" in routing.notes[0]


@pytest.mark.parametrize("seed", range(3))
def test_moves_conserve_flow(seed):
    """What a move changes enters and leaves every node alike, and on the node's own arc it takes away."""
    case = network(seed, nodes=12, extra=12, pairs=60)
    graph, demand, _ = solved(case)
    problem = MoveNet.of(merge_parallel(graph), demand, np.ones(len(demand.src), dtype=bool))
    slots, rng = problem.net.slots, np.random.default_rng(seed)
    base, _ = Base.cheapest(slots, demand.dest, rng.random(len(slots.tail)))
    other, distance = Base.cheapest(slots, demand.dest, rng.random(len(slots.tail)))
    row, node = np.nonzero((other.onward != base.onward) & np.isfinite(distance))
    moves = base.moves(row, node, other.onward[row, node].astype(np.int64), other)
    assert len(row)
    for move in range(len(row)):
        mine = slice(int(moves.start[move]), int(moves.start[move + 1]))
        slot, change = moves.slot[mine], moves.change[mine]
        total = np.bincount(slots.tail[slot], change, graph.nodes) - np.bincount(slots.head[slot], change, graph.nodes)
        np.testing.assert_array_equal(total, 0.0)
        assert change[slot == base.onward[row[move], node[move]]].tolist() == [-1.0]
        assert len(np.unique(slot)) == len(slot)
