"""Screen 8: counters and observed cabling, with the rows of the commands; what to write where nothing is."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from measured_room import LLDP, ROOM, counters_without
from pilot import drive, press, screen_lines, screen_text, settled
from textual.pilot import Pilot

import tui.screens.measured as measured_screen
from fabric.cli.main import run as fabric
from fabric.operate.load_check.sources import source_of_text
from tui.app import FabricApp
from tui.measuring import Measured
from tui.screens.measured import MeasuredScreen
from tui.widgets.line_table import LineTable
from tui.widgets.scatter import Scatter

App, P = FabricApp, Pilot[Any]


@pytest.fixture(scope="module")
def counters(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Rates of the room without spine1: what crosses it reads nothing, the other spines carry 4/3 as much."""
    return f"csv:{counters_without('spine1', tmp_path_factory.mktemp('counters'))}"


def both(counters: str) -> Measured:
    """Counters and neighbours, as the command line gives them."""
    return Measured(source_of_text(counters), LLDP)


def view_of(app: App) -> MeasuredScreen:
    """The screen in front."""
    view = app.screen
    assert isinstance(view, MeasuredScreen)
    return view


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """JSON that a command prints; it answers no."""
    assert fabric([*words, "--json", "-q"]) == 1
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_rows_are_those_of_the_commands(counters: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Links, tiers and jobs, explanations and moves: the same values in the same order."""
    loads = printed(capsys, "verify", "load", ROOM, "--measured", counters)
    cabling = printed(capsys, "verify", "cabling", ROOM, "--observed", LLDP)

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "8")
        assert "32 of 64 measured links" in text
        assert "3 findings, put right by 5 actions" in text
        view = view_of(app)
        assert view.query_one("#links", LineTable).table.records() == [
            {key: row[key] for key in view.all_rows().names} for row in loads["links"]
        ]
        assert view.query_one("#why", LineTable).table.records() == [
            {key: value for key, value in row.items() if key != "fabric"} for row in loads["explanations"]
        ]
        moves = view.query_one("#moves", LineTable).table
        assert [row["what"] for row in moves.records()] == [
            f"{one['ends'][0]['to']['device']}:{one['ends'][0]['to']['port']} and "
            f"{one['ends'][0]['from']['device']}:{one['ends'][0]['from']['port']}"
            if one["kind"] == "swap"
            else f"{one['ends'][0]['from']['device']}:{one['ends'][0]['from']['port']} to "
            f"{one['ends'][0]['to']['device']}:{one['ends'][0]['to']['port']}"
            for one in cabling["moves"]
        ]
        await press(app, pilot, "n")
        assert view.query_one("#links", LineTable).table.records() == loads["sums"]

    drive(steps, ROOM, measured=both(counters))


def test_enter_on_a_link_goes_to_that_link_and_esc_comes_back(counters: str) -> None:
    """The link furthest off, of spine1; e and x are of it as well."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "8")
        row = view_of(app).query_one("#links", LineTable).record()
        assert row is not None
        assert "spine1" in str(row["link"])
        await press(app, pilot, "enter")
        assert app.session.place.screen == "flows"
        assert app.session.selection.name == row["link"]
        await press(app, pilot, "escape")
        assert app.session.place.screen == "measured"

    drive(steps, ROOM, measured=both(counters))


def test_the_link_under_the_cursor_is_marked_in_the_cloud(counters: str) -> None:
    """Its cell: below the scale where nothing was measured, at the top for a link that is full."""

    async def steps(app: App, pilot: P) -> None:
        await press(app, pilot, "8")
        view = view_of(app)
        links, cloud = view.query_one("#links", LineTable), view.query_one("#scatter", Scatter)
        shown = cloud.points
        assert shown is not None
        for position in (0, 20, len(links.table) - 1):
            links.move_to(position)
            await settled(app, pilot)
            row = links.record()
            assert row is not None
            assert shown.name[cloud.chosen] == (row["fabric"], row["link"])
        assert "◉" in screen_text(app)

    drive(steps, ROOM, measured=both(counters))


def test_enter_on_a_finding_reads_the_work_and_on_an_explanation_its_words(counters: str) -> None:
    """Step by step, as --fix-list says it; the change of the plan as the command line takes it."""

    async def steps(app: App, pilot: P) -> None:
        await press(app, pilot, "8")
        view = view_of(app)
        view.query_one("#moves", LineTable).focus()
        text = await press(app, pilot, "enter")
        assert "Finding 1: leaf3:swp7 to spine2:swp4" in text
        assert "plug" in text
        await press(app, pilot, "escape")
        why = view.query_one("#why", LineTable)
        why.focus()
        why.move_to([row["cause"] for row in why.table.records()].index("down"))
        text = await press(app, pilot, "enter")
        assert "spine1 is down" in text
        assert "--down" in text

    drive(steps, ROOM, measured=both(counters))


def test_the_state_that_is_tried_is_the_one_that_is_held_against(counters: str) -> None:
    """With spine1 down the plan is what was measured: every link in its band, and the old rows were greyed before."""

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "g", *"spine1", "enter", "x", "8")
        assert "0 of 48 measured links" in text or "0 of 64 measured links" in text
        assert "every measured link is in its band" in text
        text = await press(app, pilot, "u")
        assert "32 of 64 measured links" in text

    drive(steps, ROOM, measured=Measured(source_of_text(counters)))


