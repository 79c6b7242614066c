"""Planning a site: from the scenario and its fabrics to a place for every host and switch."""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakKeyDictionary

import numpy as np

from fabric.scenario.load import LoadedScenario
from fabric.scenario.racks import hosts_per_rack
from fabric.scenario.site_schema import SiteSpec
from fabric.site.bound import least_way_m
from fabric.site.devices import Equipment, cable_ends, equipment
from fabric.site.floor_plan import floor_plan, floor_problems
from fabric.site.place import Placement, in_rows, place
from fabric.site.problem import Problem
from fabric.site.site_plan import Placed, SitePlan
from fabric.site.standing import host_problems, racks_problem, standing
from topologies.columns import Floats, column
from topologies.elements import Links
from topologies.errors import Problem as InputProblem
from topologies.errors import TopologyError
from topologies.topology import Topology
from topologies.units import format_watts

_PLANS: WeakKeyDictionary[LoadedScenario, tuple[dict[str, Links], SitePlan]] = WeakKeyDictionary()


def plan_site(loaded: LoadedScenario, topologies: Mapping[str, Topology]) -> SitePlan | None:
    """Where everything stands; None where the scenario has no floor plan (``site.rows``, ``site.racks_per_row``), or
    lists no nodes.

    Hosts stand in the racks of ``fabric.scenario.racks``; switches where their cables are short. What is down stands
    too. Planned once for a loaded scenario and the same cables.

    Raises
    ------
    TopologyError
        Where something does not fit, located in the scenario (FP3301 to FP3307).
    """
    site = loaded.scenario.site
    if site is None or not site.planned:
        return None
    if not loaded.scenario.nodes:
        loaded.say("site: the scenario lists no nodes, so that nothing has a rack; nodes says what stands in them")
        return None
    known = _PLANS.get(loaded)
    if known is not None and _same_cables(known[0], topologies):
        return known[1]
    try:
        plan = _planned(loaded, site, topologies)
    except TopologyError as error:
        raise loaded.locate(error) from None
    loaded.say(*(f"site: {text}" for text in plan.notes))
    _PLANS[loaded] = ({name: topology.links for name, topology in topologies.items()}, plan)
    return plan


def _same_cables(known: Mapping[str, Links], topologies: Mapping[str, Topology]) -> bool:
    """Whether these are the cables that a plan was made for; lengths do not matter."""
    if list(known) != list(topologies):
        return False
    return all(
        known[name].src is topology.links.src and known[name].dst is topology.links.dst
        for name, topology in topologies.items()
    )


def _planned(loaded: LoadedScenario, site: SiteSpec, topologies: Mapping[str, Topology]) -> SitePlan:
    problems = [*floor_problems(site), *host_problems(loaded, site)]
    if problems:
        raise TopologyError(problems)
    floor = floor_plan(site)
    missing = racks_problem(loaded, site, floor)
    if missing is not None:
        raise TopologyError([missing])
    devices = equipment(loaded, topologies)
    problem = standing(loaded, site, floor, devices)
    best = place(problem)
    rows = in_rows(problem)
    best = rows if best is None or (rows is not None and rows.way_m < best.way_m) else best
    if best is None:
        raise TopologyError([_no_room(problem, site)])
    cables = float(devices.cables.sum())
    lengths = [float(floor.run_m(np.asarray(way), cables)) for way in (best.way_m, least_way_m(problem))]
    in_rows_m = float(floor.run_m(np.asarray(rows.way_m), cables)) if rows is not None else float("nan")
    total_m, bound_m = lengths[0], min(lengths)
    return SitePlan(
        floor,
        tuple(_placed(devices, best)),
        total_m,
        bound_m,
        in_rows_m,
        "roles assigned to rack units in turn, then moves and swaps; bound by assignment",
        tuple(_notes(loaded, site, devices)),
        int(cables),
    )


def _placed(devices: Equipment, placement: Placement) -> list[Placed]:
    return [
        Placed(
            device.name,
            device.fabric is not None,
            device.fabric,
            device.model,
            int(placement.rack[number]),
            int(placement.unit[number]),
            device.units,
            device.power_w,
        )
        for number, device in enumerate(devices.devices)
    ]


