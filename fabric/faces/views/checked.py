"""What a run of nccl-tests measured beside what is expected, size by size."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.expect.result import CheckRow
from fabric.faces.views.expect import gbytes_text, microseconds_text
from fabric.faces.views.limits import limit_mark
from fabric.faces.views.row_kinds import CHECKED
from fabric.output.columns import named
from fabric.output.table import Column, Table
from topologies.units import percent

_VERDICTS = {True: "pass", False: "FAIL"}
_PLACES = {True: "in place", False: "out of place"}


def checked_table(rows: Sequence[CheckRow]) -> Table:
    """One row per measured half of a row of the log."""
    columns = {
        "collective": named("collective", "collective", [row.collective for row in rows], width=14),
        "size_bytes": _figures("size_bytes", "size (B)", [int(row.size_bytes) for row in rows], str, "bytes"),
        "in_place": Column("in_place", "buffers", [row.in_place for row in rows], _PLACES.__getitem__, width=12),
        "measured_time_s": _figures(
            "measured_time_s", "time (us)", [row.measured.time_s for row in rows], microseconds_text, "s"
        ),
        "expected_time_s": _figures(
            "expected_time_s", "expected (us)", [row.expected.time_s for row in rows], microseconds_text, "s"
        ),
        "measured_busbw_gbytes_per_s": _rate(
            "measured_busbw_gbytes_per_s", "busbw", [row.measured.busbw_gbytes_per_s for row in rows]
        ),
        "expected_busbw_gbytes_per_s": _rate(
            "expected_busbw_gbytes_per_s", "expected busbw", [row.expected.busbw_gbytes_per_s for row in rows]
        ),
        "of_expected": Column(
            "of_expected",
            "of expected",
            [row.measured.busbw_gbytes_per_s / row.expected.busbw_gbytes_per_s for row in rows],
            percent,
            numeric=True,
            width=11,
        ),
        "pass_mark_busbw_gbytes_per_s": _rate(
            "pass_mark_busbw_gbytes_per_s", "pass mark", [row.pass_mark_busbw_gbytes_per_s for row in rows]
        ),
        "judged_by": named("judged_by", "judged by", [row.judged_by for row in rows], width=9),
        "ok": Column("ok", "verdict", [row.ok for row in rows], _VERDICTS.__getitem__, width=7),
    }
    marks = [limit_mark(row.ok) for row in rows]
    return Table.of([columns[name] for name in CHECKED.columns], len(rows), title="checked", marks=marks)


def fit_text(fit: float) -> str:
    """A fit of 0 to 1.

    >>> fit_text(0.987)
    '0.99'
    """
    return f"{fit:.2f}"


def _figures(name: str, header: str, values: Sequence[float], text: object, unit: str) -> Column:
    return Column(name, header, list(values), text, numeric=True, width=12, unit=unit)  # type: ignore[arg-type]


def _rate(name: str, header: str, values: Sequence[float]) -> Column:
    return Column(name, header, list(values), gbytes_text, numeric=True, width=9, unit="GB/s")
