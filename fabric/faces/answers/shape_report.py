"""What ``fabric show`` prints: distances and path counts, and the bisection of every fabric."""

from __future__ import annotations

from typing import Any

from fabric.output.document import Document, Line, Table, table
from fabric.pipeline.network import Network
from topologies.bisection import Bisection, bisection
from topologies.distances import Distances, distances
from topologies.units import format_gbps, percent


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
        total = sum(entry.pairs for entry in found.classes) + found.unreachable
        rows = [
            (
                str(entry.hops),
                f"{entry.pairs:,.0f}",
                percent(entry.pairs / total),
                *(_count(value) for value in (entry.least_paths, entry.mean_paths, entry.most_paths)),
            )
            for entry in found.classes
        ]
        if found.unreachable:
            rows.append(("-", f"{found.unreachable:,.0f}", percent(found.unreachable / total), "0", "0", "0"))
        heads = (">hops", ">pairs", ">share", ">equal-cost paths, least", ">mean", ">most")
        parts.append(table("", heads, rows))
    return parts


def _count(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def bisection_document(results: dict[str, Bisection]) -> Document:
    """Capacity of every tier boundary, and the narrowest halving of networks without levels."""
    parts: list[Table | Line] = []
    for name, found in results.items():
        sends = f"endpoints send {format_gbps(found.endpoint_gbps)}" if found.endpoint_gbps else "endpoints forward"
        parts.append(Line(f"{name}: {sends}, all rates one direction"))
        rows = [
            (
                entry.tier,
                f"{entry.cables:,}",
                format_gbps(entry.gbps),
                format_gbps(entry.bisection_gbps),
                "-" if entry.ratio is None else f"{entry.ratio:.2f}",
            )
            for entry in found.tiers
        ]
        parts.append(table("", ("boundary", ">cables", ">capacity", ">bisection", ">of full"), rows))
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
