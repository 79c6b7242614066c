"""Racks with hosts, in the order of the scenario: group after group, as many of them in each as it holds.

Where the site has a floor plan, hosts fill its racks in order, without those kept for switches; a host that is fixed
to a rack stands there. Otherwise only groups with ``per_rack`` have racks, one after another.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fabric.scenario.floor import floor_places
from fabric.scenario.node_schema import NodeSpec
from fabric.scenario.schema import Scenario
from fabric.scenario.site_schema import SiteSpec

GPU_NODE_UNITS, NODE_UNITS = 8, 2  # height of a node that has no model, with GPUs and without


@dataclass(frozen=True)
class Rack:
    """One rack: where it stands and which hosts stand in it."""

    name: str
    group: str
    hosts: tuple[str, ...]
    row: int
    place: int


def node_units(node: NodeSpec) -> int:
    """Height of a node, rack units: its model's, else that of servers of its kind."""
    if node.row is not None:
        return node.row.rack_units
    return GPU_NODE_UNITS if node.gpus_per_node else NODE_UNITS


def node_watts(node: NodeSpec) -> float:
    """Largest power of a node, W; 0 where its model does not say."""
    return (node.row.max_w or node.row.typical_w or 0.0) if node.row else 0.0


def hosts_per_rack(node: NodeSpec, site: SiteSpec | None) -> int | None:
    """Nodes of a group in a rack: as written, else as many as units and power of a planned site allow.

    0 where not even one fits; None where nothing says.
    """
    if node.per_rack is not None or site is None or not site.planned:
        return node.per_rack
    by_power = math.inf if not site.rack_power or not node_watts(node) else site.rack_power // node_watts(node)
    if site.rack_power == 0 and node_watts(node):
        by_power = 0
    return int(min(site.rack_units // node_units(node), by_power))


def host_racks(scenario: Scenario) -> list[Rack]:
    """Racks with hosts; without a floor plan of groups that say how many nodes a rack holds.

    Where the plan has too few racks, or a rack does not take one host, some are left out: planning the site refuses it.
    """
    site = scenario.site
    if site is not None and site.planned:
        return _on_the_floor(scenario, site)
    in_row = site.racks_per_row if site and site.racks_per_row else None
    form = site.rack_name if site else SiteSpec().rack_name
    racks: list[Rack] = []
    for node in scenario.nodes:
        hosts = tuple(node.host_names())
        for start in range(0, len(hosts), node.per_rack) if node.per_rack else ():
            row, place = divmod(len(racks), in_row) if in_row else (0, len(racks))
            standing = hosts[start : start + (node.per_rack or 0)]
            racks.append(Rack(form.format(row=row, rack=place), node.group, standing, row, place))
    return racks


def _on_the_floor(scenario: Scenario, site: SiteSpec) -> list[Rack]:
    """Hosts in the racks of the floor plan, in the order of the places."""
    places = floor_places(site)
    free = iter([place for place in places if place.has_rack and not place.for_network])
    racks: dict[str, Rack] = {}
    fixed: list[tuple[str, str]] = []
    for node in scenario.nodes:
        per_rack = hosts_per_rack(node, site)
        if not per_rack:
            continue
        hosts = [host for host in node.host_names() if host not in site.fixed]
        fixed += [(node.group, host) for host in node.host_names() if host in site.fixed]
        for start in range(0, len(hosts), per_rack):
            place = next(free, None)
            if place is None:
                break
            standing = tuple(hosts[start : start + per_rack])
            racks[place.name] = Rack(place.name, node.group, standing, place.row, place.place)
    by_name = {place.name: place for place in places if place.has_rack}
    for group, host in fixed:
        place = by_name.get(site.fixed[host].rack)
        if place is not None:
            rack = racks.get(place.name, Rack(place.name, group, (), place.row, place.place))
            racks[place.name] = replace(rack, hosts=(*rack.hosts, host))
    return [racks[place.name] for place in places if place.name in racks]


def hosts_by_rack(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Hosts of every rack by its name; racks that the template gives the same name are told apart by a number.

    ``r0 #2`` is the second rack called ``r0``.
    """
    racks = host_racks(scenario)
    often, seen = Counter(rack.name for rack in racks), Counter[str]()
    named: dict[str, tuple[str, ...]] = {}
    for rack in racks:
        seen[rack.name] += 1
        named[f"{rack.name} #{seen[rack.name]}" if often[rack.name] > 1 else rack.name] = rack.hosts
    return named


def rack_numbers(scenario: Scenario) -> Mapping[str, int]:
    """Rack of every host that has one, as a number."""
    return {host: number for number, rack in enumerate(host_racks(scenario)) for host in rack.hosts}
