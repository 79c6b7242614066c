"""``fabric interference`` as a user meets it: the example checked by hand, JSON, exit codes, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fabric.cli.main import run
from fabric.evaluation.jobs import job_times
from fabric.evaluation.step_time import parts_of
from fabric.pipeline.run import run_scenario
from fabric.scenario.load import load_scenario
from fabric.share.interference.interference import InterferenceRequest, interference
from fabric.share.interference.lanes import Lane, lanes_of
from fabric.share.interference.shared_rows import ColumnFigures, SharedRows, shared_rows
from fabric.share.interference.together import Side

EXAMPLES = Path(__file__).parents[2] / "examples"
THREE = EXAMPLES / "three-jobs.fabric.yaml"
TRAINING = Path(__file__).parents[1] / "golden" / "cases" / "training.fabric.yaml"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict]:
    """Exit code and JSON."""
    code = run(["interference", "--json", "-q", *arguments])
    return code, json.loads(capsys.readouterr().out)


def failed(capsys: pytest.CaptureFixture[str], tmp_path: Path, old: str, new: str, *arguments: str) -> str:
    """What standard error says of the example with something else in it."""
    text = THREE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "s.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert run(["interference", "-q", str(path), *arguments]) == 3
    return capsys.readouterr().err


def test_the_example_is_as_docs_interference_derives_it(capsys):
    """a sends 0.4 of 1 s, b 0.48 of 1 s, c 0.5 of 2 s; a and b meet, b and c meet, each on a link that fits one.

    a and b: 1 + 0.4 · 0.48 = 1.192, at worst 1.4. b and c: 1 + 0.48 · 0.25 = 1.12; at worst b loses all of its 0.48 s
    in one step, c is delayed by 0.48 s of its 2 s.
    """
    code, found = answer(capsys, str(THREE))
    assert (code, found["kind"]) == (0, "InterferenceResult")
    assert [job["id"] for job in found["jobs"]] == ["a", "b", "c"]
    assert [(job["period_s"], round(job["wire_s"], 12)) for job in found["jobs"]] == [(1, 0.4), (1, 0.48), (2, 0.5)]
    expected = [[1, 1.192, 1], [1.192, 1, 1.12], [1, 1.12, 1]]
    np.testing.assert_allclose(found["slowdown"], expected, atol=5e-4)
    assert found["slowdown"][0][2] == found["slowdown"][2][0] == 1
    np.testing.assert_allclose(found["slowdown_worst"], [[1, 1.4, 1], [1.4, 1, 1.48], [1, 1.24, 1]], atol=1e-9)
    np.testing.assert_allclose(found["slowdown_best"], np.ones((3, 3)), atol=1e-9)
    worst = {(row["job"], row["beside"]): row["link"] for row in found["pairs"]}
    assert worst["a", "b"] == "leaf1 -> spine0"
    assert worst["b", "c"] == "leaf3 -> spine0"
    assert (found["overlap"], found["bound"], found["bound_proved"]) == (pytest.approx(0, abs=1e-9), 0, True)
    assert [row["slowdown"] for row in found["shifts"]] == pytest.approx([1, 1, 1], abs=1e-9)
    assert found["overlap_unshifted"] == pytest.approx(0.4)


def test_a_newcomer_has_its_price_and_a_limit_decides_the_exit_code(capsys):
    """Without c, b loses 19.2 % to a; with it more. a meets c nowhere, but b comes later into its way."""
    code, found = answer(capsys, str(THREE), "--admit", "c", "--no-shifts", "--max-slowdown", "1.1")
    assert (code, found["verdict"], found["too_slow"]) == (1, "fail", ["b", "c"])
    first = found["admitted"][0]
    assert (first["job"], first["link"]) == ("b", "leaf3 -> spine0")
    assert first["without"] == pytest.approx(1.192, abs=5e-4)
    assert first["cost"] == pytest.approx(1.349 / 1.192 - 1, abs=0.01)  # 1.349: the long run of the simulation
    assert found["admitted"][1]["link"] == ""
    assert answer(capsys, str(THREE), "--admit", "c", "--no-shifts", "--max-slowdown", "1.3")[0] == 0


def test_the_worst_phase_can_be_the_limit(capsys):
    """a is slowed 1.4 times at worst: more than 130 %; the mean is not."""
    both = str(THREE), "--no-shifts", "--without", "c"
    assert answer(capsys, *both)[0] == 0
    code, found = answer(capsys, *both, "--set", "limits=[{workload: a, metric: slowdown, max: 130%, at: p100}]")
    assert (code, found["limits"][0]["value"]) == (1, pytest.approx(1.4))


def test_weight_divides_the_link(capsys):
    """a with three times the weight of b has 3/4 of the link while both send."""
    code, found = answer(capsys, str(THREE), "--without", "c", "--no-shifts", "--set", "workloads.a.weight=3")
    assert code == 0
    # At 3/4 of its pace a takes 0.4 / 0.75 s at most, at 1/4 b has done 0.1333 s then: 0.4 s later than alone.
    assert found["slowdown_worst"][0][1] == pytest.approx(1 + 0.4 / 3, abs=1e-9)
    assert found["slowdown_worst"][1][0] == pytest.approx(1.4, abs=1e-9)


def test_bad_periods_are_refused_where_they_stand(capsys, tmp_path):
    """Zero; shorter than the traffic takes; below --max-slowdown 1."""
    said = failed(capsys, tmp_path, "period: 2 s", "period: 0 s")
    assert "FP9740" in said
    assert "c has a period of 0 s" in said
    assert "s.yaml:13:" in said
    said = failed(capsys, tmp_path, "period: 2 s", "period: 300 ms")
    assert "FP9741" in said
    assert "alone its step takes 500 ms" in said
    assert "FP9744" in failed(capsys, tmp_path, "period: 2 s", "period: 2 s", "--admit", "d")
    assert run(["interference", str(THREE), "--max-slowdown", "7%"]) == 2
    assert "1.07 is so much longer a step" in capsys.readouterr().err


def test_more_jobs_than_hosts_are_refused(capsys, tmp_path):
    """18 of 20 GPUs are taken by a, b and c."""
    old = "  - {id: c,"
    new = "  - {id: d, kind: collective, collective: all-reduce, size: 1 GB, gpus: 6}\n  - {id: c,"
    assert "FP4022" in failed(capsys, tmp_path, old, new)


def test_a_job_that_cannot_finish_is_refused(capsys):
    """Without its uplink b has no path: no answer exists, as fabric route says, and the input is not at fault."""
    assert run(["interference", str(THREE), "-q", "--down", "leaf2 -> spine0"]) == 4
    said = capsys.readouterr().err
    assert "1 error in the fabric as it stands (exit 4)" in said
    assert "FP9742" in said
    assert "b cannot finish" in said


def test_leaving_all_jobs_out_is_refused(capsys):
    """No job is left to ask about."""
    assert run(["interference", str(THREE), "-q", "--without", "a", "--without", "b", "--without", "c"]) == 3
    said = capsys.readouterr().err
    assert "FP9744" in said
    assert "no job is left" in said


def test_a_job_of_unknown_compute_is_said_to_send_without_a_pause(capsys, tmp_path):
    """a has neither compute nor a period; that its calls wait for latency changes nothing."""
    text = THREE.read_text(encoding="utf-8").replace("gpus: 6, period: 1 s", "gpus: 6", 1)
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    code, found = answer(capsys, str(path), "--no-shifts")
    assert code in (0, 1)
    assert any(note.startswith("a: no compute time is known") for note in found["notes"])
    code, found = answer(capsys, str(THREE), "--no-shifts")
    assert not any("no compute time" in note for note in found["notes"])


def test_steady_traffic_has_a_rate_and_no_step(capsys, tmp_path):
    """The headline speaks of its rate, and a period of it is said to have no effect."""
    text = THREE.read_text(encoding="utf-8")
    start = text.index("workloads:")
    path = tmp_path / "s.yaml"
    path.write_text(
        text[:start] + "workloads:\n"
        "  - {id: s, kind: permutation, members: gpu, rate: 100 Gb/s, period: 3 s}\n"
        "  - {id: t, kind: permutation, members: gpu, rate: 100 Gb/s}\n",
        encoding="utf-8",
    )
    assert run(["interference", str(path)]) == 0
    said = capsys.readouterr()
    assert "its traffic gets 1/" in said.out
    assert "its step takes" not in said.out
    assert "s: period is that of a step, and has no effect" in said.err


def test_one_job_alone_is_slowed_by_nobody(capsys):
    """One row of one figure, no pairs."""
    code, found = answer(capsys, str(THREE), "--without", "a", "--without", "b")
    assert (code, found["slowdown"], found["pairs"][0]["slowdown"], found["shifts"]) == (0, [[1.0]], 1.0, [])


def test_route_says_that_jobs_share_links_and_leaves_the_limit_open(capsys):
    """In text and in JSON."""
    assert run(["route", "-q", str(THREE)]) == 0
    text = capsys.readouterr().out
    assert "a, b, c share 4 links" in text
    assert "fabric interference decides it" in text
    assert run(["route", "-q", "--json", str(THREE)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert any("a, b, c share 4 links" in warning for warning in found["warnings"])
    assert found["limits"][0]["ok"] is None


@pytest.mark.parametrize("metric", ["max: 90%", "max: 120%, when: any-single-leaf", "max: 120%, at: p95"])
def test_limits_on_slowdown_that_mean_nothing_are_refused(metric, capsys, tmp_path):
    """Below 1, in failure cases, or by a percentile of draws."""
    assert failed(capsys, tmp_path, "max: 130%", metric)


@pytest.mark.parametrize("pace", [0.9, 0.5, 0.2])
def test_a_step_with_all_phases_stretched_is_that_of_the_step_time(pace):
    """A training job whose every phase runs at one pace beside a job that is always there: as ``step_time`` adds up."""
    loaded = load_scenario(str(TRAINING))
    result = run_scenario(loaded, rates=False)
    (workload, *_) = result.traffic
    routes = {(route.fabric, route.phase): route for route in result.result.routes}
    rows = shared_rows(result.result.routes, [one.id for one in result.traffic])
    times = {
        job.id: job
        for job in job_times(
            result.traffic, result.result.routes,
            peak=lambda route, job: next(
                (1 / rows.figures[at].pace, "") for name, at in rows.columns.items()
                if (name.job, name.fabric, name.phase) == (job, route.fabric, route.phase)
            ),
        )
    }  # fmt: skip
    step, *_ = lanes_of(workload, times[workload.id], routes, rows, weight=1.0, period_s=None)
    assert step.period_s == pytest.approx(times[workload.id].step_time_s, rel=1e-12)
    # A lane that never stops, of so much weight that on a link of each phase this pace is left.
    width = len(rows.figures)
    values = np.zeros((width, width + 1))
    values[:, :width] = np.eye(width)
    values[:, width] = 1.0
    figures = (
        *(ColumnFigures(1.0, one.pace, "", one.packet_slowdown) for one in rows.figures),
        ColumnFigures((1 - pace) / pace, 1.0, "", 1.0),
    )
    tight = SharedRows(rows.columns, figures, values, ("",) * width, np.ones(width, np.int64), {}, {})
    beside = Side.of([step, Lane("other", 1.0, steady=width)], tight).run(np.zeros((1, 2)), 3).slowdown[0, 0]
    stretched = []
    for phase in times[workload.id].phases:
        if not phase.in_step or not phase.ideal_s:
            continue
        ours = next(one for one in workload.phases if one.name == phase.name and not one.steady)
        now = phase.predicted_s
        piece = next((one for one in step.pieces if one.phase == phase.name), None)
        if piece is not None:
            now += piece.time_s(min(pace, rows.figures[piece.column].pace)) - piece.alone_s
        stretched.append((ours, now))
    expected = parts_of(workload, stretched).step_s / times[workload.id].step_time_s
    np.testing.assert_allclose(beside, expected, rtol=1e-9)
    assert (expected > 1) is (pace < 0.9)


def test_answers_are_the_same_every_time():
    """Draws of phases are those of the scenario's seed."""
    found = [interference(run_scenario(load_scenario(str(THREE))), InterferenceRequest(shifts=False)) for _ in range(2)]
    assert found[0].others == found[1].others
