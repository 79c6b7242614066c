"""What ``fabric build`` prints."""

from __future__ import annotations

from fabric.faces.views.build import ROLES_SHOWN, TIERS_SHOWN, cable_table, role_table
from fabric.output.document import Document, Line
from fabric.output.table import Table
from fabric.pipeline.network import Network
from fabric.scenario.load import LoadedScenario
from topologies.distances import diameter_hops
from topologies.summary import TopologySummary, summarise


def build_document(loaded: LoadedScenario, network: Network) -> Document:
    """Switches by role and cables by tier of every fabric."""
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
        roles = role_table(fabric, summary, topology, loaded.scenario.fabrics[fabric])
        parts += [
            roles.only(*ROLES_SHOWN).titled(""),
            cable_table({fabric: summary}).only(*TIERS_SHOWN).titled("").as_rows(),
        ]
    parts += [Line(f"warning: {problem}", "warn") for problem in network.warnings]
    return parts


def _shape(summary: TopologySummary, diameter: int) -> list[str]:
    """What the network is made of, as far as it has it."""
    parts = [("GPUs", summary.gpus), ("pods", summary.pods), ("groups", summary.groups)]
    words = [f"{count:,} {what if count > 1 else what.removesuffix('s')}" for what, count in parts if count]
    if summary.planes > 1:
        words.append(f"{summary.planes} planes")
    return [*words, f"diameter {diameter} hops between switches"]
