"""What the network is made of: switches with ports and power, cables and capacity by tier."""

from __future__ import annotations

from fabric.faces.report.content import Block, Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.build import ROLES_SHOWN, cable_table, role_table
from topologies.summary import summarise

_ROLES_SHOWN = (*ROLES_SHOWN[:2], "model", *ROLES_SHOWN[2:], "power_w")
_TIERS_SHOWN = ("tier", "cables", "capacity_gbps")
_HOW = (
    "Counted from the built network, failures left out of account. Ports used are those of the fullest switch of a "
    "role. Oversubscription is the bandwidth of a switch towards the hosts over that away from them, the worst switch "
    "of its role. Capacity is one direction. Power is the typical draw of the catalogue's model times the switches, "
    "without optics, hosts and cooling; “-” where the catalogue has none."
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
    blocks += [Words(f"Warning: {problem}", "warn") for problem in source.network.warnings]
    return Section("bill", "Bill of materials and ports", _HOW, tuple(blocks))


SUMMARY = "what the network is made of: switches, ports, power, cables"
ORDER = 30
SECTION = ReportSection(bill_section)
