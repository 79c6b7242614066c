"""``fabric failures`` as users run it: closed forms, a partition and its pairs, the machine contract, exit codes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from fabric.cli.main import run
from fabric.failures.request import FailureRequest
from fabric.failures.shipped import Shipped, prepare, tally_of, work
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario

LEAF_SPINE = """
version: 1
name: small
fabrics:
  main:
    topology:
      {{kind: leaf-spine, leaves: 4, spines: {spines}, hosts_per_leaf: {spines}, host_speed: 100G, uplink_speed: 100G}}
    routing: {{router: ecmp}}
workloads:
  - {{id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}}
{more}
"""
FAT_TREE = """
version: 1
name: tree
fabrics:
  main: {{topology: {{kind: fat-tree, radix: {radix}, speed: 100G}}, routing: {{router: ecmp}}}}
workloads:
  - {{id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}}
"""


def answer(capsys, folder: Path, text: str, *flags: str, code: int = 0) -> str:
    """Standard output of the command on a scenario."""
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    assert run(["failures", str(path), "--no-expected", *flags]) == code
    return capsys.readouterr().out


def record_of(capsys, folder: Path, text: str, *flags: str, code: int = 0) -> dict:
    """The same as JSON."""
    return json.loads(answer(capsys, folder, text, *flags, "--json", code=code))


@pytest.mark.parametrize("spines", [2, 4])
def test_a_spine_of_n_leaves_the_others_n_over_n_less_one(spines, capsys, tmp_path):
    """Leaf uplinks carry n/(n-1) of what they carry intact; steps stretch to where uplinks pass the NICs."""
    record = record_of(capsys, tmp_path, LEAF_SPINE.format(spines=spines, more=""), "--kind", "switch")
    leaf_up = [link for link in record["links"] if link["link"].split(" -> ")[1].startswith("spine")]
    assert len(leaf_up) == 4 * spines
    for link in leaf_up:
        grown = link["intact_utilisation"] * spines / (spines - 1)
        assert link["worst_utilisation"] == pytest.approx(grown, rel=1e-9)
        assert {tuple(cause["parts"]) for cause in link["causes"]} <= {(f"spine{at}",) for at in range(spines)}
    spine = next(case for case in record["failures"] if case["parts"] == ["spine0"])
    full = leaf_up[0]["intact_utilisation"] * spines / (spines - 1)
    assert spine["jobs"][0]["stretch"] == pytest.approx(max(full, 1.0), rel=1e-9)
    assert spine["jobs"][0]["state"] == ("slowed" if full > 1 else "ok")


@pytest.mark.parametrize("radix", [4, 6])
def test_an_uplink_of_a_k_ary_edge_leaves_half_k_over_half_k_less_one(radix, capsys, tmp_path):
    """Its k/2 - 1 other uplinks take the traffic of k/2."""
    record = record_of(capsys, tmp_path, FAT_TREE.format(radix=radix), "--kind", "link")
    uplinks = [link for link in record["links"] if "edge" in link["link"].split(" -> ")[0]]
    uplinks = [link for link in uplinks if "agg" in link["link"].split(" -> ")[1]]
    assert len(uplinks) == radix**3 // 4
    half = radix // 2
    for link in uplinks:
        edge = link["link"].split(" -> ")[0]
        beside = [cause for cause in link["causes"] if cause["parts"][0].startswith(f"{edge} -> ")]
        assert len(beside) == half - 1
        for cause in beside:
            assert cause["utilisation"] == pytest.approx(link["intact_utilisation"] * half / (half - 1), rel=1e-9)


def test_a_partition_says_its_pairs_and_the_jobs_that_stall(capsys, tmp_path):
    """One spine: without it four leaves of two hosts are islands, and 8 x 6 ordered pairs have no path."""
    text = LEAF_SPINE.format(spines=2, more="down: [spine1]")
    record = record_of(capsys, tmp_path, text, "--kind", "switch")
    spine = next(case for case in record["failures"] if case["parts"] == ["spine0"])
    assert spine["unreachable_pairs"] == 48
    (job,) = spine["jobs"]
    assert (job["id"], job["state"], job["step_time_s"], job["stretch"]) == ("shuffle", "stalled", None, None)
    assert "stalls" in answer(capsys, tmp_path, text, "--kind", "switch")


def test_json_is_the_machine_contract(capsys, tmp_path):
    """Every key of it, with its type; ``--top`` cuts lists and not counts."""
    text = LEAF_SPINE.format(spines=2, more="")
    whole = record_of(capsys, tmp_path, text)
    few = record_of(capsys, tmp_path, text, "--top", "2")
    assert whole["kind"] == "FailureResult"
    assert whole["cases"] == len(whole["failures"]) == 8 + 8 + 4 + 2
    assert whole["evaluated"] == 4  # host links, uplinks, leaves, spines
    assert (few["cases"], few["evaluated"], few["summary"]) == (whole["cases"], whole["evaluated"], whole["summary"])
    assert few["failures"] == whole["failures"][:2]
    assert few["links"] == whole["links"][:2]
    assert whole["reaction"] == "converged"
    assert whole["limits"] == []
    for link in whole["links"]:
        assert {"link", "fabric", "intact_utilisation", "worst_utilisation", "causes"} <= link.keys()
        assert link["worst_utilisation"] >= link["intact_utilisation"] >= 0
        assert len(link["causes"]) <= 10
        assert all(cause["parts"] and cause["utilisation"] > link["intact_utilisation"] for cause in link["causes"])
    for case in whole["failures"]:
        assert {
            "id",
            "parts",
            "max_utilisation",
            "links_over_capacity",
            "unreachable_pairs",
            "gpus_cut_off",
        } <= case.keys()
        assert all({"id", "state", "step_time_s", "stretch"} <= job.keys() for job in case["jobs"])
        assert {job["state"] for job in case["jobs"]} <= {"ok", "slowed", "stalled"}


def test_csv_has_every_case_and_every_link(capsys, tmp_path):
    """Rows of both kinds, as many as JSON counts."""
    text = LEAF_SPINE.format(spines=2, more="")
    cases = [*csv.DictReader(io.StringIO(answer(capsys, tmp_path, text, "-f", "csv")))]
    links = [*csv.DictReader(io.StringIO(answer(capsys, tmp_path, text, "-f", "csv", "--rows", "links")))]
    record = record_of(capsys, tmp_path, text)
    assert [row["id"] for row in cases] == [case["id"] for case in record["failures"]]
    assert [row["link"] for row in links] == [link["link"] for link in record["links"]]


def test_a_limit_that_a_case_breaks_is_exit_code_1_with_that_case(capsys, tmp_path):
    """The worst of four leaves is said, and that all four break it; route says the same, and ends with 1 too."""
    limit = "limits: [{fabric: main, when: any-single-leaf, metric: unreachable_pairs, max: 0}]"
    text = LEAF_SPINE.format(spines=2, more=limit)
    record = record_of(capsys, tmp_path, text, "--kind", "link", code=1)
    (verdict,) = record["limits"]
    assert (verdict["ok"], verdict["broken"], verdict["cases"], verdict["parts"]) == (False, 4, 4, ["leaf0"])
    assert verdict["value"] == 2 * (8 - 2) * 2 + 2
    assert run(["route", str(tmp_path / "s.yaml"), "--json"]) == 1
    routed = json.loads(capsys.readouterr().out)["limits"]
    assert [(entry["id"], entry["ok"], entry["value"]) for entry in routed] == [
        (verdict["id"], False, verdict["value"])
    ]


def test_a_limit_whose_set_nobody_knows_is_bad_input_at_its_key(capsys, tmp_path):
    """Route and failures refuse it alike, with the nearest name."""
    limit = "limits: [{fabric: main, when: any-single-spin, metric: unreachable_pairs, max: 0}]"
    answer(capsys, tmp_path, LEAF_SPINE.format(spines=2, more=limit), code=3)
    assert run(["route", str(tmp_path / "s.yaml")]) == 3
    error = capsys.readouterr().err
    assert "s.yaml:11" in error
    assert "any-single-spine" in error


def test_too_many_cases_leave_a_limit_open_in_route_and_say_how_many(capsys, tmp_path, monkeypatch):
    """Counted, not timed."""
    monkeypatch.setattr("fabric.failures.verdicts.MOST_UNASKED", 10)
    limit = "limits: [{fabric: main, when: any-single-link, metric: unreachable_pairs, max: 0}]"
    path = tmp_path / "s.yaml"
    path.write_text(LEAF_SPINE.format(spines=2, more=limit), encoding="utf-8")
    assert run(["route", str(path), "--json"]) == 0
    (verdict,) = json.loads(capsys.readouterr().out)["limits"]
    assert verdict["ok"] is None
    assert verdict["detail"].startswith("16 cases; fabric failures decides it")


ABILENE = str(Path(__file__).parents[2] / "examples" / "abilene.fabric.yaml")


def test_every_case_of_router_optimal_says_how_near_the_optimum_it_is(capsys):
    """Below every bound no routing goes; with one cable less the network is never better than whole."""
    flags = ["--router", "optimal", "--kind", "cable", "--gap", "1e-6"]
    assert run(["failures", ABILENE, *flags, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["total"] == len(record["failures"]) == 15
    for case in record["failures"]:
        assert 0 <= case["gap"] <= 1e-6
        assert case["best_utilisation"] <= case["max_utilisation"]
        if not case["unreachable_pairs"]:
            assert case["max_utilisation"] >= record["intact"]["max_utilisation"] * (1 - 1e-6)
    assert run(["failures", ABILENE, *flags]) == 0
    assert "no routing has a lower fullest link in any of these cases: proven" in capsys.readouterr().out
    assert run(["failures", ABILENE, "--kind", "cable", "--json"]) == 0
    assert all(case["gap"] is None for case in json.loads(capsys.readouterr().out)["failures"])


def test_bounds_come_back_from_other_processes():
    """What a worker sends has the bound of every case, so that nothing is solved again."""
    loaded = load_scenario(ABILENE)
    request = FailureRequest(route=RouteRequest(router="optimal"), kinds=("cable",))
    sweep = prepare(loaded, Shipped(request))
    came = tally_of(work(sweep, 3, 6), [len(phase.topology.links) for phase in sweep.ground.phases])
    here = sweep.chunk(3, 6)
    assert (here.figures.bound > 0).all()
    assert came.figures.bound.tolist() == here.figures.bound.tolist()
