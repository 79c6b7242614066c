"""Designs from end to end: the cheapest that holds, the bound, conflicts, several fabrics."""

from __future__ import annotations

from dataclasses import replace

import pytest
import small_requirements
from small_requirements import JOB

from fabric.design.design import design
from fabric.design.judge import judge
from fabric.design.requirement import Requirement, needs_of
from fabric.design.requirement_file import load_requirement
from fabric.design.scenario_text import scenario_text
from fabric.design.search import Search
from topologies.errors import ScenarioError


def limited(step: str) -> dict[str, object]:
    """A job with a limit on its step."""
    return {"workloads": [JOB], "limits": [{"workload": "all", "metric": "step_time", "max": step}]}


def all_judged(requirement: Requirement) -> list[tuple[float, float, bool]]:
    """Value, step time and whether it holds of every counted design, judged one by one."""
    (need,) = needs_of(requirement).values()
    search = Search(need, requirement.catalogue, requirement.objective)
    rows = []
    for counted in search:
        text = scenario_text(requirement, {"backend": counted})
        one = judge(text, requirement.directory / "design.fabric.yaml", {"backend": need}, {"backend": counted})
        rows.append((search.value_of(counted), sum(one.step_time_s.values()), one.holds))
    return rows


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """Every leaf-spine of tiny switches for 10 hosts, with what its job takes."""
    requirement = small_requirements.requirement(
        tmp_path_factory.mktemp("every"), require={"gpus": 10, "workloads": [JOB], "oversubscription": "any"}
    )
    rows = all_judged(requirement)
    assert len(rows) > 5
    return rows


@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_the_cheapest_design_that_keeps_a_limit_is_that_of_judging_all(place, every, tmp_path):
    """A limit at the step time of the slowest, the middle and the fastest of all designs."""
    steps = sorted({round(step, 9) for _, step, _ in every})
    most = steps[round(place * (len(steps) - 1))] * 1.000001
    asked = small_requirements.requirement(tmp_path, require={"gpus": 10, **limited(f"{most:.9f} s")})
    result = design(asked, top=1)
    assert result.chosen is not None
    assert result.value == min(value for value, step, holds in every if holds and step <= most)
    assert result.bound is not None
    assert result.bound <= result.value


def test_the_least_step_time_is_that_of_judging_all_and_the_least_cost_among_it(every, tmp_path):
    """Ties within 0.1 % go by cost."""
    asked = small_requirements.requirement(
        tmp_path,
        require={"gpus": 10, "workloads": [JOB], "oversubscription": "any"},
        objective=["step_time", "cost"],
    )
    result = design(asked, top=1)
    least = min(step for _, step, holds in every if holds)
    chosen = result.chosen
    assert chosen is not None
    assert result.value == pytest.approx(chosen.step_time_s["all"])
    assert result.value == pytest.approx(least, rel=1e-3)
    cheapest = min(value for value, step, holds in every if holds and step <= least * 1.001)
    assert chosen.cost_usd == pytest.approx(cheapest)
    assert result.bound is not None
    assert 0 < result.bound <= result.value
    assert result.unit == "s"


def test_a_step_time_that_no_job_has_is_refused(tmp_path):
    """Steady traffic has no step."""
    job = {"id": "steady", "kind": "stride", "step": 1, "rate": "100 Gb/s", "fabric": "backend"}
    asked = small_requirements.requirement(tmp_path, require={"workloads": [job]}, objective="step_time")
    with pytest.raises(ScenarioError, match="no job has a step"):
        design(asked)


def test_a_limit_below_any_network_names_its_bound(tmp_path):
    """A GPU sends 23/24 of 1 GiB: no network of 400G does that in a millisecond."""
    result = design(small_requirements.requirement(tmp_path, require=limited("1 ms")))
    assert result.status == "INFEASIBLE"
    (conflict,) = result.conflict
    assert conflict.key == "require.limits: all step_time"
    assert "no network is faster" in conflict.nearest


TRAINING = {
    "id": "train", "kind": "training", "fabric": "backend",
    "model": {"layers": 8, "hidden": 4096, "ffn_hidden": 16384, "heads": 32, "vocab": 32000},
    "parallelism": {"tp": 1, "pp": 1, "dp": "auto"},
    "batch": {"global": 24, "micro": 1, "sequence": 2048},
    "compute": {"peak": "989 TFLOP/s", "mfu": 0.05},
}  # fmt: skip


