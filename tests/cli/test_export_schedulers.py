"""``fabric export`` for schedulers as users call it: a folder, a check of it, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fabric.cli.main import run

SCENARIO = """\
version: 1
name: small
nodes:
  - {group: gpu, count: 8, model: hgx-h100-8, name: "n{index}", nics: {main: {model: cx7-400, count: 8, rail: per-gpu}}}
fabrics:
  main:
    topology:
      kind: rail-optimised
      nodes_per_unit: 4
      leaf: {model: eth-64x400, down: 32, up: 4}
      spine: {model: eth-64x400, count: 4}
workloads:
  - {id: shuffle, kind: collective, collective: all-reduce, size: 1 GB}
"""
FORMS = ("slurm", "kueue", "volcano", "topograph", "labels", "rankfile", "nccl")


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    (tmp_path / "s.yaml").write_text(SCENARIO)
    return str(tmp_path / "s.yaml")


@pytest.mark.parametrize("form", FORMS)
def test_an_export_is_a_folder_that_checks_out(scenario: str, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    assert run(["export", form, scenario, "-o", str(out), "-q"]) == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["kind"], manifest["format"]) == ("SchedulerExport", form)
    assert all((out / name).stat().st_size for name in manifest["files"])
    assert run(["export", form, scenario, "-o", str(out), "--check", "-q"]) == 0


def test_a_changed_scenario_is_the_answer_no(scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Units of 8 nodes instead of 4: one switch n0 to n7 in place of two."""
    out = str(tmp_path / "out")
    assert run(["export", "slurm", scenario, "-o", out, "-q"]) == 0
    capsys.readouterr()
    before = {path: path.read_bytes() for path in Path(out).rglob("*") if path.is_file()}
    words = ["export", "slurm", scenario, "-o", out, "--check", "-f", "json"]
    assert run([*words, "--set", "fabrics.main.topology.nodes_per_unit=8"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["differences"][0] == "main switch unit0 lacks n4, n5, n6 and 1 more"
    assert found["items"][0]["differences"] == len(found["differences"])
    assert {path: path.read_bytes() for path in Path(out).rglob("*") if path.is_file()} == before


def test_a_folder_is_checked_as_it_was_written(scenario: str, tmp_path: Path) -> None:
    """Style and labels come from its manifest, unless they are given."""
    out = str(tmp_path / "out")
    assert run(["export", "slurm", scenario, "-o", out, "--style", "block", "--block-by", "unit", "-q"]) == 0
    assert run(["export", "slurm", scenario, "-o", out, "--check", "-q"]) == 0
    assert run(["export", "slurm", scenario, "-o", out, "--check", "--style", "tree", "-q"]) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["slurm", "-o", "x", "--job", "a"], 2, "--job does nothing for fabric export: export slurm takes no --job"),
        (["openflow", "-o", "x", "--check"], 2, "export openflow writes no trees for schedulers"),
        (["slurm", "-o", "x", "--dialect", "ovs"], 2, "export slurm writes no tables"),
        (["slurm"], 2, "an export is a folder; name it with -o DIR"),
        (["slurm", "-o", "nowhere", "--check"], 3, "manifest.json"),
        (["rankfile", "-o", "x", "--job", "shufle"], 3, "'shufle' is not a job with ranks on GPUs"),
        (["slurm", "-o", "x", "--style", "block"], 3, "no scale-up domain joins hosts of main"),
        (["labels", "-o", "x", "--labels", "topograf"], 3, "'topograf' is not a profile of labels"),
        (["slurm", "-o", "x", "--fabric", "man"], 3, "did you mean 'main'?"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_nothing_is_written(
    scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], code: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(["export", words[0], scenario, *words[1:]]) == code
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.yaml"]


def test_a_folder_of_another_format_is_not_checked(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert run(["export", "volcano", scenario, "-o", out, "-q"]) == 0
    assert run(["export", "slurm", scenario, "-o", out, "--check", "-q"]) == 2
    assert "is an export of volcano, not of slurm" in capsys.readouterr().err


def test_hosts_that_are_down_are_said_and_stay(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["export", "slurm", scenario, "-o", str(out), "--down", "n3"]) == 0
    assert "1 host is down and is in the tree all the same, as it is built: n3" in capsys.readouterr().err
    assert "SwitchName=unit0 Nodes=n[0-3]" in (out / "topology.conf").read_text()


def test_the_list_names_every_format_and_its_readers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "list"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n{form}" in out for form in FORMS)
