"""A sweep through the commands: pictures, report, explain, compare; files that are read back; what is refused."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_sweep import sweep

from fabric.cli.main import run
from fabric.faces.answers.failures_records import case_record, failures_record
from fabric.faces.drawing.svg.tornado import tornado_svg
from fabric.faces.drawing.worst_case import worst_case_route
from fabric.faces.views.bands import DOUBLE, FULL, HOT
from fabric.faces.views.failures import cause_name, folded_cases, folded_links
from fabric.faces.views.tornado import MOST_BARS, tornado
from fabric.failures.enumerate import case_set
from fabric.failures.request import FailureRequest
from fabric.failures.result import FailureResult
from fabric.failures.sweep import run_failures
from fabric.pipeline.run import Run, run_scenario
from fabric.saved.failure_file import is_failure_file, open_failures
from fabric.scenario.load import load_scenario
from topologies.errors import FabricError

SMALL = """\
version: 1
name: small
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 2, spines: 3, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
nodes: [{group: hosts, count: 4, nics: {main: {speed: 100G}}}]
workloads: [{id: shuffle, kind: alltoall, members: hosts, size: 1 GiB}]
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two leaves with two hosts each, under three spines."""
    path = tmp_path_factory.mktemp("small") / "small.fabric.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def routed(scenario: str) -> Run:
    """Routed once."""
    return run_scenario(load_scenario(scenario))


@pytest.fixture(scope="module")
def swept(routed: Run) -> FailureResult:
    """Its 10 links and 5 switches, one by one."""
    return run_failures(routed, FailureRequest())


@pytest.fixture(scope="module")
def written(scenario: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file that ``fabric failures --json`` writes."""
    path = tmp_path_factory.mktemp("swept") / "sweep.json"
    run(["failures", scenario, "--json", "-q", "-o", str(path)])
    return str(path)


# ---- files -----------------------------------------------------------------------------------------------------------


def test_what_the_command_wrote_is_read_back_whole(swept: FailureResult, written: str) -> None:
    """Every figure of every case and link, but for the seconds it took."""
    saved = open_failures(written)
    assert is_failure_file(written)
    assert saved.is_whole
    assert saved.name == "small"
    for name in vars(swept):
        if name not in ("seconds", "by_state"):
            assert getattr(saved.result, name) == getattr(swept, name), name
    assert dict(saved.result.by_state) == dict(swept.by_state)


def test_rates_limits_and_remedies_come_back_too(routed: Run, tmp_path: Path) -> None:
    """A sweep with all that it can have."""
    made = sweep()
    record = failures_record(routed.loaded, made, "links", None)
    links = failures_record(routed.loaded, made, "failures", None)["links"]
    path = tmp_path / "sweep.json"
    path.write_text(json.dumps({**record, "links": links}))
    result = open_failures(str(path)).result
    for name in ("limits", "expected", "remedies", "failures", "links", "intact"):
        assert getattr(result, name) == getattr(made, name), name
    assert record["failures"][0] == case_record(made.failures[0])


