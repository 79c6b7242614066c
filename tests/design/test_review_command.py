"""``fabric review`` as people run it: flags, files, scenarios; exit codes, JSON, and mistakes at their place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fabric.cli.main import run
from fabric.pipeline.prepared import build
from fabric.scenario.load import load_scenario

COUNTS = """\
version: 1
name: slide
gpus: 512
leaves: 64
uplinks: 8
spines: 4
radix: 64
"""
LEAF_SPINE = """\
version: 1
name: small
nodes:
  - {{group: gpu, count: 16, gpus: 2, nics: {{main: {{count: 2, speed: 100G}}}}}}
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {{count: {leaves}, model: eth-64x100, down: {down}, up: {up}}}
      spine: {{count: {spines}, model: eth-64x100}}
workloads:
  - {{id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}}
"""


def reviewed(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    """The JSON of a review."""
    capsys.readouterr()
    assert run(["review", *words, "--json", "-q"]) in (0, 1)
    record: dict = json.loads(capsys.readouterr().out)
    return record


def scenario(folder: Path, **keys: int) -> str:
    """A small leaf-spine in a file."""
    path = folder / "s.fabric.yaml"
    path.write_text(LEAF_SPINE.format(**{"leaves": 2, "down": 32, "up": 16, "spines": 2, **keys}), encoding="utf-8")
    return str(path)


def test_a_file_of_counts_says_what_flags_say(tmp_path, capsys) -> None:
    """The same findings, and the file among the inputs; flags go over the file."""
    file = tmp_path / "counts.yaml"
    file.write_text(COUNTS, encoding="utf-8")
    by_file = reviewed(capsys, str(file))
    by_flags = reviewed(capsys, "--gpus", "512", "--leaves", "64", "--uplinks", "8", "--spines", "4", "--radix", "64")
    assert by_file["kind"] == "ReviewResult"
    assert by_file["findings"] == by_flags["findings"]
    assert by_file["inputs"][0]["path"] == str(file)
    assert by_file["findings"][0]["steps"] == [
        "64 leaves x 8 uplinks a leaf = 512 leaf-spine cables",
        "4 spines x 64 ports a spine = at most 256 leaf-spine cables",
    ]
    mended = reviewed(capsys, str(file), "--spines", "8")
    assert [finding["kind"] for finding in mended["findings"]] == ["consistent"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--leaves", "64", "--uplinks", "8", "--spines", "4", "--radix", "64"), 1),
        (("--leaves", "64", "--uplinks", "8", "--spines", "8", "--radix", "64"), 0),
        (("--uplinks", "30", "--spines", "4"), 1),
        (("--tiers", "2", "--hops", "4"), 0),
        ((), 2),
        (("--leaves", "x"), 2),
        (("--leaves", "0"), 3),
        (("--leaves", "4", "--set", "a=1"), 2),
        (("--leaves", "4", "--no-cheaper"), 2),
        (("nowhere.yaml",), 3),
    ],
)
def test_exit_codes(words, code, capsys) -> None:
    """0 without anything above a note, 1 with, 2 and 3 for mistakes."""
    assert run(["review", *words]) == code
    capsys.readouterr()


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("leafs: 4\n", "1:1", "leaves"),
        ("leaves: four\n", "1:9", "whole number"),
        ("gpus: 8\noversubscription: often\n", "2:19", "ratio"),
        ("bisection: 25\n", "1:12", "unit"),
        ("model: eth-64x4000\n", "1:8", "eth-64x400"),
        ("name: only\n", "1:1", "nothing is claimed"),
        ("- 1\n", "1:1", "mapping"),
        ("", "", "empty"),
    ],
)
def test_mistakes_of_a_file_are_told_at_their_place(text, place, message, tmp_path, capsys) -> None:
    """File, line, column, the value, and the way out."""
    file = tmp_path / "counts.yaml"
    file.write_text(text, encoding="utf-8")
    assert run(["review", str(file)]) == 3
    told = capsys.readouterr().err
    assert f"{file}:{place}" in told or not place
    assert message in told
    assert re.search(r"help: |did you mean|write for example|should be", told)


def test_the_scenario_of_what_can_be_built_is_written(tmp_path, capsys) -> None:
    """It builds, and has the counts that are named."""
    file = tmp_path / "built.fabric.yaml"
    assert run(["review", "--gpus", "512", "--leaves", "16", "--uplinks", "30", "--spines", "4", "--radix", "64",
                "--write", str(file)]) == 1  # fmt: skip
    assert "spines 10 instead of 4" in capsys.readouterr().out
    net = build(load_scenario(file)).topologies["main"]
    assert len([name for name in net.nodes.name if name.startswith("spine")]) == 10
    assert run(["validate", str(file)]) == 0
    assert run(["review", "--gpus", "512", "--write", str(file)]) == 2  # it exists
    capsys.readouterr()


def kinds(record: dict) -> set[tuple[str, str]]:
    """Severity and kind of all findings."""
    return {(finding["severity"], finding["kind"]) for finding in record["findings"]}


def test_one_spine_is_a_single_point_of_failure(tmp_path, capsys) -> None:
    """And two are none; leaves that hosts are on alone are a note."""
    one = reviewed(capsys, scenario(tmp_path, spines=1), "--no-cheaper")
    assert ("warning", "single-point") in kinds(one)
    assert any("spine0 is a single point of failure" in finding["text"] for finding in one["findings"])
    two = reviewed(capsys, scenario(tmp_path), "--no-cheaper")
    assert ("warning", "single-point") not in kinds(two)
    assert ("note", "single-point") in kinds(two)
    cut = reviewed(capsys, scenario(tmp_path), "--no-cheaper", "--down", "spine1")
    assert ("warning", "single-point") in kinds(cut)


def test_ports_are_counted_as_they_are_cabled(tmp_path, capsys) -> None:
    """2 spines x 64 ports, 2 leaves x 16 uplinks: 96 of 128 are unused."""
    record = reviewed(capsys, scenario(tmp_path), "--no-cheaper")
    text = next(one["text"] for one in record["findings"] if one["kind"] == "unused" and "spines" in one["text"])
    assert text.startswith("96 of 128 ports of spines are unused")


@pytest.mark.parametrize(("up", "kind", "severity"), [(4, "tiers", "warning"), (32, "stranded", "note")])
def test_tiers_are_held_against_the_jobs(up, kind, severity, tmp_path, capsys) -> None:
    """All-to-all of 16 hosts: 8 of the 15 others are on the other leaf; 4 uplinks for 16 NICs are 213 % full."""
    record = reviewed(capsys, scenario(tmp_path, down=16, up=up), "--no-cheaper")
    finding = next(one for one in record["findings"] if one["kind"] == kind)
    assert finding["severity"] == severity
    share = 16 * 8 / 15 / up
    assert re.search(rf"{share * 100:,.1f} %".replace(".", r"\."), finding["text"]), finding["text"]


def test_a_fabric_with_too_much_is_offered_for_less(tmp_path, capsys) -> None:
    """Eight spines where two do: the offer costs less by its own sums, and was routed."""
    record = reviewed(capsys, scenario(tmp_path, leaves=4, down=8, up=8, spines=8))
    finding = next(one for one in record["findings"] if one["kind"] == "cheaper")
    now, then, *routed = finding["steps"]
    assert now.startswith("now: 4 leaf eth-64x100, 8 spine eth-64x100")
    assert then.startswith("then:")
    assert any("now" in line for line in routed)
    saved, less, more = (int(number.replace(",", "")) for number in re.findall(r"US\$ ([\d,]+)", finding["text"]))
    assert saved == more - less > 0


def test_a_rack_that_takes_all_spines_is_told(tmp_path, capsys) -> None:
    """A power feed with both spines on it."""
    path = Path(scenario(tmp_path))
    path.write_text(
        path.read_text(encoding="utf-8")
        + "risk_groups:\n  - {name: feed-a, kind: power-feed, members: [spine0, spine1]}\n",
        encoding="utf-8",
    )
    record = reviewed(capsys, str(path), "--no-cheaper")
    assert any("feed-a takes all spines of main" in finding["text"] for finding in record["findings"])


def test_counts_beside_a_scenario_are_refused(tmp_path, capsys) -> None:
    """A scenario has its own."""
    assert run(["review", scenario(tmp_path), "--leaves", "4"]) == 2
    assert "--leaves does nothing" in capsys.readouterr().err


def test_a_scenario_without_jobs_is_reviewed_without_tiers(tmp_path, capsys) -> None:
    """And says so."""
    path = Path(scenario(tmp_path))
    path.write_text(path.read_text(encoding="utf-8").partition("workloads:")[0], encoding="utf-8")
    record = reviewed(capsys, str(path), "--no-cheaper")
    assert any("tiers are not judged" in finding["text"] for finding in record["findings"])
