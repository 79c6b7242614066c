"""Starting without a file: recent files, templates, the design form; and what does not open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pilot import QUICKSTART, drive, press, screen_text, settled
from textual.pilot import Pilot
from textual.widgets import Input

from fabric.faces.views.builder_form import form_fields
from fabric.pipeline.prepared import build
from fabric.scenario.load import load_scenario
from topologies.builder import TOPOLOGIES
from tui.app import FabricApp
from tui.recent import recent_files, remember
from tui.start import form
from tui.start.error import ErrorScreen
from tui.start.form import FormScreen
from tui.widgets.line_table import LineTable

App, P = FabricApp, Pilot[Any]


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder of the test's own; typing is over sooner than for people."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(form, "_LATER_S", 0.05)


async def choose(app: App, pilot: P, words: str) -> str:
    """Enter on the offer that begins with ``words``."""
    table = app.screen.query_one("#offers", LineTable)
    at = next(i for i in range(len(table.table)) if str(table.table.record(i)["name"]).startswith(words))
    table.move_to(at)
    return await press(app, pilot, "enter")


def test_the_first_screen_offers_what_is_here_templates_and_forms() -> None:
    """The examples of the working folder, a form per builder, the templates of init."""

    async def steps(app: App, pilot: P) -> None:
        text = screen_text(app)
        assert "quickstart.fabric.yaml" in text
        for entry in TOPOLOGIES:
            assert f"design: {entry.name}" in text
        assert "new: leaf-spine" in text

    drive(steps, None)


def test_a_scenario_of_the_list_opens_and_is_remembered() -> None:
    """Enter on quickstart: its overview, and it stands first next time."""

    async def steps(app: App, pilot: P) -> None:
        text = await choose(app, pilot, "quickstart")
        assert "OVERVIEW" in text

    drive(steps, None)
    assert recent_files()[0].endswith("quickstart.fabric.yaml")


def test_recent_files_forget_what_is_gone_and_never_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removed file is left out; a state folder that is a file loses nothing else."""
    path = tmp_path / "x.fabric.yaml"
    path.write_text("")
    remember(str(path))
    assert recent_files() == [str(path)]
    path.unlink()
    assert recent_files() == []
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    remember(str(path))
    assert recent_files() == []


def test_a_template_is_written_and_opened_and_never_over_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """new: leaf-spine, then the same again: the file keeps its bytes."""
    monkeypatch.chdir(tmp_path)

    async def steps(app: App, pilot: P) -> None:
        await choose(app, pilot, "new: leaf-spine")
        await press(app, pilot, "enter")
        assert app.session is not None

    drive(steps, None)
    before = (tmp_path / "leaf-spine.fabric.yaml").read_bytes()

    async def again(app: App, pilot: P) -> None:
        await choose(app, pilot, "new: leaf-spine")
        await press(app, pilot, "enter")
        assert app.session is None
        assert any("it exists" in str(notice.message) for notice in app._notifications)

    drive(again, None)
    assert (tmp_path / "leaf-spine.fabric.yaml").read_bytes() == before


@pytest.mark.parametrize("kind", [entry.name for entry in TOPOLOGIES])
def test_every_builder_has_a_form_that_makes_a_valid_scenario(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example's values fill the form; saved and loaded, it builds."""
    monkeypatch.chdir(tmp_path)

    async def steps(app: App, pilot: P) -> None:
        await choose(app, pilot, f"design: {kind}")
        assert isinstance(app.screen, FormScreen)
        await pilot.pause(0.1)
        await settled(app, pilot)
        text = screen_text(app)
        assert "endpoints" in text
        for field in form_fields(kind)[:3]:
            assert field.name in text
        await press(app, pilot, "ctrl+s", "enter")
        assert app.session is not None

    drive(steps, None, size=(120, 60))
    assert build(load_scenario(tmp_path / f"my-{kind}.fabric.yaml")).topologies["main"].nodes


def test_a_wrong_value_is_explained_in_the_form_and_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Radix 7 of a fat tree: the builder's own words."""
    monkeypatch.chdir(tmp_path)

    async def steps(app: App, pilot: P) -> None:
        await choose(app, pilot, "design: fat-tree")
        app.screen.query_one("#field-radix", Input).value = "7"
        await pilot.pause(0.1)
        await settled(app, pilot)
        assert "odd" in screen_text(app) or "even" in screen_text(app)
        await press(app, pilot, "ctrl+s")
        assert isinstance(app.screen, FormScreen)

    drive(steps, None, size=(120, 60))
    assert not list(tmp_path.glob("*.yaml"))


WRONG = {
    "missing": (None, "no such file"),
    "folder": ("", "directory"),
    "empty": (b"", "FP10"),
    "not utf-8": (b"\xff\xfe\x00bad", "UTF"),
    "broken yaml": (b"version: 1\nname: [", "FP10"),
    "schema": (b"version: 1\nname: x\nfabrics: {}\n", "fabrics"),
    "no workloads": (
        b"version: 1\nname: x\nfabrics: {main: {topology: {kind: fat-tree, radix: 4, speed: 100G}}}\n",
        "no workloads",
    ),
    "unknown node down": (
        b"version: 1\nname: x\nfabrics: {main: {topology: {kind: fat-tree, radix: 4, speed: 100G}}}\ndown: [nosuch]\n"
        b"workloads: [{id: a, kind: all-to-all, fabric: main, size: 1 GiB}]\n",
        "nosuch",
    ),
    "binary": (bytes(range(256)), "FP"),
}


@pytest.mark.parametrize("case", WRONG)
def test_whatever_does_not_open_says_why_and_what_to_do(case: str, tmp_path: Path) -> None:
    """Each way a file can be wrong, on the screen of errors and never as a traceback; another can be opened."""
    content, words = WRONG[case]
    path = tmp_path / "wrong.fabric.yaml"
    if content is not None and content:
        path.write_bytes(content)
    elif content == "":
        path.mkdir()
    elif content == b"":
        path.write_bytes(b"")

    async def steps(app: App, pilot: P) -> None:
        assert isinstance(app.screen, ErrorScreen)
        text = screen_text(app)
        assert "error" in text
        assert words.casefold() in text.casefold()
        text = await press(app, pilot, "o")
        assert "what do you want to look at" in text

    drive(steps, str(path))


def test_changes_that_do_not_fit_are_refused_and_the_state_stays() -> None:
    """A failure that names nothing: a notice, the figures and the list as before."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        before = app.session.result
        await press(app, pilot, "6", "plus", *"down:", "enter", *"nosuch", "enter")
        assert app.session.result is before
        assert not len(app.session.changes)
        assert any("nosuch" in str(notice.message) for notice in app._notifications)
        assert not app.session.stale

    drive(steps, QUICKSTART)
