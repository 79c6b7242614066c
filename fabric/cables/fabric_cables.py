"""The cables of one fabric, before those of all fabrics are bundled and put in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.cables.cable_rows import CableEnd, EndColumns
from fabric.cables.colours import ColourBy, colour_name
from fabric.cables.devices import Devices
from fabric.cables.media import ChosenKits, LinkMedia, bought_m, cable_of, choose_kits
from fabric.cables.models import node_models
from fabric.cables.ports import LinkEnds, link_ends
from fabric.cables.reach import reach_problems, unknown_note
from fabric.cables.runs import Runs, Standing, Stretches, runs, standing
from fabric.cables.wanted import wanted_media
from fabric.scenario.load import LoadedScenario
from fabric.site.site_plan import SitePlan
from topologies.columns import Floats, column
from topologies.errors import Problem
from topologies.link_kits import FIBRES
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class FabricCables:
    """Cables of a fabric, shape (C,) each, in the order of their first links."""

    fabric: str
    tier: tuple[str, ...]
    links: tuple[tuple[int, ...], ...]
    a: EndColumns
    b: EndColumns
    racks: np.ndarray  # shape (C, 2), racks of both ends, -1 where they are not known
    length_m: Floats
    bought_m: Floats
    medium: tuple[str, ...]
    model: tuple[str, ...]
    optics: tuple[tuple[str, ...], ...]
    area_mm2: Floats  # cross-section, nan where the catalogue does not say
    route: np.ndarray  # row of ``routes``
    routes: tuple[tuple[str, ...], ...]
    pieces: tuple[tuple[int, ...], ...]
    colour: tuple[str, ...]
    legs: dict[int, tuple[tuple[CableEnd, CableEnd], ...]]
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]


def fabric_cables(
    loaded: LoadedScenario,
    plan: SitePlan | None,
    topology: Topology,
    devices: Devices,
    colour_by: ColourBy | None,
    first_tier: int,
) -> FabricCables:
    """Cables of one fabric; ``first_tier`` is the number of its first tier among those of all fabrics."""
    scenario, fabric = loaded.scenario, devices.fabric
    models = node_models(topology, scenario.fabrics[fabric].topology)
    ends = link_ends(topology, models, devices)
    stretches = _stretches(ends)
    where = standing(loaded, plan, topology, devices)
    run = runs(loaded, plan, topology, devices, where, stretches)
    tiers = [topology.tiers[code] for code in topology.links.tier[ends.link].tolist()]
    asked, keys = wanted_media(scenario, fabric, topology, ends.link)
    media = _media(ends, stretches, run, asked)
    chosen = choose_kits(loaded.catalogue, media)
    problems = reach_problems(loaded.catalogue, fabric, tiers, keys, media, chosen)
    problems += _port_problems(fabric, devices, ends)
    notes = unknown_note(fabric, tiers, media, chosen) + _assumed(fabric, topology, stretches, run, plan)
    first, of_cable, length = _cut(loaded, stretches, run, chosen)
    run_m = np.zeros(len(first))
    np.maximum.at(run_m, of_cable, run.run_m)
    medium, model, optics, area = _parts(loaded, chosen, stretches, first)
    links, legs = _carried(topology, devices, where, ends, stretches, first, of_cable)
    low, high = (_end_columns(devices, where, ends, stretches, first, end) for end in (0, 1))
    return FabricCables(
        fabric,
        tuple(tiers[row] for row in stretches.row[first].tolist()),
        links,
        low,
        high,
        np.stack([where.rack[stretches.node[end][first]] for end in (0, 1)], axis=1),
        column(run_m, np.float64),
        column(length, np.float64),
        medium,
        model,
        optics,
        area,
        run.route[first],
        run.routes,
        run.pieces,
        _colours(topology, stretches, first, colour_by, first_tier),
        legs,
        tuple(notes),
        tuple(problems),
    )


def _stretches(ends: LinkEnds) -> Stretches:
    """Every link as one stretch of cable, or as two where it passes an optical switch."""
    topology, rows = ends.topology, np.arange(len(ends))
    circuit = np.full(len(ends), -1) if topology.circuit is None else topology.circuit[ends.link]
    twice = circuit >= 0
    row = np.concatenate([rows, rows[twice]])
    first = np.where(twice, circuit, ends.node[1])
    node = (np.concatenate([ends.node[0], circuit[twice]]), np.concatenate([first, ends.node[1][twice]]))
    through = np.concatenate([twice, twice[twice]])
    order = np.argsort(row, kind="stable")
    low, high = (column(one[order], np.int32) for one in node)
    return Stretches(ends.link[row[order]], column(row[order], np.int32), (low, high), through[order])


def _media(ends: LinkEnds, stretches: Stretches, run: Runs, asked: Sequence[str]) -> LinkMedia:
    """What the choice of kits depends on, link by link."""
    links = ends.topology.links
    back = links.reverse[ends.link]
    gbps = np.maximum(links.capacity_gbps[ends.link], np.where(back < 0, 0.0, links.capacity_gbps[back]))
    names, code = np.unique(np.array(asked, dtype=object).astype(str), return_inverse=True)
    total = np.bincount(stretches.row, run.run_m, len(ends))
    passes = np.zeros(len(ends), dtype=np.bool_)
    passes[stretches.row[stretches.through]] = True
    return LinkMedia(
        column(gbps, np.float64),
        ends.links,
        ends.cage,
        column(total, np.float64),
        tuple(map(str, names)),
        column(code.ravel(), np.int32),
        column(passes, np.bool_),
    )


def _port_problems(fabric: str, devices: Devices, ends: LinkEnds) -> list[Problem]:
    """Two links on one port: a template of port names that does not tell ports apart."""
    named = [
        (devices.name[node], port)
        for nodes, names in zip(ends.node, ends.names, strict=True)
        for node, port in zip(nodes.tolist(), names, strict=True)
    ]
    (end, most), *_ = Counter(named).most_common(1) or [(("", ""), 1)]
    if most < 2:
        return []
    message = f"{most} links are on port {end[1]} of {end[0]}"
    hint = "port_name of its model has to tell ports apart: {port}, {cage} with {split}; or the file names a port twice"
    return [Problem(message, code="FP3303", where=("fabrics", fabric, "topology"), hint=hint)]


def _assumed(fabric: str, topology: Topology, stretches: Stretches, run: Runs, plan: SitePlan | None) -> list[str]:
    """Runs that nothing says are said, tier by tier."""
    said: dict[tuple[str, float], int] = {}
    rows = np.flatnonzero(run.assumed)
    codes = topology.links.tier[stretches.link[rows]].tolist()
    for code, length in zip(codes, run.run_m[rows].tolist(), strict=True):
        key = (topology.tiers[code], length)
        said[key] = said.get(key, 0) + 1
    way = "site.rows and site.racks_per_row place racks" if plan is None else "the site places no such hosts"
    return [
        f"{fabric}: {count:,} cables of {tier} are taken to run {length:g} m; {way}, cabling.{tier}.length gives lengths"
        for (tier, length), count in said.items()
    ]


def _cut(
    loaded: LoadedScenario, stretches: Stretches, run: Runs, chosen: ChosenKits
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First stretch of every cable, the cable of every stretch, and the length bought of every cable."""
    kit, row = chosen.kit[stretches.row], stretches.row
    ended = np.array([one.medium not in FIBRES for one in chosen.kits] + [False, False])[kit]
    code = np.where(ended, chosen.group[row], np.arange(len(row)) + int(chosen.group.max(initial=0)) + 1)
    _, first, of_cable = np.unique(code, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    first, of_cable = first[order], place[of_cable.ravel()]
    length = chosen.length_m[row].copy()
    for number, one in enumerate(chosen.kits):
        parts = np.flatnonzero((kit == number) & stretches.through)
        length[parts] = bought_m(cable_of(loaded.catalogue, one), run.run_m[parts])
    split = (kit < 0) & stretches.through
    length[split] = run.run_m[split]
    return first, of_cable, length[first]


def _parts(
    loaded: LoadedScenario, chosen: ChosenKits, stretches: Stretches, first: np.ndarray
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, ...], ...], Floats]:
    """Medium, model, optics and cross-section of cables."""
    kit = chosen.kit[stretches.row[first]].tolist()
    media = [one.medium for one in chosen.kits]
    models = [one.parts[0][0] for one in chosen.kits]
    optics = [tuple(name for name, _ in one.parts[1:]) for one in chosen.kits]
    size = [loaded.catalogue.cables[model].diameter_mm for model in models]
    area = np.array([np.nan if mm is None else np.pi * mm**2 / 4 for mm in size] + [np.nan])
    through = stretches.through[first].tolist()
    second = [at > 0 and stretches.row[at - 1] == stretches.row[at] for at in first.tolist()]
    shown: list[tuple[str, ...]] = []
    for number, passes, is_second in zip(kit, through, second, strict=True):
        pair = optics[number] if number >= 0 else ()
        shown.append(pair if not passes or not pair else ("", pair[1]) if is_second else (pair[0], ""))
    return (
        tuple(media[number] if number >= 0 else "" for number in kit),
        tuple(models[number] if number >= 0 else "" for number in kit),
        tuple(shown),
        column(area[np.maximum(np.array(kit, dtype=np.int64), -1)], np.float64),
    )


