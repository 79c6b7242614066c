"""``fabric show cables`` and ``fabric export cables``: the machine contract, rows, files and refusals."""

from __future__ import annotations

import csv
import io
import json

import pytest

from fabric.cli.main import run

SCENARIO = """\
version: 1
name: small
site: {rows: 2, racks_per_row: 3, trays: {width: 300 mm}}
nodes: [{group: h, count: 4, per_rack: 2, nics: {main: {speed: 400G}}}]
fabrics:
  main:
    topology: {kind: leaf-spine, leaf: {model: eth-64x400, count: 2, down: 2, up: 2},
               spine: {model: eth-64x400, count: 2}}
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A scenario in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(SCENARIO, encoding="utf-8")
    return "s.yaml"


@pytest.mark.parametrize(
    "words", [["show", "cables", "s.yaml"], ["export", "cables", "s.yaml", "--profile", "schedule"]]
)
def test_json_is_as_the_contract_says(words, path, capsys):
    """kind, cables with both ends, length, media and route, the total of the lengths, and a bound not above it."""
    assert run([*words, "--json", "-q"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["kind"] == "CableSchedule"
    assert len(answer["cables"]) == 8
    for cable in answer["cables"]:
        assert set(cable) >= {"label", "a", "b", "length_m", "media", "route"}
        assert set(cable["a"]) == set(cable["b"]) == {"node", "port", "rack", "unit"}
        assert cable["bought_m"] >= cable["length_m"]
    assert answer["total_m"] == pytest.approx(sum(cable["length_m"] for cable in answer["cables"]), abs=0.01)
    assert 0 < answer["bound_m"] <= answer["total_m"] + 0.01


def test_both_ways_lists_every_cable_from_each_end(path, capsys):
    """Twice the rows of the same total."""
    assert run(["export", "cables", path, "--both-ways", "-f", "csv", "-q"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 16
    assert (rows[0]["a_node"], rows[0]["label"]) != (rows[1]["a_node"], rows[1]["label"])
    assert rows[0]["a_port"] == rows[1]["b_port"]


def test_labels_are_by_the_format_asked_for(path, capsys):
    """The manual's own."""
    form = "{a.rack}-{a.ru}:{a.port}/{b.rack}-{b.ru}:{b.port}"
    assert run(["export", "cables", path, "--label-format", form, "--json", "-q"]) == 0
    for cable in json.loads(capsys.readouterr().out)["cables"]:
        a, b = cable["a"], cable["b"]
        assert cable["label"] == f"{a['rack']}-{a['unit']}:{a['port']}/{b['rack']}-{b['unit']}:{b['port']}"


@pytest.mark.parametrize("profile", ["csv", "netbox", "p2p", "labels", "containerlab"])
def test_a_profile_is_written_whole_or_not_at_all(profile, path, tmp_path, capsys):
    """To a file of its suffix; not over one that is there."""
    file = tmp_path / ("out.clab.yml" if profile == "containerlab" else "out.csv")
    assert run(["export", "cables", path, "--profile", profile, "-o", str(file), "-q"]) == 0
    first = file.read_text(encoding="utf-8")
    assert first
    assert run(["export", "cables", path, "--profile", profile, "-o", str(file), "-q"]) == 2
    assert file.read_text(encoding="utf-8") == first
    assert run(["export", "cables", path, "--profile", profile, "-q"]) == 0
    assert first in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--profile", "netbox", "--json"], "has a form of its own"),
        (["--profile", "netbox", "--limit", "3"], "has a form of its own"),
        (["--profile", "netbox", "--both-ways"], "lists every cable once"),
        (["--profile", "labels", "-o", "labels.pdf"], "profile labels writes .csv, .html, .htm"),
        (["--profile", "netbx"], "is not one of"),
        (["--dialect", "ovs"], "cables are laid, not tables written"),
        (["--label-format", "{a.foo}"], "cables have no {a.foo}"),
        (["--color-by", "length"], "is not one of"),
    ],
)
def test_flags_that_do_nothing_are_refused(words, message, path, capsys):
    """A bad command line is exit code 2."""
    assert run(["export", "cables", path, *words]) == 2
    assert message in capsys.readouterr().err


def test_tables_take_no_flags_of_cables(path, capsys):
    """And the list of dialects none at all."""
    assert run(["export", "openflow", path, "--profile", "csv", "-o", "tables"]) == 2
    assert "writes no cables" in capsys.readouterr().err
    assert run(["export", "list", "--both-ways"]) == 2


def test_a_tray_that_is_too_full_is_said(path, capsys):
    """Exit code 1: the schedule is there, and the answer is no."""
    assert run(["show", "cables", path, "--set", "site.trays.width=1 mm", "-q"]) == 1
    assert "is too full" in capsys.readouterr().out


def test_the_list_of_exports_names_the_profiles(capsys):
    """For people and for machines."""
    assert run(["export", "list", "--json"]) == 0
    profiles = json.loads(capsys.readouterr().out)["profiles"]
    assert [entry["profile"] for entry in profiles] == ["schedule", "csv", "netbox", "p2p", "containerlab", "labels"]


def test_validate_refuses_a_medium_that_does_not_reach(path, capsys):
    """The key of the scenario is checked as all keys are."""
    sets = [
        "--set",
        "fabrics.main.cables.leaf-spine=dac",
        "--set",
        "fabrics.main.topology.cabling={leaf-spine: {length: 9 m}}",
    ]
    assert run(["validate", path, *sets]) == 3
    assert "FP3301" in capsys.readouterr().err


def test_one_fabric_keeps_the_numbers_that_its_cables_have_among_all(path, capsys):
    """And has no bound of its own."""
    assert run(["export", "cables", path, "--fabric", "main", "--json", "-q"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (len(answer["cables"]), answer["bound_m"]) == (8, None)
    assert run(["export", "cables", path, "--fabric", "mian"]) == 3
