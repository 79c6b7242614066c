"""Designs without workloads: what can be said is said, what cannot is said not to be there."""

from __future__ import annotations

import json

import pytest

from fabric.cli.main import run

DESIGN = """
version: 1
name: idle
fabrics:
  main: {topology: {kind: leaf-spine, spines: 2, hosts_per_leaf: 8, uplink_speed: 200G}}
  grid: {topology: {kind: torus, dims: [4, 6], speed: 100G}}
nodes:
  - {group: gpu, count: 12, nics: {main: {speed: 100G}}}
limits:
  - {fabric: main, tier: leaf-spine, metric: offered, stat: max, max: 100%}
"""
SILENT = "the scenario has no workloads, so nothing is sent"


@pytest.fixture
def design(tmp_path):
    path = tmp_path / "idle.fabric.yaml"
    path.write_text(DESIGN)
    return str(path)


def test_a_report_says_the_network_and_that_there_is_no_load(design, capsys):
    """Every section stands; those of loads say that there are none, and nothing is judged."""
    assert run(["report", design, "-f", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["headline"], report["met"]) == ("NOT JUDGED (nothing is sent)", None)
    words = {
        section["anchor"]: " ".join(block.get("text", "") for block in section["blocks"])
        for section in report["sections"]
    }
    assert list(words) == ["verdict", "model", "bill", "shape", "load", "hottest", "steps", "reproduce"]
    for anchor in ("verdict", "load", "hottest", "steps"):
        assert SILENT in words[anchor]
    limits = next(block for block in report["sections"][0]["blocks"] if block.get("caption") == "Limits")
    assert [(row["value"], row["ok"]) for row in limits["rows"]] == [(None, None)]
    assert report["route"]["routes"] == []


def test_its_shape_is_that_of_show_and_build(design, capsys):
    """The same rows of cuts and leaves, and the same diameter, as the commands give."""
    assert run(["report", design, "-f", "json", "--sections", "shape"]) == 0
    blocks = json.loads(capsys.readouterr().out)["sections"][0]["blocks"]
    tables = {block["caption"]: block["rows"] for block in blocks if block["kind"] == "table"}
    assert run(["show", "bisection", design, "--json"]) == 0
    cuts = {fabric["name"]: fabric["cuts"] for fabric in json.loads(capsys.readouterr().out)["fabrics"]}
    assert tables["main: cuts"] == cuts["main"]
    assert tables["grid: cuts"] == cuts["grid"]
    assert [row["hosts"] for row in tables["main: hosts by switch"]] == ["gpu[0-7]", "gpu[8-11]"]
    assert run(["build", design, "--json"]) == 0
    diameters = [fabric["diameter_hops"] for fabric in json.loads(capsys.readouterr().out)["fabrics"]]
    said = [block["text"] for block in blocks if block["kind"] == "words" and "diameter" in block["text"]]
    assert said == [
        f"{name}: diameter {hops} hops between switches."
        for name, hops in zip(("main", "grid"), diameters, strict=True)
    ]


@pytest.mark.parametrize("form", ["html", "md"])
def test_pages_and_markdown_are_written_too(design, tmp_path, form):
    target = tmp_path / f"idle.{form}"
    assert run(["report", design, "-o", str(target), "-q"]) == 0
    text = target.read_text(encoding="utf-8")
    assert SILENT in text
    assert "narrowest halving found" in text


def test_the_commands_of_the_report_run(design, capsys):
    assert run(["report", design, "-f", "json", "--sections", "reproduce"]) == 0
    blocks = json.loads(capsys.readouterr().out)["sections"][0]["blocks"]
    lines = [line for block in blocks for line in block.get("lines", []) if line.startswith("fabric ")]
    assert len(lines) == 4
    for line in lines[1:]:
        assert run(line.split()[1:]) == 0


def test_two_designs_are_compared_by_network(design, tmp_path, capsys):
    """One leaf less takes its two cables to spines with it; and no load is compared."""
    other = tmp_path / "other.fabric.yaml"
    other.write_text(DESIGN.replace("count: 12", "count: 8"))
    assert run(["compare", design, str(other), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["what"]: (row["a"], row["b"]) for row in found["items"]}
    assert rows["main: leaf-spine cables"] == (4, 2)
    assert "main: leaf1" in found["lost"]
    assert not [row for row in found["items"] if row["subject"] in ("load", "flows")]
    assert run(["compare", design, str(other)]) == 0
    assert "neither side sends anything: no loads and no times are compared" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["route"], ["draw", "tier"], ["explain"], ["route", "--router", "all"]])
def test_what_needs_a_load_is_refused_with_the_way_out(design, capsys, words):
    asked = [*words, design, "leaf0->spine0"] if words == ["explain"] else [*words[:2], design, *words[2:]]
    asked = ["route", design, "--router", "all"] if words[-1] == "all" else asked
    assert run(asked) == 3
    err = capsys.readouterr().err
    assert SILENT in err
    assert "add a workload; fabric init shows some. fabric build, show, compare and report need none" in err


def test_traffic_says_that_there_is_none(design, capsys):
    assert run(["traffic", design]) == 0
    assert SILENT in capsys.readouterr().out
