"""What ``fabric expect`` prints: the table of nccl-tests with the band, and the mark to write into a contract."""

from __future__ import annotations

from typing import Any

from fabric.expect.result import Check, CollectiveTest, ExpectResult, Rate, SizeRow
from fabric.faces.views.expect import expect_table, gbytes_text
from fabric.faces.views.row_kinds import EXPECTED
from fabric.output.document import Line
from fabric.output.table import Table
from fabric.scenario.load import LoadedScenario
from fabric.scenario.provenance import envelope
from topologies.budget import counted
from topologies.units import format_message, percent


def expect_document(loaded: LoadedScenario, result: ExpectResult) -> list[Table | Line]:
    """A table per test under what it was run on, and below it what the largest size comes to."""
    parts: list[Table | Line] = []
    for test in result.tests:
        parts.append(Line(f"{loaded.scenario.name}: {test_text(test)}"))
        table = expect_table([test]).only(*EXPECTED.shown).without("collective")
        parts.append(table.titled("").as_rows())
        parts += [Line(text) for text in conclusion(test, result)]
    return parts


def test_text(test: CollectiveTest) -> str:
    """What a test was run on, in one line."""
    texts = [f"{test.collective}, {test.ranks:,} ranks ({test.where}) on {counted(test.hosts, 'hosts')}"]
    if test.router:
        texts.append(f"fabric {test.fabric}, {test.router}, {counted(test.flows_per_pair, 'connections')} a pair")
        if test.hashed:
            texts.append(f"{counted(test.draws, 'draws')} of the hash" if test.draws > 1 else "one draw, so no band")
    else:
        texts.append("inside one scale-up domain: no fabric is crossed")
    return ", ".join(texts)


def conclusion(test: CollectiveTest, result: ExpectResult) -> list[str]:
    """The largest size in words: what to expect, what holds it back, and the mark."""
    if not test.rows:
        return []
    row = test.rows[-1]
    expected, low, high = (gbytes_text(rate.busbw_gbytes_per_s) for rate in (row.expected, row.p5, row.p95))
    band = f" ({low} to {high} in nine draws of ten)" if low != high else " (in every draw)" if test.draws > 1 else ""
    size = format_message(row.size_bytes)
    part = percent(row.expected.busbw_gbytes_per_s / row.ideal.busbw_gbytes_per_s)
    return [
        f"at {size}: busbw {expected} GB/s expected{band}, {part} of the ideal {_ideal(row)} GB/s"
        + (f"; {test.limited_by}" if test.limited_by else ""),
        f"to sign: {gbytes_text(row.pass_mark_busbw_gbytes_per_s)} GB/s at {size}, {mark_rule(result)}",
    ]


def _ideal(row: SizeRow) -> str:
    return gbytes_text(row.ideal.busbw_gbytes_per_s)


def mark_rule(result: ExpectResult) -> str:
    """How the mark is set."""
    return f"p{result.percentile:g} of the bus bandwidth less {percent(result.margin)}"


def expect_record(loaded: LoadedScenario, result: ExpectResult) -> dict[str, Any]:
    """``ExpectResult``, but for its rows: sizes of all tests in one list."""
    return {
        **envelope("ExpectResult", loaded),
        "percentile": result.percentile,
        "margin": result.margin,
        "tests": [_test(test) for test in result.tests],
        "check": None if result.check is None else check_record(result.check),
        "settings": dict(result.settings or {}),
        "assumptions": [entry.__dict__ for entry in result.assumptions],
    }


def _test(test: CollectiveTest) -> dict[str, Any]:
    return {
        "collective": test.collective,
        "algorithm": test.algorithm,
        "ranks": test.ranks,
        "hosts": test.hosts,
        "fabric": test.fabric,
        "router": test.router or None,
        "flows_per_pair": test.flows_per_pair,
        "draws": test.draws,
        "limited_by": test.limited_by,
        "rows": [_row(row) for row in test.rows],
    }


def _row(row: SizeRow) -> dict[str, Any]:
    return {
        "size_bytes": int(row.size_bytes),
        "algorithm": row.algorithm,
        "protocol": row.protocol,
        **{name: _rate(getattr(row, name)) for name in ("ideal", "expected", "p5", "p95")},
        "pass_mark_busbw_gbytes_per_s": row.pass_mark_busbw_gbytes_per_s,
    }


def _rate(rate: Rate) -> dict[str, float]:
    return dict(rate.__dict__)


def check_record(check: Check) -> dict[str, Any]:
    """A log held against the table."""
    rows = [
        {**row.__dict__, "size_bytes": int(row.size_bytes), "measured": _rate(row.measured),
         "expected": _rate(row.expected)}
        for row in check.rows
    ]  # fmt: skip
    explanations = [dict(entry.__dict__) for entry in check.explanations]
    return {"path": check.path, "verdict": check.verdict, "rows": rows, "explanations": explanations,
            "notes": list(check.notes)}  # fmt: skip
