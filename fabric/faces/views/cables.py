"""The cable schedule: every cable, what there is of each kind, the bundles, and what lies in the trays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fabric.cables.cable_rows import CableEnd, CableSchedule, EndColumns
from fabric.output.columns import counts, lengths, named, ratios
from fabric.output.table import Column, Table

KINDS_SHOWN = ("fabric", "tier", "media", "model", "optics", "bought_m", "cables", "total_m")
BUNDLES_SHOWN = 10
_LIVE_ENDS = (("node", 12), ("port", 8), ("rack", 8), ("unit", 4))


class _Rows(Sequence[Any]):
    """Values of cables, each once, or once from either end: row 2i is cable i, row 2i + 1 the same turned round."""

    def __init__(self, forth: Sequence[Any], back: Sequence[Any] | None) -> None:
        self._forth, self._back = forth, back

    def __len__(self) -> int:
        return len(self._forth) * (1 if self._back is None else 2)

    def __getitem__(self, row: Any) -> Any:
        if self._back is None:
            return self._forth[row]
        return (self._back if row % 2 else self._forth)[row // 2]


def cable_table(schedule: CableSchedule, *, both_ways: bool = False) -> Table:
    """Every cable in the order it is pulled in; with ``both_ways`` once from each of its ends."""
    columns = schedule.columns
    length, bought = columns.length_m.tolist(), columns.bought_m.tolist()

    def same(values: Sequence[Any]) -> _Rows:
        return _Rows(values, values if both_ways else None)

    def turned(forth: Sequence[Any], back: Sequence[Any]) -> _Rows:
        return _Rows(forth, back if both_ways else None)

    optics = [one or ("", "") for one in columns.optics]
    low, high = [pair[0] for pair in optics], [pair[1] for pair in optics]
    routes = [" ".join(route) for route in columns.route]
    back = [" ".join(reversed(route)) for route in columns.route] if both_ways else routes
    labels = turned(columns.label, schedule.back_labels if both_ways else columns.label)
    table = [
        counts("pull_order", "pull", same(columns.number), width=6),
        named("label", "label", labels, width=32, flexible=True, priority=3),
        named("bundle", "bundle", same(columns.bundle), width=7, priority=1),
        named("fabric", "fabric", same(columns.fabric), width=10, priority=2),
        named("tier", "tier", same(columns.tier), width=12, priority=2),
        *_ends("a", columns.a, columns.b, both_ways=both_ways),
        *_ends("b", columns.b, columns.a, both_ways=both_ways),
        lengths("length_m", "run, m", same(length)),
        lengths("bought_m", "buy, m", same(bought)),
        named("media", "medium", same(columns.medium), width=6),
        named("model", "model", same(columns.model), width=12, priority=2),
        named("a_optic", "a optic", turned(low, high), width=12, priority=3),
        named("b_optic", "b optic", turned(high, low), width=12, priority=3),
        counts("links", "links", same([len(links) for links in columns.links]), width=5, priority=3),
        named("route", "trays", turned(routes, back), width=20, flexible=True, priority=1),
        named("colour", "colour", same(columns.colour), width=8, priority=1),
        named("legs", "legs", same(_leg_texts(schedule)), width=30, flexible=True, priority=3),
    ]
    return Table.of(table, len(labels), title="cables, the longest first")


def _ends(name: str, own: EndColumns, other: EndColumns, *, both_ways: bool) -> list[Column]:
    """Columns of one end."""
    headers = {"node": "", "port": " port", "rack": " rack", "unit": " U"}
    made = []
    for part, width in _LIVE_ENDS:
        values = _Rows(getattr(own, part), getattr(other, part) if both_ways else None)
        text = {"flexible": True} if part == "node" else {}
        made.append(named(f"{name}_{part}", f"{name}{headers[part]}", values, width=width, **text))
    return made


def _leg_texts(schedule: CableSchedule) -> Sequence[str]:
    """Both ends of every link of cables that carry several."""
    texts = [""] * len(schedule)
    for row, legs in schedule.columns.legs.items():
        texts[row] = "; ".join(f"{_end_text(a)} to {_end_text(b)}" for a, b in legs)
    return texts


def _end_text(end: CableEnd) -> str:
    return f"{end.node}:{end.port}"


def cable_kind_table(schedule: CableSchedule) -> Table:
    """Cables of every kind: what is to be bought, by fabric, tier, medium and length."""
    columns = schedule.columns
    bought = columns.bought_m.tolist()
    keys = zip(columns.fabric, columns.tier, columns.medium, columns.model, columns.optics, bought, strict=True)
    often: dict[tuple[Any, ...], int] = {}
    for key in keys:
        often[key] = often.get(key, 0) + 1
    order = {name: place for place, name in enumerate(dict.fromkeys(columns.fabric))}
    rows = sorted(often, key=lambda key: (order[key[0]], *key[1:]))
    table = (
        named("fabric", "fabric", [key[0] for key in rows], width=10),
        named("tier", "tier", [key[1] for key in rows], width=12),
        named("media", "medium", [key[2] or "open" for key in rows], width=6),
        named("model", "cable", [key[3] for key in rows], width=12),
        named("optics", "optics", [_optics_text(key[4]) for key in rows], width=24, flexible=True, priority=1),
        lengths("bought_m", "length, m", [key[5] for key in rows], width=9),
        counts("cables", "cables", [often[key] for key in rows]),
        lengths("total_m", "together, m", [key[5] * often[key] for key in rows], width=11),
    )
    return Table.of(table, len(rows), title="cables to buy")


def _optics_text(optics: tuple[str, ...]) -> str:
    """Optics at both ends: one name where they are equal."""
    names = [name for name in optics if name]
    return names[0] if len(set(names)) == 1 else ", ".join(names)


def bundle_table(schedule: CableSchedule) -> Table:
    """Bundles of equal route, as they are pulled in."""
    columns = schedule.columns
    first: dict[str, int] = {}
    number: dict[str, int] = {}
    for row, bundle in enumerate(columns.bundle):
        first.setdefault(bundle, row)
        number[bundle] = number.get(bundle, 0) + 1
    names = [bundle for bundle in first if bundle]
    rows = [first[bundle] for bundle in names]
    ends = [sorted((columns.a.rack[row], columns.b.rack[row])) for row in rows]
    table = (
        named("bundle", "bundle", names, width=7),
        named("from_rack", "from", [pair[0] for pair in ends], width=8),
        named("to_rack", "to", [pair[1] for pair in ends], width=8),
        counts("cables", "cables", [number[bundle] for bundle in names]),
        lengths("longest_m", "longest, m", [float(columns.length_m[row]) for row in rows], width=10),
        named("route", "trays", [" ".join(columns.route[row]) for row in rows], width=30, flexible=True),
    )
    return Table.of(table, len(rows), title="bundles, in the order they are pulled in")


def tray_table(schedule: CableSchedule) -> Table:
    """Pieces of tray, the fullest first."""
    fill = [tray.fill_mm2 / tray.area_mm2 if np.isfinite(tray.area_mm2) else None for tray in schedule.trays]
    order = sorted(range(len(fill)), key=lambda row: (-(fill[row] or 0.0), -schedule.trays[row].fill_mm2, row))
    trays = [schedule.trays[row] for row in order]
    table = (
        named("tray", "tray", [tray.name for tray in trays], width=16),
        counts("cables", "cables", [tray.cables for tray in trays]),
        counts("fill_mm2", "cables take, mm²", [round(tray.fill_mm2, 1) for tray in trays], width=16),
        counts(
            "area_mm2",
            "may take, mm²",
            [tray.area_mm2 if np.isfinite(tray.area_mm2) else None for tray in trays],
            width=13,
        ),
        ratios("fill", "fill", [fill[row] for row in order]),
    )
    marks = ["bad" if tray.is_overfull else "" for tray in trays]
    return Table.of(table, len(trays), title="trays, the fullest first", marks=marks)
