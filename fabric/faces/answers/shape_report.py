"""What ``fabric show`` prints: distances and path counts, and the bisection of every fabric."""

from __future__ import annotations

from typing import Any

from fabric.faces.views.shape import BISECTION_SHOWN, PATHS_SHOWN, boundary_table, path_table
from fabric.output.document import Document, Line
from fabric.output.table import Table
from fabric.pipeline.network import Network
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
        parts.append(
            Line(f"{name}: diameter {found.diameter} hops between switches, mean {found.mean:.3f} over endpoint pairs")
        )
        parts.append(path_table({name: found}).only(*PATHS_SHOWN).titled("").as_rows())
    return parts


def bisection_document(results: dict[str, Bisection]) -> Document:
    """Capacity of every tier boundary, and the narrowest halving of networks without levels."""
    parts: list[Table | Line] = []
    for name, found in results.items():
        sends = f"endpoints send {format_gbps(found.endpoint_gbps)}" if found.endpoint_gbps else "endpoints forward"
        parts.append(Line(f"{name}: {sends}, all rates one direction"))
        parts.append(boundary_table({name: found}).only(*BISECTION_SHOWN).titled("").as_rows())
        cut = found.cut
        if cut is not None:
            bound = f"no halving is below {format_gbps(cut.at_least_gbps)}" if cut.at_least_gbps else "no bound below"
            full = "" if cut.ratio is None else f", {cut.ratio:.2f} of full"
            parts.append(
                Line(f"narrowest halving found: {cut.cables:,} cables, {format_gbps(cut.gbps)}{full}; {bound}")
            )
    return parts


def paths_record(results: dict[str, Distances]) -> list[dict[str, Any]]:
    """``fabrics`` of the paths result."""
    return [
        {
            "name": name,
            "diameter_hops": found.diameter,
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
            "cut": found.cut.__dict__ if found.cut else None,
        }
        for name, found in results.items()
    ]
