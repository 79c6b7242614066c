"""How full the tiers are: quantiles of the utilisation of their links, by direction."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.faces.views.draws import band_columns
from fabric.output.columns import counts, named, ratios
from fabric.output.table import Mark, Table
from fabric.result import PhaseRoute, TierLoad


def tier_mark(tier: TierLoad) -> Mark:
    """Bad where links of the tier are offered more than they carry."""
    return "bad" if tier.over_capacity else ""


def tier_table(routes: Sequence[PhaseRoute]) -> Table:
    """Load by tier and direction, phase by phase."""
    rows = [(entry, tier) for entry in routes for tier in entry.tiers]
    tiers = [tier for _, tier in rows]
    columns = (
        named("fabric", "fabric", [entry.fabric for entry, _ in rows], width=8, priority=4),
        named("phase", "phase", [entry.phase for entry, _ in rows], width=16, priority=4),
        named("tier", "tier", [tier.tier for tier in tiers], width=12),
        named("direction", "way", [tier.direction for tier in tiers], width=4),
        counts("links", "links", [tier.links for tier in tiers], priority=3),
        ratios("p50", "p50", [tier.p50 for tier in tiers], priority=2),
        ratios("p99", "p99", [tier.p99 for tier in tiers], priority=1),
        ratios("max", "max", [tier.max for tier in tiers]),
        *band_columns([tier.draws for tier in tiers], ratios, names=("max_p5", "max_p95"), header="max ", priority=2),
        counts("over_capacity", "over", [tier.over_capacity for tier in tiers], width=6),
    )
    table = Table.of(columns, len(rows), title="offered load by tier", marks=[tier_mark(tier) for tier in tiers])
    return table.without_empty("max_p5", "max_p95")
