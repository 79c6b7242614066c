"""Cost and power by part of what a scenario buys, as bars."""

from __future__ import annotations

from fabric.bill.count import bill_of
from fabric.faces.drawing.svg.canvas import Canvas
from fabric.faces.drawing.svg.tornado import draw_tornado
from fabric.faces.drawing.view import Drawn, Picture, View
from fabric.faces.views.bill import headline, part_bars
from fabric.pipeline.network import Network, build_network
from fabric.scenario.load import LoadedScenario

SUMMARY = "cost and power by part of the bill; SVG only"
ORDER = 90


def scenario_bill(loaded: LoadedScenario, network: Network, picture: Picture) -> str:
    """Two rows of bars under the totals."""
    bill = bill_of(loaded, network.topologies)
    canvas = Canvas()
    y = (
        canvas.heading([f"{loaded.scenario.name}: what it costs and draws", *(line.text for line in headline(bill))])
        + 22
    )
    for bars in part_bars(bill):
        y = draw_tornado(canvas, bars, y) + 26
    return canvas.svg()


def bill_svg(drawn: Drawn, picture: Picture) -> str:
    """The same of a routed scenario."""
    return scenario_bill(drawn.loaded, build_network(drawn.loaded), picture)


VIEW = View("svg", bill_svg, of_links=False, of_scenario=scenario_bill)
