"""``fabric grow`` and growth of designs as a user meets them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fabric.bill.bill import Bill, BillRow, BillTotals
from fabric.cli.main import run
from fabric.design.requirement import FALL_INTO_PARTS
from fabric.design.requirement_file import load_requirement
from fabric.growth.bought import purchase
from fabric.growth.designed import _growing
from fabric.growth.grow import GrowthRequest, grow
from fabric.growth.result import GrowthResult
from fabric.growth.sizes import StageWish
from fabric.pipeline.network import build_network
from fabric.scenario.load import load_scenario, load_scenario_text
from topologies.errors import ScenarioError

NOTHING = BillTotals(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, None, ())

POD = """\
version: 1
name: pod
nodes:
  - {group: gpu, count: 4, gpus: 8, nics: {main: {count: 8, speed: 400G, rail: per-gpu}, store: {speed: 100G}}}
  - {group: disks, count: 4, nics: {store: {speed: 100G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaf: {model: ib-64x400, down: 16, up: 16}, spine: {radix: 16, speed: 400G, count: 2}}
  store:
    topology: {kind: clos, radix: 16, speed: 100G}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
"""


@pytest.fixture(scope="module")
def grown() -> dict[bool, GrowthResult]:
    """Both ways: re-wired, and with a reserve."""
    wishes = (StageWish(64), StageWish(128))
    loaded = load_scenario_text(POD, "pod.yaml")
    return {reserve: grow(loaded, GrowthRequest(wishes, reserve=reserve)) for reserve in (False, True)}


@pytest.mark.parametrize("reserve", [False, True])
def test_cables_of_every_stage_are_those_kept_moved_and_added(grown: dict[bool, GrowthResult], reserve: bool) -> None:
    """Over all fabrics, against the networks that the scenarios of the stages build."""
    for stage in grown[reserve].stages:
        there = build_network(stage.scenario).topologies
        cables = sum(int(one.is_cable.sum()) for one in there.values())
        assert stage.count("kept") + stage.count("moved") + stage.count("added") == cables
        assert stage.floor_kept
        assert stage.routed is not None


def test_with_a_reserve_nothing_is_touched_and_both_ways_end_alike(grown: dict[bool, GrowthResult]) -> None:
    """Each way knows what the other costs and touches."""
    rewired, reserved = grown[False], grown[True]
    assert sum(stage.touched for stage in reserved.stages) == 0 < sum(stage.touched for stage in rewired.stages)
    assert [one.cost_usd for one in rewired.other] == [stage.purchase.cost_usd for stage in reserved.stages]
    assert list(reserved.other_touched) == [stage.touched for stage in rewired.stages]
    assert reserved.stages[0].purchase.cost_usd >= rewired.stages[0].purchase.cost_usd


def test_what_stands_already_is_not_bought() -> None:
    """The first stage is free, and re-wired once where a reserve begins with its growth."""
    request = GrowthRequest((StageWish(64), StageWish(128)), reserve=True, built=True)
    first, second, third = grow(load_scenario_text(POD, "pod.yaml"), request).stages
    assert not first.purchase.rows
    assert second.touched > 0 == third.touched


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ((16,), "smaller than the one before"),
        ((32,), "no larger than the one before"),
        ((64, 64), "no larger than the one before"),
        ((64, 48), "smaller than the one before"),
        ((64, 128, 64), "go in a cycle: 32 -> 64 -> 128 -> 64"),
        ((64, 32), "go in a cycle: 32 -> 64 -> 32"),
        ((60,), "not whole nodes"),
    ],
)
def test_stages_that_do_not_grow_are_refused(sizes: tuple[int, ...], says: str) -> None:
    """Shrinking, equal, cyclic, and parts of nodes."""
    with pytest.raises(ScenarioError, match=says):
        grow(load_scenario_text(POD, "pod.yaml"), GrowthRequest(tuple(map(StageWish, sizes))))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("nodes:", "down: [spine0]\nnodes:"), "begins with a whole fabric"),
        (
            ("kind: clos, radix: 16, speed: 100G", "kind: fat-tree, radix: 4, speed: 100G"),
            "fat-tree does not grow to 20",
        ),
    ],
)
def test_fabrics_that_cannot_grow_say_why(change: tuple[str, str], says: str) -> None:
    """What is down, and kinds that have one size."""
    with pytest.raises(ScenarioError, match=says):
        grow(load_scenario_text(POD.replace(*change), "pod.yaml"), GrowthRequest((StageWish(128),)))


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """JSON of a command."""
    assert run(["grow", *words, "--json", "-q"]) == 0
    return json.loads(capsys.readouterr().out)


def test_json_has_every_stage_and_its_files_are_scenarios(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stages with what is bought, touched and left; the folder has a scenario of each."""
    (tmp_path / "pod.yaml").write_text(POD, encoding="utf-8")
    folder = tmp_path / "stages"
    record = answer(capsys, str(tmp_path / "pod.yaml"), "--to", "64,128", "-o", str(folder))
    assert (record["kind"], [stage["gpus"] for stage in record["stages"]]) == ("GrowthResult", [32, 64, 128])
    for stage in record["stages"]:
        assert load_scenario(stage["scenario"]).scenario.nodes[0].count * 8 == stage["gpus"]
        assert stage["bought"]["switches"] == stage["switches_bought"]
        for fabric in stage["fabrics"].values():
            assert fabric["least_touched"] <= fabric["touched"]
            assert sum(step["drained"] for step in fabric["order"]) == fabric["touched"]
    again = answer(capsys, record["stages"][1]["scenario"], "--to", "128", "--built")
    assert again["stages"][1]["touched"] == record["stages"][2]["touched"]


def test_steps_are_rows_too_and_stages_can_be_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--step 32`` from 32 to 128 is three stages."""
    (tmp_path / "pod.yaml").write_text(POD, encoding="utf-8")
    record = answer(capsys, str(tmp_path / "pod.yaml"), "--to", "128", "--step", "32", "--rows", "steps")
    assert {step["stage"] for step in record["steps"]} == {1, 2, 3}
    assert all(step["roll_back"] for step in record["steps"])


def test_stages_cost_together_what_the_bill_of_each_says() -> None:
    """Fibres are paid by the metre too: 10 more cables of 20 m at US$ 45 and 1.60 a metre are 770."""
    row = BillRow("cable", "mpo", 10, 45.0, 0.0, 0.0, 0.0, None, True, "x", metres=200.0, usd_per_m=1.6)
    bill = Bill((row,), NOTHING)
    twice = Bill((replace(row, count=20, metres=400.0),), NOTHING)
    assert purchase(None, bill).cost_usd == pytest.approx(row.cost_usd) == pytest.approx(770)
    assert purchase(bill, twice).cost_usd == pytest.approx(770)


def test_growth_without_families_named_takes_none_that_falls_into_parts() -> None:
    """512 GPUs to 2,048: planes of single switches, one a rail, would be the cheapest, and do not grow."""
    requirement = load_requirement(given={"require": {"gpus": 512, "nic": "400G", "growth": [{"gpus": 2048}]}})
    kinds = _growing(requirement).spec.candidates.kinds
    assert "leaf-spine" in kinds
    assert not set(kinds) & set(FALL_INTO_PARTS)
