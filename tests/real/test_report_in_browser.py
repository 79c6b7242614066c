"""The report in a real browser: the slider changes the phase, cells are read out, tables sort, nothing is fetched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chromium_page import Page
from real_programs import require

from fabric.cli.main import run

TRAIN = "examples/train-2k.fabric.yaml"
pytestmark = [pytest.mark.slow, pytest.mark.real_browser]

_SLIDE = """(at => {
  const figure = document.querySelector("figure.heat"), slider = figure.querySelector("input[type=range]");
  slider.value = at; slider.dispatchEvent(new Event("input", {bubbles: true}));
  return figure.querySelector("output").textContent;
})"""
_READ = """(() => {
  const figure = document.querySelector("figure.heat"), canvas = figure.querySelector("canvas");
  canvas.focus();
  for (const key of ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"])
    canvas.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  return figure.querySelector(".readout").textContent;
})()"""
_SORT = """(() => {
  const table = [...document.querySelectorAll("table")].find(
    one => one.tBodies[0]?.rows.length > 5 && one.querySelector("thead th.n button"));
  const heads = [...table.querySelectorAll("thead th")], at = heads.findIndex(head => head.classList.contains("n"));
  heads[at].querySelector("button").click();
  const cells = [...table.tBodies[0].rows].map(row => row.cells[at].dataset.v);
  const values = cells.filter(one => one !== undefined).map(Number);
  return [heads[at].getAttribute("aria-sort"), values];
})()"""


def test_the_slider_cells_and_tables_answer(tmp_path: Path) -> None:
    """Two phases by name as the routing has them, a cell's words with a percentage, an ordered column, no request."""
    require("chromium", root=False)
    run(["report", TRAIN, "-o", str(tmp_path / "r.html"), "-q"])
    run(["route", TRAIN, "-o", str(tmp_path / "r.json"), "-q"])
    told = json.loads((tmp_path / "r.json").read_text())
    phases = [entry["phase"] for entry in told["routes"] if entry["fabric"] == "backend"]
    with Page((tmp_path / "r.html").as_uri(), tmp_path / "profile") as page:
        for _ in range(100):
            if page.value("document.readyState") == "complete":
                break
        seen = [str(page.value(f"{_SLIDE}({at})")) for at in range(len(phases))]
        for name, text in zip(phases, seen, strict=True):
            assert name in text
        first, second = (str(page.value(f"{_SLIDE}({at}), {_READ}")) for at in (0, 1))
        assert "%" in first
        assert "%" in second
        assert first != second
        direction, values = page.value(_SORT)
        assert len(values) > 5
        assert values == sorted(values, reverse=direction == "descending")
        assert page.value("performance.getEntriesByType('resource').length") == 0
        page.screenshot(tmp_path / "page.png")
        assert (tmp_path / "page.png").stat().st_size > 20_000
