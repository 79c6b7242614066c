"""Phases that offer the network the same are routed once, and each has the answer that it has when routed alone."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from fabric.evaluation.phases import PreparedPhase, prepare_for, route_phase
from fabric.evaluation.phases_alike import is_routed_alike
from fabric.failures.cases import damage_of
from fabric.failures.chunks import Ground
from fabric.failures.engine import LinkWorst, Outcomes
from fabric.failures.request import FailureRequest
from fabric.failures.sweep import limit_sweep
from fabric.pipeline.phase_options import phases_to_route
from fabric.pipeline.routed_phases import RoutedPhase
from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.result import PhaseRoute
from fabric.scenario.load import load_scenario
from traffic.demands import Flows

SCATTER, GATHER = "dp.reduce_scatter", "dp.all_gather"  # of gradients in fp32 and of parameters in bf16


@cache
def _run(router: str = "ecmp-hash") -> Run:
    loaded = load_scenario("examples/train-2k.fabric.yaml")
    return run_scenario(loaded, RouteRequest(router=router, fabric="backend", draws=3))


def _phase(name: str, router: str = "ecmp-hash") -> RoutedPhase:
    return next(phase for phase in _run(router).phases if phase.route.phase == name)


def _prepared(name: str) -> PreparedPhase:
    phase, run = _phase(name), _run()
    demands = next(demands for _, _, demands, one in phases_to_route(run.prepared) if one == name)
    asked = phase.asked
    return prepare_for(asked.topology, demands, name, asked.router, asked.options, efficiency=asked.efficiency)


def _figures(route: PhaseRoute) -> dict[str, object]:
    """All that an answer says, but for how long it took and what it was made from."""
    left_out = {"solve_time_s", "routed", "topology", "every_draw", "link_bands"}
    return {one.name: getattr(route, one.name) for one in fields(route) if one.name not in left_out}


@pytest.mark.parametrize("router", ["ecmp-hash", "ecmp"])
def test_a_phase_taken_over_is_to_the_bit_what_it_is_alone(router: str) -> None:
    scatter, gather = _phase(SCATTER, router), _phase(GATHER, router)
    assert scatter.route.routed is not None
    assert gather.route.routed is not None
    assert gather.route.routed.routing is scatter.route.routed.routing
    assert gather.route.window_s["llama70b"] == scatter.route.window_s["llama70b"] / 2
    demands = next(demands for _, _, demands, one in phases_to_route(_run(router).prepared) if one == GATHER)
    asked = gather.asked
    alone = route_phase(
        asked.topology,
        demands,
        GATHER,
        router=asked.router,
        options=asked.options,
        efficiency=asked.efficiency,
        latency=asked.latency,
    )
    mine, theirs = _figures(gather.route), _figures(alone)
    for name in mine:
        if isinstance(mine[name], np.ndarray):
            np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)
        else:
            assert repr(mine[name]) == repr(theirs[name]), name
    if gather.route.every_draw is not None and alone.every_draw is not None:
        np.testing.assert_array_equal(gather.route.every_draw.utilisation, alone.every_draw.utilisation)
        np.testing.assert_equal(gather.route.every_draw.job_peak, alone.every_draw.job_peak)


def test_other_flows_rates_or_queue_pairs_are_not_alike() -> None:
    prepared, route = _prepared(GATHER), _phase(SCATTER).route
    assert is_routed_alike(prepared, route)
    assert not is_routed_alike(prepared, _phase("pp.send_recv").route)
    (pair,) = prepared.pairs
    flows, (entry,) = pair.flows, prepared.classes
    more = Flows(flows.src, flows.dst, np.where(np.arange(len(flows.src)) == 7, 2.0, 1.0) * flows.amount)
    others = [
        replace(prepared, pairs=(replace(pair, flows=more),)),
        replace(prepared, pairs=(replace(pair, gbps_per_unit=pair.gbps_per_unit * 1.5),)),
        replace(prepared, classes=(replace(entry, flows_per_pair=entry.flows_per_pair + 1),)),
        replace(prepared, classes=(replace(entry, job="another"),)),
        replace(prepared, demand=replace(prepared.demand, gbps=prepared.demand.gbps * 2)),
    ]
    assert not any(is_routed_alike(other, route) for other in others)
    assert not is_routed_alike(prepared, replace(route, partial=True))


def test_cases_of_an_engine_shared_are_those_of_its_own() -> None:
    ground = Ground.of(_run(), FailureRequest(route=_run().request, expected=False))
    limit = next(limit for limit in _run().loaded.scenario.limits if limit.when)
    damage = damage_of(limit_sweep(ground, limit).cases, "backend")
    at = [phase.phase for phase in ground.phases].index(GATHER)
    shared, own = ground.engines[at], replace(ground.engines[at], like=None)
    assert shared.like is not None
    assert shared.made is not own.made

    def answers(engine: object) -> tuple[Outcomes, LinkWorst]:
        worst = LinkWorst.empty(len(ground.phases[at].topology.links))
        return engine.outcomes(damage, worst), worst  # type: ignore[attr-defined]

    (one, worst), (other, others) = answers(shared), answers(own)
    for name in ("max_utilisation", "hottest", "links_over_capacity", "unreachable_pairs", "peak", "cut"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(worst.utilisation, others.utilisation)
    np.testing.assert_array_equal(worst.case, others.case)
