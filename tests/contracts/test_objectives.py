"""What every objective of router optimal promises: traffic is conserved, and what is claimed has a proof."""

from __future__ import annotations

import numpy as np
import pytest
from oracle_fabrics import larger_case

from fabric.cli.main import run
from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.names import objective_names
from fabric.routing.reach import split_reachable
from fabric.routing.router import ROUTERS, RoutingOptions

EVERY = pytest.mark.parametrize("objective", objective_names())
SEEDS = pytest.mark.parametrize("seed", range(3))


def solved(objective, seed):
    """Graph, demand and answer on a random network."""
    case = larger_case(seed)
    graph = build_graph(case.net, [case.flows])
    kept, _ = split_reachable(graph, [case.flows])
    demand = phase_demand(graph, kept, [1.0])
    options = RoutingOptions(objective=objective, time_limit_s=60.0, seed=seed)
    return graph, demand, ROUTERS["optimal"]({}, graph=graph, demand=demand, pairs=[], options=options)


@EVERY
@SEEDS
def test_what_is_admitted_is_conserved_at_every_node(objective, seed):
    """Leaving minus entering is what is sent minus what is received; all of the demand, or the admitted part."""
    graph, demand, routing = solved(objective, seed)
    load = routing.edge_gbps.sum(axis=1)
    part = np.ones(len(demand.src)) if routing.admitted is None else routing.admitted
    gbps = np.where(routing.unreachable, 0.0, demand.total_gbps * part)
    out, into = np.bincount(graph.src, load, graph.nodes), np.bincount(graph.dst, load, graph.nodes)
    sent = np.bincount(demand.src, gbps, graph.nodes) - np.bincount(demand.dest_of_entry, gbps, graph.nodes)
    np.testing.assert_allclose(out - into, sent, atol=1e-5)
    assert (load >= -1e-9).all()
    assert ((part >= 0) & (part <= 1 + 1e-9)).all()


@EVERY
@SEEDS
def test_the_answer_has_a_proof_and_says_when_it_was_stopped(objective, seed):
    """A bound on the least utilisation, or value, bound and unit of its own objective; far apart only when partial."""
    graph, _, routing = solved(objective, seed)
    assert routing.router == "optimal"
    assert routing.certificate is not None
    assert routing.certificate.witness
    proof = routing.certificate.objective
    if proof is None:
        highest = float((routing.edge_gbps.sum(axis=1) / graph.capacity_gbps).max(initial=0.0))
        assert routing.certificate.lower_bound <= highest * (1 + 1e-6)
        assert routing.certificate.lower_bound > 0
        return
    assert proof.unit
    assert proof.witness
    assert np.isfinite([proof.value, proof.bound]).all()
    assert routing.partial or proof.value == pytest.approx(proof.bound, rel=0.05)


@EVERY
def test_the_same_question_has_the_same_answer(objective):
    """One seed, same bytes."""
    first, second = solved(objective, 1)[2], solved(objective, 1)[2]
    assert first.edge_gbps.tobytes() == second.edge_gbps.tobytes()


@EVERY
def test_the_command_takes_it(objective, capsys):
    """By its name, and the report has the router."""
    assert run(["route", "examples/quickstart.fabric.yaml", "-q", "--router", "optimal", "--objective", objective]) == 0
    assert "optimal" in capsys.readouterr().out
