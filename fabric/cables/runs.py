"""How far every cable runs, and over which trays: by the site plan, by the topology, or as assumed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.cables.devices import Devices
from fabric.scenario.load import LoadedScenario
from fabric.scenario.racks import hosts_by_rack
from fabric.site.site_plan import SitePlan, device_key
from topologies.columns import Floats, Ints, column
from topologies.topology import Topology

ASSUMED_HOST_M, ASSUMED_UPPER_M = 2.0, 20.0
"""Runs to hosts and between switches where nothing says how long they are, metres."""

_PER_M, _EXACT = 100, 1e-6  # runs are rounded up to centimetres


@dataclass(frozen=True, eq=False)
class Stretches:
    """Stretches of cable: one a link, two where an optical switch is between; shape (C,) each."""

    link: Ints
    row: Ints  # of the LinkEnds
    node: tuple[Ints, Ints]
    through: np.ndarray  # whether it is one of two


@dataclass(frozen=True, eq=False)
class Standing:
    """Where the nodes of a fabric stand, shape (N,) each.

    Attributes
    ----------
    rack : ndarray
        Row of ``racks``; -1 where it is not known.
    unit : ndarray
        Lowest rack unit, 0 where it is not known.
    """

    racks: tuple[str, ...]
    rack: Ints
    unit: Ints
    placed: np.ndarray  # whether the site plan places it
    key: tuple[str, ...]  # of the site plan


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of stretches of cable, shape (C,) each."""

    run_m: Floats
    route: Ints  # row of ``routes``
    routes: tuple[tuple[str, ...], ...]
    pieces: tuple[tuple[int, ...], ...]  # by route: pieces of tray
    assumed: np.ndarray  # whether the run is


def standing(loaded: LoadedScenario, plan: SitePlan | None, topology: Topology, devices: Devices) -> Standing:
    """Where nodes stand: by the plan, else hosts in the racks that their group fills."""
    switch = topology.is_switch.tolist()
    keys = tuple(
        device_key(name, devices.fabric if is_switch else None)
        for name, is_switch in zip(devices.name, switch, strict=True)
    )
    if plan is None:
        of_host = {host: rack for rack, hosts in hosts_by_rack(loaded.scenario).items() for host in hosts}
        names = tuple(dict.fromkeys(of_host.values()))
        number = {name: place for place, name in enumerate(names)}
        rack = [number[of_host[key]] if key in of_host else -1 for key in keys]
        zeros = column(np.zeros(len(keys)), np.int32)
        return Standing(names, column(rack, np.int32), zeros, np.zeros(len(keys), dtype=np.bool_), keys)
    placed = [plan.by_device.get(key) for key in keys]
    return Standing(
        tuple(rack.name for rack in plan.floor.racks),
        column([-1 if one is None else one.rack for one in placed], np.int32),
        column([0 if one is None else one.unit for one in placed], np.int32),
        np.array([one is not None for one in placed], dtype=np.bool_),
        keys,
    )


def runs(
    loaded: LoadedScenario,
    plan: SitePlan | None,
    topology: Topology,
    devices: Devices,
    where: Standing,
    ends: Stretches,
) -> Runs:
    """Runs of all stretches of a fabric.

    A length that the topology gives holds; else the way over the trays with slack and service loops; else what the
    scenario or the tool assumes.
    """
    given = topology.links.length_m[ends.link]
    spec = loaded.scenario.fabrics[devices.fabric].latency
    said = spec.cable if "cable" in spec.model_fields_set else None
    to_host = ~(topology.is_switch[ends.node[0]] & topology.is_switch[ends.node[1]])
    run_m = np.where(to_host, said or ASSUMED_HOST_M, said or ASSUMED_UPPER_M)
    on_plan = where.placed[ends.node[0]] & where.placed[ends.node[1]]
    route = np.zeros(len(ends.link), dtype=np.int32)
    routes: list[tuple[str, ...]] = [()]
    pieces: list[tuple[int, ...]] = [()]
    if plan is not None and on_plan.any():
        one, other = ends.node[0][on_plan], ends.node[1][on_plan]
        racks = np.stack([where.rack[one], where.rack[other]], axis=1)
        run_m[on_plan] = _planned(plan, where, one, other)
        pairs, of_pair = np.unique(racks, axis=0, return_inverse=True)
        sample = np.zeros(len(pairs), dtype=np.int64)
        sample[of_pair.ravel()] = np.arange(len(one))
        for low, high in zip(one[sample].tolist(), other[sample].tolist(), strict=True):
            routes.append(plan.route(where.key[low], where.key[high]))
            pieces.append(plan.pieces(where.key[low], where.key[high]))
        route[on_plan] = of_pair.ravel() + 1
    known = ~np.isnan(given)
    run_m = np.where(known, np.where(ends.through, given / 2, given), run_m)
    run_m = np.ceil(run_m * _PER_M - _EXACT) / _PER_M
    return Runs(column(run_m, np.float64), column(route, np.int32), tuple(routes), tuple(pieces), ~known & ~on_plan)


def _planned(plan: SitePlan, where: Standing, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Length of cables between placed nodes, metres."""
    units = {key: placed.units for key, placed in plan.by_device.items()}
    height = [
        plan.floor.height_m(where.unit[nodes], np.array([units[where.key[node]] for node in nodes.tolist()]))
        for nodes in (one, other)
    ]
    way = plan.floor.way_m(where.rack[one], height[0], where.rack[other], height[1])
    return plan.floor.run_m(way)
