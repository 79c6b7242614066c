"""Bundles, pull order and tray fill over the cables of all fabrics.

Cables of equal route lie in one bundle, at most ``BUNDLE`` of them. Bundles with the longest cables are pulled first,
and in a bundle the longest cable.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.cables.cable_rows import CableColumns, EndColumns, TrayFill
from fabric.cables.fabric_cables import FabricCables
from fabric.site.site_plan import SitePlan
from topologies.columns import column

BUNDLE = 24  # cables that are tied together at most


def pulled(parts: Sequence[FabricCables], plan: SitePlan | None) -> tuple[CableColumns, tuple[TrayFill, ...]]:
    """All cables in the order they are pulled in, not yet labelled; and what lies in the trays."""
    length_m = np.concatenate([np.empty(0), *(part.length_m for part in parts)])
    group = _same_way(parts)
    longest = np.zeros(int(group.max(initial=-1)) + 1)
    np.maximum.at(longest, group, length_m)
    order = np.lexsort((np.arange(len(length_m)), -length_m, group, -longest[group]))
    bundle = _bundles(group[order], parts)
    rows = order.tolist()

    def joined(name: str) -> tuple[object, ...]:
        values = [value for part in parts for value in getattr(part, name)]
        return tuple(values[row] for row in rows)

    fabric = [part.fabric for part in parts for _ in part.tier]
    routes = [part.routes[code] for part in parts for code in part.route.tolist()]
    before = np.cumsum([0, *(len(part.tier) for part in parts)])
    legs = {
        int(first) + row: ends for first, part in zip(before, parts, strict=False) for row, ends in part.legs.items()
    }
    place = {row: number for number, row in enumerate(rows)} if legs else {}
    bought_m = np.concatenate([np.empty(0), *(part.bought_m for part in parts)])
    columns = CableColumns(
        ("",) * len(rows),
        tuple(fabric[row] for row in rows),
        joined("tier"),  # type: ignore[arg-type]
        joined("links"),  # type: ignore[arg-type]
        _ends([part.a for part in parts]).ordered(rows),
        _ends([part.b for part in parts]).ordered(rows),
        column(length_m[order], np.float64),
        column(bought_m[order], np.float64),
        joined("medium"),  # type: ignore[arg-type]
        joined("model"),  # type: ignore[arg-type]
        joined("optics"),  # type: ignore[arg-type]
        tuple(routes[row] for row in rows),
        joined("colour"),  # type: ignore[arg-type]
        bundle,
        {place[row]: ends for row, ends in legs.items()},
        tuple(range(1, len(rows) + 1)),
    )
    return columns, () if plan is None else tray_fill(parts, plan)


def _ends(parts: Sequence[EndColumns]) -> EndColumns:
    return EndColumns(
        tuple(value for part in parts for value in part.node),
        tuple(value for part in parts for value in part.port),
        tuple(value for part in parts for value in part.rack),
        tuple(value for part in parts for value in part.unit),
    )


def _same_way(parts: Sequence[FabricCables]) -> np.ndarray:
    """A number for every way: the racks of both ends, whichever is first; without them the fabric and tier."""
    codes: dict[object, int] = {}
    group: list[int] = []
    for part in parts:
        racks = np.sort(part.racks, axis=1).tolist()
        for (low, high), tier in zip(racks, part.tier, strict=True):
            key: object = (low, high) if low >= 0 else (part.fabric, tier)
            group.append(codes.setdefault(key, len(codes)))
    return np.array(group, dtype=np.int64)


def _bundles(group: np.ndarray, parts: Sequence[FabricCables]) -> tuple[str, ...]:
    """Names of bundles, of cables in the order they are pulled; none where no route is known."""
    known = any((part.racks >= 0).all(axis=1).any() for part in parts) if len(group) else False
    if not known:
        return ("",) * len(group)
    starts = np.ones(len(group), dtype=np.bool_)
    starts[1:] = group[1:] != group[:-1]
    first = np.flatnonzero(starts)[np.cumsum(starts) - 1]
    starts |= (np.arange(len(group)) - first) % BUNDLE == 0
    number = np.cumsum(starts)
    width = len(str(int(number[-1])))
    return tuple(f"B{value:0{width}d}" for value in number.tolist())


def tray_fill(parts: Sequence[FabricCables], plan: SitePlan) -> tuple[TrayFill, ...]:
    """What lies in every piece of tray that has cables; cables without a diameter count as none."""
    count = len(plan.floor.segment_names)
    cables, area = np.zeros(count, dtype=np.int64), np.zeros(count)
    for part in parts:
        lying = np.bincount(part.route, minlength=len(part.routes))
        filled = np.bincount(part.route, np.nan_to_num(part.area_mm2), len(part.routes))
        for pieces, number, mm2 in zip(part.pieces, lying.tolist(), filled.tolist(), strict=True):
            if pieces and number:
                cables[list(pieces)] += number
                area[list(pieces)] += mm2
    names, holds = plan.floor.segment_names, plan.floor.area_mm2.tolist()
    return tuple(
        TrayFill(names[piece], int(cables[piece]), float(area[piece]), holds[piece])
        for piece in np.flatnonzero(cables).tolist()
    )
