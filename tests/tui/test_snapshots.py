"""Screens as pictures: every screen in three sizes and three looks, compared with what was looked at and kept.

``pytest --snapshot-update`` writes them anew; look at every one before it is kept. The figures of the quickstart are
small enough that a changed digit is seen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gpu_scenario import SCENARIO
from measured_room import LLDP, ROOM, counters_without
from pilot import QUICKSTART, settled, without_idling
from textual.pilot import Pilot

from fabric.operate.load_check.sources import source_of_text
from tui.app import FabricApp
from tui.measuring import Measured
from tui.options import Start
from tui.views import views

SIZES = [(120, 40), (80, 24), (60, 20)]
LOOKS = ["dark", "light", "NO_COLOR"]


@pytest.fixture(autouse=True)
def _without_idling() -> Iterator[None]:
    """The pilot of the plug-in waits as ours."""
    with without_idling():
        yield


def app_of(
    look: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    scenario: str = QUICKSTART,
    measured: Measured | None = None,
) -> FabricApp:
    """The app on a scenario, looking so."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if look == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    return FabricApp(Start(scenario, theme="light" if look == "light" else "dark", measured=measured))


def pressing(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Press keys one by one, each when the one before has had its effect."""

    async def go(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, FabricApp)
        await settled(app, pilot)
        for key in keys:
            await pilot.press(key)
            await settled(app, pilot)

    return go


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", ["overview", "heat"])
def test_first_screens(
    screen: str,
    size: tuple[int, int],
    look: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    snap_compare: Callable[..., bool],
) -> None:
    """Overview and heat map in every look."""
    app = app_of(look, monkeypatch, tmp_path)
    assert snap_compare(app, terminal_size=size, run_before=pressing(views()[screen].view.key))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", ["topology", "flows", "phases", "compare"])
def test_other_screens(
    screen: str,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    snap_compare: Callable[..., bool],
) -> None:
    """The others in the dark, with a spine down, so that something differs and something is grey."""
    app = app_of("dark", monkeypatch, tmp_path)
    assert snap_compare(
        app, terminal_size=size, run_before=pressing("g", *"spine1", "enter", "x", views()[screen].view.key)
    )


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_is_expected(
    size: tuple[int, int],
    look: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    snap_compare: Callable[..., bool],
) -> None:
    """The curve and the table of an all-reduce on GPUs, with a spine down."""
    (tmp_path / "rails.fabric.yaml").write_text(SCENARIO, encoding="utf-8")
    app = app_of(look, monkeypatch, tmp_path, str(tmp_path / "rails.fabric.yaml"))
    assert snap_compare(
        app, terminal_size=size, run_before=pressing("g", *"spine1", "enter", "x", views()["expect"].view.key)
    )


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_fails(
    size: tuple[int, int],
    look: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    snap_compare: Callable[..., bool],
) -> None:
    """Every single switch swept."""
    app = app_of(look, monkeypatch, tmp_path)
    assert snap_compare(app, terminal_size=size, run_before=pressing(views()["failures"].view.key, "n", "R"))


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_is_measured(
    size: tuple[int, int],
    look: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    snap_compare: Callable[..., bool],
) -> None:
    """Counters of the room without one of its spines, and three findings of its cabling."""
    room, counters = Path(ROOM).resolve(), counters_without("spine1", tmp_path)
    lldp = f"lldp:{Path(LLDP.removeprefix('lldp:')).resolve()}"
    monkeypatch.chdir(tmp_path)  # so that no path of this machine is in the picture
    measured = Measured(source_of_text(f"csv:{counters.name}"), lldp)
    app = app_of(look, monkeypatch, tmp_path, str(room), measured)
    assert snap_compare(app, terminal_size=size, run_before=pressing(views()["measured"].view.key))
