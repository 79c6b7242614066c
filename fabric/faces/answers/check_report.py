"""What ``fabric expect --check`` prints: the verdict, measured beside expected, and what explains a shortfall."""

from __future__ import annotations

from fabric.expect.result import Check, ExpectResult
from fabric.faces.answers.expect_report import mark_rule, test_text
from fabric.faces.views.checked import checked_table, fit_text
from fabric.faces.views.expect import gbytes_text
from fabric.faces.views.row_kinds import CHECKED
from fabric.output.document import Line
from fabric.output.table import Table
from fabric.scenario.load import LoadedScenario
from topologies.budget import counted
from topologies.units import format_message, percent


def check_document(loaded: LoadedScenario, result: ExpectResult) -> list[Table | Line]:
    """The tests, their rows, the verdict, and below it the explanations."""
    check = result.check
    assert check is not None
    parts: list[Table | Line] = [Line(f"{loaded.scenario.name}: {check.path} beside what is expected")]
    parts += [Line(test_text(test)) for test in result.tests]
    table = checked_table(check.rows).only(*CHECKED.shown)
    if len(result.tests) == 1:
        table = table.without("collective")
    parts.append(table.titled("").as_rows())
    parts.append(Line(verdict_text(check, result)))
    if check.explanations:
        parts.append(
            Line("what would explain it, simulated on this fabric, with how well it fits (1: nothing is left)")
        )
        parts += [Line(f"  {fit_text(entry.fit)}  {entry.cause}: {entry.detail}") for entry in check.explanations]
    return parts


def verdict_text(check: Check, result: ExpectResult) -> str:
    """Pass or fail, by which mark, and the row that is furthest below it."""
    failed = [row for row in check.rows if not row.ok]
    rule = f"pass mark: {mark_rule(result)}"
    if not failed:
        wrong = " of its values, some of which came out wrong" if check.verdict != "pass" else ""
        return f"{check.verdict.upper()}: {counted(len(check.rows), 'rows')} reach their mark{wrong}; {rule}"
    worst = min(failed, key=lambda row: row.measured.busbw_gbytes_per_s / row.pass_mark_busbw_gbytes_per_s)
    part = percent(worst.measured.busbw_gbytes_per_s / worst.expected.busbw_gbytes_per_s)
    return (
        f"{check.verdict.upper()}: {len(failed)} of {counted(len(check.rows), 'rows')} miss their mark; furthest "
        f"{format_message(worst.size_bytes)}, busbw {gbytes_text(worst.measured.busbw_gbytes_per_s)} GB/s, {part} of "
        f"what is expected; {rule}"
    )
