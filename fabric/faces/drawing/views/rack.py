"""The rack view: rows of racks as cells, coloured by the worst offered load of the hosts' links in them.

Where switches stand the scenario does not say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.faces.drawing.dot import route_heading
from fabric.faces.drawing.svg.canvas import Canvas
from fabric.faces.drawing.view import Drawn, Picture, View
from fabric.faces.views.bands import band
from fabric.result import PhaseRoute
from fabric.scenario.load import LoadedScenario
from fabric.scenario.racks import host_racks
from topologies.errors import FormatError
from topologies.units import percent

_WIDTH, _HEIGHT = 58.0, 40.0


def rack_svg(loaded: LoadedScenario, route: PhaseRoute, heading: Sequence[str]) -> str:
    """Racks of the hosts on the route's fabric.

    Raises
    ------
    FormatError
        FP6240 where the scenario does not say where hosts stand.
    """
    site, nodes = loaded.scenario.site, loaded.scenario.nodes
    if site is None or site.racks_per_row is None:
        raise FormatError(
            "the scenario does not say how racks stand",
            hint="give site.racks_per_row, and nodes.per_rack",
            code="FP6240",
        )
    if not any(node.per_rack for node in nodes):
        raise FormatError("no node group says how many stand in a rack", hint="give nodes.per_rack", code="FP6240")
    racks = host_racks(loaded.scenario)
    canvas = Canvas()
    top = canvas.heading([*heading, f"{len(racks):,} racks with hosts, {site.racks_per_row} in a row"]) + 14
    canvas.legend(12, top)
    top += 24
    worst = _worst_of_hosts(route, [host for rack in racks for host in rack.hosts])
    for rack in racks:
        hosts = rack.hosts
        value = max(worst[host] for host in hosts)
        x, y = 12 + rack.place * _WIDTH, top + rack.row * (_HEIGHT + 26)
        entry = band(value)
        worst_of = percent(value) if value == value else "no link"
        tip = f"{rack.name}: {rack.group} {hosts[0]} to {hosts[-1]}, worst {worst_of}"
        canvas.rectangle(x, y, _WIDTH - 4, _HEIGHT, entry.colour, tip=tip, edge="#888")
        canvas.text(x + _WIDTH / 2 - 2, y + 16, rack.name, kind="m", ink=entry.ink)
        canvas.text(x + _WIDTH / 2 - 2, y + 31, percent(value, 0) if value == value else "-", kind="m", ink=entry.ink)
        if rack.place == 0:
            canvas.text(x, y + _HEIGHT + 12, f"row {rack.row}: from {hosts[0]}", kind="f")
    return canvas.svg()


def _worst_of_hosts(route: PhaseRoute, hosts: Sequence[str]) -> dict[str, float]:
    """Worst utilisation of the links of every host, its NICs' among them; nan where it is not on the fabric."""
    topology = route.topology
    links = topology.links
    worst = np.full(len(topology.nodes), -np.inf)
    np.maximum.at(worst, links.src, route.utilisation)
    np.maximum.at(worst, links.dst, route.utilisation)
    found = dict.fromkeys(hosts, float("nan"))
    for node in topology.endpoint_nodes.tolist():
        name = topology.nodes.name[node]
        host = name if name in found else name.rpartition(".")[0]
        if host in found and np.isfinite(worst[node]):
            found[host] = float(np.fmax(found[host], worst[node]))
    return found


def _view(drawn: Drawn, _: Picture) -> str:
    return rack_svg(drawn.loaded, drawn.route, drawn.heading or route_heading(drawn.route, drawn.title))


SUMMARY = "rows of racks"
ORDER = 60
VIEW = View("svg", _view)
