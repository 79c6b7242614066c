"""How full the tiers are, and where: quantiles by tier and direction, heat maps phase by phase."""

from __future__ import annotations

from fabric.faces.report.content import Block, Folded, HeatBlock, HeatPicture, Section, not_said, shown_draws
from fabric.faces.report.heat_layers import heat_blocks
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.heat import heat_map, worst_row_table
from fabric.faces.views.tiers import tier_table
from fabric.result import RouteResult

_TITLE = "Load by tier and place"
_HOW = (
    "Offered load of a directed link over its capacity, in the phase named; above 100 % is congestion. Up is away from "
    "the hosts. Quantiles are over the links of the tier that are up. A cell of a heat map is the worst of its links, "
    "never their mean, which would hide the hot one; rows and columns are in physical order. Where a network is too "
    "large for one cell per pair of switches, neighbours share one, again as their worst."
)


def load_section(source: ReportSource) -> Section:
    """Tiers, then a heat map per fabric with the worst of every row as its table."""
    if source.idle:
        return not_said("load", _TITLE, _HOW, source.idle)
    blocks: list[Block] = [*shown_draws(source.result.routes)]
    blocks += [tier_table(source.result.routes).titled("Offered load by tier, phase and direction")]
    for heat in heat_blocks(source.result.routes):
        blocks.append(heat)
        blocks += [_rows_table(source.result, heat, picture) for picture in heat.pictures]
    return Section("load", _TITLE, _HOW, tuple(blocks))


def _rows_table(result: RouteResult, heat: HeatBlock, picture: HeatPicture) -> Folded:
    """The worst cell of every row, a column per phase."""
    routes = [entry for entry in result.routes if entry.fabric == heat.fabric]
    worst: dict[str, list[float]] = {}
    for entry in routes:
        whole = heat_map(entry.topology, entry.utilisation, picture.kind, picture.direction)  # type: ignore[arg-type]
        worst[entry.phase] = whole.folded(max(*picture_shape(picture), 1)).row_max.tolist()
    title = f"{heat.fabric}, {picture.kind} {picture.direction}: worst cell of every row of the map"
    return Folded(worst_row_table(picture.row_title or "row", picture.row_names, worst).titled(title))


def picture_shape(picture: HeatPicture) -> tuple[int, int]:
    """Rows and columns."""
    return len(picture.row_names), len(picture.column_names)


SUMMARY = "how full the tiers are, and where: quantiles and heat maps"
ORDER = 40
SECTION = ReportSection(load_section)
