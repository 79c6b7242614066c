"""The elevation view: racks from the front, every device at its units."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from fabric.faces.answers.site_report import required_plan
from fabric.faces.drawing.svg.canvas import CHAR, Canvas
from fabric.faces.drawing.view import Drawn, Picture, View
from fabric.pipeline.network import Network, build_network
from fabric.scenario.load import LoadedScenario
from fabric.site.site_plan import Placed, RackPlace, SitePlan
from topologies.errors import FormatError, nearest_hint
from topologies.units import format_watts

MOST = 48  # racks in a picture
HOSTS, SWITCHES, EMPTY, INK = "#a5c4dd", "#e0952f", "#e6e8ea", "#000000"
_UNIT, _WIDTH, _GAP = 13.0, 168.0, 44.0  # a rack unit, a rack, and between racks, pixels
_IN_ROW = 6


@dataclass(frozen=True)
class Front:
    """A rack as it is drawn, and those that hold the same models at the same units."""

    rack: RackPlace
    devices: tuple[Placed, ...]
    alike: tuple[str, ...]


def elevation_svg(loaded: LoadedScenario, network: Network, picture: Picture) -> str:
    """Racks from the front; without ``rack`` one of every arrangement, the commonest first.

    Raises
    ------
    FormatError
        FP6250 where the scenario has no floor plan, FP6251 where no rack has that name.
    """
    plan = required_plan(network.site)
    fronts = _named(plan, picture.rack) if picture.rack else _arrangements(plan)
    canvas = Canvas()
    lines = [f"{loaded.scenario.name}: racks from the front"]
    if picture.rack is None:
        lines.append(f"{len(plan.by_rack):,} racks with something in them, in {len(fronts):,} arrangements")
    if len(fronts) > MOST:
        lines.append(f"{MOST} of {len(fronts):,} are drawn")
    top = canvas.heading(lines) + 20
    height = plan.floor.racks[0].units * _UNIT
    for number, front in enumerate(fronts[:MOST]):
        row, column = divmod(number, _IN_ROW)
        _front(canvas, front, 36 + column * (_WIDTH + _GAP), top + row * (height + 66))
    return canvas.svg()


def _named(plan: SitePlan, pattern: str) -> list[Front]:
    """Racks that a name or a pattern matches."""
    racks = plan.floor.racks
    chosen = [number for number, rack in enumerate(racks) if rack.name == pattern or fnmatchcase(rack.name, pattern)]
    if not chosen:
        names = [rack.name for rack in racks]
        hint = nearest_hint(pattern, names, otherwise=f"racks are called {names[0]} to {names[-1]}")
        raise FormatError(f"no rack is called {pattern!r}", hint=hint, code="FP6251")
    return [Front(racks[number], plan.by_rack.get(number, ()), (racks[number].name,)) for number in chosen]


def _arrangements(plan: SitePlan) -> list[Front]:
    """The first rack of every arrangement of models."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for number, devices in plan.by_rack.items():
        key = tuple((one.unit, one.units, one.model, one.is_switch, one.fabric) for one in devices)
        alike.setdefault(key, []).append(number)
    groups = sorted(alike.values(), key=lambda numbers: (-len(numbers), numbers[0]))
    racks = plan.floor.racks
    return [
        Front(racks[numbers[0]], plan.by_rack[numbers[0]], tuple(racks[number].name for number in numbers))
        for numbers in groups
    ]


def _front(canvas: Canvas, front: Front, x: float, y: float) -> None:
    """One rack: its units, its devices, and what it draws."""
    rack = front.rack
    height = rack.units * _UNIT
    title = rack.name if len(front.alike) == 1 else f"{rack.name} and {len(front.alike) - 1:,} alike"
    canvas.text(x, y - 8, title, tip=", ".join(front.alike))
    canvas.rectangle(x, y, _WIDTH, height, EMPTY, edge="#888")
    for unit in (*range(5, rack.units + 1, 5), 1):
        canvas.text(x - 6, y + height - (unit - 0.5) * _UNIT + 4, str(unit), kind="e f")
    for device in front.devices:
        _device(canvas, device, x, y + height)
    watts = sum(device.power_w or 0.0 for device in front.devices)
    fed = "" if rack.power_w == float("inf") else f" of {format_watts(rack.power_w)}"
    used = sum(device.units for device in front.devices)
    canvas.text(x, y + height + 16, f"{used} of {rack.units} units, up to {format_watts(watts)}{fed}", kind="f")


def _device(canvas: Canvas, device: Placed, x: float, bottom: float) -> None:
    """A device at its units, with as much of its name as there is room for."""
    colour = SWITCHES if device.is_switch else HOSTS
    y = bottom - (device.unit - 1 + device.units) * _UNIT
    watts = "" if device.power_w is None else f", up to {format_watts(device.power_w)}"
    tip = (
        f"{device.device}: {device.model or 'no model'}, units {device.unit} to {device.unit + device.units - 1}{watts}"
    )
    canvas.rectangle(x + 2, y + 0.5, _WIDTH - 4, device.units * _UNIT - 1, colour, edge="#555", tip=tip)
    room = int((_WIDTH - 12) / CHAR)
    words = f"{device.device}  {device.model}" if device.model else device.device
    text = words if len(words) <= room else _cut(device.device, room)
    canvas.text(x + 8, y + device.units * _UNIT / 2 + 4, text, ink=INK, tip=tip)


def _cut(name: str, room: int) -> str:
    """A name, its middle left out where it is too long."""
    return name if len(name) <= room else f"{name[: room // 2 - 1]}…{name[-(room - room // 2) :]}"


def _view(drawn: Drawn, picture: Picture) -> str:
    return elevation_svg(drawn.loaded, build_network(drawn.loaded), picture)


SUMMARY = "racks from the front: every device at its units"
ORDER = 64
VIEW = View("svg", _view, of_links=False, of_scenario=elevation_svg)
