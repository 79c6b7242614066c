"""Screens as pictures: every screen in three sizes and three looks, compared with what was looked at and kept.

``pytest --snapshot-update`` writes them anew; look at every one before it is kept. The figures of the quickstart are
small enough that a changed digit is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def app_of(look: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FabricApp:
    """The app on the quickstart, looking so."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if look == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    return FabricApp(Start(QUICKSTART, theme="light" if look == "light" else "dark"))


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

    async def go(pilot: Pilot[Any]) -> None:
        await settled(app, pilot)
        await pilot.press(views()[screen].view.key)
        await settled(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=go)


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

    async def go(pilot: Pilot[Any]) -> None:
        await settled(app, pilot)
        for key in ("g", *"spine1", "enter", "x", views()[screen].view.key):
            await pilot.press(key)
            await settled(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=go)


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
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if look == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    theme = "light" if look == "light" else "dark"
    app = FabricApp(Start(str(tmp_path / "rails.fabric.yaml"), theme=theme))

    async def go(pilot: Pilot[Any]) -> None:
        await settled(app, pilot)
        for key in ("g", *"spine1", "enter", "x", views()["expect"].view.key):
            await pilot.press(key)
            await settled(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=go)


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

    async def go(pilot: Pilot[Any]) -> None:
        await settled(app, pilot)
        for key in (views()["failures"].view.key, "n", "R"):
            await pilot.press(key)
            await settled(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=go)


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
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    room, counters = Path(ROOM).resolve(), counters_without("spine1", tmp_path)
    lldp = f"lldp:{Path(LLDP.removeprefix('lldp:')).resolve()}"
    monkeypatch.chdir(tmp_path)  # so that no path of this machine is in the picture
    if look == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    measured = Measured(source_of_text(f"csv:{counters.name}"), lldp)
    app = FabricApp(Start(str(room), theme="light" if look == "light" else "dark", measured=measured))

    async def go(pilot: Pilot[Any]) -> None:
        await settled(app, pilot)
        await pilot.press(views()["measured"].view.key)
        await settled(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=go)
