"""How far endpoints are apart, over how many paths, and what can cross between their halves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fabric.output.columns import capacities, counts, named, optional, ratios
from fabric.output.table import Column, Table
from topologies.bisection import Bisection
from topologies.cuts import TierBoundary
from topologies.distances import Distances
from topologies.halving import Cut
from topologies.units import format_gbps

PATHS_SHOWN = ("hops", "pairs", "share", "least_paths", "mean_paths", "most_paths")
CUTS_SHOWN = ("cut", "kind", "cables", "gbps", "beneath_gbps", "bisection_gbps", "ratio", "least_ratio", "least_at")

_EXACT = 1e-9  # relative: a bound that is as large as the cut


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


def cut_rows(fabric: str, bisection: Bisection) -> list[dict[str, Any]]:
    """Every cut of a fabric as a flat record: tiers, then halvings, then the narrowest halving found."""
    rows = [_tier_row(fabric, tier) for tier in bisection.tiers]
    for halving in bisection.halvings:
        crosses = halving.gbps if halving.even else None
        kind = "halving" if halving.even else "uneven"
        rows.append(
            {"fabric": fabric, "cut": halving.name, "kind": kind, **halving.__dict__, "bisection_gbps": crosses}
        )
    cut = bisection.cut
    if cut is not None:
        name, kind = ("narrowest halving", "proved") if _is_least(cut) else ("narrowest halving found", "upper bound")
        rows.append({"fabric": fabric, "cut": name, "kind": kind, **cut.__dict__, "bisection_gbps": cut.gbps})
    return rows


def _tier_row(fabric: str, tier: TierBoundary) -> dict[str, Any]:
    """A boundary; the part that has least is named where it has less than the whole."""
    kind = "between groups" if tier.between_groups else "tier"
    row = {"fabric": fabric, "cut": tier.tier, "kind": kind, **tier.__dict__}
    if tier.ratio is None or tier.least_ratio is None or tier.least_ratio > tier.ratio * (1 - _EXACT):
        row |= {"least_ratio": None, "least_at": None}
    return row


def _is_least(cut: Cut) -> bool:
    return cut.at_least_gbps >= cut.gbps * (1 - _EXACT)


def cut_table(fabrics: Mapping[str, Bisection]) -> Table:
    """Capacity of every cut, what the hosts beneath it send, and what of it crosses between halves."""
    rows = [row for name, bisection in fabrics.items() for row in cut_rows(name, bisection)]

    def values(key: str) -> list[Any]:
        return [row.get(key) for row in rows]

    ratios = Column("ratio", "of full", values("ratio"), optional(_of_full), numeric=True, unit="ratio")
    least = Column(
        "least_ratio", "least of full", values("least_ratio"), optional(_of_full), numeric=True, unit="ratio"
    )
    columns = (
        named("fabric", "fabric", values("fabric"), width=8, priority=1),
        named("cut", "cut", values("cut"), width=24),
        named("kind", "kind", values("kind"), width=11, priority=1),
        counts("cables", "cables", values("cables")),
        capacities("gbps", "capacity", values("gbps")),
        capacities("beneath_gbps", "hosts beneath", [row.get("beneath_gbps") or None for row in rows], width=13),
        capacities("bisection_gbps", "bisection", values("bisection_gbps")),
        ratios,
        replace(least, priority=2),
        named("least_at", "where", values("least_at"), width=12, priority=3),
    )
    return Table.of(columns, len(rows), title="cuts")


def cut_notes(bisection: Bisection) -> list[str]:
    """What the narrowest halving found is, and is not."""
    cut = bisection.cut
    if cut is None:
        return []
    if _is_least(cut):
        return ["the narrowest halving is proved: the bound by the Laplacian's second eigenvalue meets it"]
    least = (
        f"no halving is below {format_gbps(cut.at_least_gbps)}" if cut.at_least_gbps else "nothing is known below it"
    )
    whole = bisection.endpoint_gbps
    lesser = whole / 2 if cut.beneath_gbps is None else cut.beneath_gbps
    uneven = lesser < whole / 2 * (1 - _EXACT)
    sides = f"; its lesser side sends {format_gbps(lesser)} of {format_gbps(whole)}" if uneven else ""
    return [f"the narrowest halving found is an upper bound of the bisection, not proved to be least; {least}{sides}"]


def _of_full(ratio: float) -> str:
    return f"{ratio:.2f}"