@pytest.mark.parametrize(
    ("own", "limits", "key"),
    [
        (
            {},
            [{"workload": "train", "metric": "checkpoint_time", "max": "1 ms"}],
            "require.limits: train checkpoint_time",
        ),
        ({"deadline": "1 ms"}, [], "require.workloads: train checkpoint.deadline"),
    ],
)
def test_a_checkpoint_that_no_network_writes_in_time_names_its_bound(own, limits, key, tmp_path):
    """A limit on it, or its own deadline."""
    fabrics = {"backend": {}, "storage": {"hosts": 6, "group": "ceph"}}
    job = {**TRAINING, "checkpoint": {"target": "ceph", "fabric": "storage", **own}}
    asked = small_requirements.requirement(
        tmp_path, require={"fabrics": fabrics, "workloads": [job], "limits": limits, "oversubscription": "1:1"}
    )
    result = design(asked)
    assert result.status == "INFEASIBLE"
    (conflict,) = result.conflict
    assert conflict.key == key
    assert "its bytes at the line rate" in conflict.nearest


def test_a_bus_bandwidth_above_the_nics_is_refused(tmp_path):
    """A ring sends no faster than its NICs."""
    asked = small_requirements.requirement(tmp_path, require={"bus_bandwidth": "100 GB/s"})
    with pytest.raises(ScenarioError, match="more than the NICs of a host carry"):
        design(asked)


def test_a_job_that_does_not_fit_is_an_error_where_it_stands(tmp_path):
    """No design mends a job of 48 GPUs on 24."""
    asked = small_requirements.requirement(tmp_path, require={"workloads": [{**JOB, "gpus": 48}]})
    with pytest.raises(ScenarioError, match="48") as caught:
        design(asked)
    assert caught.value.problems[0].line is not None


def test_any_single_spine_may_die(tmp_path):
    """10 hosts at any oversubscription: one leaf pair and a spine would do; surviving it takes two."""
    asked = {"gpus": 20, "oversubscription": "any"}
    without = design(small_requirements.requirement(tmp_path, require=asked), top=1).chosen
    survive = {**asked, "survive": ["any-single-spine"]}
    chosen = design(small_requirements.requirement(tmp_path, require=survive), top=1).chosen
    assert without is not None
    assert chosen is not None
    assert without.switches_by_role["spine"] == 1
    assert chosen.switches_by_role["spine"] == 2
    assert chosen.worst_failure is not None
    assert chosen.worst_failure.unreachable_pairs == 0


def test_two_fabrics_are_designed_together(tmp_path):
    """The value is that of both; the second has hosts of its own."""
    fabrics = {"backend": {}, "storage": {"nic": "400G", "hosts": 6, "oversubscription": "3:1"}}
    result = design(small_requirements.requirement(tmp_path, require={"fabrics": fabrics}), top=2)
    chosen = result.chosen
    assert chosen is not None
    assert set(chosen.fabrics) == {"backend", "storage"}
    assert result.value == pytest.approx(chosen.cost_usd)
    assert chosen.oversubscription_by_role["backend:leaf"] <= 1
    assert 1 < chosen.oversubscription_by_role["storage:leaf"] <= 3


@pytest.mark.parametrize("top", [1, 2, 3])
def test_no_more_stand_side_by_side_than_were_asked_for(top, tmp_path):
    """The first is chosen; what is dominated is said to be better in nothing, what is not is not."""
    kinds = ["leaf-spine", "clos", "rail-optimised", "dual-plane"]
    asked = small_requirements.requirement(tmp_path, candidates={"kinds": kinds, "switches": ["tiny"]})
    result = design(asked, top=top)
    assert 1 <= len(result.designs) <= top
    first, *others = result.designs
    assert first.chosen
    for other in others:
        assert not other.chosen
        assert other.value >= first.value
        worse = (
            other.cost_usd >= first.cost_usd
            and other.power_w >= first.power_w
            and all(other.step_time_s[job] >= step * (1 - 1e-9) for job, step in first.step_time_s.items())
            and other.worst_failure.unreachable_pairs >= first.worst_failure.unreachable_pairs
            and other.worst_failure.max_utilisation >= first.worst_failure.max_utilisation * (1 - 1e-9)
        )
        assert ("better in nothing" in other.why_not) is worse


def test_without_prices_designs_are_counted_by_ports(tmp_path):
    """Five switches of 16 ports; said, with the model that has no price."""
    result = design(small_requirements.requirement(tmp_path, switch={"usd": None}), top=1)
    assert (result.value, result.unit, result.objective) == (80, "ports", "ports")
    assert result.chosen is not None
    assert result.chosen.cost_usd is None
    assert "tiny has no price" in result.notes[0]


