"""Every face shows the same table: each question's table through every face, parsed back, compared cell by cell."""

from __future__ import annotations

import ast
import asyncio
import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from asked_tables import QUESTIONS, ROOT, Routed
from textual.app import App, ComposeResult

from fabric.faces.answers.route_report import route_document
from fabric.faces.report.content import Content, Section
from fabric.faces.report.make import make_report
from fabric.faces.report.markdown import to_markdown as report_markdown
from fabric.faces.report.page import to_page
from fabric.faces.report.record import block_record
from fabric.faces.report.source import ReportSource
from fabric.faces.views.links import hot_link_table, hottest_table
from fabric.output.row_kind import RowKind
from fabric.output.rows import Arrangement, arrange, row_records, to_csv, to_ndjson
from fabric.output.table import Table
from fabric.output.text import print_terminal, to_markdown, to_plain
from tui.style import Look
from tui.widgets.line_table import LineTable

_STYLES = {"bad": "\x1b[1;31m", "good": "\x1b[32m", "warn": "\x1b[33m"}


@pytest.fixture(scope="module")
def routed() -> Routed:
    """Made once."""
    return Routed()


@pytest.fixture(params=sorted(QUESTIONS))
def table(request: pytest.FixtureRequest, routed: Routed) -> Table:
    """Every question's table, 40 rows of it at most, without the times of solvers, which terminals alone show."""
    answer = QUESTIONS[request.param](routed)
    return answer.titled(answer.title or "title").first(40).repeatable


def cells(table: Table) -> list[tuple[str, ...]]:
    """What people should read."""
    rows = list(table.texts())
    assert rows, "a question without rows proves nothing"
    return rows


def marks(table: Table) -> list[str]:
    """How rows should be marked."""
    return [table.mark(position) for position in range(len(table))]


def blanks_as_one(text: str) -> str:
    """Words of a line."""
    return " ".join(text.split())


def test_plain_text_has_the_cells(table: Table) -> None:
    """Tab-separated: title, headers, rows."""
    title, headers, *rows = to_plain([table]).strip("\n").split("\n")
    assert title == table.title
    assert tuple(headers.split("\t")) == table.headers
    assert [tuple(row.split("\t")) for row in [*rows[:-1], rows[-1]]] == cells(table)


