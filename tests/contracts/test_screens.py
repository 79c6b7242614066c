"""What every screen of the terminal UI keeps, whatever it shows; a new file in ``tui/screens/`` is tested unasked."""

from __future__ import annotations

from typing import Any

import pytest
from pilot import drive, press, screen_lines, screen_text, typed
from textual.pilot import Pilot

from tui.app import FabricApp
from tui.screens.overview import OverviewScreen
from tui.view import View
from tui.views import SCREENS, views

EVERY = pytest.mark.parametrize("name", list(views()))
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])


@EVERY
@SIZES
def test_a_screen_opens_by_its_key_and_fits_the_terminal(name: str, size: tuple[int, int]) -> None:
    """Its title stands on the path, its keys in the bar or the help, no line is too wide."""

    async def steps(app: FabricApp, pilot: Pilot[Any]) -> None:
        assert app.session is not None
        await press(app, pilot, views()[name].view.key)
        assert app.session.place.screen == name
        lines = screen_lines(app)
        assert len(lines) == size[1]
        assert {len(line) for line in lines} == {size[0]}
        assert any(line.strip() for line in lines[2:-1]), "something is shown"

    drive(steps, size=size)


@EVERY
def test_every_key_of_a_screen_has_a_method_and_words(name: str) -> None:
    """What the bar, the help and the page say of a key is what the screen does."""
    screen = views()[name]
    for key in screen.view.keys:
        assert key.help.endswith("."), key
        assert callable(getattr(screen, f"action_{key.action.partition('(')[0]}")), key
    assert screen.view.help == SCREENS.summary(name)


@EVERY
def test_the_keys_of_a_screen_do_something_or_say_why_not(name: str) -> None:
    """Each leaves the app running; the help of the screen lists each."""

    async def steps(app: FabricApp, pilot: Pilot[Any]) -> None:
        await press(app, pilot, views()[name].view.key)
        for key in views()[name].view.keys:
            await press(app, pilot, key.key.split(",")[0])
            while len(app.screen_stack) > 1 and not hasattr(app.screen, "view"):
                await press(app, pilot, "escape")
        assert app.is_running
        assert app.session is not None

    drive(steps)


@EVERY
def test_a_screen_and_its_keys_are_in_the_help(name: str) -> None:
    """Found by the words that the screen declares."""
    view = views()[name].view

    async def steps(app: FabricApp, pilot: Pilot[Any]) -> None:
        await press(app, pilot, view.key, "question_mark")
        for key in (view.opener, *view.keys):
            await pilot.press("ctrl+u")
            shown = await typed(app, pilot, key.help[:18])
            assert key.help[:18] in shown, shown

    drive(steps)


class _Toy(OverviewScreen):
    """A screen of this test, with a key of its own."""

    view = View("toy", "Z", "Toy", "A screen of a test.", keys=())


def test_a_screen_that_a_test_declares_is_there_without_another_file() -> None:
    """In the list, opened by its key, called by its title; gone again afterwards."""

    async def steps(app: FabricApp, pilot: Pilot[Any]) -> None:
        assert app.session is not None
        await press(app, pilot, "Z")
        assert app.session.place.screen == "toy"
        assert "TOY" in screen_text(app)

    with SCREENS.with_entry("toy", _Toy, summary="A screen of a test."):
        drive(steps)
    assert "toy" not in views()
