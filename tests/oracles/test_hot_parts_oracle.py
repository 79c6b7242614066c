"""Parts of a routing that load the fullest links: their loads, proofs and optima, by other methods."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from oracle_fabrics import Case, PairFlows, ours

from fabric.optimise.arcs import merge_parallel
from fabric.optimise.carried import split_loads
from fabric.optimise.changed_rows import with_splits
from fabric.optimise.contracted import contracted_prices
from fabric.optimise.dags import shortest_dags
from fabric.optimise.descent import Descent, splits_of
from fabric.optimise.hot_part import carried, hot_part
from fabric.routing.graph import build_graph, phase_demand
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows

OBJECTIVE = "fabric.optimise.least_utilisation"


def damaged(radix, failed, seed):
    """A k-ary fat tree of 100G without some of its switch links, and what random numbers come next."""
    net = TOPOLOGIES["fat-tree"]({"radix": radix, "speed": "100G"})
    links, forwards = net.links, net.nodes.forwards
    cables = forwards[links.src] & forwards[links.dst] & (links.reverse > np.arange(len(links)))
    rng = np.random.default_rng(seed)
    return net.with_down(links=rng.choice(np.flatnonzero(cables), failed, replace=False)), rng


def random_flows(net, rng, count, most_gbps=60.0):
    """Some pairs of endpoints, each at most once, with random rates."""
    hosts = net.endpoint_nodes
    pairs = np.unique(rng.choice(hosts, (count, 2)), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return Flows.of(pairs[:, 0], pairs[:, 1], rng.uniform(5.0, most_gbps, len(pairs)))


class Table:
    """Shortest paths of a damaged tree with random split fractions and the loads they make."""

    def __init__(self, seed):
        net, self.rng = damaged(6, 12, seed)
        flows = random_flows(net, self.rng, 120)
        self.graph = build_graph(net, [flows])
        self.demand = phase_demand(self.graph, [flows], [1.0])
        self.routable = np.ones(len(self.demand.src), dtype=np.bool_)
        self.dags = shortest_dags(merge_parallel(self.graph), self.demand, self.routable)
        self.whole = Descent.of(self.dags, self.demand, self.routable, theta_min=0.0)
        self.shares = self.rng.random(len(self.dags.slot)).astype(np.float32) + np.float32(0.05)
        self.loads = self.swept(self.whole, self.shares)

    @staticmethod
    def swept(descent, shares):
        """Loads by slot; fractions are made whole in place."""
        return descent.sweep(shares, np.zeros(len(descent.capacity)), 0.0)[0]


@pytest.mark.parametrize("seed", range(8))
def test_loads_of_a_part_are_those_of_the_whole_whatever_its_fractions_become(seed):
    """The part's own loads and what it says stays add up to what splits over the whole table carry."""
    table = Table(seed)
    use = table.loads / table.whole.capacity
    part = hot_part(table.dags, table.shares, table.whole, table.loads, 0.8 * use.max())
    assert 0 < part.size < len(table.shares)
    hot = np.flatnonzero(use > 0.8 * use.max())
    assert np.isin(hot, part.slot).all()
    inside = np.isin(part.slot, hot)
    assert part.descent.fixed[inside] == pytest.approx(0.0, abs=1e-4)
    for _ in range(2):
        own = table.shares[part.position]
        np.testing.assert_allclose(Table.swept(part.descent, own), table.loads[part.slot], rtol=1e-5, atol=1e-6)
        table.shares[part.position] = table.rng.random(part.size).astype(np.float32) + np.float32(0.01)
        table.loads = Table.swept(table.whole, table.shares)
        others = np.setdiff1d(np.arange(len(use)), part.slot)
        np.testing.assert_allclose(table.loads[others] / table.whole.capacity[others], use[others], rtol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_rows_put_back_as_splits_carry_the_same(seed):
    """A row's arcs, written as splits and read again, load the links as before."""
    table = Table(seed)
    rows = np.unique(table.rng.choice(len(table.demand.dest), 5)).astype(np.int32)
    splits = splits_of(table.dags, table.shares)
    pieces = [slice(int(splits.start[row]), int(splits.start[row + 1])) for row in rows]
    own = replace(
        splits,
        start=np.append(0, np.cumsum([piece.stop - piece.start for piece in pieces])),
        edge=np.concatenate([splits.edge[piece] for piece in pieces]),
        fraction=np.concatenate([splits.fraction[piece] for piece in pieces]),
    )
    dags, shares = with_splits(table.dags, table.shares, rows, table.demand.dest[rows], own)
    again = Descent.of(dags, table.demand, table.routable, theta_min=0.0)
    np.testing.assert_allclose(Table.swept(again, shares), table.loads, rtol=1e-5, atol=1e-6)
    by_splits = split_loads(dags.arcs, table.demand, splits_of(dags, shares), table.routable).sum(axis=1)
    np.testing.assert_allclose(by_splits[dags.arcs.into.edge], table.loads, rtol=1e-5, atol=1e-6)
    flow = carried(again, shares)
    np.testing.assert_allclose(np.bincount(dags.slot, flow, len(table.loads)), table.loads, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("priced", [0, 1, 7, 40])
@pytest.mark.parametrize("seed", range(3))
def test_prices_over_few_nodes_are_those_of_networkx(seed, priced):
    """Dijkstra of NetworkX on the whole graph, zero prices and all; what is cut off is infinitely far."""
    net, rng = damaged(4, 5, seed)
    flows = random_flows(net, rng, 40)
    graph = build_graph(net, [flows])
    demand = phase_demand(graph, [flows], [1.0])
    price = np.zeros(len(graph.src))
    price[rng.choice(len(price), priced, replace=False)] = rng.random(priced)
    plain = nx.DiGraph()
    plain.add_nodes_from(range(graph.nodes))
    plain.add_weighted_edges_from(zip(graph.src.tolist(), graph.dst.tolist(), price.tolist(), strict=True))
    towards = {dest: nx.single_source_dijkstra_path_length(plain.reverse(), dest) for dest in demand.dest.tolist()}
    ends = zip(demand.src.tolist(), demand.dest_of_entry.tolist(), strict=True)
    expected = [towards[dest].get(src, np.inf) for src, dest in ends]
    np.testing.assert_allclose(contracted_prices(graph, demand, price), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("paths", ["any", "shortest"])
@pytest.mark.parametrize("seed", range(10))
def test_damaged_trees_are_solved_to_the_last_digits_without_a_programme_over_arcs(seed, paths, monkeypatch):
    """k = 4 without six of its 32 cables and random pairs: SciPy's programme by pairs knows the optimum."""
    monkeypatch.setattr(f"{OBJECTIVE}.PART_COLUMNS", 0)
    monkeypatch.setattr(f"{OBJECTIVE}.SMALL_COLUMNS", 0)
    monkeypatch.setattr(f"{OBJECTIVE}.AFTER_DESCENT", 0)
    net, rng = damaged(4, 6, 100 + seed)
    flows = random_flows(net, rng, 30)
    rows = tuple(zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True))
    case = Case(net, rows)
    route = ours(case, "optimal", paths=paths, gap=1e-6)
    least = PairFlows(case, shortest=paths == "shortest").least_theta()
    assert route.certificate.lower_bound <= least * (1 + 1e-7)
    assert least * (1 - 1e-7) <= route.max_utilisation <= least * (1 + 2e-6)
    assert not route.partial
