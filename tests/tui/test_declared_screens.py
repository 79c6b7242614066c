"""Screens as plug-ins: one file added is a screen, and every declared one keeps the contract of a screen."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pilot import drive, press, screen_lines, screen_text, settled
from textual.pilot import Pilot

import tui.screens
from tui.app import FabricApp
from tui.key_list import all_keys, keys_on
from tui.keys import SHELL_KEYS, Key
from tui.views import SCREENS, views

App, P = FabricApp, Pilot[Any]
EXAMPLE = re.search(r"```python\n(.*?)```", Path("docs/extending/screen.md").read_text(encoding="utf-8"), re.DOTALL)
VIEWS = {name: screen.view for name, screen in views().items()}
OPENED = [key for key in SHELL_KEYS if key.action not in ("quit", "cancel", "compare")]


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The screen of the page on extending as one more file of the folder of screens."""
    assert EXAMPLE is not None
    (tmp_path / "busiest.py").write_text(EXAMPLE[1], encoding="utf-8")
    monkeypatch.setattr(tui.screens, "__path__", [*tui.screens.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    SCREENS.__dict__.pop("declared", None)
    yield
    SCREENS.__dict__.pop("declared", None)
    SCREENS._loaded.pop("busiest", None)
    sys.modules.pop("tui.screens.busiest", None)


@pytest.mark.usefixtures("added")
def test_a_file_in_the_folder_is_a_screen_with_its_key_help_palette_and_own_key() -> None:
    """0 opens it, its key stands first in the bar and turns the table; help and palette list screen and key."""

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "0")
        assert app.session is not None
        assert app.session.place.screen == "busiest"
        lines = text.splitlines()
        assert lines[0].rstrip().endswith("Busiest")
        assert lines[1].startswith(" BUSIEST")
        assert lines[-1].startswith(" t turn ")
        assert re.search(r"│>main .* leaf-spine ", text)
        text = await press(app, pilot, "t")
        assert re.search(r"│>main .* host-leaf ", text)
        for dialogue in ("question_mark", "colon"):
            text = await press(app, pilot, dialogue, *"otherend")
            assert re.search(r"The other end first\. +t ", text)
            text = await press(app, pilot, "ctrl+u", *"tiersofthephase")
            assert re.search(r"The tiers of the phase by .* +0 ", text)
            await press(app, pilot, "escape")
        await press(app, pilot, "colon", *"otherend", "enter")
        assert re.search(r"│>main .* leaf-spine ", screen_text(app))
        text = await press(app, pilot, "1", "t")
        assert " t turn " not in text
        await press(app, pilot, "g", *"busiest", "enter")
        assert app.session.place.screen == "busiest"

    drive(steps)
    declared = {name: screen.view for name, screen in views().items()}
    assert [name for name in declared if name != "busiest"] == list(VIEWS)
    assert [listed.on for listed in all_keys(declared) if listed.key.action == "turn"] == [("Busiest",)]


def test_without_the_file_there_is_no_such_screen() -> None:
    """0 does nothing, and what would lead there says so."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "0")
        assert app.session.place.screen == "overview"
        app.go("busiest")
        await settled(app, pilot)
        assert app.session.place.screen == "overview"
        assert any("no screen busiest" in str(notice.message) for notice in app._notifications)

    drive(steps)


@pytest.mark.usefixtures("added")
@pytest.mark.parametrize(
    ("before", "after", "message"),
    [('"0",', '"7",', r"declare the key 7"), ('View("busiest"', 'View("heat"', r"declares the name 'heat'")],
    ids=["key", "name"],
)
def test_a_key_or_a_name_that_is_another_screens_is_refused(
    before: str, after: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of them came would be chance."""
    path = tmp_path / "busiest.py"
    path.write_text(path.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        views()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", VIEWS)
def test_every_screen_opens_and_shows_its_title_path_and_keys(name: str, size: tuple[int, int]) -> None:
    """Its own key opens it, whole; what it calls itself stands in both lines; its footer lists its keys that fit."""
    view = VIEWS[name]

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "2" if name == "overview" else "1", view.key)
        lines = screen_lines(app)
        assert app.session.place.screen == name
        assert {len(line) for line in lines} == {size[0]}
        assert len(lines) == size[1]
        assert lines[0].rstrip().endswith(view.title)
        assert lines[1].startswith(f" {view.title.upper()}  ")
        assert sum("┌─" in line for line in lines) >= 1
        for key in view.keys:
            assert not key.label or f" {key.shown} {key.label} " in lines[-1]

    drive(steps, size=size)


def _state(app: App) -> tuple[object, ...]:
    """Everything that a key may change: the screen in front, what it shows, the look, the file copied to, notices."""
    session = app.session
    assert session is not None
    looked_at = (session.fabric, session.phase, session.direction, session.metric, tuple(session.trail))
    focused = app.focused.id if app.focused is not None else None
    notices = tuple(str(notice.message) for notice in app._notifications)
    return type(app.screen), focused, screen_text(app), looked_at, session.history, app.look, notices, app._job


async def _does(app: App, pilot: P, name: str, key: Key) -> bool:
    """Whether a key changes anything or says why not, on a screen of a session as it was opened."""
    assert app.session is not None
    if app.session.place.screen != name:
        await press(app, pilot, VIEWS[name].key)
    if app._notifications:
        app.clear_notifications()
        await settled(app, pilot)
    before = _state(app)
    await press(app, pilot, key.key.partition(",")[0])
    for _ in range(60):
        if _state(app) != before:
            break
        await pilot.pause(0.05)  # what plays by itself begins after a moment
    changed = _state(app) != before
    while app.view is None:  # a dialogue
        await press(app, pilot, "escape")
    return changed


def _silent(name: str, keys: Iterable[Key], size: tuple[int, int]) -> list[str]:
    """Keys that neither change anything nor say why not, on a scenario with one fabric and one phase."""
    silent: list[str] = []

    async def steps(app: App, pilot: P) -> None:
        for key in keys:
            if not await _does(app, pilot, name, key):
                silent.append(key.shown)

    drive(steps, size=size)
    return silent


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", [name for name, view in VIEWS.items() if view.keys])
def test_every_key_of_a_screen_does_something_or_says_why_not(name: str, size: tuple[int, int]) -> None:
    """Keys that it declares, where there is nothing to remove, to save or to play."""
    assert _silent(name, VIEWS[name].keys, size) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", VIEWS)
def test_every_key_of_the_shell_does_something_or_says_why_not_on_every_screen(name: str) -> None:
    """Where there is no other phase or fabric, nothing to undo, and often no row to filter."""
    assert _silent(name, OPENED, (80, 24)) == []


@pytest.mark.parametrize("name", VIEWS)
def test_help_lists_the_keys_of_a_screen_first_and_all_others_after_them(name: str) -> None:
    """Each key once; the palette has those that hold here."""
    view = VIEWS[name]
    listed = all_keys(VIEWS, view)
    assert [entry.key for entry in listed[: len(view.keys)]] == list(view.keys)
    assert len({entry.key for entry in listed}) == len(listed)
    every = {key for other in VIEWS.values() for key in (other.opener, *other.keys)} | set(SHELL_KEYS)
    assert {entry.key for entry in listed} == every
    here = [*view.keys, *(other.opener for other in VIEWS.values()), *SHELL_KEYS]
    assert [entry.key for entry in keys_on(view, VIEWS)] == here

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, view.key, "question_mark")
        for key in view.keys:
            assert key.help[:30] in text

    drive(steps)


@pytest.mark.parametrize("name", VIEWS)
def test_every_key_of_a_screen_is_answered_by_the_screen_itself(name: str) -> None:
    """Not by the app, so that no other file is touched when it changes."""
    for key in VIEWS[name].keys:
        handler = f"action_{key.action.partition('(')[0]}"
        assert callable(getattr(views()[name], handler))
        assert not hasattr(FabricApp, handler)


def test_help_says_where_a_key_of_another_screen_holds() -> None:
    """space plays on Phases only; chosen on the overview it says so."""

    async def steps(app: App, pilot: P) -> None:
        await press(app, pilot, "question_mark", *"stepthroughthephases", "enter")
        assert any("holds only on Phases" in str(notice.message) for notice in app._notifications)

    drive(steps)
