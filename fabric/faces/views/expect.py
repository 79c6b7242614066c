"""The table that nccl-tests would print on a fabric, size by size, with the band and the mark to sign."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from fabric.expect.nccl_tests import TYPE, message_of
from fabric.expect.result import CollectiveTest, Rate, SizeRow
from fabric.faces.views.row_kinds import EXPECTED
from fabric.output.columns import counts, named
from fabric.output.table import Column, Table

MARK = "pass_mark_busbw_gbytes_per_s"
_TIME_DIGITS, _RATE_DIGITS = 7, 6  # widths that nccl-tests prints them in
_RATES = {"expected": "", "ideal": "ideal ", "p5": "5 % ", "p95": "95 % "}
_FIGURES = {"time_s": "time (us)", "algbw_gbytes_per_s": "algbw", "busbw_gbytes_per_s": "busbw"}


def fitting(value: float, width: int) -> str:
    """Two decimals, or as many as fit, as nccl-tests prints a number.

    >>> fitting(12.3456, 7), fitting(123456.78, 7), fitting(1e9, 7), fitting(0.0, 6)
    ('12.35', '123457', '1.0e+09', '0.00')
    """
    texts = (f"{value:.{digits}f}" for digits in (2, 1, 0))
    return next((text for text in texts if len(text) <= width), f"{value:.1e}")


def microseconds_text(seconds: float) -> str:
    """A time in the microseconds of nccl-tests."""
    return fitting(seconds * 1e6, _TIME_DIGITS)


gbytes_text = partial(fitting, width=_RATE_DIGITS)


def expect_table(tests: Sequence[CollectiveTest]) -> Table:
    """One row per test and size."""
    pairs = [(test, row) for test in tests for row in test.rows]
    messages = [message_of(test.collective, row.size_bytes, test.ranks) for test, row in pairs]
    columns = {
        "collective": named("collective", "collective", [test.collective for test, _ in pairs], width=14),
        "algorithm": named("algorithm", "algorithm", [row.algorithm for _, row in pairs], width=9, priority=1),
        "protocol": named("protocol", "protocol", [row.protocol for _, row in pairs], width=8, priority=1),
        "ranks": counts("ranks", "ranks", [test.ranks for test, _ in pairs], priority=2),
        "fabric": named("fabric", "fabric", [test.fabric for test, _ in pairs], priority=2),
        "size_bytes": _whole("size_bytes", "size (B)", [int(row.size_bytes) for _, row in pairs], unit="bytes"),
        "count": _whole("count", "count", [message.count for message in messages], priority=3),
        "type": named("type", "type", [TYPE] * len(pairs), width=5, priority=3),
        "redop": named("redop", "redop", [message.redop for message in messages], width=5, priority=3),
        "root": _whole("root", "root", [message.root for message in messages], width=4, priority=3),
    }
    rows = [row for _, row in pairs]
    columns[MARK] = _gbytes(MARK, "pass mark", [row.pass_mark_busbw_gbytes_per_s for row in rows])
    columns |= {name: _rate(name, rows) for name in EXPECTED.columns if name not in columns}
    return Table.of([columns[name] for name in EXPECTED.columns], len(pairs), title="expected")


def _rate(name: str, rows: Sequence[SizeRow]) -> Column:
    """A figure of one of the four rates: ``p5_busbw_gbytes_per_s``."""
    which, _, figure = name.partition("_")
    rates: list[Rate] = [getattr(row, which) for row in rows]
    values = [getattr(one, figure) for one in rates]
    header = _RATES[which] + _FIGURES[figure]
    if figure == "time_s":
        return Column(name, header, values, microseconds_text, numeric=True, width=9, unit="s", priority=1)
    return _gbytes(name, header, values, priority=0 if figure.startswith("bus") else 2)


def _gbytes(name: str, header: str, values: Any, **layout: Any) -> Column:
    return Column(
        name, header, values, gbytes_text, **{"numeric": True, "width": max(len(header), 7), "unit": "GB/s", **layout}
    )


def _whole(name: str, header: str, values: Any, **layout: Any) -> Column:
    """A whole number as nccl-tests prints it, without separators."""
    return Column(name, header, values, str, **{"numeric": True, "width": 12, **layout})
