"""How far endpoints are apart, over how many paths, and what can cross between their halves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fabric.output.columns import capacities, counts, named, optional, ratios
from fabric.output.table import Column, Table
from topologies.bisection import Bisection
from topologies.distances import Distances

PATHS_SHOWN = ("hops", "pairs", "share", "least_paths", "mean_paths", "most_paths")
BISECTION_SHOWN = ("tier", "cables", "gbps", "bisection_gbps", "ratio")


def diameter_text(hops: int) -> str:
    """The diameter in words, with what it counts.

    >>> diameter_text(4), diameter_text(1)
    ('diameter 4 hops between switches', 'diameter 1 hop between switches')
    """
    return f"diameter {hops} hop{'' if hops == 1 else 's'} between switches"


def path_table(fabrics: Mapping[str, Distances]) -> Table:
    """Pairs of endpoints by their distance, with their equal-cost paths; the last row is of pairs without a path."""
    rows: list[dict[str, Any]] = []
    for name, distances in fabrics.items():
        total = sum(each.pairs for each in distances.classes) + distances.unreachable
        rows += [{"fabric": name, **each.__dict__, "share": each.pairs / total} for each in distances.classes]
        if distances.unreachable:
            none = dict.fromkeys(("least_paths", "mean_paths", "most_paths"), 0)
            share = distances.unreachable / total
            rows.append({"fabric": name, "hops": None, "pairs": distances.unreachable, "share": share, **none})
    values = {key: [row[key] for row in rows] for key in ("fabric", *PATHS_SHOWN)}
    columns = (
        named("fabric", "fabric", values["fabric"], width=8, priority=1),
        counts("hops", "hops", values["hops"]),
        counts("pairs", "pairs", values["pairs"], width=12),
        ratios("share", "share", values["share"]),
        counts("least_paths", "equal-cost paths, least", values["least_paths"], text=_paths, width=23),
        counts("mean_paths", "mean", values["mean_paths"], text=_paths),
        counts("most_paths", "most", values["most_paths"], text=_paths),
    )
    return Table.of(columns, len(rows), title="equal-cost paths by distance")


def reachable(table: Table) -> Table:
    """The rows of pairs that have a path."""
    hops = table.column("hops").values
    return table.ordered([row for row in table.order.tolist() if hops[row] is not None])


def _paths(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def boundary_table(fabrics: Mapping[str, Bisection]) -> Table:
    """Capacity of every tier boundary, and what of it crosses between halves."""
    rows = [(name, tier) for name, bisection in fabrics.items() for tier in bisection.tiers]
    tiers = [tier for _, tier in rows]
    columns = (
        named("fabric", "fabric", [name for name, _ in rows], width=8, priority=1),
        named("tier", "boundary", [tier.tier for tier in tiers], width=12),
        counts("cables", "cables", [tier.cables for tier in tiers]),
        capacities("gbps", "capacity", [tier.gbps for tier in tiers]),
        capacities("bisection_gbps", "bisection", [tier.bisection_gbps for tier in tiers]),
        Column("ratio", "of full", [tier.ratio for tier in tiers], optional(_of_full), numeric=True, unit="ratio"),
    )
    return Table.of(columns, len(rows), title="bisection by boundary")


def _of_full(ratio: float) -> str:
    return f"{ratio:.2f}"
