"""A comparison as tables for people, and as records for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.faces.views.differences import figure_table, key_table, moved_link_table
from fabric.output.document import Document, Line
from fabric.output.table import Mark, Table
from fabric.pipeline.run import Run
from fabric.scenario.provenance import envelope
from fabric.whatif.differences import SUBJECTS, Comparison, Row, Subject

_SHOWN = ("what", "a", "b", "change", "relative", "noise", "band", "limit", "verdict")
_LINKS_SHOWN = ("link", "a", "b", "change", "phase", "fabric")
_MOST_NAMES = 20
_TITLES = {
    "topology": "network",
    "load": "offered load",
    "time": "times and limits",
    "cost": "what to buy",
    "flows": "traffic across tiers",
    "failures": "what failures do",
}


def chosen_rows(found: Comparison, only: Sequence[Subject], tolerance: float) -> list[Row]:
    """Rows of the subjects asked for that differ."""
    return [row for row in found.rows if row.subject in only and row.differs(tolerance)]


def compare_document(names: tuple[str, str], found: Comparison, only: Sequence[Subject], tolerance: float) -> Document:
    """What differs, subject by subject; what is the same is counted, not listed."""
    parts: list[Table | Line] = [Line(f"A  {names[0]}"), Line(f"B  {names[1]}")]
    if found.keys:
        parts.append(key_table(found.keys).first(_MOST_NAMES))
        if len(found.keys) > _MOST_NAMES:
            parts.append(Line(f"and {len(found.keys) - _MOST_NAMES:,} more keys"))
    if any(found.idle):
        who = "neither side sends" if all(found.idle) else f"{'A' if found.idle[0] else 'B'} does not send"
        parts.append(Line(f"{who} anything: no loads and no times are compared"))
    if not found.differs(tolerance):
        parts.append(Line("no figure differs", "good"))
    for subject in SUBJECTS:
        mine = [row for row in chosen_rows(found, only, tolerance) if row.subject == subject]
        if mine:
            shown = figure_table(mine, title=_TITLES[subject]).only(*_SHOWN).without_empty("noise", "band")
            parts.append(shown.as_rows())
    if "topology" in only:
        parts += [*_listed("gained", found.gained, "good"), *_listed("lost", found.lost, "bad")]
    if "load" in only and found.links:
        parts.append(moved_link_table(found.links).only(*_LINKS_SHOWN))
    return parts


def _listed(word: str, names: Sequence[str], mark: Mark) -> list[Line]:
    if not names:
        return []
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return [Line(f"{word} {len(names):,}: {', '.join(names[:_MOST_NAMES])}{more}", mark)]


def compare_record(a: Run, b: Run, found: Comparison, only: Sequence[Subject], tolerance: float) -> dict[str, Any]:
    """``CompareResult``; both scenarios are in ``inputs``."""
    head = envelope("CompareResult", a.loaded)
    other = envelope("CompareResult", b.loaded)
    return {
        **head,
        "inputs": [*head["inputs"], *other["inputs"]],
        "a": {"name": head["name"], "overrides": head["overrides"], "seed": head["seed"]},
        "b": {"name": other["name"], "overrides": other["overrides"], "seed": other["seed"]},
        "summary": {"differs": found.differs(tolerance), "tolerance": tolerance},
        "keys": key_table(found.keys).records(),
        "gained": list(found.gained),
        "lost": list(found.lost),
        "links": moved_link_table(found.links).records(),
    }
