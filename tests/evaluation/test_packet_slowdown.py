"""What packets lose against fair sharing: the formula, where it enters, and where it must not."""

from __future__ import annotations

from itertools import pairwise

import pytest

from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.routing.packet_slowdown import slowed_rate, time_stretch
from fabric.routing.router import ROUTERS, traits_of
from fabric.scenario.load import load_scenario
from topologies.errors import ScenarioError

QUICKSTART = "examples/quickstart.fabric.yaml"
KEY = "fabrics.main.routing.hash.packet_slowdown"


@pytest.mark.parametrize(
    ("utilisation", "stretch"),
    [
        (0.0, 1.0),
        (1.0, 1.0),
        (1.1, 1.1 * 1.015),
        (1.5, 1.5 * 1.075),
        (2.0, 2.3),
        (4.0, 4.6),
        (float("inf"), float("inf")),
    ],
)
def test_stretch_is_u_times_one_plus_f_less_one_times_the_overload(utilisation, stretch):
    """f = 1.15: u (1 + 0.15 min(1, u - 1)) above 1, else 1; worked out by hand."""
    assert time_stretch(utilisation, 1.15) == pytest.approx(stretch)


def test_stretch_has_no_step_and_never_falls():
    """A link a little over capacity costs a little more; f = 1 is fair sharing."""
    times = [time_stretch(0.9 + step / 1000, 1.15) for step in range(2000)]
    assert all(0 <= after - before < 0.0016 for before, after in pairwise(times))
    assert [time_stretch(u, 1.0) for u in (0.5, 1.3, 2.7)] == [1.0, 1.3, 2.7]


@pytest.mark.parametrize("rate", [0.05, 0.4, 0.9, 1.0])
def test_a_slowed_rate_takes_the_stretched_time(rate):
    """Rate times time is one, of whatever the fair rate was; a flow that gets nothing still gets nothing."""
    assert slowed_rate(rate, 1.15) * time_stretch(1 / rate, 1.15) == pytest.approx(1)
    assert slowed_rate(0.0, 1.15) == 0


def quick(router: str, *sets: str):
    """96 hosts all to all over two spines: hashed links are offered 2.6 times what they carry."""
    return run_scenario(load_scenario(QUICKSTART, overrides=list(sets)), RouteRequest(router=router)).result


def test_it_enters_times_and_the_worst_rate_and_not_the_load():
    """262.1 % takes 2.621 x 1.15; the worst flow's rate is divided by 1.15; loads and the mean rate stay."""
    slowed, fair = quick("ecmp-hash"), quick("ecmp-hash", f"{KEY}=1")
    one, other = slowed.routes[0], fair.routes[0]
    assert one.max_utilisation == other.max_utilisation > 2
    assert one.utilisation.tobytes() == other.utilisation.tobytes()
    phase, plain = slowed.jobs[0].phases[0], fair.jobs[0].phases[0]
    assert plain.stretch == pytest.approx(other.max_utilisation)
    assert phase.stretch == pytest.approx(1.15 * one.max_utilisation)
    assert slowed.jobs[0].step_time_s == pytest.approx(1.15 * fair.jobs[0].step_time_s)
    assert one.spread.worst_rate.p50 == pytest.approx(other.spread.worst_rate.p50 / 1.15)
    assert one.spread.mean_rate == other.spread.mean_rate


@pytest.mark.parametrize("router", [name for name in ROUTERS.names() if traits_of(name).is_bound and name != "optimal"])
def test_what_no_hash_places_is_not_slowed(router):
    """Fluids have no collisions; spraying has an efficiency of its own."""
    entry = quick(router, "fabrics.main.routing.router=wcmp").routes[0]
    assert entry.packet_slowdown == 1
    assert entry.stretch_at(2.5) == 2.5


def test_an_uncontended_fabric_costs_nothing(tmp_path):
    """A ring over NICs that meet nobody on the way: every phase takes its ideal window, to the last digit."""
    (tmp_path / "ring.yaml").write_text(
        """
version: 1
name: ring
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 1, spines: 1, hosts_per_leaf: 8, host_speed: 100G, uplink_speed: 400G}
    routing: {router: ecmp-hash}
workloads:
  - {id: shift, kind: stride, step: 1, size: 1 GB}
""",
        encoding="utf-8",
    )
    result = run_scenario(load_scenario(tmp_path / "ring.yaml")).result
    assert all(phase.stretch == 1 for phase in result.jobs[0].phases)


def test_it_is_an_assumption_until_the_scenario_says_it():
    """With the key that overrides it; said, it is none."""
    found = [one for one in quick("ecmp-hash").assumptions if one.override == KEY]
    assert len(found) == 1
    assert "15 %" in found[0].text
    assert not [one for one in quick("ecmp-hash", f"{KEY}=1.2").assumptions if one.override == KEY]
    assert not [one for one in quick("ecmp").assumptions if one.override == KEY]


@pytest.mark.parametrize(("value", "message"), [("0.9", "should be at least 1"), ("115", "where it has no % sign")])
def test_a_factor_that_speeds_up_or_looks_like_percent_is_refused(value, message):
    """115% is 1.15."""
    with pytest.raises(ScenarioError, match=message):
        load_scenario(QUICKSTART, overrides=[f"{KEY}={value}"])
    loaded = load_scenario(QUICKSTART, overrides=[f"{KEY}=115%"])
    assert loaded.scenario.fabrics["main"].routing.hash.packet_slowdown == pytest.approx(1.15)
