"""Racks with hosts, in the order of the scenario: group after group, ``per_rack`` of them in each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fabric.scenario.schema import Scenario


@dataclass(frozen=True)
class Rack:
    """One rack: where it stands and what stands in it; where switches stand the scenario does not say."""

    name: str
    group: str
    hosts: tuple[str, ...]
    row: int
    place: int


def host_racks(scenario: Scenario) -> list[Rack]:
    """Racks of all groups that say how many nodes a rack holds; one long row where ``site`` does not say."""
    site = scenario.site
    in_row = site.racks_per_row if site and site.racks_per_row else None
    form = (site.name_format if site else None) or "r{row:02d}c{rack:02d}"
    racks: list[Rack] = []
    for node in scenario.nodes:
        hosts = tuple(node.host_names())
        for start in range(0, len(hosts), node.per_rack) if node.per_rack else ():
            row, place = divmod(len(racks), in_row) if in_row else (0, len(racks))
            mine = hosts[start : start + (node.per_rack or 0)]
            racks.append(Rack(form.format(row=row, rack=place), node.group, mine, row, place))
    return racks


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
