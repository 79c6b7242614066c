"""What-ifs with keys: kill, undo, redo, add, remove, save, compare; writing, copying and replaying a session."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pilot import QUICKSTART, TRAIN, drive, press, screen_text, settled
from textual.pilot import Pilot

from fabric.cli.main import run
from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario
from topologies.errors import FabricError
from tui.app import FabricApp
from tui.dialogues.reading import Reading
from tui.recording import read_recording

App, P = FabricApp, Pilot[Any]


def test_killing_a_spine_shows_what_the_command_line_says() -> None:
    """g spine0, x: the worst load is that of `fabric route --down spine0`; u and ctrl+r go back and forth."""
    expected = route(load_scenario(QUICKSTART), RouteRequest(down=("spine0",)))

    async def steps(app: App, pilot: P) -> None:
        session = app.session
        assert session is not None
        base = session.result
        await press(app, pilot, "g", *"spine0", "enter")
        text = await press(app, pilot, "x")
        assert session.changes.down == ("spine0",)
        assert np.array_equal(session.result.routes[0].link_gbps, expected.routes[0].link_gbps)
        assert "cables down" in text
        await press(app, pilot, "u")
        assert session.result is base
        await press(app, pilot, "ctrl+r")
        assert session.result.routes[0].max_utilisation == expected.routes[0].max_utilisation
        await press(app, pilot, "x")
        assert not len(session.changes)

    drive(steps)


def test_x_on_the_map_kills_the_link_under_the_cursor() -> None:
    """One cable of a leaf-spine pair; the pair's cell then has one link down."""

    async def steps(app: App, pilot: P) -> None:
        session = app.session
        assert session is not None
        await press(app, pilot, "2", "x")
        assert session.entry is not None
        assert int((~session.entry.topology.up).sum()) == 2
        assert session.changes.down[0].startswith("fabric=main link=leaf")

    drive(steps)


def test_adding_changes_shows_their_effect_against_the_base() -> None:
    """spray on the hashed example: 291 % falls to 100 %, the failing limit holds, and enter turns it off again."""

    async def steps(app: App, pilot: P) -> None:
        session = app.session
        assert session is not None
        text = await press(app, pilot, "6", "plus", *"spray", "enter")
        assert "291.3 %" in text
        assert "-191.3 pt" in text
        assert {limit.ok for limit in session.result.limits} >= {True}
        await press(app, pilot, "enter")
        assert session.result is session.base
        await press(app, pilot, "minus")
        assert not len(session.changes)

    drive(steps, TRAIN)


def test_saved_changes_route_to_the_same_numbers(tmp_path: Path) -> None:
    """S writes a scenario that includes the base; the command line routes it to what the screen showed."""
    path = tmp_path / "base.fabric.yaml"
    path.write_text(Path(QUICKSTART).read_text(encoding="utf-8"), encoding="utf-8")

    async def steps(app: App, pilot: P) -> None:
        session = app.session
        assert session is not None
        await press(app, pilot, "6", "plus", *"wcmp", "enter", "plus", *"demandx2", "enter", "S", "enter")
        again = route(load_scenario(tmp_path / "base-what-if.fabric.yaml"))
        assert np.array_equal(again.routes[0].link_gbps, session.result.routes[0].link_gbps)
        assert again.jobs == session.result.jobs

    drive(steps, str(path))


def test_compare_says_when_nothing_differs_and_what_does_otherwise() -> None:
    """Base equal to now, then one spine less."""

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "c")
        assert "nothing differs from the base" in text
        await press(app, pilot, "g", *"spine1", "enter", "x")
        text = await press(app, pilot, "c")
        assert "down" in text
        assert "pt" in text

    drive(steps)


def test_the_command_of_y_prints_what_is_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    """Kill, then y: the line, run as it is, gives the screen's worst load."""
    found: list[tuple[str, float]] = []

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "2", "x", "y")
        assert isinstance(app.screen, Reading)
        assert app.session.entry is not None
        found.append((app.screen.text, app.session.entry.max_utilisation))
        assert app.clipboard == app.screen.text

    drive(steps)
    command, worst = found[0]
    run([*shlex.split(command)[1:], "--json"])
    assert json.loads(capsys.readouterr().out)["summary"]["max_utilisation"] == worst


@pytest.mark.parametrize("suffix", ["svg", "csv", "md"])
def test_w_writes_the_view_whole_and_asks_before_writing_over(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The links of the phase as CSV have one row per directed link; an existing file stays until yes."""
    path, name = tmp_path / f"v.{suffix}", f"v.{suffix}"

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        assert app.session.entry is not None
        monkeypatch.chdir(tmp_path)
        await press(app, pilot, "4", "w", "ctrl+u", *name, "enter")
        first = path.read_text(encoding="utf-8")
        if suffix == "csv":
            rows = list(csv.DictReader(first.splitlines()))
            assert len(rows) == len(app.session.entry.topology.links)
            assert float(rows[0]["utilisation"]) == app.session.entry.max_utilisation
        elif suffix == "svg":
            assert "<svg" in first
            assert "FLOWS" in first
        else:
            assert "| link |" in first
        path.write_text("mine")
        await press(app, pilot, "w", "ctrl+u", *name, "enter", "enter")
        assert path.read_text() == "mine"
        await press(app, pilot, "w", "ctrl+u", *name, "enter", "ctrl+u", *"yes", "enter")
        assert path.read_text(encoding="utf-8") != "mine"

    drive(steps)


def test_a_recorded_session_replays_to_the_same_screen(tmp_path: Path) -> None:
    """Keys to a what-if and its map; the replay ends on the same text."""
    path = tmp_path / "session.ndjson"
    seen: list[str] = []

    async def steps(app: App, pilot: P) -> None:
        await press(app, pilot, "g", *"spine0", "enter", "x", "2", "d", "j")
        seen.append(screen_text(app))

    drive(steps, record=str(path))
    recording = read_recording(path)
    assert [step.key for step in recording.steps][-3:] == ["2", "d", "j"]

    async def replayed(app: App, pilot: P) -> None:
        for _ in range(200):
            await pilot.pause(0.05)
            if not [worker for worker in app.workers if worker.is_running]:
                break
        await settled(app, pilot)
        assert screen_text(app) == seen[0]

    drive(replayed, replay=recording, speed=50)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"fabric-session": 2}', '{"fabric-session": 1}\n{"at_s": 0}', '{"fabric-session": 1}\nx']
)
def test_a_recording_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    """With its file, and the line where there is one."""
    path = tmp_path / "x.ndjson"
    path.write_text(text)
    with pytest.raises(FabricError, match=r"x\.ndjson"):
        read_recording(path)
