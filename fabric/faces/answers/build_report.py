"""What ``fabric build`` prints."""

from __future__ import annotations

from fabric.output.document import Document, Line, Table, table
from fabric.pipeline.network import Network
from topologies.distances import diameter_hops
from topologies.summary import TopologySummary, summarise
from topologies.topology import Topology
from topologies.units import format_gbps


def build_document(name: str, network: Network) -> Document:
    """Switches by role and cables by tier of every fabric."""
    parts: list[Table | Line] = []
    for fabric, topology in network.topologies.items():
        summary = summarise(topology, network.gpus(fabric))
        parts += [
            Line(
                f"{name}  {fabric}: {summary.topology_kind}, {summary.endpoints:,} endpoints, "
                f"{summary.switches:,} switches, {summary.cables:,} cables"
            ),
            Line("  ".join(_shape(summary, diameter_hops(topology)))),
        ]
        parts += [_roles(summary, topology), _tiers(summary)]
    parts += [Line(f"warning: {problem}", "warn") for problem in network.warnings]
    return parts


def _shape(summary: TopologySummary, diameter: int) -> list[str]:
    """What the network is made of, as far as it has it."""
    parts = [("GPUs", summary.gpus), ("pods", summary.pods), ("groups", summary.groups)]
    words = [f"{count:,} {what if count > 1 else what.removesuffix('s')}" for what, count in parts if count]
    if summary.planes > 1:
        words.append(f"{summary.planes} planes")
    return [*words, f"diameter {diameter} hops between switches"]


def roles_bottom_up(topology: Topology) -> list[str]:
    """Roles in order of height, hosts first."""
    height = dict.fromkeys(topology.roles, 0)
    for code, level in zip(topology.nodes.role.tolist(), topology.nodes.level.tolist(), strict=True):
        height[topology.roles[code]] = level
    return sorted(topology.roles, key=lambda role: height[role])


def _roles(summary: TopologySummary, topology: Topology) -> Table:
    rows = []
    for role in roles_bottom_up(topology):
        used = summary.ports_used_max_by_role.get(role)
        available = summary.ports_available_by_role.get(role)
        oversubscription = summary.oversubscription_by_role.get(role)
        rows.append(
            (
                role,
                f"{summary.nodes_by_role[role]:,}",
                "-" if used is None else str(used),
                "-" if available is None else str(available),
                "-" if oversubscription is None else f"{oversubscription + 1e-9:.2f}:1",
            )
        )
    return table("", ("role", ">nodes", ">ports used, max", ">ports available", ">oversubscription"), rows)


def _tiers(summary: TopologySummary) -> Table:
    rows = [
        (
            tier,
            f"{count:,}",
            format_gbps(summary.port_gbps_by_tier[tier]),
            format_gbps(summary.capacity_gbps_by_tier[tier]),
        )
        for tier, count in summary.cables_by_tier.items()
    ]
    return table("", ("tier", ">cables", ">a cable", ">capacity, one direction"), rows)
