"""Failures solved from the intact network's answer, against the plain programme of every damaged network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_trees_oracle import _incumbent, _network, _plain_optimum

from fabric.evaluation.phases import route_phase
from fabric.failures.cases import Damage
from fabric.failures.choose import engine_of
from fabric.failures.engine import LinkWorst, SweepPhase
from fabric.failures.optimum import OptimalEngine
from fabric.failures.plain import damaged_topology
from fabric.failures.reaction import CONVERGED, REOPTIMISED
from fabric.optimise import by_saddle, least_utilisation
from fabric.optimise.carry_over import Begun
from fabric.optimise.proofs import entry_prices, theta_bound
from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.router import RoutingOptions
from fabric.scenario.latency_schema import FabricLatency
from topologies.columns import column
from topologies.topology import Topology
from traffic.demands import Demands, Flows, TrafficClass


def _phase(seed: int, router: str = "optimal", **options: float) -> SweepPhase:
    """A random network of routers, a tree with further cables, some of them in parallel."""
    graph, demand = _network(seed, nodes=12, extra=8)
    topology = graph.topology
    flows = Flows.of(graph.node_of[demand.src], graph.node_of[demand.dest_of_entry], demand.total_gbps)
    demands = Demands(topology.name, (TrafficClass("job", "steady", "rows", steady=True),), (flows,))
    asked = RoutingOptions(**{"gap": 1e-7, "time_limit_s": 60.0} | options)
    latency = FabricLatency()
    intact = route_phase(topology, demands, "steady", router=router, options=asked, efficiency=1.0, latency=latency)
    return SweepPhase(topology.name, "steady", topology, demands, router, asked, 1.0, latency, intact)


def _singles(topology: Topology) -> Damage:
    """Every cable, every direction of a cable and every router by itself, and half of every cable's capacity."""
    links = topology.links
    cables = [[link, int(links.reverse[link])] for link in np.flatnonzero(topology.is_cable).tolist()]
    routers = [
        np.flatnonzero((links.src == node) | (links.dst == node)).tolist() for node in range(len(topology.nodes))
    ]
    dead = [
        *(sorted(cable) for cable in cables),
        *([link] for link in range(len(links))),
        *routers,
        *([] for _ in cables),
    ]
    slow = [*([] for _ in dead[: -len(cables)]), *(sorted(cable) for cable in cables)]
    return Damage(
        column(np.cumsum([0, *map(len, dead)]), np.int64),
        column([link for case in dead for link in case], np.int32),
        column(np.cumsum([0, *map(len, slow)]), np.int64),
        column([link for case in slow for link in case], np.int32),
        np.full(sum(map(len, slow)), 0.5),
    )


def _optimum(phase: SweepPhase, topology: Topology) -> float:
    graph = build_graph(topology, phase.demands.flows)
    best = _incumbent(graph, phase_demand(graph, phase.demands.flows, [1.0]))
    return _plain_optimum(best)


@pytest.mark.parametrize("seed", range(4))
def test_every_single_failure_is_the_plain_optimum(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Value and proof to 1e-6, though solved by prices and flows from the intact answer; some cut demand off."""
    monkeypatch.setattr(least_utilisation, "TREE_COLUMNS", 0)
    begun: list[Begun] = []
    carried = by_saddle.carry_over

    def noted(*given: object) -> Begun | None:
        begun.append(found := carried(*given))  # type: ignore[arg-type]
        return found

    monkeypatch.setattr(by_saddle, "carry_over", noted)
    phase = _phase(seed)
    damage, worst = _singles(phase.topology), LinkWorst.empty(len(phase.topology.links))
    answers = engine_of(phase, CONVERGED).outcomes(damage, worst)
    assert sum(start is not None for start in begun) > 10
    for case in range(len(damage)):
        optimum = _optimum(phase, damaged_topology(phase.topology, damage, case))
        assert answers.max_utilisation[case] == pytest.approx(optimum, rel=1e-6)
        assert answers.bound[case] == pytest.approx(optimum, rel=1e-6)
        assert answers.bound[case] <= answers.max_utilisation[case]


def test_what_is_carried_over_conserves_flow_and_proves_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """At every node, for every destination; and the bound is what a search of its own says of the prices."""
    monkeypatch.setattr(least_utilisation, "TREE_COLUMNS", 0)
    phase = _phase(2)
    like = OptimalEngine(phase)._like
    assert like is not None
    damage = _singles(phase.topology)
    for case in range(len(damage)):
        topology = damaged_topology(phase.topology, damage, case)
        graph = build_graph(topology, phase.demands.flows)
        best = _incumbent(graph, phase_demand(graph, phase.demands.flows, [1.0]))
        net = by_saddle.TreeNet.of(best.arcs, best.demand, best.routable)
        start = by_saddle.carry_over(like, graph, best.arcs, net)
        if start is None:  # the links that had a price are down
            continue
        for row, dest in enumerate(best.demand.dest):
            mine = best.demand.row_of_entry == row
            balance = np.bincount(net.slots.tail, start.flow[row], graph.nodes)
            balance -= np.bincount(net.slots.head, start.flow[row], graph.nodes)
            balance -= np.bincount(best.demand.src[mine], net.gbps[mine], graph.nodes)
            balance[dest] = 0.0
            assert np.abs(balance).max() <= 1e-9 * best.demand.total_gbps.sum()
        price = np.zeros(len(best.arcs.src))
        price[best.arcs.into.edge] = start.price
        by_edge = price[best.arcs.of_edge]
        found = entry_prices(graph, best.demand, by_edge)
        proven = theta_bound(graph, best.demand, best.routable, by_edge, found)
        assert proven == pytest.approx(start.bound, rel=1e-9)


def test_reaction_optimal_starts_from_the_optimum_of_another_router_s_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The intact network is routed by ecmp; pairs of failures start from it as single ones do."""
    monkeypatch.setattr(least_utilisation, "TREE_COLUMNS", 0)
    phase = _phase(1, "ecmp")
    engine, damage = engine_of(phase, REOPTIMISED), _singles(phase.topology)
    assert isinstance(engine, OptimalEngine)
    assert engine._like is not None
    pair = engine.damaged(damage, 0)
    best = pair.best(damage, 3)
    both = damaged_topology(damaged_topology(phase.topology, damage, 0), damage, 3)
    assert best.bound == pytest.approx(_optimum(phase, both), rel=1e-6)


def test_no_time_leaves_a_bound_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without time the answer is not the best; its bound is still below the optimum."""
    monkeypatch.setattr(least_utilisation, "TREE_COLUMNS", 0)
    phase = _phase(3)
    phase = replace(phase, options=replace(phase.options, time_limit_s=0.0))
    damage = _singles(phase.topology)
    answers = engine_of(phase, CONVERGED).outcomes(damage, LinkWorst.empty(len(phase.topology.links)))
    for case in (0, 5, len(damage) - 1):
        optimum = _optimum(phase, damaged_topology(phase.topology, damage, case))
        assert answers.bound[case] <= optimum * (1 + 1e-9)
        assert answers.max_utilisation[case] >= optimum * (1 - 1e-9)