def test_of_several_measures_those_with_figures_stay(tmp_path):
    """A weighted sum without prices is of watts alone."""
    asked = small_requirements.requirement(tmp_path, switch={"usd": None}, objective={"cost": 1, "power": 20})
    assert design(asked, top=1).objective == "20 x power (W)"


def test_a_model_without_a_price_is_left_out_and_said(tmp_path):
    """Another has one, and is chosen."""
    candidates = {"kinds": ["leaf-spine"], "switches": ["tiny", "eth-64x400"]}
    result = design(small_requirements.requirement(tmp_path, switch={"usd": None}, candidates=candidates), top=1)
    assert result.unit == "US$"
    assert "left out: tiny has no price" in result.notes


def room(**keys: object) -> dict[str, object]:
    """Hosts of eight GPUs, on a floor."""
    return {
        "require": {"gpus": 64, "gpus_per_node": 8, "node": "hgx-h100-8", "nic": "8x400"},
        "candidates": {"kinds": ["rail-optimised", "leaf-spine"], "switches": ["eth-64x400"]},
        "site": {"rows": 1, "racks_per_row": 8, "rack_power": "12 kW", **keys},
    }


@pytest.mark.parametrize(
    ("keys", "conflict", "nearest"),
    [
        ({"rack_power": "2 kW"}, ("site.rack_power", "require.node"), "10.2 kW or more in site.rack_power"),
        ({"rack_units": 6}, ("site.rack_units", "require.node"), "8 units or more in site.rack_units"),
        ({"racks_per_row": 3}, ("site.rows", "require.gpus"), "3 rows of 3 racks have room"),
    ],
)
def test_a_floor_without_room_for_the_hosts_is_a_conflict(keys, conflict, nearest, tmp_path):
    """No network mends that: one design is tried."""
    result = design(small_requirements.requirement(tmp_path, **room(**keys)))
    assert result.status == "INFEASIBLE"
    assert tuple(one.key for one in result.conflict) == conflict
    assert nearest in result.conflict[0].nearest
    assert result.tried <= 1


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"no_rack": ["*"]}, "no_rack leaves no rack at all"),
        ({"rows": 3, "trays": {"cross": []}}, "no tray reaches rows 1, 2"),
        ({"network_racks": ["none"]}, "no place on the floor is called 'none'"),
    ],
)
def test_a_floor_that_is_wrong_is_refused_where_it_stands(keys, message, tmp_path):
    """Whatever would stand on it."""
    with pytest.raises(ScenarioError, match=message) as caught:
        design(small_requirements.requirement(tmp_path, **room(**keys)))
    assert all(problem.line is not None for problem in caught.value.problems)


def test_speeds_that_there_are_are_named(tmp_path):
    """333G is nobody's."""
    asked = small_requirements.requirement(tmp_path, require={"nic": "333G"}, candidates={})
    result = design(asked)
    assert result.status == "INFEASIBLE"
    (conflict,) = result.conflict
    assert "333 Gb/s" in conflict.wish
    assert "400G or 800G would do" in conflict.nearest


def test_a_flat_network_shows_its_uniform_load(tmp_path):
    """It has no oversubscription."""
    candidates = {"kinds": ["hyperx"], "switches": ["tiny"]}
    chosen = design(small_requirements.requirement(tmp_path, candidates=candidates), top=1).chosen
    assert chosen is not None
    assert 0 < chosen.uniform_load["backend"] <= 1


def test_the_same_requirement_gives_the_same_answer(tmp_path):
    """But for the objects that it is made of."""
    asked = small_requirements.requirement(tmp_path, require=limited("1 s"))
    first, second = design(asked, top=2), design(asked, top=2)
    assert [replace(one, fabrics={}) for one in first.designs] == [replace(one, fabrics={}) for one in second.designs]
    assert (first.bound, first.notes, first.rejected) == (second.bound, second.notes, second.rejected)


def test_a_million_gpus_are_counted_and_not_offered(monkeypatch):
    """Beyond what is built the families that reach are named, with a bound, and no design looks finished."""
    monkeypatch.setattr("fabric.design.design.MOST_BUILT", 256)
    asked = load_requirement(None, given={"name": "many", "require": {"gpus": 512, "nic": "400G"}})
    result = design(asked)
    assert (result.status, result.designs, result.value, result.tried) == ("BOUNDED", (), None, 0)
    assert result.bound == pytest.approx(1_233_472)
    assert any("reaches, counted at US$ 1,233,472" in note for note in result.notes)