def test_a_file_with_cut_lists_says_so(scenario: str, tmp_path: Path) -> None:
    """--top 2 of 15 cases."""
    path = str(tmp_path / "cut.json")
    run(["failures", scenario, "--json", "-q", "--top", "2", "-o", path])
    saved = open_failures(path)
    assert not saved.is_whole
    assert len(saved.result.failures) == 2
    assert saved.result.cases == 15


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda record: {**record, "kind": "RouteResult"}, "not a failure sweep"),
        (lambda record: [record], "not a failure sweep"),
        (lambda record: {name: value for name, value in record.items() if name != "failures"}, "failures"),
        (lambda record: {**record, "links": [{"link": 3}]}, "does not say"),
        (lambda record: {**record, "cases": "many"}, "does not say"),
        (lambda record: {**record, "summary": None}, "does not say"),
    ],
)
def test_files_that_are_none_are_refused(
    change: Callable[[Any], Any], word: str, written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the way out; exit code 3."""
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(change(json.loads(Path(written).read_text()))))
    with pytest.raises(FabricError, match=word) as caught:
        open_failures(str(path))
    assert caught.value.problems[0].code == "FP9104"
    assert "fabric failures SCENARIO --json" in caught.value.problems[0].hint


def test_a_sweep_of_another_scenario_is_refused(
    scenario: str, written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other text, other overrides; exit code 3 and the command that sweeps it again."""
    other = tmp_path / "other.fabric.yaml"
    other.write_text(SMALL.replace("1 GiB", "2 GiB"), encoding="utf-8")
    out = ["-o", str(tmp_path / "x.svg"), "-q"]
    assert run(["draw", "tier", str(other), "--failures-from", written, *out]) == 3
    assert "FP9105" in capsys.readouterr().err
    assert run(["draw", "tier", scenario, "--router", "spray", "--failures-from", written, *out]) == 3
    assert "its --router is nothing, here it is spray" in capsys.readouterr().err
    assert run(["draw", "tier", scenario, "--down", "spine0", "--failures-from", written, *out]) == 3
    assert "FP9105" in capsys.readouterr().err
    assert run(["draw", "tier", written, *out]) == 3
    assert "FP9107" in capsys.readouterr().err
    assert run(["draw", "tier", scenario, "--set", "seed=5", "--failures-from", written, *out]) == 3
    assert "fabric failures" in capsys.readouterr().err
    assert not (tmp_path / "x.svg").exists()


# ---- pictures --------------------------------------------------------------------------------------------------------


def test_every_link_has_the_highest_load_of_all_cases(routed: Run, swept: FailureResult) -> None:
    """Against the loads of every case routed by itself: the maximum over cases in which the link is up, and intact."""
    expected = np.array(routed.result.routes[0].utilisation)
    for part in case_set(routed, FailureRequest()).parts:
        request = replace(routed.request, down=part.selectors)
        after = run_scenario(routed.loaded, request).result.routes[0]
        expected = np.maximum(expected, np.where(after.topology.up, after.utilisation, 0.0))
    worst = worst_case_route(routed.result, swept)
    np.testing.assert_allclose(worst.utilisation, expected, rtol=1e-9)


def test_pictures_of_a_sweep_show_its_worst_case(scenario: str, written: str, tmp_path: Path) -> None:
    """The heading names the fullest link and its cause; a sweep made now and one read give the same bytes."""
    for name, flags in (("a", ["--failures"]), ("b", ["--failures-from", written])):
        assert run(["draw", "tier", scenario, *flags, "-o", str(tmp_path / f"{name}.svg"), "-q"]) == 0
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.svg").read_text(encoding="utf-8")
    words = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    assert "every link in its worst failure case" in words
    assert re.search(r"67 % on leaf\d &#45;&gt; spine\d when", words)
    assert "max 67 %" in words  # 133.3 Gb/s of two hosts on two of three 100G uplinks
    assert run(["failures", scenario, "-o", str(tmp_path / "c.svg"), "-q"]) == 0
    assert (tmp_path / "c.svg").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("view", ["links", "matrix", "neighbourhood"])
def test_other_views_take_a_sweep(view: str, scenario: str, written: str, tmp_path: Path) -> None:
    """Their headings say what the colours are."""
    path = tmp_path / "x.svg"
    assert run(["draw", view, scenario, "--failures-from", written, "-o", str(path), "-q"]) == 0
    assert "worst failure case" in " ".join(re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8")).split())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["draw", "phases", "{s}", "--failures", "-o", "{o}.svg"], 2),
        (["draw", "tier", "{s}", "--failures", "--phase", "all-to-all", "-o", "{o}.svg"], 2),
        (["draw", "tier", "{s}", "--failures", "--failures-from", "{w}", "-o", "{o}.svg"], 2),
        (["failures", "{s}", "--picture", "tornado"], 2),
        (["failures", "{s}", "--picture", "tornado", "-o", "{o}.png"], 2),
        (["failures", "{s}", "--picture", "tornado", "--top", "3", "-o", "{o}.svg"], 2),
        (["failures", "{s}", "--picture", "nosuch", "-o", "{o}.svg"], 2),
        (["explain", "{s}", "shuffle", "--failures"], 2),
        (["report", "{s}", "--sections", "failures", "-f", "md"], 3),
        (["report", "{s}", "--failures-from", "{s}", "-f", "md"], 3),
        (["draw", "tier", "{s}", "--failures-from", "nosuch.json", "-o", "{o}.svg"], 3),
    ],
)
def test_what_cannot_be_drawn_or_said_is_refused(
    words: list[str], code: int, scenario: str, written: str, tmp_path: Path
) -> None:
    """Before anything is written."""
    given = {"s": scenario, "o": str(tmp_path / "x"), "w": written}
    assert run([word.format(**given) for word in words]) == code
    assert not list(tmp_path.iterdir())


def test_a_tornado_has_a_bar_per_cause_the_longest_first() -> None:
    """80, 25 and 7.25 GPU-hours on an axis to 100: bars of those lengths; without rates the steps, stalls above all."""
    made = sweep()
    chart = tornado(made)
    assert [(bar.label, bar.value) for bar in chart.bars] == [
        ("switch leaf", 80.0),
        ("switch spine", 25.0),
        ("link leaf-spine", 7.25),
    ]
    assert [chart.share(bar) for bar in chart.bars] == pytest.approx([0.8, 0.25, 0.0725])
    root = ET.fromstring(tornado_svg(chart, ["name"]))
    widths = [float(rect.get("width", "")) for rect in root.findall(".//{*}rect") if rect.get("fill") == FULL.colour]
    assert [width / widths[0] for width in widths] == pytest.approx([1, 25 / 80, 7.25 / 80], rel=1e-3)
    steps = tornado(sweep(rates=False))
    assert [(bar.label, bar.value) for bar in steps.bars] == [
        ("switch leaf: leaf0", None),
        ("switch spine: spine0", 1.25),
        ("link leaf-spine: leaf0 -> spine0", 1.1),
    ]
    fills = [rect.get("fill") for rect in ET.fromstring(tornado_svg(steps, ["name"])).findall(".//{*}rect")]
    assert [fill for fill in fills if fill in (HOT.colour, DOUBLE.colour)] == [DOUBLE.colour, HOT.colour, HOT.colour]