def _no_room(problem: Problem, site: SiteSpec) -> InputProblem:
    """Switches that found no room, with what they take and what is left."""
    taken = int(problem.units[problem.free].sum())
    watts = float(problem.watts[problem.free].sum())
    racks = np.flatnonzero(problem.allowed).tolist()
    left = sum(high - low + 1 for rack in racks for low, high in problem.runs[rack])
    power = float(problem.watts_left[racks].sum())
    fed = "" if not np.isfinite(power) else f" and {format_watts(watts)}"
    there = "" if not np.isfinite(power) else f" and {format_watts(power)}"
    only = site.switches == "network-racks"
    hint = "more racks in site.network_racks, or switches: any" if only else "more rows, or fewer hosts in a rack"
    return InputProblem(
        f"{len(problem.free):,} switches take {taken:,} rack units{fed}, and {len(racks):,} racks have {left:,} "
        f"units{there} left, rack by rack too little",
        code="FP3305",
        where=("site", "network_racks" if only else "rows"),
        hint=f"{hint}; site.rack_units, site.rack_power",
    )


_ASSUMED = {
    "rack_units": "racks of {} units",
    "rack_pitch": "{} m from rack to rack",
    "row_pitch": "{} m from row to row",
    "overhead_tray": "trays {} m above the floor",
    "slack": "slack of {} of a cable's way",
    "service_loop": "{} m spare at each end",
}


def _notes(loaded: LoadedScenario, site: SiteSpec, devices: Equipment) -> list[str]:
    """What the plan takes for granted."""
    values = [
        text.format(f"{getattr(site, key):g}") for key, text in _ASSUMED.items() if key not in site.model_fields_set
    ]
    notes = [f"assumed, as the scenario does not say: {', '.join(values)}"] if values else []
    if site.trays.cross is None and (site.rows or 0) > 1:
        notes.append("trays cross the rows at both ends, as trays.cross does not say")
    for node in loaded.scenario.nodes:
        if node.per_rack is None:
            limit = "units and power" if site.rack_power is not None else "units"
            notes.append(f"{hosts_per_rack(node, site)} nodes of {node.group!r} in a rack, as its {limit} allow")
    heights = sum(device.model is None for device in devices.devices)
    if heights:
        notes.append(f"{heights:,} devices have no model: height assumed by their kind")
    powers = sum(device.power_w is None for device in devices.devices)
    if powers and site.rack_power is not None:
        notes.append(f"{powers:,} devices have no known power, which counts as none")
    others = sum(devices.unplaced.values())
    if others:
        notes.append(f"{others:,} nodes are neither switches nor listed hosts, and have no rack")
    return notes


def run_lengths(plan: SitePlan, loaded: LoadedScenario, fabric: str, topology: Topology) -> Floats:
    """Length of every link's cable, shape (L,), metres; nan where an end has no place.

    Cables through an optical switch are the two stretches together.
    """
    devices = equipment(loaded, {fabric: topology})
    keys = [device.key for device in devices.devices]
    places = [plan.by_device.get(key) for key in keys]
    rack = column([-1 if one is None else one.rack for one in places], np.int32)
    height = np.array([0.0 if one is None else float(plan.floor.height_m(one.unit, one.units)) for one in places])
    one, other, links = cable_ends(topology, devices.node_device[fabric])
    known = (one >= 0) & (other >= 0)
    lengths = np.full(len(links), np.nan)
    a, b = one[known], other[known]
    lengths[known] = plan.floor.run_m(plan.floor.way_m(rack[a], height[a], rack[b], height[b]))
    lengths[known & (one == other)] = np.nan
    whole = np.full(len(topology.links), np.nan)
    cables = np.flatnonzero(topology.is_cable)
    whole[cables] = 0.0
    np.add.at(whole, links, lengths)
    reverse = topology.links.reverse[cables]
    whole[reverse[reverse >= 0]] = whole[cables[reverse >= 0]]
    return column(whole, np.float64)
