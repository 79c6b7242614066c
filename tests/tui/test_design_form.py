"""The design form: answers while one types, says what is wrong, writes the best and opens it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pilot import drive, press, screen_text, settled
from textual.pilot import Pilot
from textual.widgets import Input

from fabric.design.quick import quick_designs
from fabric.faces.views.quick_designs import WISHES, quick_table, requirement_keys
from fabric.pipeline.prepared import build
from fabric.scenario.load import load_scenario
from topologies.summary import summarise
from tui.app import FabricApp
from tui.options import Start
from tui.start import design
from tui.start.design import DesignScreen
from tui.widgets.line_table import LineTable

App, P = FabricApp, Pilot[Any]
SMALL = {"GPUs": "64", "GPUs per node": "8", "NIC": "8x400", "families": "leaf-spine", "objective": "cost"}


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder of the test's own; typing is over sooner than for people."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(design, "_LATER_S", 0.05)


async def open_form(app: App, pilot: P) -> None:
    """From the first screen to the form, with one family so that it answers at once."""
    table = app.screen.query_one("#offers", LineTable)
    table.move_to(next(row for row in range(len(table.table)) if table.table.record(row)["name"] == "design"))
    await press(app, pilot, "enter")
    assert isinstance(app.screen, DesignScreen)


async def type_into(app: App, pilot: P, wish: str, text: str) -> str:
    """Put a text into a field, wait for the answer, and return the screen."""
    place = next(place for place, one in enumerate(WISHES) if one.name == wish)
    app.screen.query_one(f"#wish-{place}", Input).value = text
    await pilot.pause(0.1)
    await settled(app, pilot)
    return screen_text(app)


def test_the_answer_follows_what_is_typed() -> None:
    """More GPUs cost more; a slip is told; the defaults are listed."""

    async def steps(app: App, pilot: P) -> None:
        await open_form(app, pilot)
        await type_into(app, pilot, "families", "leaf-spine")
        text = await type_into(app, pilot, "GPUs", "64")
        assert "leaf-spine" in text
        assert "proved" in text
        assert "defaults:" in text
        table = app.screen.query_one("#quick", LineTable).table
        small = table.record(0)["cost_usd"]
        await type_into(app, pilot, "GPUs", "256")
        assert app.screen.query_one("#quick", LineTable).table.record(0)["cost_usd"] > small
        text = await type_into(app, pilot, "NIC", "lots")
        assert "is not NICs of a host" in text
        assert len(app.screen.query_one("#quick", LineTable).table) == 0
        await press(app, pilot, "ctrl+s")
        assert isinstance(app.screen, DesignScreen)

    drive(steps, None)


def test_the_best_is_written_and_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file builds what the table says."""
    file = tmp_path / "mine.fabric.yaml"

    async def steps(app: App, pilot: P) -> None:
        await open_form(app, pilot)
        await type_into(app, pilot, "families", "leaf-spine")
        await type_into(app, pilot, "GPUs", "64")
        row = app.screen.query_one("#quick", LineTable).table.record(0)
        await press(app, pilot, "ctrl+s")
        app.screen.query_one(Input).value = str(file)
        text = await press(app, pilot, "enter")
        assert "mine" in text or app.session is not None
        summary = summarise(build(load_scenario(file)).topologies["backend"])
        assert summary.switches == row["switches"]
        assert summary.cables == row["cables"]

    drive(steps, None)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_it_fits_the_terminal(size: tuple[int, int]) -> None:
    """All fields, a row of the answer and the keys are on the screen."""

    async def steps(app: App, pilot: P) -> None:
        await open_form(app, pilot)
        await type_into(app, pilot, "families", "leaf-spine")
        text = await type_into(app, pilot, "GPUs", "64")
        assert all(wish.name in text for wish in WISHES)
        assert "ctrl+s" in text
        assert "best: leaf-spine" in text

    drive(steps, None, size=size)


def test_quick_designs_are_those_of_the_families_asked_for_best_first() -> None:
    """By counts, in order of the objective; the bound is none of them above."""
    answer = quick_designs(requirement_keys({**SMALL, "families": "leaf-spine, clos, rail-optimised"}))
    values = [one.value for one in answer.designs]
    assert values == sorted(values)
    assert {one.counted.family for one in answer.designs} <= {"leaf-spine", "clos", "rail-optimised"}
    assert answer.bound <= values[0] + 1e-6
    assert [row["above_best"] for row in quick_table(answer.designs).records()] == [
        value / values[0] - 1 for value in values
    ]


def test_wishes_that_nothing_meets_are_named() -> None:
    """A million GPUs on one switch."""
    answer = quick_designs(requirement_keys({**SMALL, "GPUs": "4096", "families": "single-switch"}))
    assert answer.designs == ()
    assert answer.text == ""
    assert answer.conflict


@pytest.mark.parametrize("look", ["dark", "light", "NO_COLOR"])
def test_the_form_as_a_picture(look: str, monkeypatch: pytest.MonkeyPatch, snap_compare: Callable[..., bool]) -> None:
    """With one family, in every look."""
    if look == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    app = FabricApp(Start(None, theme="light" if look == "light" else "dark"))

    async def go(pilot: P) -> None:
        await settled(app, pilot)
        app.push_screen(DesignScreen())
        await settled(app, pilot)
        for field in app.screen.query(Input):
            field.cursor_blink = False
        await type_into(app, pilot, "families", "leaf-spine")
        await type_into(app, pilot, "GPUs", "64")

    assert snap_compare(app, terminal_size=(100, 30), run_before=go)