def test_the_command_is_that_of_the_pane_in_focus(counters: str) -> None:
    """verify load with its source; verify cabling with what was observed; changes that are tried with both."""

    async def steps(app: App, pilot: P) -> None:
        await press(app, pilot, "g", *"spine0", "enter", "x", "8")
        view = view_of(app)
        assert view.command() == f"fabric verify load {ROOM} --down=spine0 --measured={counters} --window=900s"
        view.query_one("#moves", LineTable).focus()
        await settled(app, pilot)
        assert view.command() == f"fabric verify cabling {ROOM} --down=spine0 --observed={LLDP}"

    drive(steps, ROOM, measured=both(counters))


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_without_counters_or_neighbours_it_says_what_to_write(size: tuple[int, int]) -> None:
    """Both ways for counters, one for neighbours; keys are answered."""

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "8")
        words = " ".join(text.split())
        assert "measured: [{kind: csv, path: loads.csv}]" in words
        assert "--measured csv:loads.csv" in words
        assert "--observed lldp:FOLDER" in words
        text = await press(app, pilot, "n", "tab")
        assert "Drift" not in text

    drive(steps, ROOM, size=size)


def test_the_scenario_names_the_counters(counters: str, tmp_path: Path) -> None:
    """A file beside the scenario, under ``measured:``; no flag is needed."""
    text = Path(ROOM).read_text(encoding="utf-8")
    (tmp_path / "room.fabric.yaml").write_text(f"{text}measured: [{{kind: csv, path: loads.csv}}]\n", encoding="utf-8")
    (tmp_path / "loads.csv").write_text(Path(counters.removeprefix("csv:")).read_text(encoding="utf-8"))

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "8")
        assert "32 of 64 measured links" in text
        assert "no counters" not in text
        assert "no cabling" in text

    drive(steps, str(tmp_path / "room.fabric.yaml"))


def test_files_that_cannot_be_read_say_why_where_rows_would_be(tmp_path: Path) -> None:
    """A table without a link; a folder that is not there."""
    (tmp_path / "bad.csv").write_text("port,gbps\nx,1\n", encoding="utf-8")

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "8")
        assert "link" in text
        assert "no such file or folder" in text
        assert app.is_running

    drive(steps, ROOM, measured=Measured(source_of_text(f"csv:{tmp_path / 'bad.csv'}"), f"lldp:{tmp_path / 'none'}"))


def test_ctrl_c_stops_the_reading_and_r_begins_it_again(counters: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there is said to be stopped; the next session reads."""
    begun, go_on = threading.Event(), threading.Event()
    real = measured_screen.measured_loads

    def waiting(*words: Any) -> Any:
        begun.set()
        go_on.wait(20)
        return real(*words)

    monkeypatch.setattr(measured_screen, "measured_loads", waiting)

    async def steps(app: App, pilot: P) -> None:
        await pilot.press("8")
        for _ in range(200):
            await pilot.pause(0.02)
            if begun.is_set():
                break
        assert "reading counters" in screen_text(app)
        await pilot.press("ctrl+c")
        go_on.set()
        await settled(app, pilot)
        text = screen_text(app)
        assert "stopped; r reads counters again" in text
        text = await press(app, pilot, "r")
        assert "32 of 64 measured links" in text

    drive(steps, ROOM, measured=Measured(source_of_text(counters)))


@pytest.mark.parametrize("colour", [True, False], ids=["colour", "NO_COLOR"])
def test_what_is_off_has_a_sign_of_its_own(colour: bool, counters: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is told apart without colour, and in ASCII."""
    if not colour:
        monkeypatch.setitem(os.environ, "NO_COLOR", "1")

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "8", "tab", "tab")
        off = "×" if colour else "x"
        assert f"{off} off" in text
        lines = screen_lines(app)
        assert any(off in line[72:118] for line in lines[3:19])

    drive(steps, ROOM, measured=both(counters))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--measured", "loads.csv"], "prometheus:URL, csv:FILE"),
        (["--measured", "perfquery:a,b"], "--window says"),
        (["--observed", "lld:x"], "write FORMAT:PATH"),
        (["--names", "x.csv"], "--names is of --observed"),
        (["--window", "5 min"], "--window is of --measured"),
    ],
)
def test_flags_that_do_not_fit_are_refused(
    flags: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is opened, with what to write."""
    monkeypatch.setenv("TEXTUAL_DRIVER", "none")
    assert fabric(["tui", ROOM, *flags]) == 2
    assert words in capsys.readouterr().err
