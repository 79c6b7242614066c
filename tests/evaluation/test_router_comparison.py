"""The comparison of routers: its factors by hand, its figures against single routes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fabric.evaluation.phases import route_phase
from fabric.evaluation.router_comparison import (
    RouterComparison,
    RouterFigure,
    RouterOutcome,
    compare_phase,
    loss_split,
)
from fabric.pipeline.comparison import compare_routers
from fabric.pipeline.prepared import prepare
from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.result import LimitVerdict
from fabric.routing.hashing import flows as hashed_flows
from fabric.routing.names import router_names
from fabric.routing.router import HashOptions, HashSpread, Quantiles, RoutingOptions
from fabric.scenario.load import load_scenario
from tests.oracles.oracle_fabrics import STEADY, larger_case
from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES
from traffic.demands import Demands, Flows

TRAINING = Path(__file__).parents[1] / "golden" / "cases" / "training.fabric.yaml"
BOTH = ("optimal", "ecmp")


def compared(net, flows, routers=BOTH, **options):
    """One steady phase under several routers."""
    demands = Demands("main", (STEADY,), (flows,))
    given = RoutingOptions(**options)
    return compare_phase(net, demands, "steady", routers=routers, options=given, efficiency=1.0).comparison


def two_spines(thin_gbps):
    """Two leaves with a host each, two spines; the second spine's links are thin.

    ::

        s0   s1        a - s0 - b: 100 Gb/s
        | \\ / |        a - s1 - b: thin_gbps
        a     b        hosts: 200 Gb/s
    """
    net = assemble("two-spines", "by-hand")
    a, b = net.switches("leaf", ["a", "b"], level=1)
    s0, s1 = net.switches("spine", ["s0", "s1"], level=2)
    for leaf in (a, b):
        net.cables([leaf], [s0], 100.0, tier="leaf-spine")
        net.cables([leaf], [s1], thin_gbps, tier="leaf-spine")
    for name, leaf in (("ha", a), ("hb", b)):
        net.cables(net.hosts([name], nics=1), [leaf], 200.0, tier="host-leaf")
    return net.freeze()


def test_an_oversubscribed_leaf_is_topology_alone():
    """4 hosts of 100 Gb/s on 2 uplinks of 100, all to other leaves: access 100 %, every routing 200 %, so + 100 %."""
    net = TOPOLOGIES["leaf-spine"](
        {"leaves": 2, "spines": 2, "hosts_per_leaf": 4, "host_speed": "100G", "uplink_speed": "100G"}
    )
    ends = net.endpoint_nodes
    phase = compared(net, Flows.of(ends, np.roll(ends, 4), 100.0))
    assert phase.split.access_utilisation == pytest.approx(1.0)
    assert phase.split.topology == pytest.approx(1.0)
    assert phase.split.uneven_links == pytest.approx(0.0)
    assert (phase.split.hashing, phase.split.wcmp_recovers) == (None, None)


def test_a_thin_spine_costs_equal_splits_half_as_much_again():
    """90 Gb/s over 100 + 50: equal halves put 45 on 50, 90 %; the best puts 60 and 30, 60 % of both; 0.9/0.6 = 1.5.

    The hosts' 200 Gb/s are at 45 %, so topology is 60/45 - 1.
    """
    net = two_spines(50.0)
    phase = compared(net, Flows.of([4], [5], 90.0))
    assert phase.split.access_utilisation == pytest.approx(0.45)
    assert phase.split.uneven_links == pytest.approx(0.5)
    assert phase.split.topology == pytest.approx(0.6 / 0.45 - 1)
    assert phase.best_possible.lower_bound == pytest.approx(0.6)
    assert [row.above_best for row in phase.figures] == pytest.approx([0.0, 0.5], abs=1e-6)


@pytest.mark.skipif("wcmp" not in router_names(), reason="no wcmp router")
def test_weights_take_all_of_a_thin_spine_back():
    """Split 2:1 by capacity, both spines are at 60 %, as at best."""
    phase = compared(two_spines(50.0), Flows.of([4], [5], 90.0), ("optimal", "wcmp", "ecmp"))
    assert phase.split.wcmp_recovers == pytest.approx(1.0)


def test_one_flow_hashed_onto_one_of_two_spines_is_hashing_alone():
    """80 Gb/s over two paths of 100: half each at best and by ECMP, 40 %; one flow takes one, 80 %, in every draw."""
    options = {"hash": HashOptions(replicas=20)}
    phase = compared(two_spines(100.0), Flows.of([4], [5], 80.0), (*BOTH, "ecmp-hash"), **options)
    assert phase.split.uneven_links == pytest.approx(0.0)
    assert phase.split.hashing == pytest.approx(1.0)
    assert phase.split.hashing_p99 == pytest.approx(1.0)
    row = phase.figure("ecmp-hash")
    assert row.max_utilisation == row.worst == pytest.approx(0.8)


def test_access_of_a_host_with_two_links_is_their_sum():
    """100 Gb/s over 2 x 100 by host a, over 1 x 400 by host b: 50 %."""
    net = assemble("homes", "by-hand")
    low = net.switches("leaf", ["x", "y"], level=1)
    net.cables([low[0]], [low[1]], 1000.0, tier="core")
    net.cables(np.repeat(net.hosts(["a"], nics=2), 2), low, 100.0, tier="access")
    net.cables(net.hosts(["b"], nics=1), [low[0]], 400.0, tier="access")
    built = net.freeze()
    source, sink = built.endpoint_nodes.tolist()
    assert compared(built, Flows.of([source], [sink], 100.0)).split.access_utilisation == pytest.approx(0.5)


def test_demand_between_switches_has_no_access():
    """Routers that are themselves the ends have no access links: what the topology costs is unknown."""
    net = assemble("wan", "by-hand")
    ids = net.switches("router", ["a", "b"], level=0, nics=np.array([1, 1]))
    net.cables([ids[0]], [ids[1]], 100.0, tier="wan")
    split = compared(net.freeze(), Flows.of([0], [1], 50.0)).split
    assert (split.access_utilisation, split.topology) == (None, None)
    assert split.uneven_links == pytest.approx(0.0)


@pytest.mark.parametrize("seed", range(8))
def test_factors_multiply_to_the_hashed_utilisation_and_the_order_holds(seed):
    """access <= optimal <= ecmp on random fabrics, and the four factors give the median of the hashed one back."""
    case = larger_case(seed)
    phase = compared(case.net, case.flows, (*BOTH, "ecmp-hash"), hash=HashOptions(replicas=5))
    split = phase.split
    best, ecmp, hashed = (phase.figure(name).max_utilisation for name in ("optimal", "ecmp", "ecmp-hash"))
    assert split.uneven_links >= 0
    assert ecmp >= best * (1 - 1e-9)
    if split.access_utilisation is None:
        factors = best
    else:
        assert split.topology >= -1e-6
        factors = split.access_utilisation * (1 + split.topology)
    assert factors * (1 + split.uneven_links) * (1 + split.hashing) == pytest.approx(hashed)


@pytest.mark.parametrize("seed", range(4))
def test_every_router_gives_what_it_gives_alone(seed):
    """Sharing graph and demand between routers changes no figure."""
    case = larger_case(seed)
    routers = tuple(name for name in ("optimal", "ecmp", "ecmp-hash", "wcmp", "spray") if name in router_names())
    phase = compared(case.net, case.flows, routers)
    demands = Demands("main", (STEADY,), (case.flows,))
    for router in routers:
        row = phase.figure(router)
        alone = route_phase(case.net, demands, "steady", router=router, options=RoutingOptions(), efficiency=1.0)
        assert row.max_utilisation == pytest.approx(
            alone.spread.max_utilisation.p50 if alone.spread else alone.max_utilisation, rel=1e-12
        )
        assert row.hottest_link == alone.hottest_link


@pytest.mark.skipif("pinned" not in router_names(), reason="no pinned router")
def test_a_bound_for_whole_flows_is_none_for_split_ones():
    """One flow of 80 over two paths of 100: pinned cannot go below 80 %, its own proof says so; splitting has 40 %."""
    phase = compared(two_spines(100.0), Flows.of([4], [5], 80.0), ("pinned", "optimal"))
    assert phase.figure("pinned").lower_bound == pytest.approx(0.8)
    assert phase.best_possible.lower_bound == pytest.approx(0.4)
    assert [row.above_best for row in phase.figures] == pytest.approx([1.0, 0.0], abs=1e-6)


def test_a_router_that_refuses_a_phase_is_a_row_and_no_failure(monkeypatch):
    """More flows than hashing takes: the other routers still answer."""
    monkeypatch.setattr(hashed_flows, "MOST_FLOWS", 0)
    phase = compared(two_spines(50.0), Flows.of([4], [5], 90.0), (*BOTH, "ecmp-hash"))
    assert phase.figures[2].refused.startswith("1 flows to hash")
    assert phase.figure("ecmp-hash") is None
    assert phase.split.hashing is None
    assert phase.split.uneven_links == pytest.approx(0.5)


def test_too_many_flows_for_many_draws_are_drawn_once(monkeypatch):
    """The fluid routers and one draw answer, and a note says so: the flow of 90 takes a link of 100 or of 50."""
    monkeypatch.setattr(hashed_flows, "MOST_FLOWS_REPLICATED", 0)
    options = {"hash": HashOptions(replicas=20)}
    phase = compared(two_spines(50.0), Flows.of([4], [5], 90.0), ("ecmp", "ecmp-hash"), **options)
    row = phase.figure("ecmp-hash")
    assert row.max_utilisation in (0.9, 1.8)
    assert row.spread is None
    assert row.notes[0].startswith("one draw only: 1 flows")


@pytest.mark.parametrize("replicas", [1, None])
@pytest.mark.parametrize("router", ["optimal", "ecmp", "ecmp-hash"])
def test_step_times_and_limits_are_those_of_single_routes(router, replicas):
    """Loads by class are dropped phase by phase; times come from peaks kept before, and agree with a route of its own.

    One draw of the hashes, or the hundred of both.
    """
    loaded = load_scenario(str(TRAINING))
    asked = RouteRequest(replicas=replicas)
    result = compare_routers(prepare(loaded, asked), routers=("optimal", "ecmp", "ecmp-hash"))
    alone = route(loaded, RouteRequest(router=router, replicas=replicas))
    outcome = next(outcome for outcome in result.outcomes if outcome.router == router)
    assert [job.step_time_s for job in outcome.jobs] == [job.step_time_s for job in alone.jobs]
    assert [job.phases for job in outcome.jobs] == [job.phases for job in alone.jobs]
    assert outcome.limits == alone.limits


def test_hashing_is_drawn_a_hundred_times_unless_the_scenario_or_the_request_says_how_often():
    """The scenario has no replicas; one that has them keeps them; the request goes before both."""
    draws = []
    for sets, asked in (([], None), (["fabrics.backend.routing.hash.replicas=3"], None), ([], 2)):
        loaded = load_scenario(str(TRAINING), overrides=sets)
        result = compare_routers(
            prepare(loaded, RouteRequest(fabric="backend", replicas=asked)), routers=("ecmp-hash",)
        )
        draws.append(result.figures[0].spread.replicas)
    assert draws == [100, 3, 2]


def test_the_phase_of_a_job_is_stretched_by_the_median_draw():
    """pp.send_recv is alone on its fabric: its window takes the median of the fullest link times the slowdown longer.

    A rank sends 268 MB at 92 % of 400 Gb/s; what its calls wait for beside that is not stretched.
    """
    result = compare_routers(
        prepare(load_scenario(str(TRAINING)), RouteRequest(fabric="backend")), routers=("ecmp-hash",)
    )
    row = result.figures[0]
    assert row.phase == "pp.send_recv"
    assert row.stretch == pytest.approx(1.15 * row.spread.max_utilisation.p50)
    (job,) = result.outcomes[0].jobs
    phase = next(phase for phase in job.phases if phase.name == "pp.send_recv")
    window = 268_435_456 * 8 / (0.92 * 400e9)
    assert phase.predicted_s - phase.ideal_s == pytest.approx(window * (row.stretch - 1))
    assert phase.ideal_s > window


def outcome(name, ok):
    """One limit, judged."""
    return RouterOutcome(name, (), (LimitVerdict("L1", "text", "offered", 1.0, 1.0, "ratio", ok),))


@pytest.mark.parametrize(
    ("verdicts", "ok"), [((True, False), False), ((False, None), False), ((None, None), True), ((True, True), True)]
)
@pytest.mark.parametrize("own", [None, True, False])
def test_the_scenarios_own_router_decides_where_it_is_compared(verdicts, ok, own):
    """Without it, a limit that any of the routers misses is missed."""
    outcomes = tuple(outcome(name, verdict) for name, verdict in zip("ab", verdicts, strict=True))
    result = RouterComparison(("a", "b"), (), outcomes, own=None if own is None else outcome("c", own))
    assert result.limits_ok is (ok if own is None else own)


def test_the_factors_by_hand():
    """50 % by access, 100 % at best, 125 % by ECMP, 110 % by weights, 150 % hashed (p99 200 %)."""
    theta = {"optimal": 1.0, "ecmp": 1.25, "wcmp": 1.1, "ecmp-hash": 1.5}
    rows = [RouterFigure("main", "dp", name, max_utilisation=value) for name, value in theta.items()]
    full = Quantiles(1.5, 1.8, 2.0)
    rows[3] = replace(rows[3], spread=HashSpread(10, full, full))
    split = loss_split(0.5, rows)
    assert (split.topology, split.uneven_links) == pytest.approx((1.0, 0.25))
    assert split.wcmp_recovers == pytest.approx((1.25 - 1.1) / (1.25 - 1.0))
    assert (split.hashing, split.hashing_p99) == pytest.approx((0.2, 0.6))