def test_a_tornado_of_many_causes_adds_up() -> None:
    """The smallest share a bar, so that no hour is lost; long names are cut, their whole is in the tooltip."""
    made = sweep()
    assert made.expected is not None
    causes = {f"group {'x' * 80}{number}": float(number) for number in range(60)}
    chart = tornado(replace(made, expected=replace(made.expected, by_cause=causes)))
    assert len(chart.bars) == MOST_BARS
    assert sum(bar.value or 0.0 for bar in chart.bars) == sum(causes.values())
    text = tornado_svg(chart, ["name"])
    assert f"<title>group {'x' * 80}59" in text
    assert f">group {'x' * 80}59</text>" not in text


def test_nothing_lost_is_said_and_not_drawn_as_an_empty_axis() -> None:
    """No cause, or no job."""
    made = sweep()
    assert made.expected is not None
    text = tornado_svg(tornado(replace(made, expected=replace(made.expected, by_cause={}))), ["name"])
    assert "no GPU-hour is lost a month" in text
    assert "no job with a step" in tornado_svg(tornado(replace(made, expected=None, failures=())), ["name"])


# ---- rows ------------------------------------------------------------------------------------------------------------


def test_equal_cases_and_links_share_a_row(swept: FailureResult) -> None:
    """Spines are alike, and so are their links; counts add up to all."""
    groups = folded_cases(swept.failures)
    assert {("switch spine", 3), ("switch leaf", 2)} <= {(cause_name(group.example), group.count) for group in groups}
    assert sum(group.count for group in groups) == swept.cases
    links = folded_links(swept.links)
    assert sum(len(group.links) for group in links) == len(swept.links)
    for group in links:
        full = [link.worst_utilisation for link in group.links]
        assert max(full) == pytest.approx(min(full), rel=1e-8)


# ---- report, explain, compare ----------------------------------------------------------------------------------------


def test_the_report_says_what_the_sweep_says(scenario: str, written: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As Markdown, with the command that gives it again; without the flag there is no such section."""
    assert run(["report", scenario, "--failures-from", written, "-f", "md", "-q"]) == 0
    text = capsys.readouterr().out
    assert "## Failures: worst cases and criticality" in text
    assert "switch spine" in text
    assert f"--failures-from {written}" in text
    assert run(["report", scenario, "-f", "md", "-q"]) == 0
    assert "worst cases and criticality" not in capsys.readouterr().out


def test_a_link_is_explained_by_the_failures_that_fill_it(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """leaf0 -> spine0 is at 4/9 of its capacity, and at 2/3 when another spine, or its link, fails."""
    assert run(["explain", scenario, "leaf0->spine0", "--failures", "--json", "-q"]) == 0
    facts = json.loads(capsys.readouterr().out)["failures"]
    assert facts["worst_utilisation"] == pytest.approx(2 / 3)
    assert {cause["what"] for cause in facts["causes"] if cause["utilisation"] > 0.66} & {"spine1", "spine2"}
    assert run(["explain", scenario, "leaf0->spine0", "--failures", "-q"]) == 0
    assert "failures that fill it most" in capsys.readouterr().out


def test_sweeps_are_compared_from_files_and_scenarios_alike(
    scenario: str, written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With four spines, one that fails leaves three: 4/9 instead of 2/3. Files and scenarios give the same rows."""
    four = str(tmp_path / "four.fabric.yaml")
    Path(four).write_text(SMALL.replace("spines: 3", "spines: 4"), encoding="utf-8")
    assert run(["failures", four, "--json", "-q", "-o", str(tmp_path / "four.json")]) == 0
    flags = ["--json", "-q", "--exit-code", "--top", "1000"]
    assert run(["compare", written, str(tmp_path / "four.json"), *flags]) == 1
    files = json.loads(capsys.readouterr().out)
    assert run(["compare", written, four, *flags]) == 1
    mixed = json.loads(capsys.readouterr().out)
    assert run(["compare", scenario, four, "--only", "failures", *flags]) == 1
    both = json.loads(capsys.readouterr().out)
    assert files["items"] == mixed["items"] == both["items"]
    row = next(row for row in files["items"] if row["what"].startswith("main leaf0 -> spine0: worst"))
    assert (row["a"], row["b"]) == (pytest.approx(2 / 3), pytest.approx(4 / 9))
    assert files["failures"]["only_b"]["links"] == 4  # a spine's two cables, both ways
    assert run(["compare", written, written, "--json", "-q", "--exit-code"]) == 0
    assert not json.loads(capsys.readouterr().out)["summary"]["differs"]


def test_a_sample_is_not_swept_again_on_another_scenario(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody knows which cases it drew; two files are compared, and it is said."""
    path = str(tmp_path / "some.json")
    run(["failures", scenario, "--sample", "4", "--json", "-q", "-o", path])
    assert run(["compare", path, scenario, "-q"]) == 3
    assert "FP9106" in capsys.readouterr().err
