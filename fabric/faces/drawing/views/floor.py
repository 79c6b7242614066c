"""The floor view: rows of racks with what stands in them, and the trays above with the cables that lie in them."""

from __future__ import annotations

import numpy as np

from fabric.faces.answers.site_report import cable_lines, required_plan
from fabric.faces.drawing.svg.canvas import CHAR, Canvas
from fabric.faces.drawing.view import Drawn, Picture, View
from fabric.faces.views.bands import FULL, band
from fabric.pipeline.network import Network, build_network
from fabric.scenario.floor import FloorPlace, floor_places
from fabric.scenario.load import LoadedScenario
from fabric.scenario.site_schema import SiteSpec
from fabric.site.devices import equipment
from fabric.site.site_plan import Placed, SitePlan
from fabric.site.tray_load import tray_cables
from topologies.columns import Longs
from topologies.units import format_watts

HOSTS, SWITCHES, EMPTY = "#a5c4dd", "#e0952f", "#e6e8ea"
_WIDEST, _NARROWEST = 56.0, 14.0  # a place, pixels
_RACK, _ROW = 40.0, 84.0  # heights of a rack and of a row with its tray and name, pixels
_TRAY = 9.0  # width of the fullest piece of tray, pixels
_EDGE = "#888"


def floor_svg(loaded: LoadedScenario, network: Network, _: Picture) -> str:
    """The floor from above, one row of the picture a row of racks.

    Raises
    ------
    FormatError
        FP6250 where the scenario has no floor plan.
    """
    plan = required_plan(network.site)
    site = loaded.scenario.site or SiteSpec()
    canvas = Canvas()
    trays = plan.floor.trays
    size = f"{len(plan.floor.racks):,} racks in {trays.rows:,} rows of {trays.per_row:,} places"
    top = canvas.heading([f"{loaded.scenario.name}: floor plan", size, *cable_lines(plan)]) + 14
    _legend(canvas, top)
    place = max(min(_WIDEST, 1000 / trays.per_row), _NARROWEST)
    left, top = 12 + 8 * CHAR, top + 34
    load = tray_cables(plan, equipment(loaded, network.topologies))
    _trays(canvas, plan, load, left, top, place)
    for entry in floor_places(site):
        _rack(canvas, plan, entry, left + entry.place * place, top + entry.row * _ROW, place)
    for row in range(trays.rows):
        canvas.text(left - 8, top + row * _ROW + _RACK / 2 + 4, f"row {row}", kind="e")
    return canvas.svg()


def _legend(canvas: Canvas, y: float) -> None:
    x = 12.0
    for colour, text in ((HOSTS, "hosts"), (SWITCHES, "switches"), (EMPTY, "free units")):
        canvas.rectangle(x, y - 10, 14, 12, colour, edge=_EDGE)
        canvas.text(x + 18, y, text, kind="f")
        x += 34 + len(text) * CHAR
    canvas.rectangle(x, y - 10, 14, 12, EMPTY, edge=SWITCHES)
    canvas.text(x + 18, y, "kept for switches", kind="f")
    x += 34 + 17 * CHAR
    canvas.rectangle(x, y - 7, 24, 5, FULL.colour)
    canvas.text(x + 30, y, "trays, as wide as cables lie in them; red: fuller than allowed", kind="f")


def _rack(canvas: Canvas, plan: SitePlan, entry: FloorPlace, x: float, y: float, width: float) -> None:
    """A rack with its devices from the floor up, and its name where there is room."""
    if not entry.has_rack:
        canvas.text(x + width / 2, y + _RACK / 2 + 4, "×", kind="m f", tip=f"{entry.name}: no rack")
        return
    number = plan.floor.by_name[entry.name]
    rack, devices = plan.floor.racks[number], plan.by_rack.get(number, ())
    canvas.rectangle(x, y, width - 3, _RACK, EMPTY, edge=SWITCHES if entry.for_network else _EDGE, tip=entry.name)
    unit = _RACK / rack.units
    for switches, colour in ((False, HOSTS), (True, SWITCHES)):
        for low, high in _blocks([device for device in devices if device.is_switch == switches]):
            canvas.rectangle(
                x + 1,
                y + (rack.units - high) * unit,
                width - 5,
                (high - low + 1) * unit,
                colour,
                tip=_tip(entry.name, devices),
            )
    if width >= len(entry.name) * CHAR * 0.9:
        canvas.text(x + (width - 3) / 2, y + _RACK + 12, entry.name, kind="m f")


def _blocks(devices: list[Placed]) -> list[tuple[int, int]]:
    """Runs of units that devices take without a gap."""
    runs: list[tuple[int, int]] = []
    for device in devices:
        low, high = device.unit, device.unit + device.units - 1
        if runs and runs[-1][1] == low - 1:
            runs[-1] = (runs[-1][0], high)
        else:
            runs.append((low, high))
    return runs


def _tip(name: str, devices: tuple[Placed, ...]) -> str:
    watts = format_watts(sum(device.power_w or 0.0 for device in devices))
    listed = [device.device for device in devices]
    some = ", ".join(listed[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")
    return f"{name}, up to {watts}: {some}"


def _trays(canvas: Canvas, plan: SitePlan, load: Longs, left: float, top: float, place: float) -> None:
    """Pieces of tray between places, as wide as cables lie in them; those across rows pass behind the racks."""
    trays, floor = plan.floor.trays, plan.floor
    most = max(int(load.max(initial=0)), 1)
    for piece, (one, two) in enumerate(floor.segments.tolist()):
        row_one, place_one = divmod(one, trays.per_row)
        row_two, place_two = divmod(two, trays.per_row)
        width = max(1.0, _TRAY * float(np.sqrt(load[piece] / most)))
        colour = _EDGE if not load[piece] else band(0.95).colour
        tip = f"{floor.segment_names[piece]}: {int(load[piece]):,} cables"
        y = top + row_one * _ROW - 12
        if row_one == row_two:
            x = left + (place_one + 0.5) * place
            canvas.rectangle(x, y - width / 2, (place_two - place_one) * place, width, colour, tip=tip)
        else:
            x = left + (place_one + 0.5) * place
            canvas.rectangle(x - width / 2, y, width, (row_two - row_one) * _ROW, colour, tip=tip)


def _view(drawn: Drawn, picture: Picture) -> str:
    return floor_svg(drawn.loaded, build_network(drawn.loaded), picture)


SUMMARY = "the floor plan: racks, what stands in them, and the cables in the trays"
ORDER = 62
VIEW = View("svg", _view, of_links=False, of_scenario=floor_svg)
