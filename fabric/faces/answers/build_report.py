"""What ``fabric build`` prints."""

from __future__ import annotations

from fabric.faces.views.attached import HOSTS_SHOWN, LEAVES_SHOWN, host_table, leaf_ports, leaf_table
from fabric.faces.views.build import ROLES_SHOWN, TIERS_SHOWN, cable_table, role_table
from fabric.faces.views.shape import diameter_text
from fabric.output.document import Document, Line
from fabric.output.table import Table
from fabric.pipeline.network import Network
from fabric.scenario.load import LoadedScenario
from topologies.distances import diameter_hops
from topologies.summary import TopologySummary, summarise
from topologies.topology import Topology
from topologies.units import format_bytes

_LEAVES = 12  # switches whose hosts are shown before --by leaf has to be asked


def build_document(loaded: LoadedScenario, network: Network) -> Document:
    """Switches by role, cables by tier, and the hosts of the leaves of every fabric."""
    parts: list[Table | Line] = []
    for fabric, topology in network.topologies.items():
        summary = summarise(topology, network.gpus(fabric))
        parts += [
            Line(
                f"{loaded.scenario.name}  {fabric}: {summary.topology_kind}, {summary.endpoints:,} endpoints, "
                f"{summary.switches:,} switches, {summary.cables:,} cables"
            ),
            Line("  ".join(_shape(summary, diameter_hops(topology)))),
        ]
        in_clear = loaded.scenario.fabrics[fabric].encryption.of_line_rates
        parts += [Line(in_clear)] if in_clear else []
        roles = role_table(fabric, summary, topology, loaded.scenario.fabrics[fabric])
        parts += [
            roles.only(*ROLES_SHOWN).titled(""),
            cable_table({fabric: summary}).only(*TIERS_SHOWN).titled("").as_rows(),
        ]
        parts += _hosts(fabric, topology, listed=network.gpus(fabric) is not None)
    parts += [Line(text) for text in _scale_up(network)]
    parts += [Line(f"warning: {problem}", "warn") for problem in network.warnings]
    return parts


def _scale_up(network: Network) -> list[str]:
    """What joins the GPUs of each group beside the fabrics."""
    stated = []
    for group in network.inventory.groups.values():
        links, gpus = group.scale_up, len(group.hosts) * group.gpus_per_host
        if links is not None and gpus:
            spanned = links.domain // group.gpus_per_host
            hosts = "a host" if spanned == 1 else f"{spanned} hosts"
            count, part = -(-len(group.hosts) // spanned), len(group.hosts) % spanned
            domains = f"{count:,} scale-up domain{'s' if count > 1 else ''} of {links.domain} ({hosts})"
            full = f", {part} in the last" if part else ""
            speed = f"{format_bytes(links.speed * 1e9 / 8)}/s a GPU and direction"
            stated.append(f"{group.name}: {gpus:,} GPUs in {domains}{full}, {speed}")
    return stated


def _hosts(fabric: str, topology: Topology, *, listed: bool) -> list[Table | Line]:
    """Who is attached where: leaf by leaf where nodes are listed, else how many each leaf has."""
    ports = leaf_ports(topology)
    if not len(ports):
        return []
    if not listed:
        each = f"{ports.min():,}" if ports.min() == ports.max() else f"{ports.min():,} to {ports.max():,}"
        return [Line(f"no nodes are listed: {each} host links on each of {len(ports):,} switches")]
    leaves = leaf_table({fabric: topology}, most=_LEAVES)
    parts: list[Table | Line] = [leaves.only(*LEAVES_SHOWN).titled("")]
    if len(ports) > _LEAVES:
        parts.append(Line(f"{_LEAVES} of {len(ports):,} switches with hosts; --by leaf lists them all"))
    return parts


def attached_document(network: Network, by: str) -> Document:
    """The hosts of every leaf, or the leaves of every host."""
    table, shown = (
        (leaf_table(network.topologies), LEAVES_SHOWN) if by == "leaf" else (host_table(network), HOSTS_SHOWN)
    )
    return [(table.only("fabric", *shown) if len(network.topologies) > 1 else table.only(*shown)).as_rows()]


def _shape(summary: TopologySummary, diameter: int) -> list[str]:
    """What the network is made of, as far as it has it."""
    parts = [("GPUs", summary.gpus), ("pods", summary.pods), ("groups", summary.groups)]
    words = [f"{count:,} {what if count > 1 else what.removesuffix('s')}" for what, count in parts if count]
    if summary.planes > 1:
        words.append(f"{summary.planes} planes")
    return [*words, diameter_text(diameter)]
