"""Phases that a change leaves as they are keep their routes; all others are routed, and nothing differs."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.evaluation import phases as evaluation
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.routing.graph import build_graph
from fabric.scenario.load import load_scenario
from fabric.whatif.changes import Change, ChangeSet, override, queue_pairs, router
from fabric.whatif.live import LiveRoutes

SCENARIO = "examples/train-2k.fabric.yaml"
BACKEND = ["pp.send_recv", "dp.reduce_scatter", "dp.all_gather"]
STORAGE = ["checkpoint", "steady"]
ROUTED = BACKEND[:2]  # all-gather offers what reduce-scatter does and is not routed again


@pytest.fixture(scope="module")
def base() -> LiveRoutes:
    """The 2,048 GPUs, hashed in five draws."""
    return LiveRoutes(run_scenario(load_scenario(SCENARIO), RouteRequest(replicas=5)))


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (router("backend", "wcmp"), ROUTED),
        (router("storage", "wcmp"), STORAGE),
        (queue_pairs(load_scenario(SCENARIO), 8), ROUTED),
        (override("seed=7"), ROUTED + STORAGE),
    ],
    ids=lambda value: value.text if isinstance(value, Change) else None,
)
def test_a_state_routes_what_its_change_touches_and_equals_a_run_of_its_own(
    base: LiveRoutes, change: Change, again: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which phases reach the router, by name; then every figure against the scenario from scratch."""
    routed: list[str] = []
    route = evaluation.route_prepared

    def spied(prepared: evaluation.PreparedPhase, **options: object) -> object:
        routed.append(prepared.phase)
        return route(prepared, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(evaluation, "route_prepared", spied)
    changes = ChangeSet((change,))
    now = base.route(changes)
    assert routed == again
    fresh = run_scenario(load_scenario(SCENARIO, overrides=list(changes.sets)), changes.request(base.base.request))
    assert len(now.routes) == 5
    for left, right in zip(now.routes, fresh.result.routes, strict=True):
        assert np.array_equal(left.link_gbps, right.link_gbps)
        assert np.array_equal(left.utilisation, right.utilisation)
        assert (left.tiers, left.spread, left.draws) == (right.tiers, right.spread, right.draws)
        assert left.every_draw is None
    assert now.jobs == fresh.result.jobs
    assert [(limit.value, limit.ok) for limit in now.limits] == [(one.value, one.ok) for one in fresh.result.limits]


def test_states_keep_no_draws_of_their_own(base: LiveRoutes) -> None:
    """Only the base has what later runs take over; its phases are the five of the scenario."""
    assert [phase.route.phase for phase in base.base.phases] == BACKEND + STORAGE
    assert base.run(ChangeSet((router("backend", "spray"),))).phases == ()


def test_phases_of_one_fabric_share_the_graph_that_no_demand_changes(base: LiveRoutes) -> None:
    """One graph of all endpoints for three phases of hashed flows, equal to one built anew; fabrics have their own."""
    graphs = [entry.routed.graph for entry in base.base.result.routes if entry.routed is not None]
    assert graphs[0] is graphs[1] is graphs[2]
    assert graphs[3] is graphs[4] is not graphs[0]
    anew = build_graph(graphs[3].topology, (), per_endpoint=True)
    for name in ("src", "dst", "capacity_gbps", "weight", "source", "sink", "member_link"):
        assert np.array_equal(getattr(graphs[3], name), getattr(anew, name))
