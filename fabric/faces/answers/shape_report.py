"""What ``fabric show`` prints: distances and path counts, and the bisection of every fabric."""

from __future__ import annotations

from typing import Any

from fabric.faces.views.shape import CUTS_SHOWN, PATHS_SHOWN, cut_notes, cut_table, diameter_text, path_table
from fabric.output.document import Document, Line
from fabric.output.table import Table
from fabric.pipeline.network import Network
from fabric.scenario.load import LoadedScenario
from topologies.bisection import Bisection, bisection
from topologies.distances import Distances, distances
from topologies.units import format_gbps


def path_results(network: Network) -> dict[str, Distances]:
    """Distances of every fabric."""
    return {name: distances(topology) for name, topology in network.topologies.items()}


def bisection_results(network: Network, seed: int) -> dict[str, Bisection]:
    """Bisection of every fabric."""
    return {name: bisection(topology, seed=seed) for name, topology in network.topologies.items()}


def paths_document(results: dict[str, Distances]) -> Document:
    """Diameter, mean distance, and pairs and paths by distance."""
    parts: list[Table | Line] = []
    for name, found in results.items():
        parts.append(Line(f"{name}: {diameter_text(found.diameter_hops)}, mean {found.mean:.3f} over endpoint pairs"))
        if found.longest_path_hops > found.diameter_hops:
            parts.append(Line(f"paths of least metric have up to {found.longest_path_hops} hops"))
        parts.append(path_table({name: found}).only(*PATHS_SHOWN).titled("").as_rows())
    return parts


def bisection_document(results: dict[str, Bisection], loaded: LoadedScenario) -> Document:
    """Every cut of every fabric: tiers, halvings, and the narrowest halving found of networks without levels."""
    parts: list[Table | Line] = []
    for name, found in results.items():
        sends = f"endpoints send {format_gbps(found.endpoint_gbps)}" if found.endpoint_gbps else "endpoints forward"
        parts.append(Line(f"{name}: {sends}, all rates one direction"))
        in_clear = loaded.scenario.fabrics[name].encryption.of_line_rates
        parts += [Line(in_clear)] if in_clear else []
        parts.append(cut_table({name: found}).only(*CUTS_SHOWN).titled("").as_rows())
        parts += [Line(text) for text in cut_notes(found)]
    return parts


def paths_record(results: dict[str, Distances]) -> list[dict[str, Any]]:
    """``fabrics`` of the paths result."""
    return [
        {
            "name": name,
            "diameter_hops": found.diameter_hops,
            "longest_path_hops": found.longest_path_hops,
            "mean_hops": found.mean,
            "unreachable_pairs": found.unreachable,
            "by_hops": [entry.__dict__ for entry in found.classes],
        }
        for name, found in results.items()
    ]


def bisection_record(results: dict[str, Bisection]) -> list[dict[str, Any]]:
    """``fabrics`` of the bisection result."""
    return [
        {
            "name": name,
            "endpoint_gbps": found.endpoint_gbps,
            "tiers": [entry.__dict__ for entry in found.tiers],
            "halvings": [entry.__dict__ for entry in found.halvings],
            "cut": found.cut.__dict__ if found.cut else None,
            "cuts": cut_table({name: found}).without("fabric").records(),
        }
        for name, found in results.items()
    ]
