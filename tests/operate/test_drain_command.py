"""``fabric drain`` and ``fabric plan change``: answers, exit codes, the folder of rules, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from drain_cases import TEXT

from fabric.cli.main import run

LIMIT = "limits:\n  - {fabric: main, metric: offered, max: 100%}\n"


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "s.fabric.yaml"
    path.write_text(TEXT.format(radix=4, busy=8, idle=8, kind="permutation"))
    return str(path)


def _json(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict]:  # type: ignore[type-arg]
    code = run([*words, "--json", "-q"])
    return code, json.loads(capsys.readouterr().out)


def test_the_answer_as_data(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = _json(capsys, "drain", scenario, "--switch", "role=core", "--takes", "1 h")
    assert code == 0
    assert (answer["kind"], answer["keeps_limits"], answer["exact"], answer["unit"]) == (
        "DrainResult",
        True,
        True,
        "GPU-h",
    )
    assert sorted(name for window in answer["windows"] for name in window["names"]) == [f"core{n}" for n in range(4)]
    assert answer["lost"] == pytest.approx(sum(window["lost"] for window in answer["windows"]))
    assert all(window["hours"] == 1 and window["roll_back"].startswith("undrain core") for window in answer["windows"])
    assert {plan["windows"] for plan in answer["other_plans"]} == {1, 2, 3, 4}


def test_what_routing_says_of_a_window(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, answer = _json(capsys, "drain", scenario, "--switch", "role=core", "--no-failures")
    for window in answer["windows"]:
        down = [flag for name in window["down"] for flag in ("--down", name)]
        _, routed = _json(capsys, "route", scenario, "--suggest", "never", *down)
        fullest = max(phase["max_utilisation"] for phase in routed["routes"])
        assert window["max_utilisation"] == pytest.approx(fullest)


def test_limits_that_cannot_be_kept_are_named_and_the_exit_code_is_1(
    scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(scenario).write_text(Path(scenario).read_text() + LIMIT)
    assert run(["drain", scenario, "--switch", "pod0/edge0", "--switch", "core0", "-q"]) == 1
    said = capsys.readouterr().out
    assert "job cannot finish" in said
    assert "no division into windows stops a job for fewer works" in said


def test_a_folder_with_rules_there_and_back(scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "windows"
    code, answer = _json(capsys, "drain", scenario, "--switch", "core0", "--no-failures", "-o", str(target))
    assert code == 0
    (window,) = answer["windows"]
    (change,) = window["changes"]
    record = json.loads((target / "window-01" / "main" / "change.json").read_text())
    assert change["rounds"] == len(record["forth"]["rounds"]) > 0
    assert change["back_steps"] == sum(one["steps"] for one in record["back"]["rounds"]) > 0
    bundles = list((target / "window-01" / "main" / "forth").rglob("*.bundle"))
    assert sum(len(path.read_text().splitlines()) for path in bundles) == change["steps"]
    assert (target / "window-01" / "main" / "back" / "apply.sh").stat().st_mode & 0o111
    (target / "mine.txt").write_text("stays")
    assert run(["drain", scenario, "--switch", "core0", "-o", str(target), "--force", "-q"]) == 3
    assert (target / "mine.txt").read_text() == "stays"


def test_works_of_a_file_one_after_the_other(scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = tmp_path / "work.yaml"
    work.write_text(
        "version: 1\ntakes: 10 min\nwork:\n"
        "  - {id: cores, drain: role=core, each: true}\n"
        "  - {id: recable, drain: ['pod0/edge0 -> pod0/agg0', pod1/agg0], takes: 2 h, after: [cores]}\n"
    )
    code, answer = _json(capsys, "plan", "change", scenario, str(work), "--windows", "3", "--no-failures")
    assert code == 0
    assert answer["windows"][-1]["names"] == ["recable"]
    assert answer["windows"][-1]["hours"] == 2
    assert len(answer["windows"]) <= 3


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("version: 1\nwork: []\n", "2:7", "work"),
        ("version: 1\nwork:\n  - {id: a, drain: core0, takes: 30}\n", "3:34", "takes"),
        ("version: 1\nwork:\n  - {id: a, drain: core0, aftr: [b]}\n", "3:27", "aftr"),
        ("version: 1\nwork:\n  - {id: a, drain: core0}\n  - {id: a, drain: core1}\n", "4:10", "two works are called a"),
        ("version: 1\nwork:\n  - {id: abc, drain: core0}\n  - {id: b, drain: core1, after: [abd]}\n", "4:35", "abc"),
    ],
)  # fmt: skip
def test_a_wrong_file_of_works(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, place: str, says: str
) -> None:
    work = tmp_path / "work.yaml"
    work.write_text(text)
    assert run(["plan", "change", scenario, str(work)]) == 3
    error = capsys.readouterr().err
    assert f"work.yaml:{place}" in error
    assert says in error


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--switch", "spine0"], 3, "FP3110"),
        (["--switch", "role=core", "--windows", "1", "--at-most", "1"], 3, "FP3122"),
        (["--switch", "core0", "--down", "core0"], 3, "FP3120"),
        (["--switch", "core0", "--takes", "30"], 2, "30"),
    ],
)
def test_bad_flags(scenario: str, capsys: pytest.CaptureFixture[str], words: list[str], code: int, says: str) -> None:
    assert run(["drain", scenario, *words]) == code
    assert says in capsys.readouterr().err
