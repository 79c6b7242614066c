"""Comparisons: nothing differs from itself, A against B mirrors B against A, what differs is named."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fabric.cli.main import run
from fabric.pipeline.run import Run
from fabric.request import RouteRequest
from fabric.saved.open_any import open_any
from fabric.whatif.differences import Row, compare

QUICKSTART = "examples/quickstart.fabric.yaml"
SIDES = {
    "base": ((), RouteRequest()),
    "spine down": ((), RouteRequest(down=("spine0",))),
    "wcmp": (("fabrics.main.routing.router=wcmp",), RouteRequest()),
    "four spines": (("fabrics.main.topology.spine.count=4",), RouteRequest()),
    "twice": ((), RouteRequest(scale=2)),
}


def side(name: str) -> Run:
    """One of the sides above."""
    overrides, request = SIDES[name]
    return open_any(QUICKSTART, overrides=overrides, request=request)


@pytest.mark.parametrize("name", SIDES)
def test_nothing_differs_from_itself(name: str) -> None:
    """Twice the same scenario: no row, no link, no name, no key."""
    found = compare(side(name), side(name))
    assert not found.differs()
    assert (found.links, found.gained, found.lost, found.keys) == ((), (), (), ())


@pytest.mark.parametrize("name", [name for name in SIDES if name != "base"])
def test_a_against_b_mirrors_b_against_a(name: str) -> None:
    """The same rows with sides exchanged; gained is lost."""
    forth, back = compare(side("base"), side(name)), compare(side(name), side("base"))
    mirrored = {(row.subject, row.what): (row.b, row.a) for row in back.rows}
    assert {(row.subject, row.what): (row.a, row.b) for row in forth.rows} == mirrored
    assert set(forth.gained) == set(back.lost)
    assert set(forth.lost) == set(back.gained)
    changes = {(phase, one.link): one.change for _, phase, one in forth.links}
    for _, phase, one in back.links:
        if (phase, one.link) in changes:
            assert one.change == pytest.approx(-changes[phase, one.link])


def row(found: tuple[Row, ...], what: str) -> Row:
    """The row of that name."""
    return next(one for one in found if one.what == what)


def test_a_spine_less_doubles_the_load_of_the_other() -> None:
    """Two spines to one: max offered twice, every cable of spine0 down, half of the capacity gone in words."""
    found = compare(side("base"), side("spine down"))
    load = next(one for one in found.rows if one.what.endswith("max offered"))
    assert load.b == pytest.approx(2 * (load.a or 0))
    assert load.relative == pytest.approx(1.0)
    down = row(found.rows, "main: cables down")
    assert (down.a, down.b) == (0, 16)
    assert [key for key, *_ in found.keys] == ["--down"]


def test_only_the_key_that_was_changed_is_named() -> None:
    """One override, one key."""
    found = compare(side("base"), side("wcmp"))
    assert found.keys == (("fabrics.main.routing.router", None, "wcmp"),)


def test_more_spines_are_gained_with_their_links() -> None:
    """Four for two: two nodes and their cables; of the parallel cables of the old, half are lost."""
    found = compare(side("base"), side("four spines"))
    assert {"main: spine2", "main: spine3"} <= set(found.gained)
    assert not [name for name in found.lost if "->" not in name]
    buy = row(found.rows, "main: spine switches to buy")
    assert (buy.a, buy.b) == (2, 4)


def test_exit_codes_say_whether_anything_differs(tmp_path: Path) -> None:
    """0 and 1 with --exit-code, also through a saved result; a tolerance hides what is below it; 3 for bad input."""
    saved = tmp_path / "a.fpr"
    out = ["-o", str(tmp_path / "x.txt"), "--force"]
    assert run(["route", QUICKSTART, "--save", str(saved), *out]) == 0
    assert run(["compare", str(saved), QUICKSTART, "--exit-code", *out]) == 0
    assert run(["route", QUICKSTART, "--scale", "1.001", "--save", str(tmp_path / "b.fpr"), *out]) == 0
    assert run(["compare", str(saved), str(tmp_path / "b.fpr"), "--exit-code", *out]) == 1
    assert run(["compare", str(saved), str(tmp_path / "b.fpr"), "--exit-code", "--tolerance", "1%", *out]) == 0
    assert run(["compare", str(saved), str(tmp_path / "b.fpr"), "--exit-code", "--only", "topology", *out]) == 0
    (tmp_path / "b.fpr").write_bytes(saved.read_bytes()[:1000])
    assert run(["compare", str(saved), str(tmp_path / "b.fpr"), *out]) == 3
    assert run(["compare", str(saved), QUICKSTART, "--tolerance", "lots", *out]) == 2


def test_every_form_tells_the_same_figures(tmp_path: Path) -> None:
    """JSON and CSV of one comparison."""
    path = tmp_path / "down.fabric.yaml"
    path.write_text(f"version: 1\nname: down\ninclude: [{Path(QUICKSTART).resolve()}]\ndown: [spine0]\n")
    run(["compare", QUICKSTART, str(path), "-o", str(tmp_path / "x.json")])
    run(["compare", QUICKSTART, str(path), "-o", str(tmp_path / "x.csv")])
    record = json.loads((tmp_path / "x.json").read_text())
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    assert record["kind"] == "CompareResult"
    assert record["summary"]["differs"] is True
    told = {item["what"]: item["b"] for item in record["items"]}
    assert rows
    assert all(float(one["b"]) == told[one["what"]] for one in rows if one["b"])
