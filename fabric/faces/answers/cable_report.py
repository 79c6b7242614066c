"""What ``fabric show cables`` and ``fabric export cables`` print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fabric.cables.cable_rows import CableEnd, CableSchedule
from fabric.faces.views.cables import (
    BUNDLES_SHOWN,
    KINDS_SHOWN,
    bundle_table,
    cable_kind_table,
    cable_table,
    tray_table,
)
from fabric.faces.views.row_kinds import CABLES
from fabric.output.columns import length_text
from fabric.output.document import Document, Line
from fabric.scenario.load import LoadedScenario
from fabric.scenario.provenance import envelope
from topologies.topology import Topology
from topologies.units import percent

_TRAYS_SHOWN = 5


def cable_record(loaded: LoadedScenario, schedule: CableSchedule) -> dict[str, Any]:
    """What JSON says besides the cables."""
    return {
        **envelope("CableSchedule", loaded),
        "total_m": round(schedule.total_m, 2),
        "bought_total_m": round(schedule.bought_total_m, 2),
        "bound_m": None if schedule.bound_m is None else round(schedule.bound_m, 2),
        "trays": [
            {
                "name": tray.name,
                "cables": tray.cables,
                "fill_mm2": round(tray.fill_mm2, 2),
                "area_mm2": tray.area_mm2 if np.isfinite(tray.area_mm2) else None,
                "overfull": tray.is_overfull,
            }
            for tray in schedule.trays
        ],
        "notes": list(schedule.notes),
    }


def cable_entry(
    schedule: CableSchedule, topologies: Mapping[str, Topology], row: int, *, both_ways: bool
) -> dict[str, Any]:
    """All that JSON says of a row: a cable, or, listed both ways, a cable from one of its ends."""
    columns = schedule.columns
    at, turned = (row // 2, bool(row % 2)) if both_ways else (row, False)
    a, b = columns.a.at(at), columns.b.at(at)
    one, other = (b, a) if turned else (a, b)
    optics = columns.optics[at][::-1] if turned else columns.optics[at]
    return {
        "label": (schedule.back_labels if turned else columns.label)[at],
        "a": end_record(one),
        "b": end_record(other),
        "length_m": float(columns.length_m[at]),
        "bought_m": float(columns.bought_m[at]),
        "media": columns.medium[at] or None,
        "model": columns.model[at] or None,
        "optics": [optic or None for optic in optics],
        "route": list(columns.route[at][:: -1 if turned else 1]),
        "fabric": columns.fabric[at],
        "tier": columns.tier[at],
        "colour": columns.colour[at],
        "bundle": columns.bundle[at] or None,
        "pull_order": columns.number[at],
        "link": topologies[columns.fabric[at]].link_name(columns.link[at]),
        "leg": columns.leg[at],
        "legs": columns.legs[at],
    }


def end_record(end: CableEnd) -> dict[str, Any]:
    """One end of a cable; None where the scenario does not place it."""
    return {"node": end.node, "port": end.port, "rack": end.rack or None, "unit": end.unit}


def cable_document(schedule: CableSchedule, *, both_ways: bool = False) -> Document:
    """What there is to buy, how good the placement is, bundles, trays, and the first cables to pull."""
    metres = length_text(schedule.total_m)
    parts: list[Any] = [
        Line(f"{_cables_text(schedule)}, {metres} m of runs, {length_text(schedule.bought_total_m)} m to buy"),
        *_placed(schedule),
        cable_kind_table(schedule).only(*KINDS_SHOWN),
    ]
    bundles = bundle_table(schedule)
    if len(bundles):
        more = f", {BUNDLES_SHOWN} of {len(bundles):,}" if len(bundles) > BUNDLES_SHOWN else ""
        parts.append(bundles.first(BUNDLES_SHOWN).titled(bundles.title + more))
    if schedule.trays:
        trays = tray_table(schedule)
        more = f", {_TRAYS_SHOWN} of {len(trays):,}" if len(trays) > _TRAYS_SHOWN else ""
        parts.append(trays.first(max(_TRAYS_SHOWN, len(schedule.overfull))).titled(trays.title + more))
        parts += [
            Line(
                f"tray {tray.name} is too full: {tray.cables:,} cables take {percent(tray.fill_mm2 / tray.area_mm2)} "
                "of what they may; a wider tray, another (site.trays), or fibre in place of copper",
                "bad",
            )
            for tray in schedule.overfull[:_TRAYS_SHOWN]
        ]
    rows = cable_table(schedule, both_ways=both_ways).only(*CABLES.shown)
    rows = rows.without_empty("bundle", "a_rack", "a_unit", "b_rack", "b_unit", "route")
    most = CABLES.most or len(rows)
    more = f", {most} of {len(rows):,}" if len(rows) > most else ""
    parts.append(rows.first(most).titled(rows.title + more).as_rows())
    return parts


def _cables_text(schedule: CableSchedule) -> str:
    """How many cables, and how many runs where some have several legs."""
    count = schedule.cable_count
    return f"{count:,} cables" if count == len(schedule) else f"{count:,} cables with {len(schedule):,} legs"


def _placed(schedule: CableSchedule) -> list[Line]:
    """How far the placement can be from the best."""
    if not schedule.bound_m or not schedule.total_m:
        return []
    gap = max(0.0, schedule.total_m / schedule.bound_m - 1)
    least = length_text(schedule.bound_m)
    return [
        Line(f"no placement of what is free to place runs less than {least} m: at most {percent(gap)} above the best")
    ]
