"""What stands before switches are placed: hosts in their racks from the lowest unit up, and devices that are fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fabric.scenario.load import LoadedScenario
from fabric.scenario.node_schema import NodeSpec
from fabric.scenario.racks import Rack, host_racks, hosts_per_rack, node_units, node_watts
from fabric.scenario.site_schema import FixedPlace, SiteSpec
from fabric.site.devices import Device, Equipment
from fabric.site.problem import Problem as PlacingProblem
from fabric.site.problem import Run
from fabric.site.site_plan import FloorPlan
from topologies.columns import column
from topologies.errors import Problem, TopologyError, nearest_hint
from topologies.units import format_watts


def host_problems(loaded: LoadedScenario, site: SiteSpec) -> list[Problem]:
    """Node groups that a rack cannot hold or feed, at their keys."""
    problems = []
    for index, node in enumerate(loaded.scenario.nodes):
        wanted = node.per_rack or 1
        where: tuple[str | int, ...] = (
            "nodes",
            index,
            "per_rack" if node.per_rack else "model" if node.model else "group",
        )
        what = f"{wanted} nodes of {node.group!r} take" if wanted > 1 else f"a node of {node.group!r} takes"
        units, watts = wanted * node_units(node), wanted * node_watts(node)
        fewer = hosts_per_rack(node.model_copy(update={"per_rack": None}), site) or 0
        less = f"set per_rack: {fewer}, or " if fewer and node.per_rack else ""
        if units > site.rack_units:
            problems.append(
                Problem(
                    f"{what} {units} rack units, and racks have {site.rack_units}",
                    code="FP3302",
                    where=where,
                    hint=f"{less}racks of {units} units or more in site.rack_units",
                )
            )
        if site.rack_power is not None and watts > site.rack_power * (1 + 1e-12):
            problems.append(
                Problem(
                    f"{what} {format_watts(watts)}, and a rack feeds {format_watts(site.rack_power)}",
                    code="FP3302",
                    where=where,
                    hint=f"{less}racks that feed {format_watts(watts)} or more in site.rack_power",
                )
            )
    return problems


def racks_problem(loaded: LoadedScenario, site: SiteSpec, floor: FloorPlan) -> Problem | None:
    """Hosts that found no rack: how many racks they need."""
    nodes = loaded.scenario.nodes
    standing = {host for rack in host_racks(loaded.scenario) for host in rack.hosts}
    left = sum(host not in standing and host not in site.fixed for node in nodes for host in node.host_names())
    if not left:
        return None
    needed = sum(-(-_not_fixed(node, site) // (hosts_per_rack(node, site) or 1)) for node in nodes)
    there = sum(not rack.for_network for rack in floor.racks)
    kept = len(floor.racks) - there
    besides = f" beside {kept} kept for switches" if kept else ""
    rows = -(-(needed + kept) // (site.racks_per_row or 1))
    return Problem(
        f"hosts need {needed:,} racks, and the floor has {there:,}{besides}: {left:,} hosts stand nowhere",
        code="FP3301",
        where=("site", "rows"),
        hint=f"{rows} rows of {site.racks_per_row} racks have room, or more hosts in a rack: nodes.per_rack, "
        "site.rack_units, site.rack_power",
    )


def _not_fixed(node: NodeSpec, site: SiteSpec) -> int:
    return sum(host not in site.fixed for host in node.host_names()) if site.fixed else node.count


class Standing:
    """Units and power that are taken, rack by rack."""

    def __init__(self, floor: FloorPlan, devices: Sequence[Device]) -> None:
        self.floor, self.devices = floor, devices
        self.owner = np.full((len(floor.racks), floor.racks[0].units + 1), -1, dtype=np.int64)  # device by unit, from 1
        self.watts_left = np.array([rack.power_w for rack in floor.racks])
        self.rack = np.full(len(devices), -1, dtype=np.int32)
        self.unit = np.full(len(devices), -1, dtype=np.int32)

    def stand(self, device: int, rack: int, unit: int) -> None:
        """Put a device into units that are free."""
        one = self.devices[device]
        self.owner[rack, unit : unit + one.units] = device
        self.watts_left[rack] -= one.power_w or 0.0
        self.rack[device], self.unit[device] = rack, unit

    def is_free(self, rack: int, unit: int, units: int) -> bool:
        """Whether some units exist and are free."""
        return 1 <= unit <= self.owner.shape[1] - units and bool((self.owner[rack, unit : unit + units] < 0).all())

    def lowest(self, rack: int, units: int) -> int | None:
        """Lowest free units of a height."""
        return next((unit for unit in range(1, self.owner.shape[1]) if self.is_free(rack, unit, units)), None)

    def highest(self, rack: int, units: int) -> int | None:
        """Highest free units of a height."""
        return next((unit for unit in range(self.owner.shape[1] - 1, 0, -1) if self.is_free(rack, unit, units)), None)

    def runs(self, rack: int) -> tuple[Run, ...]:
        """Free units, as runs from the top down."""
        free = np.flatnonzero(self.owner[rack, 1:] < 0) + 1
        parts = np.split(free, np.flatnonzero(np.diff(free) > 1) + 1) if len(free) else []
        return tuple((int(part[0]), int(part[-1])) for part in reversed(parts))


def standing(loaded: LoadedScenario, site: SiteSpec, floor: FloorPlan, equipment: Equipment) -> PlacingProblem:
    """Hosts and fixed devices at their places, and the switches that are still to be placed.

    Raises
    ------
    TopologyError
        With devices that do not stand where the scenario says (FP3302, FP3304).
    """
    devices = equipment.devices
    stand = Standing(floor, devices)
    problems: list[Problem] = []
    later = _fix(site, stand, problems)
    hosts = {
        device.name: number for number, device in enumerate(devices) if device.level == 0 and device.fabric is None
    }
    for rack in host_racks(loaded.scenario):
        for host in rack.hosts:
            problem = _stand_host(stand, hosts[host], rack)
            if problem is not None:
                problems.append(problem)
                break
    for device, fixed_rack, key in later:
        unit = stand.highest(fixed_rack, devices[device].units)
        if unit is None:
            problems.append(_no_room(devices[device], floor.racks[fixed_rack].name, ("site", "fixed", key)))
        else:
            stand.stand(device, fixed_rack, unit)
    problems += _too_deep(devices, site)
    if problems:
        raise TopologyError(problems)
    free = [number for number, device in enumerate(devices) if device.fabric is not None and stand.rack[number] < 0]
    only_network = site.switches == "network-racks"
    return PlacingProblem(
        floor,
        equipment,
        column(free, np.int32),
        column(stand.rack, np.int32),
        column(stand.unit, np.int32),
        tuple(stand.runs(rack) for rack in range(len(floor.racks))),
        column(stand.watts_left, np.float64),
        column([rack.for_network or not only_network for rack in floor.racks], np.bool_),
    )


def _stand_host(stand: Standing, host: int, rack: Rack) -> Problem | None:
    """Put a host at the lowest free units of its rack, unless it is fixed; what is wrong where it does not fit."""
    if stand.rack[host] >= 0:
        return None
    device, number = stand.devices[host], stand.floor.by_name[rack.name]
    unit = stand.lowest(number, device.units)
    if unit is None:
        return _no_room(device, rack.name, device.where)
    if (device.power_w or 0.0) > stand.watts_left[number] * (1 + 1e-9) + 1e-9:
        left = format_watts(max(float(stand.watts_left[number]), 0.0))
        return Problem(
            f"rack {rack.name} has {left} left, and {device.name} takes {format_watts(device.power_w or 0.0)}",
            code="FP3302",
            where=device.where,
            hint="fix fewer devices to that rack, or raise site.rack_power",
        )
    stand.stand(host, number, unit)
    return None


def _no_room(device: Device, rack: str, where: tuple[str | int, ...]) -> Problem:
    return Problem(
        f"rack {rack} has no {device.units} free rack units in a row left for {device.name}",
        code="FP3302",
        where=where,
        hint="fix fewer devices to that rack, or raise site.rack_units",
    )


def _too_deep(devices: Sequence[Device], site: SiteSpec) -> list[Problem]:
    """Models that are deeper than racks, or switches taller than them, each once."""
    problems: dict[tuple[object, ...], Problem] = {}
    for device in devices:
        if site.rack_depth is not None and device.depth_m is not None and device.depth_m > site.rack_depth + 1e-9:
            problems[device.where, "deep", device.model] = Problem(
                f"{device.model} is {device.depth_m:g} m deep, and racks take {site.rack_depth:g} m",
                code="FP3302",
                where=device.where,
                hint=f"racks of {device.depth_m:g} m or more in site.rack_depth, or another model",
            )
        if device.fabric is not None and device.units > site.rack_units:
            problems[device.where, "tall", device.model] = Problem(
                f"{device.name} takes {device.units} rack units, and racks have {site.rack_units}",
                code="FP3302",
                where=device.where,
                hint=f"racks of {device.units} units or more in site.rack_units, or another model",
            )
        if device.fabric is not None and site.rack_power is not None and (device.power_w or 0.0) > site.rack_power:
            problems[device.where, "power", device.model] = Problem(
                f"{device.name} takes {format_watts(device.power_w or 0.0)}, and a rack feeds "
                f"{format_watts(site.rack_power)}",
                code="FP3302",
                where=device.where,
                hint="racks that feed more in site.rack_power, or another model",
            )
    return list(problems.values())


# ---- fixed places ----------------------------------------------------------------------------------------------------


def _fix(site: SiteSpec, stand: Standing, problems: list[Problem]) -> list[tuple[int, int, str]]:
    """Put devices that have a unit there; those with only a rack are returned, but for hosts, which stand as others."""
    named: dict[str, list[int]] = {}
    for number, device in enumerate(stand.devices):
        named.setdefault(device.name, []).append(number)
        if device.fabric is not None:
            named.setdefault(device.key, []).append(number)
    later: list[tuple[int, int, str]] = []
    seen: dict[int, str] = {}
    for key, place in site.fixed.items():
        where = ("site", "fixed", key)
        known = named.get(key, [])
        if len(known) != 1:
            problems.append(_unknown(key, known, stand, named))
            continue
        device = known[0]
        if device in seen:
            message = f"{key!r} is fixed twice: as {seen[device]!r} too"
            problems.append(Problem(message, "FP3304", where, on_key=True, hint="remove one of them"))
            continue
        seen[device] = key
        rack = stand.floor.by_name.get(place.rack)
        if rack is None:
            names = list(stand.floor.by_name)
            hint = nearest_hint(place.rack, names, otherwise=f"racks are called {names[0]} to {names[-1]}")
            problems.append(Problem(f"no rack is called {place.rack!r}", "FP3304", (*where, "rack"), hint=hint))
        elif place.unit is None:
            if stand.devices[device].fabric is not None:
                later.append((device, rack, key))
        else:
            problem = _fix_at(stand, device, rack, place)
            problems += [] if problem is None else [replace(problem, where=(*where, "unit"))]
    return later


def _fix_at(stand: Standing, device: int, rack: int, place: FixedPlace) -> Problem | None:
    """Put a device at its unit; what is wrong where it cannot stand there."""
    one, unit = stand.devices[device], place.unit or 1
    last = unit + one.units - 1
    height = stand.owner.shape[1] - 1
    if last > height:
        message = f"{one.name} takes units {unit} to {last}, and rack {place.rack} has {height}"
        return Problem(message, "FP3304", hint=f"the highest unit it fits at is {max(height - one.units + 1, 1)}")
    if not stand.is_free(rack, unit, one.units):
        taken = stand.owner[rack, unit : last + 1]
        other = stand.devices[int(taken[taken >= 0][0])]
        message = f"{one.name} takes units {unit} to {last} of {place.rack}, where {other.name} is fixed"
        return Problem(message, "FP3304", hint="fix one of them elsewhere")
    stand.stand(device, rack, unit)
    return None


def _unknown(key: str, known: list[int], stand: Standing, named: dict[str, list[int]]) -> Problem:
    """A key that names no device, or several."""
    if known:
        keys = ", ".join(stand.devices[number].key for number in known)
        message = f"{key!r} is the name of several devices"
        return Problem(message, "FP3304", ("site", "fixed", key), on_key=True, hint=f"write one of {keys}")
    hint = nearest_hint(key, list(named)[:20_000], otherwise="name a host or a switch")
    return Problem(f"no host or switch is called {key!r}", "FP3304", ("site", "fixed", key), on_key=True, hint=hint)
