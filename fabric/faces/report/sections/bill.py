"""What the network is made of: switches with ports and power, cables and capacity by tier."""

from __future__ import annotations

from fabric.faces.answers.build_report import roles_bottom_up
from fabric.faces.report.content import Block, ReportTable, Section, Words, as_table, count, number
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.scenario.schema import FabricSpec
from topologies.catalogue import SwitchModel
from topologies.summary import TopologySummary, summarise
from topologies.switches import switch_of_role
from topologies.topology import Topology
from topologies.units import format_gbps

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
            _roles(name, summary, topology, source.loaded.scenario.fabrics[name]),
            _tiers(name, summary),
        ]
    blocks += [Words(f"Warning: {problem}", "warn") for problem in source.network.warnings]
    return Section("bill", "Bill of materials and ports", _HOW, tuple(blocks))


def _roles(fabric: str, summary: TopologySummary, topology: Topology, spec: FabricSpec) -> ReportTable:
    heads = (
        ("role", "role"), (">nodes", "nodes"), ("model", "model"), (">ports used, max", "ports_used_max"),
        (">ports available", "ports_available"), (">oversubscription", "oversubscription"),
        (">typical power, W", "power_w"),
    )  # fmt: skip
    rows = []
    for role in roles_bottom_up(topology):
        nodes = summary.nodes_by_role[role]
        used, available = summary.ports_used_max_by_role.get(role), summary.ports_available_by_role.get(role)
        worst = summary.oversubscription_by_role.get(role)
        model = None if used is None else _model(spec, role)
        power = None if model is None or model.typical_w is None else model.typical_w * nodes
        guess = " (estimate)" if model is not None and model.estimate else ""
        rows.append(
            (
                role,
                count(nodes),
                "-" if model is None else model.model,
                number("-" if used is None else f"{used:,}", used),
                number("-" if available is None else f"{available:,}", available),
                number("-" if worst is None else f"{worst + 1e-9:.2f}:1", worst),
                number("-" if power is None else f"{power:,.0f}{guess}", power),
            )
        )
    return as_table(f"{fabric}: nodes by role", heads, rows)


def _model(spec: FabricSpec, role: str) -> SwitchModel | None:
    """The catalogue's switch of a role."""
    switch = switch_of_role(spec.topology, role)
    return switch.row if switch else None


def _tiers(fabric: str, summary: TopologySummary) -> ReportTable:
    heads = (("tier", "tier"), (">cables", "cables"), (">capacity, one direction", "capacity_gbps"))
    rows = [
        (
            tier,
            count(cables),
            number(format_gbps(summary.capacity_gbps_by_tier[tier]), summary.capacity_gbps_by_tier[tier]),
        )
        for tier, cables in summary.cables_by_tier.items()
    ]
    return as_table(f"{fabric}: cables by tier", heads, rows)


SUMMARY = "what the network is made of: switches, ports, power, cables"
ORDER = 30
SECTION = ReportSection(bill_section)
