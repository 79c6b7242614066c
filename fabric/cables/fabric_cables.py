"""The cables of one fabric, before those of all fabrics are bundled and put in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.cables.cable_rows import EndColumns
from fabric.cables.colours import ColourBy, colour_name
from fabric.cables.devices import Devices
from fabric.cables.media import ChosenKits, LinkMedia, bought_m, cable_of, choose_kits
from fabric.cables.models import NodeModels, node_models
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
    """Runs of cable of a fabric, shape (C,) each, in the order of links."""

    fabric: str
    tier: tuple[str, ...]
    link: tuple[int, ...]
    a: EndColumns
    b: EndColumns
    racks: np.ndarray  # shape (C, 2), racks of both ends, -1 where they are not known
    length_m: Floats
    bought_m: Floats  # of the cable
    medium: tuple[str, ...]
    model: tuple[str, ...]
    optics: tuple[tuple[str, ...], ...]
    area_mm2: Floats  # cross-section of the cable, shared by its legs; nan where the catalogue does not say
    route: np.ndarray  # row of ``routes``
    routes: tuple[tuple[str, ...], ...]
    pieces: tuple[tuple[int, ...], ...]
    colour: tuple[str, ...]
    cable: np.ndarray  # number of the cable that a run is a leg of, from 0
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]
    models: NodeModels
    ends: LinkEnds
    chosen: ChosenKits


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
    where = standing(loaded, plan, devices)
    run = runs(loaded, plan, topology, devices, where, stretches)
    tiers = [topology.tiers[code] for code in topology.links.tier[ends.link].tolist()]
    asked, keys = wanted_media(scenario, fabric, topology, ends.link)
    media = _media(ends, stretches, run, asked)
    chosen = choose_kits(loaded.catalogue, media)
    lengths = frozenset(getattr(scenario.fabrics[fabric].topology, "cabling", None) or ())
    problems = reach_problems(loaded.catalogue, fabric, tiers, keys, media, chosen, lengths)
    problems += _port_problems(fabric, devices, ends)
    notes = unknown_note(fabric, tiers, media, chosen) + _assumed(fabric, topology, stretches, run, plan)
    cable, bought = _cut(loaded, stretches, run, chosen)
    medium, model, optics, area = _parts(loaded, chosen, stretches)
    low, high = (_end_columns(devices, where, ends, stretches, end) for end in (0, 1))
    return FabricCables(
        fabric,
        tuple(tiers[row] for row in stretches.row.tolist()),
        tuple(stretches.link.tolist()),
        low,
        high,
        np.stack([where.rack[stretches.node[end]] for end in (0, 1)], axis=1),
        run.run_m,
        bought,
        medium,
        model,
        optics,
        column(area / np.bincount(cable)[cable], np.float64),
        run.route,
        run.routes,
        run.pieces,
        _colours(topology, stretches, colour_by, first_tier),
        cable,
        tuple(notes),
        tuple(problems),
        models,
        ends,
        chosen,
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
    names = sorted(set(asked))
    place = {name: number for number, name in enumerate(names)}
    code = [place[name] for name in asked]
    total = np.bincount(stretches.row, run.run_m, len(ends))
    passes = np.zeros(len(ends), dtype=np.bool_)
    passes[stretches.row[stretches.through]] = True
    return LinkMedia(
        column(gbps, np.float64),
        ends.links,
        ends.cage,
        column(total, np.float64),
        tuple(names),
        column(code, np.int32),
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
    way = "a floor plan (site)" if plan is None else "nodes that the floor plan places"
    return [
        f"{fabric}: {count:,} cables of {tier} are taken to run {length:g} m; costs.run_lengths or {way} gives lengths"
        for (tier, length), count in said.items()
    ]


def _cut(loaded: LoadedScenario, stretches: Stretches, run: Runs, chosen: ChosenKits) -> tuple[np.ndarray, Floats]:
    """The cable of every stretch, and the length bought of it; two of a link through an optical switch."""
    kit, row = chosen.kit[stretches.row], stretches.row
    ended = np.array([one.medium not in FIBRES for one in chosen.kits] + [False, False])[kit]
    code = np.where(ended, chosen.group[row], np.arange(len(row)) + int(chosen.group.max(initial=0)) + 1)
    _, first, cable = np.unique(code, return_index=True, return_inverse=True)
    place = np.empty(len(first), dtype=np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    bought = chosen.length_m[row].copy()
    for number, one in enumerate(chosen.kits):
        parts = np.flatnonzero((kit == number) & stretches.through)
        bought[parts] = bought_m(cable_of(loaded.catalogue, one), run.run_m[parts])
    unknown = (kit < 0) & stretches.through
    bought[unknown] = run.run_m[unknown]
    return place[cable.ravel()], column(bought, np.float64)


def _parts(
    loaded: LoadedScenario, chosen: ChosenKits, stretches: Stretches
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, ...], ...], np.ndarray]:
    """Medium, model, optics and cross-section of cables."""
    kit = chosen.kit[stretches.row].tolist()
    media = [one.medium for one in chosen.kits]
    models = [one.parts[0][0] for one in chosen.kits]
    optics = [tuple(name for name, _ in one.parts[1:]) for one in chosen.kits]
    size = [loaded.catalogue.cables[model].diameter_mm for model in models]
    area = np.array([np.nan if mm is None else np.pi * mm**2 / 4 for mm in size] + [np.nan])
    shown: list[tuple[str, ...]] = []
    for number, passes, at in zip(kit, stretches.through.tolist(), range(len(kit)), strict=True):
        pair = optics[number] if number >= 0 else ()
        is_second = at > 0 and stretches.row[at - 1] == stretches.row[at]
        shown.append(pair if not passes or not pair else ("", pair[1]) if is_second else (pair[0], ""))
    return (
        tuple(media[number] if number >= 0 else "" for number in kit),
        tuple(models[number] if number >= 0 else "" for number in kit),
        tuple(shown),
        area[np.maximum(np.array(kit, dtype=np.int64), -1)],
    )


def _end_columns(devices: Devices, where: Standing, ends: LinkEnds, stretches: Stretches, end: int) -> EndColumns:
    """One end of all stretches."""
    nodes = stretches.node[end].tolist()
    rack, unit = where.rack.tolist(), where.unit.tolist()
    names = ends.names[end]
    ports = [names[row] for row in stretches.row.tolist()]
    for at, port in _optical_ports(ends, stretches, end):
        ports[at] = port
    return EndColumns(
        tuple(devices.name[node] for node in nodes),
        tuple(ports),
        tuple(where.racks[rack[node]] if rack[node] >= 0 else "" for node in nodes),
        tuple(unit[node] or None for node in nodes),
        tuple(ends.topology.is_switch[stretches.node[end]].tolist()),
    )


def _optical_ports(ends: LinkEnds, stretches: Stretches, end: int) -> Iterator[tuple[int, str]]:
    """Ports of optical switches: two for every link through one, side by side, in the order of links."""
    circuit = ends.topology.circuit
    if circuit is None:
        return
    used: Counter[int] = Counter()
    through = np.flatnonzero(stretches.through)
    for first, second in zip(through[0::2].tolist(), through[1::2].tolist(), strict=True):
        node = int(circuit[stretches.link[first]])
        used[node] += 2
        yield (first, f"port{used[node] - 1}") if end == 1 else (second, f"port{used[node]}")


def _colours(topology: Topology, stretches: Stretches, colour_by: ColourBy | None, first_tier: int) -> tuple[str, ...]:
    """Colours of cables."""
    low, high = stretches.node
    rail = np.maximum(topology.nodes.rail[low], topology.nodes.rail[high])
    tier = topology.links.tier[stretches.link] + first_tier
    if colour_by == "tier":
        number = tier
    elif colour_by == "fabric":
        number = np.full(len(low), first_tier)
    else:
        number = np.where(rail >= 0, rail, tier)
    return tuple(colour_name(place) for place in number.tolist())
