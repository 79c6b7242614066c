"""What ``fabric show racks`` prints: what stands in every rack, and how long the cables are."""

from __future__ import annotations

from typing import Any

import numpy as np

from fabric.faces.views.racks import device_records, rack_table
from fabric.output.document import Document, Line
from fabric.site.site_plan import SitePlan
from topologies.errors import FormatError
from topologies.units import percent


def required_plan(plan: SitePlan | None) -> SitePlan:
    """The plan, where there is one.

    Raises
    ------
    FormatError
        Where the scenario has no floor plan, or lists no nodes (FP6244).
    """
    if plan is None:
        raise FormatError(
            "the scenario does not say where racks stand",
            hint="give site.rows and site.racks_per_row, and the hosts in nodes",
            code="FP6244",
        )
    return plan


def cable_lines(plan: SitePlan) -> list[str]:
    """How long all cables are, the least they can be, and what switches row by row would take."""
    gap = percent(plan.total_m / plan.bound_m - 1) if plan.bound_m > 0 else "-"
    lines = [
        f"{plan.cables:,} cables, {plan.total_m:,.0f} m as routed; no placement of the switches takes less than "
        f"{plan.bound_m:,.0f} m (gap {gap})"
    ]
    if np.isfinite(plan.in_rows_m) and plan.in_rows_m > 0:
        less = percent(1 - plan.total_m / plan.in_rows_m)
        lines.append(
            f"with the switches in order, in the racks kept for them or those after the hosts: {plan.in_rows_m:,.0f} m; "
            f"this is {less} less"
        )
    return lines


def racks_document(plan: SitePlan) -> Document:
    """Cable lengths, then the racks."""
    floor = plan.floor
    there = f"{len(floor.racks):,} racks in {floor.trays.rows:,} rows, {len(plan.by_rack):,} with something in them"
    return [Line(there), *(Line(text) for text in cable_lines(plan)), rack_table(plan).titled("").as_rows()]


def racks_record(plan: SitePlan) -> dict[str, Any]:
    """The site beside the rows of its racks."""
    return {
        "cables": plan.cables,
        "total_m": round(plan.total_m, 3),
        "bound_m": round(plan.bound_m, 3),
        "in_rows_m": round(plan.in_rows_m, 3) if np.isfinite(plan.in_rows_m) else None,
        "method": plan.method,
        "devices": device_records(plan),
        "notes": list(plan.notes),
    }