def test_a_terminal_has_the_cells_and_the_marks(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Aligned; a whole row has the colour of its mark."""
    monkeypatch.setenv("COLUMNS", "2000")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = io.StringIO()
    print_terminal([table], stream, color=True)
    lines = [line for line in stream.getvalue().split("\n") if line.strip()][2:]
    plain = [blanks_as_one(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in lines]
    assert plain == [blanks_as_one(" ".join(row)) for row in cells(table)]
    styles = [next((mark for mark, code in _STYLES.items() if line.startswith(code)), "") for line in lines]
    assert styles == marks(table)


def pipe_rows(text: str) -> list[tuple[str, ...]]:
    """Cells of a pipe table, headers first, without the line of dashes."""
    rows = [line for line in text.split("\n") if line.startswith("|")]
    split = [re.split(r"(?<!\\) ?\| ?", row)[1:-1] for row in [rows[0], *rows[2:]]]
    return [tuple(row) for row in split]


def test_markdown_has_the_cells(table: Table) -> None:
    """Of commands: pipes and backslashes escaped."""
    unescaped = [tuple(re.sub(r"\\([|\\])", r"\1", cell) for cell in row) for row in pipe_rows(to_markdown([table]))]
    assert unescaped == [table.headers, *cells(table)]


def values(table: Table) -> list[list[object]]:
    """What machines should read: the values of the cells by name, nothing rounded, no infinity."""
    return [list(record.values()) for record in table.records()]


def csv_cell(value: object) -> str:
    """A value as CSV has it."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def test_csv_has_the_values(table: Table) -> None:
    """By column name; nested values as JSON, no value as nothing."""
    names, *rows = csv.reader(io.StringIO("".join(to_csv(table))))
    assert tuple(names) == table.names
    expected = [[csv_cell(value) for value in row] for row in values(table)]
    assert rows == expected


def test_json_has_the_values(table: Table) -> None:
    """Lines after the envelope, and tables of a report."""
    rows = arrange(table, RowKind("rows", table.names), Arrangement())
    text = "".join(to_ndjson({"kind": "x"}, rows, row_records(rows, None, None)))
    _, *lines = text.splitlines()
    assert [list(json.loads(line).values()) for line in lines] == values(table)
    block = json.loads(json.dumps(block_record(table), allow_nan=False))
    assert block["columns"] == list(table.names)
    assert [list(row.values()) for row in block["rows"]] == values(table)


def test_texts_stand_for_the_values(table: Table) -> None:
    """A numeric cell that has a value shows a digit or says why not; every unit is in the text or in the header."""
    for column in (entry for entry in table.columns if entry.numeric):
        for row in table.order.tolist():
            value, text = column.value(row), column.cell(row)
            if isinstance(value, int | float) and not re.search(r"\d", text):
                assert text in {"-", "", "=", "∞", "in compute", "steady", "down"}, (column.name, value, text)


def content_of(table: Table) -> Content:
    """A report of one section with this table alone."""
    section = Section("only", "Only", "so", (table,))
    return Content("name", "MET", True, "2024-01-01", "fabric-planner 1", (section,))


class PageTable(HTMLParser):
    """Headers, cells, sort keys and marks of the one table of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.keys: list[list[str | None]] = []
        self.marks: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A row, or a cell of one."""
        names = dict(attrs)
        if tag == "tr":
            self.rows.append([])
            self.keys.append([])
            self.marks.append(names.get("class") or "")
        self._inside = tag in ("td", "th", "button")
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.keys[-1].append(names.get("data-v"))

    def handle_data(self, data: str) -> None:
        """Text of a cell."""
        if self._inside and self.rows:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        """The end of a cell."""
        self._inside = False


def test_a_page_has_the_cells_the_values_and_the_marks(table: Table) -> None:
    """Numbers sort by their values, rows have the mark as their class."""
    parsed = PageTable()
    parsed.feed(to_page(content_of(table)))
    assert [tuple(row) for row in parsed.rows] == [table.headers, *cells(table)]
    assert parsed.marks[1:] == marks(table)
    for key_row, row in zip(parsed.keys[1:], values(table), strict=True):
        for key, value, column in zip(key_row, row, table.columns, strict=True):
            is_sorted = column.numeric and isinstance(value, int | float)
            assert key == (repr(value) if is_sorted else None)


def test_the_markdown_of_a_report_has_the_cells_and_what_is_bad(table: Table) -> None:
    """The first cell of a bad row is bold."""
    (headers, *rows) = pipe_rows(report_markdown(content_of(table)))
    bold = [bool(re.fullmatch(r"\*\*.*\*\*", row[0])) for row in rows]
    shown = [mark == "bad" and bool(row[0]) for mark, row in zip(marks(table), cells(table), strict=True)]
    assert bold == shown

    def plain(cell: str) -> str:
        cell = re.sub(r"^\*\*(.*)\*\*$", r"\1", cell)
        cell = re.sub(r"\\([\\`*_\[\]|~#])", r"\1", cell)
        return cell.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    expected = [table.headers, *cells(table)]
    assert [tuple(map(plain, row)) for row in (headers, *rows)] == [tuple(map(blanks_as_one, row)) for row in expected]


class OneTable(App[None]):
    """A terminal with one table."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.lines = LineTable()
        self._table = table

    def compose(self) -> ComposeResult:
        """The table alone."""
        yield self.lines

    def on_mount(self) -> None:
        """Show it; the cursor at the end, where no row is."""
        self.lines.show(self._table, Look())


def test_a_screen_has_the_cells_and_the_marks(table: Table) -> None:
    """Cut to the widths of the columns; a row has the style of its mark."""

    async def lines() -> tuple[list[tuple[str, object]], list[int]]:
        width = sum(column.width + 2 for column in table.columns) + 1
        app = OneTable(table)
        async with app.run_test(size=(width + 4, len(table) + 4)):
            app.lines.cursor = -1
            strips = [app.lines.render_line(at) for at in range(len(table) + 1)]
            widths = [size for _, size in app.lines.shown_columns(app.lines.scrollable_content_region.width)]
            return [(strip.text, next(iter(strip)).style) for strip in strips], widths

    shown, widths = asyncio.run(lines())
    assert len(widths) == len(table.columns)
    for (line, style), row, mark in zip(shown, [table.headers, *cells(table)], ["", *marks(table)], strict=True):
        start = 1
        for text, size in zip(row, widths, strict=True):
            cell = line[start : start + size].strip()
            assert cell == text.strip() or (len(text) > size and cell.endswith("…") and text.startswith(cell[:-1]))
            start += size + 2
        if row != table.headers:
            assert style.color == Look().mark(mark).color  # type: ignore[attr-defined]


# ---- the faces themselves --------------------------------------------------------------------------------------------


def by_name(table: Table) -> dict[str, list[str]]:
    """Texts of every column."""
    return {column.name: [column.cell(row) for row in table.order.tolist()] for column in table.columns}


def titled(parts: object, title: str) -> Table:
    """The table of a document or section whose title begins so."""
    return next(part for part in parts if isinstance(part, Table) and part.title.startswith(title))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("command", "section", "report", "question"),
    [
        ("phases", "verdict", "Phases", "phases"),
        ("limits", "verdict", "Limits", "limits"),
        ("hottest links", "hottest", "Hottest links", "hottest links, folded"),
        ("job: training", "steps", "job: training", "steps"),
    ],
)
def test_command_and_report_choose_columns_of_one_table(
    routed: Routed, command: str, section: str, report: str, question: str
) -> None:
    """Each has its choice of columns; where both have one, its cells are those of the question's table."""
    run = routed.limited if question == "limits" else routed.run
    source = ReportSource(run)
    (made,) = make_report(source, [section]).sections
    whole = QUESTIONS[question](routed)
    for face in (titled(route_document(run.loaded, run.result), command), titled(made.blocks, report)):
        assert marks(face) == marks(whole)
        for name, texts in by_name(face).items():
            assert texts == by_name(whole)[name], name


def test_the_hottest_links_of_a_screen_are_those_of_the_command(routed: Routed) -> None:
    """The same cells and marks for the links that both list."""
    screen = hottest_table(routed.entry, 6)
    listed = hot_link_table([link for link in routed.result.items if link.phase == routed.entry.phase])
    shown = listed.only(*screen.names).first(6)
    assert list(screen.first(len(shown)).texts()) == list(shown.texts())
    assert marks(screen)[: len(shown)] == marks(shown)


# What may make a table outside of fabric/faces/views, and why.
MAKERS = {
    "fabric/output/table.py": "the type itself",
    "tui/key_list.py": "keys: of the terminal alone",
    "tui/targets.py": "places to go to: of the terminal alone",
    "tui/start/start.py": "files to open: of the terminal alone",
    "tui/screens/whatif.py": "changes on offer: a dialogue",
    "tui/screens/heat.py": "the cells of a map as rows",
    "tui/screens/rules.py": "nothing yet, before tables are planned",
    "tui/screens/topology.py": "the open branches of a tree",
    "tui/screens/flows.py": "nothing yet, before flows are known",
    "tui/screens/expect.py": "nothing yet, before a test is worked out",
    "tui/screens/failures.py": "nothing yet, before a sweep",
    "tui/screens/measured.py": "nothing yet, before counters and neighbours are read",
    "tui/widgets/line_table.py": "nothing yet, before a table is shown",
}


def _makes_tables(path: Path) -> bool:
    """Whether a file calls ``Table(...)`` or ``Table.of(...)``."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    names = [call.value if isinstance(call, ast.Attribute) and call.attr == "of" else call for call in calls]
    return any(isinstance(name, ast.Name) and name.id == "Table" for name in names)


def test_only_views_make_tables() -> None:
    """A table made elsewhere would be a second answer to a question."""
    files = [path for folder in ("fabric", "tui") for path in (ROOT / folder).rglob("*.py")]
    makers = {str(path.relative_to(ROOT)) for path in files if _makes_tables(path)}
    outside = {name for name in makers if not name.startswith("fabric/faces/views/")}
    assert outside == set(MAKERS)
