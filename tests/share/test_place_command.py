"""``fabric place``: answers, exit codes, files, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from place_cases import cluster, collective, training

from fabric.cli.main import run


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "s.fabric.yaml"
    more = ", placement: {order: scattered, seed: 1}"
    path.write_text(cluster(training("train", 8, "{pp: 2, dp: 4}", more=more), leaves=3, down=4))
    return str(path)


def test_the_answer_as_data(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["place", scenario, "--job", "train", "--json", "-q"]) == 0
    answer = json.loads(capsys.readouterr().out)
    (job,) = answer["jobs"]
    assert answer["kind"] == "PlacementResult"
    assert job["id"] == "train"
    assert len(set(job["hosts"])) == 8
    assert [one["rank"] for one in job["ranks"]] == list(range(8))
    assert {one["host"] for one in job["ranks"]} == set(job["hosts"])
    assert job["bound_step_time_s"] <= job["step_time_s"]
    assert [row["placement"] for row in answer["placements"]] == ["as written", "tree order", "slurm", "kueue", "best"]
    assert [row["chosen"] for row in answer["placements"]] == ["no"] * 4 + ["yes"]
    assert job["step_time_s"] == min(row["step_time_s"] for row in answer["placements"])


@pytest.mark.parametrize("kind", ["rankfile", "hostfile", "slurm"])
def test_written_files_route_to_the_same_step(
    scenario: str, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    words = ["place", scenario, "--job", "train", "--scheduler", "slurm", "--json", "-q", "--write", kind, "-o"]
    assert run([*words, str(folder)]) == 0
    (job,) = json.loads(capsys.readouterr().out)["jobs"]
    names = {path.name for path in folder.iterdir()}
    more = {"rankfile": set(), "hostfile": {"train.hosts"}, "slurm": {"train.hosts", "train.sbatch"}}[kind]
    assert names == {"train.ranks", "scenario-keys.txt", "files.json"} | more
    if kind == "slurm":
        assert (folder / "train.hosts").read_text().split() == [one["host"] for one in job["ranks"]]
        assert "#SBATCH --nodelist=n[0-7]\n" in (folder / "train.sbatch").read_text()
    flags = (folder / "scenario-keys.txt").read_text().splitlines()
    assert run(["route", scenario, "--json", "-q", *flags]) in (0, 1)
    routed = json.loads(capsys.readouterr().out)["jobs"]
    assert routed[0]["step_time_s"] == pytest.approx(job["step_time_s"], rel=1e-9)
    assert run([*words, str(folder)]) == 3
    assert "FP9725" in capsys.readouterr().err


def test_a_job_that_waits_is_exit_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(cluster(collective("job", "all-reduce", 4)))
    assert run(["place", str(path), "--job", "job", "--scheduler", "kueue", "--kueue", "required", "-q"]) == 4
    assert "kueue would keep the job waiting" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--job", "trian"], 3, "FP9720"),
        (["--job", "train", "--busy", "n[0-7]"], 3, "FP9722"),
        (["--job", "train", "--free-nodes", "x1"], 3, "FP9723"),
        (["--job", "train", "--kueue-level", "pod"], 3, "FP9723"),
        (["--job", "train", "--write", "slurm"], 2, "-o FOLDER"),
        ([], 2, "--job"),
    ],
)
def test_bad_input_is_refused(
    scenario: str, words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["place", scenario, *words, "-q"]) == code
    assert said in capsys.readouterr().err
