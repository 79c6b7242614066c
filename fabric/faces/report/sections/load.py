"""How full the tiers are, and where: quantiles by tier and direction, heat maps phase by phase."""

from __future__ import annotations

import math

from fabric.faces.report.content import (
    Block,
    Cell,
    HeatBlock,
    HeatPicture,
    ReportTable,
    Section,
    as_table,
    count,
    number,
)
from fabric.faces.report.heat_layers import heat_blocks
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.heat import heat_map
from fabric.output.document import Mark
from fabric.output.numbers import percent
from fabric.result import RouteResult

_HOW = (
    "Offered load of a directed link over its capacity, in the phase named; above 100 % is congestion. Up is away from "
    "the hosts. Quantiles are over the links of the tier that are up. A cell of a heat map is the worst of its links, "
    "never their mean, which would hide the hot one; rows and columns are in physical order. Where a network is too "
    "large for one cell per pair of switches, neighbours share one, again as their worst."
)


def load_section(source: ReportSource) -> Section:
    """Tiers, then a heat map per fabric with the worst of every row as its table."""
    blocks: list[Block] = [_tiers(source.result)]
    for heat in heat_blocks(source.result.routes):
        blocks.append(heat)
        blocks += [_rows_table(source.result, heat, picture) for picture in heat.pictures]
    return Section("load", "Load by tier and place", _HOW, tuple(blocks))


def _tiers(result: RouteResult) -> ReportTable:
    heads = (
        ("fabric", "fabric"), ("phase", "phase"), ("tier", "tier"), ("way", "direction"), (">links", "links"),
        (">p50", "p50"), (">p99", "p99"), (">max", "max"), (">links over", "over_capacity"),
    )  # fmt: skip
    shown = [(entry, tier) for entry in result.routes for tier in entry.tiers]
    rows: list[tuple[Cell | str, ...]] = [
        (
            entry.fabric,
            entry.phase,
            tier.tier,
            tier.direction,
            count(tier.links),
            *(number(percent(value), value) for value in (tier.p50, tier.p99, tier.max)),
            count(tier.over_capacity),
        )
        for entry, tier in shown
    ]
    marks: list[Mark] = ["bad" if tier.over_capacity else "" for _, tier in shown]
    return as_table("Offered load by tier, phase and direction", heads, rows, marks=marks)


def _rows_table(result: RouteResult, heat: HeatBlock, picture: HeatPicture) -> ReportTable:
    """The worst cell of every row, a column per phase."""
    routes = [entry for entry in result.routes if entry.fabric == heat.fabric]
    heads = [(picture.row_title or "row", "row")]
    columns = []
    for entry in routes:
        heads.append((f">{entry.phase}", entry.phase))
        worst = heat_map(entry.topology, entry.utilisation, picture.kind, picture.direction)  # type: ignore[arg-type]
        columns.append(worst.folded(max(*picture_shape(picture), 1)).row_max.tolist())
    rows = [
        (Cell(name, name), *(_worst(column[at]) for column in columns)) for at, name in enumerate(picture.row_names)
    ]
    caption = f"{heat.fabric}, {picture.kind} {picture.direction}: worst cell of every row of the map"
    return as_table(caption, heads, rows, folded=True)


def picture_shape(picture: HeatPicture) -> tuple[int, int]:
    """Rows and columns."""
    return len(picture.row_names), len(picture.column_names)


def _worst(value: float) -> Cell:
    return Cell("-") if math.isnan(value) else number(percent(value), value)


SUMMARY = "how full the tiers are, and where: quantiles and heat maps"
ORDER = 40
SECTION = ReportSection(load_section)
