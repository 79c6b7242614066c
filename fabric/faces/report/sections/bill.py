"""What the network is made of: switches with ports and power, cables and capacity by tier, and what all of it costs."""

from __future__ import annotations

from fabric.bill.count import bill_of
from fabric.faces.report.content import BarsBlock, Block, Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.bill import MONEY_SHOWN, bill_table, headline, part_bars, part_table, total_table
from fabric.faces.views.build import ROLES_SHOWN, cable_table, role_table
from topologies.errors import FabricError
from topologies.summary import summarise

_ROLES_SHOWN = (*ROLES_SHOWN[:2], "model", *ROLES_SHOWN[2:], "power_w")
_TIERS_SHOWN = ("tier", "cables", "capacity_gbps")
_HOW = (
    "Counted from the built network, failures left out of account. Ports used are those of the fullest switch of a "
    "role. Oversubscription is the bandwidth of a switch towards the hosts over that away from them, the worst switch "
    "of its role. Capacity is one direction. The bill has the switches, NICs, optics and cables of the cable schedule, "
    "without servers; prices and watts are the catalogue's or the scenario's, “estimate” where nobody publishes them. "
    "What has no price or watts is named, and the sums are without it. Heat is what the equipment draws; the building "
    "draws that times PUE."
)


def bill_section(source: ReportSource) -> Section:
    """Roles and tiers of every fabric."""
    blocks: list[Block] = []
    for name, topology in source.network.topologies.items():
        summary = summarise(topology)
        blocks += [
            Words(
                f"{name}: {summary.topology_kind}, {summary.endpoints:,} endpoints, {summary.switches:,} switches, "
                f"{summary.cables:,} cables."
            ),
            role_table(name, summary, topology, source.loaded.scenario.fabrics[name]).only(*_ROLES_SHOWN),
            cable_table({name: summary}).only(*_TIERS_SHOWN),
        ]
    blocks += _bought(source)
    blocks += [Words(f"Warning: {problem}", "warn") for problem in source.network.warnings]
    return Section("bill", "Bill of materials and ports", _HOW, tuple(blocks))


def _bought(source: ReportSource) -> list[Block]:
    """Rows, totals, cost and power by part."""
    try:
        bill = bill_of(source.loaded, source.network.topologies)
    except FabricError as error:
        return [Words(f"No bill: {problem.message}.", "warn") for problem in error.problems]
    cost, power = part_bars(bill)
    return [
        *(Words(f"{line.text}.", line.mark) for line in headline(bill)),
        bill_table(bill).only(*MONEY_SHOWN),
        total_table(bill),
        BarsBlock(cost),
        BarsBlock(power),
        part_table(bill),
        *(Words(f"{text}.") for text in bill.notes),
    ]


SUMMARY = "what the network is made of: switches, ports, power, cables"
ORDER = 30
SECTION = ReportSection(bill_section)