def _end_name(ends: LinkEnds, stretches: Stretches, at: int, end: int) -> str:
    """Port at an end of a stretch; ports of optical switches are numbered by links, two each."""
    row = int(stretches.row[at])
    other = at + 1 if end == 1 else at - 1
    if stretches.through[at] and 0 <= other < len(stretches.row) and stretches.row[other] == row:
        return f"port{2 * _circuit_place(ends)[row] + (1 if end == 1 else 2)}"
    return ends.names[end][row]


def _circuit_place(ends: LinkEnds) -> dict[int, int]:
    """Place of every link among those through its optical switch."""
    cached: dict[int, int] | None = vars(ends).get("_circuit_place")
    if cached is None:
        circuit = ends.topology.circuit
        seen: Counter[int] = Counter()
        cached = {}
        for row, at in enumerate([] if circuit is None else circuit[ends.link].tolist()):
            if at >= 0:
                cached[row] = seen[at]
                seen[at] += 1
        vars(ends)["_circuit_place"] = cached
    return cached


def _end_columns(
    devices: Devices, where: Standing, ends: LinkEnds, stretches: Stretches, rows: np.ndarray, end: int
) -> EndColumns:
    """Ends of some stretches."""
    nodes = stretches.node[end][rows].tolist()
    rack, unit = where.rack.tolist(), where.unit.tolist()
    if stretches.through.any():
        ports = [_end_name(ends, stretches, at, end) for at in rows.tolist()]
    else:
        names = ends.names[end]
        ports = [names[row] for row in stretches.row[rows].tolist()]
    return EndColumns(
        tuple(devices.name[node] for node in nodes),
        tuple(ports),
        tuple(where.racks[rack[node]] if rack[node] >= 0 else "" for node in nodes),
        tuple(unit[node] or None for node in nodes),
    )


