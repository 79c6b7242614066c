"""A comparison as tables for people, and as records for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.output.document import Document, Line, Mark, Table, table
from fabric.output.numbers import finite
from fabric.saved.open_any import OpenedResult
from fabric.scenario.provenance import envelope
from fabric.whatif.differences import SUBJECTS, Comparison, Row, Subject
from topologies.units import format_gbps, format_seconds, percent, points, signed_percent

COLUMNS = ("subject", "what", "a", "b", "change", "relative", "unit", "a_ok", "b_ok", "limit")
_MOST_NAMES = 20
_TITLES = {
    "topology": "network",
    "load": "offered load",
    "time": "times and limits",
    "cost": "what to buy",
    "flows": "traffic across tiers",
}


def chosen_rows(found: Comparison, only: Sequence[Subject], tolerance: float) -> list[Row]:
    """Rows of the subjects asked for that differ."""
    return [row for row in found.rows if row.subject in only and row.differs(tolerance)]


def compare_document(names: tuple[str, str], found: Comparison, only: Sequence[Subject], tolerance: float) -> Document:
    """What differs, subject by subject; what is the same is counted, not listed."""
    parts: list[Table | Line] = [Line(f"A  {names[0]}"), Line(f"B  {names[1]}")]
    if found.keys:
        heads = ("key", "A~", "B~")
        rows = [(key, _short(a), _short(b)) for key, a, b in found.keys[:_MOST_NAMES]]
        parts.append(table("what was changed", heads, rows))
        if len(found.keys) > _MOST_NAMES:
            parts.append(Line(f"and {len(found.keys) - _MOST_NAMES:,} more keys"))
    if not found.differs(tolerance):
        parts.append(Line("no figure differs", "good"))
    for subject in SUBJECTS:
        mine = [row for row in chosen_rows(found, only, tolerance) if row.subject == subject]
        if mine:
            parts.append(_table(_TITLES[subject], mine))
    if "topology" in only:
        parts += [*_listed("gained", found.gained, "good"), *_listed("lost", found.lost, "bad")]
    if "load" in only and found.links:
        link_heads = ("link", ">A", ">B", ">change", "phase", "fabric?")
        link_rows = [
            (one.link, _load(one.base), _load(one.now), points(one.change), phase, fabric)
            for fabric, phase, one in found.links
        ]
        parts.append(table("links that changed most", link_heads, link_rows))
    return parts


def _table(title: str, rows: Sequence[Row]) -> Table:
    heads = ("", ">A", ">B", ">B - A", ">change", ">allowed?", "verdict?")
    cells, marks = [], []
    for row in rows:
        cells.append(
            (
                row.what,
                _text(row.a, row.unit),
                _text(row.b, row.unit),
                _difference(row),
                "-" if row.relative is None else signed_percent(row.relative),
                "" if row.limit is None else _text(row.limit, row.unit),
                _verdict(row),
            )
        )
        marks.append(_mark(row))
    return table(title, heads, cells, marks=marks)


def _mark(row: Row) -> Mark:
    if row.b_ok is False and row.a_ok is not False:
        return "bad"
    return "good" if row.a_ok is False and row.b_ok else ""


def _verdict(row: Row) -> str:
    words = {True: "ok", False: "FAIL", None: "open"}
    return "" if row.limit is None else f"A {words[row.a_ok]}, B {words[row.b_ok]}"


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "ratio":
        return percent(value)
    if unit == "s":
        return format_seconds(value)
    return format_gbps(value) if unit == "Gbps" else f"{value:,.0f}"


def _difference(row: Row) -> str:
    if row.change is None:
        return "lost" if row.b is None else "gained"
    if row.unit == "ratio":
        return points(row.change)
    if row.unit == "s":
        return ("-" if row.change < 0 else "+") + format_seconds(abs(row.change))
    return f"{row.change:+,.0f}"


def _load(value: float | None) -> str:
    return "down" if value is None else percent(value)


def _listed(word: str, names: Sequence[str], mark: Mark) -> list[Line]:
    if not names:
        return []
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return [Line(f"{word} {len(names):,}: {', '.join(names[:_MOST_NAMES])}{more}", mark)]


def _short(value: Any) -> str:
    return "-" if value is None else str(value)


def compare_record(
    a: OpenedResult, b: OpenedResult, found: Comparison, only: Sequence[Subject], tolerance: float
) -> dict[str, Any]:
    """``CompareResult``; both scenarios are in ``inputs``."""
    head = envelope("CompareResult", a.loaded)
    other = envelope("CompareResult", b.loaded)
    return {
        **head,
        "inputs": [*head["inputs"], *other["inputs"]],
        "a": {"name": head["name"], "overrides": head["overrides"], "seed": head["seed"]},
        "b": {"name": other["name"], "overrides": other["overrides"], "seed": other["seed"]},
        "summary": {"differs": found.differs(tolerance), "tolerance": tolerance},
        "keys": [{"key": key, "a": one, "b": two} for key, one, two in found.keys],
        "gained": list(found.gained),
        "lost": list(found.lost),
        "links": [
            {"fabric": fabric, "phase": phase, "link": one.link, "a": finite(one.base), "b": finite(one.now),
             "change": finite(one.change), "a_gbps": one.base_gbps, "b_gbps": one.now_gbps}
            for fabric, phase, one in found.links
        ],
        "items": [row_record(row) for row in found.rows if row.subject in only],
    }  # fmt: skip


def row_record(row: Row) -> dict[str, Any]:
    """One figure."""
    return {
        "subject": row.subject,
        "what": row.what,
        "a": finite(row.a),
        "b": finite(row.b),
        "change": finite(row.change),
        "relative": finite(row.relative),
        "unit": row.unit,
        "a_ok": row.a_ok,
        "b_ok": row.b_ok,
        "limit": row.limit,
    }
