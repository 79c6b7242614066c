"""Fuller is darker, and never vanishes: what widgets draw, measured as light, in both themes.

The light of a cell is that of its background and its ink, weighted by how much of the cell the character covers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pilot import TRAIN, drive, press
from rich.style import Style
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from fabric.faces.views.bands import BANDS
from fabric.faces.views.faceplate import Port
from fabric.faces.views.heat import HeatMap
from fabric.faces.views.timeline import FILLS
from tui.app import FabricApp
from tui.style import DARK, LIGHT, Look
from tui.widgets.faceplate import FacePlate
from tui.widgets.heat_grid import HeatGrid

LOADS = (0.0, 0.05, 0.3, 0.7, 1.0, 1.5, 2.5)  # one in every band
COVERAGE = {" ": 0.0, "░": 0.25, "▒": 0.5, "▓": 0.75, "█": 1.0}  # of block characters; digits cover about a fifth
GROUND = {"dark": DARK.background, "light": LIGHT.background}
LEAST_TO_GROUND = {"dark": 3.0, "light": 1.4}
LEAST_STEP = 1.2
LEAST_INK = 3.5


def luminance(colour: str) -> float:
    """Relative luminance of sRGB (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    """Contrast of two luminances (WCAG 2.2)."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def drawn(cells: list[tuple[str, Style]]) -> float:
    """Mean luminance of some characters as they are drawn."""
    lights = []
    for char, style in cells:
        assert style.color is not None, (char, style)
        assert style.bgcolor is not None, (char, style)
        ink, ground = (luminance(colour.get_truecolor().hex) for colour in (style.color, style.bgcolor))
        part = COVERAGE.get(char, 0.2)
        lights.append(part * ink + (1 - part) * ground)
    return float(np.mean(lights))


def one_row(loads: tuple[float, ...]) -> HeatMap:
    """A map whose second row has a cell per load; the cursor stays in the first."""
    value = np.array([[1.0] * len(loads), loads])
    size = value.shape
    nodes = tuple(np.arange(1) for _ in loads)
    names = tuple(f"spine{at}" for at in range(len(loads)))
    return HeatMap(
        "leaf → spine", "leaf", "spine", ("leaf0", "leaf1"), names, value, np.ones(size, np.int64),
        np.zeros(size, np.int64), nodes[:2], nodes, (0, 0), np.arange(0), np.arange(0),
    )  # fmt: skip


def rendered(widget: Widget, theme: str, size: tuple[int, int], show: Callable[[Any], None]) -> list[list[Any]]:
    """Every character of a widget with its style, row by row, alone on a screen of a theme."""

    class Alone(App[None]):
        CSS = "Screen { background: $background; } HeatGrid, FacePlate { height: 1fr; }"

        def compose(self) -> ComposeResult:
            yield widget

        def on_mount(self) -> None:
            for entry in (DARK, LIGHT):
                self.register_theme(entry)
            self.theme = (DARK if theme == "dark" else LIGHT).name
            show(widget)

    rows: list[list[Any]] = []

    async def run() -> None:
        app = Alone()
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            strips = app.screen._compositor.render_strips()
            rows.extend([(char, part.style) for part in strip for char in part.text] for strip in strips)

    asyncio.run(run())
    return rows


def check_falls(cells: list[list[tuple[str, Style]]], theme: str) -> None:
    """One group of characters per band: darker and darker, none like the ground, every ink readable."""
    lights = [drawn(cell) for cell in cells]
    ground = luminance(GROUND[theme] or "")
    for before, after in pairwise(lights):
        assert before > after
        assert contrast(before, after) >= LEAST_STEP, lights
    for cell in cells:
        for char, style in cell:
            fill = luminance(style.bgcolor.get_truecolor().hex)  # type: ignore[union-attr]
            assert contrast(fill, ground) >= LEAST_TO_GROUND[theme]
            if char != " ":
                assert contrast(fill, luminance(style.color.get_truecolor().hex)) >= LEAST_INK  # type: ignore[union-attr]


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("ascii_digits", [False, True])
@pytest.mark.parametrize(("width", "cell"), [(80, 4), (30, 1)])
def test_a_heat_map_darkens_with_load(theme: str, ascii_digits: bool, width: int, cell: int) -> None:
    """Seven cells, idle to 250 %: with their numbers at 80 columns, one character each at 30."""
    look = Look(dark=theme == "dark", ascii=ascii_digits)
    grid = HeatGrid()
    rows = rendered(grid, theme, (width, 6), lambda one: one.show(one_row(LOADS), look))
    assert (grid.cell_width > 1) == (cell > 1)
    cell = grid.cell_width
    row = rows[grid.header_height + 1]
    starts = [grid.label_width + at * (cell + (cell > 1)) for at in range(len(LOADS))]
    check_falls([row[start : start + cell] for start in starts], theme)
    text = "".join(char for start in starts for char, _ in row[start : start + cell])
    assert ("250" in text) == (cell > 1)
    assert not set(text) & set("░▒▓█‼·")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_face_plate_darkens_with_load(theme: str) -> None:
    """Eight ports, the first under the cursor, the others one per band; odd ports above, even below."""
    ports = tuple(Port(f"port{at}", at, "peer", "p", 400.0, load, load, True) for at, load in enumerate((1.0, *LOADS)))
    plate = FacePlate()
    rows = rendered(plate, theme, (40, 8), lambda one: one.show(ports, Look(dark=theme == "dark")))
    cells = [[rows[at % 2][1 + 2 * (at // 2)]] for at in range(1, 8)]
    check_falls(cells, theme)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_legends_stand_in_the_colours_of_the_cells(theme: str) -> None:
    """Every form of the legend has every band once, in order, on its own colour with an ink that can be read."""
    for look in (Look(dark=theme == "dark"), Look(dark=theme == "dark", ascii=True)):
        for legend in look.legends():
            fills = [str(span.style.bgcolor.name) for span in legend.spans if isinstance(span.style, Style)]  # type: ignore[union-attr]
            assert fills[: len(BANDS)] == [entry.colour for entry in BANDS]
            assert "\ufffd" not in legend.plain
            if look.ascii:
                assert legend.plain.isascii()
    for entry in FILLS.values():
        assert contrast(luminance(entry.colour), luminance(GROUND[theme] or "")) >= 1.4
        assert contrast(luminance(entry.colour), 0) >= LEAST_INK  # the words of the legend are black


def test_stale_and_colourless_cells_are_digits_or_glyphs_without_a_fill() -> None:
    """What waits for new figures has no colour of a band; without colour the glyph tells the band."""
    grey, bare = Look(), Look(colour=False)
    for load in LOADS:
        assert grey.fill(load, stale=True).bgcolor is None
        assert grey.glyph(load, stale=True).strip()
        assert bare.fill(load).bgcolor is None
    assert [bare.glyph(load) for load in LOADS] == [entry.glyph for entry in BANDS]
    assert [Look(colour=False, ascii=True).glyph(load) for load in LOADS] == [".", "1", "3", "7", "A", "X", "#"]


@pytest.mark.parametrize("keys", [["1"], ["2"], ["g", *"spine27", "enter"], ["5"], ["7"]], ids="".join)
def test_no_screen_draws_blocks_in_a_light_ink_on_a_load(keys: list[str]) -> None:
    """In both themes every character on the colour of a band is black, but for the cross of what is down."""
    inks = {entry.colour: entry.ink for entry in BANDS}
    seen: set[str] = set()

    async def steps(app: FabricApp, pilot: Pilot[Any]) -> None:
        for _ in range(2):
            await press(app, pilot, *keys)
            for strip in app.screen._compositor.render_strips():
                for part in strip:
                    fill = part.style.bgcolor.get_truecolor().hex if part.style and part.style.bgcolor else ""
                    if fill in inks:
                        seen.add(fill)
                        assert not set(part.text) & set("░▒▓█")
                        if part.text.strip():
                            assert part.style.color.get_truecolor().hex == inks[fill]  # type: ignore[union-attr]
            await press(app, pilot, "T")

    drive(steps, TRAIN)
    assert seen


def _lab(light: np.ndarray) -> np.ndarray:
    """CIELAB (D65) of linear sRGB."""
    matrix = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    ratio = np.array(matrix) @ np.clip(light, 0, 1) / [0.95047, 1.0, 1.08883]
    root = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


EYES = {
    "usual": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


@pytest.mark.parametrize("eyes", EYES)
def test_neighbouring_bands_are_told_apart_by_every_eye(eyes: str) -> None:
    """Ten in CIELAB, as colour-blind eyes see them (Machado, Oliveira, Fernandes 2009, table 1, severity 1)."""
    seen = []
    for entry in BANDS:
        parts = np.array([int(entry.colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        seen.append(_lab(np.array(EYES[eyes]) @ linear))
    for one, other in pairwise(seen):
        assert float(np.linalg.norm(one - other)) >= 10, eyes