def _carried(
    topology: Topology,
    devices: Devices,
    where: Standing,
    ends: LinkEnds,
    stretches: Stretches,
    first: np.ndarray,
    of_cable: np.ndarray,
) -> tuple[tuple[tuple[int, ...], ...], dict[int, tuple[tuple[CableEnd, CableEnd], ...]]]:
    """Links of every cable; both ends of each where there are several."""
    links = [(link,) for link in stretches.link[first].tolist()]
    legs: dict[int, tuple[tuple[CableEnd, CableEnd], ...]] = {}
    size = np.bincount(of_cable, minlength=len(first))
    order = np.argsort(of_cable, kind="stable")
    start = np.cumsum(size) - size
    for cable in np.flatnonzero(size > 1).tolist():
        own = order[start[cable] : start[cable] + size[cable]]
        low, high = (_end_columns(devices, where, ends, stretches, own, end) for end in (0, 1))
        links[cable] = tuple(stretches.link[own].tolist())
        legs[cable] = tuple((low.at(row), high.at(row)) for row in range(len(own)))
    return tuple(links), legs


def _colours(
    topology: Topology, stretches: Stretches, first: np.ndarray, colour_by: ColourBy | None, first_tier: int
) -> tuple[str, ...]:
    """Colours of cables."""
    low, high = (stretches.node[end][first] for end in (0, 1))
    rail = np.maximum(topology.nodes.rail[low], topology.nodes.rail[high])
    tier = topology.links.tier[stretches.link[first]] + first_tier
    if colour_by == "tier":
        number = tier
    elif colour_by == "fabric":
        number = np.full(len(first), first_tier)
    else:
        number = np.where(rail >= 0, rail, tier)
    return tuple(colour_name(place) for place in number.tolist())
