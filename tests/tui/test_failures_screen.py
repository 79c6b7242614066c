"""The sweep on a screen: R runs it, rows say what the command says, enter makes a case the what-if, esc stops it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from pilot import drive, press, screen_text, settled
from textual.pilot import Pilot

import tui.screens.failures as failures_screen
from fabric.failures.request import FailureRequest
from fabric.failures.sweep import run_failures
from fabric.pipeline.run import run_scenario
from fabric.scenario.load import load_scenario
from tui.app import FabricApp
from tui.widgets.line_table import LineTable

App, P = FabricApp, Pilot[Any]
SMALL = """\
version: 1
name: small
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
nodes: [{group: hosts, count: 4, nics: {main: {speed: 100G}}}]
workloads: [{id: shuffle, kind: alltoall, members: hosts, size: 1 GiB}]
failures: [{name: one-spine, select: role=spine}]
"""


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    """Two leaves with two hosts each under two spines: 8 cables, 4 switches."""
    path = tmp_path / "small.fabric.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return str(path)


def test_r_sweeps_and_the_rows_are_those_of_the_command(scenario: str) -> None:
    """A spine down: the other carries twice as much, 67 % become 133 %, and the step is longer by what it is over."""
    run = run_scenario(load_scenario(scenario))
    expected = run_failures(run, FailureRequest())

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "0")
        assert "R sweeps every single link and switch" in text
        text = await press(app, pilot, "R")
        assert "N-1 of link, switch: 12 cases" in text
        assert "spine[0-1]" in text
        assert "133.3 %" in text
        view = app.screen
        assert isinstance(view, failures_screen.FailuresScreen)
        assert view.result is not None
        assert view.result.failures == expected.failures
        assert view.result.links == expected.links

    drive(steps, scenario)


def test_enter_makes_a_case_the_what_if_that_says_the_same(scenario: str) -> None:
    """The row of the spines: the first is tried; the effect shows the load of the row; esc and u lead back."""

    async def steps(app: App, pilot: P) -> None:
        session = app.session
        assert session is not None
        await press(app, pilot, "0", "R", "slash", *"spine", "enter")
        view = app.screen
        assert isinstance(view, failures_screen.FailuresScreen)
        table = view.view_table()
        assert table is not None
        assert all("spine" in str(row["what"]) for row in table.records())
        row = [cells[0] for cells in table.texts()].index("spine[0-1]")
        full = table.record(row)["max_utilisation"]
        view.query_one("#cases", LineTable).move_to(row)
        text = await press(app, pilot, "enter")
        assert "2 equal cases" in text
        await press(app, pilot, "enter")
        assert session.changes.down == ("spine0",)
        assert session.place.screen == "whatif"
        assert session.result.routes[0].max_utilisation == pytest.approx(full, rel=1e-9)
        text = await press(app, pilot, "escape")
        assert "of another state" in text
        text = await press(app, pilot, "u")
        assert "of another state" not in text
        assert not session.changes.down

    drive(steps, scenario)


def test_enter_on_a_link_tries_the_failure_that_fills_it_most(scenario: str) -> None:
    """leaf0 -> spine0 is fullest when spine1 fails."""

    async def steps(app: App, pilot: P) -> None:
        session = app.session
        assert session is not None
        await press(app, pilot, "0", "R", "tab", "enter")
        (selector,) = session.changes.down
        assert "spine" in selector
        assert session.result.routes[0].max_utilisation == pytest.approx(4 / 3, rel=1e-9)

    drive(steps, scenario)


def test_sets_and_reactions_are_swept_apart_and_kept(scenario: str) -> None:
    """n: the switches alone; pairs of them; the set of the scenario; v: frozen groups. Going back shows what was."""

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "0", "n", "R")
        assert "N-1 of switch: 4 cases" in text
        text = await press(app, pilot, "n", "n", "R")
        assert "N-2 of switch: 6 cases" in text
        text = await press(app, pilot, "n", "R")
        assert "one-spine" in text
        assert "2 cases" in text
        text = await press(app, pilot, "n")
        assert "R sweeps every single link and switch" in text
        text = await press(app, pilot, "n", "s")
        assert "N-1 of switch: 4 cases" in text
        assert "by harm: no rates are known" in text
        text = await press(app, pilot, "s")
        assert "by load" in text
        text = await press(app, pilot, "v")
        assert "frozen" in text

    drive(steps, scenario)


def test_rows_appear_while_it_runs_and_esc_stops_it(scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that waits after its first look: its rows are on the screen; esc keeps them, marked as not all."""
    run = run_scenario(load_scenario(scenario))
    whole = run_failures(run, FailureRequest())
    looked, go_on = threading.Event(), threading.Event()

    def waiting(*args: Any, watch: Any, **options: Any) -> Any:
        from dataclasses import replace

        watch(replace(whole, cases=3, failures=whole.failures[:3], partial=True))
        looked.set()
        go_on.wait(20)
        return whole

    monkeypatch.setattr(failures_screen, "run_failures", waiting)

    async def steps(app: App, pilot: P) -> None:
        await press(app, pilot, "0")
        await pilot.press("R")
        for _ in range(200):
            await pilot.pause(0.02)
            if looked.is_set() and "3 of 12 cases" in screen_text(app):
                break
        text = screen_text(app)
        assert "3 of 12 cases" in text
        assert app.busy
        await pilot.press("escape")
        go_on.set()
        await settled(app, pilot)
        text = screen_text(app)
        assert "3 of 12 cases" in text
        assert "stopped before the end" in text
        assert app.session is not None
        assert app.session.place.screen == "failures"

    drive(steps, scenario)


def test_a_set_that_cannot_be_swept_says_why(scenario: str, tmp_path: Path) -> None:
    """A set of the scenario that names nothing: its words stand where rows would be."""
    path = tmp_path / "bad.fabric.yaml"
    path.write_text(SMALL.replace("role=spine", "role=spinne"), encoding="utf-8")

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "0", "n", "n", "n", "n", "R")
        assert "spinne" in text

    drive(steps, str(path))


def test_the_key_of_what_if_goes_to_the_sweep_of_that_state(scenario: str) -> None:
    """With spine1 down, R on the what-if screen sweeps what is left: spine0 then cuts hosts off from each other."""

    async def steps(app: App, pilot: P) -> None:
        await press(app, pilot, "g", *"spine1", "enter", "x", "6")
        text = await press(app, pilot, "R")
        assert app.session is not None
        assert app.session.place.screen == "failures"
        assert "stall" in text

    drive(steps, scenario)
