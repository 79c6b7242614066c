"""Two failure sweeps side by side: tables for people, records for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.faces.views.differences import figure_table, key_table
from fabric.faces.views.failures import sweep_text
from fabric.failures.differences import SweepDifferences
from fabric.output.document import Document, Line
from fabric.output.table import Table
from fabric.saved.failure_file import SavedFailures, files_of
from fabric.scenario.provenance import tool_envelope
from fabric.whatif.differences import Row

_SHOWN = ("what", "a", "b", "change", "relative", "limit", "verdict")


def sweep_differences_lines(differences: SweepDifferences, most: int) -> list[Line]:
    """What was swept differently, and how many cases and links differ besides those that are listed."""
    lines = [
        Line(f"other {key}: {_text(a)} in A, {_text(b)} in B; figures are of different cases", "warn")
        for key, a, b in differences.asked
    ]
    for side, count in (("A", differences.only_a), ("B", differences.only_b)):
        if count is not None and any(count):
            cases = "" if count[0] is None else f"{count[0]:,} cases, "
            lines.append(Line(f"only in {side}: {cases}{count[1]:,} links that carry load"))
    for what, rows in (("figures of cases", differences.cases), ("links", differences.links)):
        if len(rows) > most:
            lines.append(Line(f"{len(rows):,} {what} differ; the {most:,} that differ most are listed", is_rows=True))
    return lines


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def sweep_differences_record(differences: SweepDifferences) -> dict[str, Any]:
    """How much differs; the rows are with the others."""
    return {
        "cases_that_differ": len(differences.cases),
        "links_that_differ": len(differences.links),
        "only_a": _counts(differences.only_a),
        "only_b": _counts(differences.only_b),
        "swept_differently": [{"key": key, "a": _plain(a), "b": _plain(b)} for key, a, b in differences.asked],
    }


def _counts(count: tuple[int | None, int] | None) -> dict[str, int | None] | None:
    return None if count is None else {"cases": count[0], "links": count[1]}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def sweeps_document(
    sweeps: Sequence[SavedFailures], differences: SweepDifferences, tolerance: float, most: int
) -> Document:
    """What differs: figures, cases, links; what is the same is not listed."""
    parts: list[Table | Line] = [
        Line(f"{side}  {sweep.given}: {sweep.name}, {sweep_text(sweep.result)}")
        for side, sweep in zip("AB", sweeps, strict=True)
    ]
    overrides = [dict(sweep.overrides) for sweep in sweeps]
    keys = [
        (key, overrides[0].get(key), overrides[1].get(key))
        for key in dict.fromkeys([*overrides[0], *overrides[1]])
        if overrides[0].get(key) != overrides[1].get(key)
    ]
    parts += [key_table(keys)] if keys else []
    if not all(sweep.is_whole for sweep in sweeps):
        parts.append(Line("a side was written with --top: what only the other side lists is not compared", "warn"))
    if not differences.differs(tolerance):
        parts.append(Line("no figure differs", "good"))
    for title, rows in _tables(differences, most):
        shown = [row for row in rows if row.differs(tolerance)]
        if shown:
            parts.append(figure_table(shown, title=title).only(*_SHOWN).without_empty("limit", "verdict").as_rows())
    return [*parts, *sweep_differences_lines(differences, most)]


def _tables(differences: SweepDifferences, most: int) -> tuple[tuple[str, Sequence[Row]], ...]:
    return (
        ("what failures do", differences.figures),
        ("failure cases", differences.cases[:most]),
        ("links in their worst case", differences.links[:most]),
    )


def sweeps_record(sweeps: Sequence[SavedFailures], differences: SweepDifferences, tolerance: float) -> dict[str, Any]:
    """``CompareResult`` of two sweeps; files of both scenarios are in ``inputs``."""
    a, b = (
        {"name": sweep.name, "overrides": [{"set": key, "value": value} for key, value in sweep.overrides],
         "seed": sweep.seed, "set": sweep.result.set, "cases": sweep.result.cases, "file": sweep.given}
        for sweep in sweeps
    )  # fmt: skip
    return {
        **tool_envelope("CompareResult"),
        "name": sweeps[0].name,
        "inputs": files_of(sweeps),
        "a": a,
        "b": b,
        "summary": {"differs": differences.differs(tolerance), "tolerance": tolerance},
        "failures": sweep_differences_record(differences),
    }
