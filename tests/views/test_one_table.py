"""Every face shows the same table: each question's table through every face, parsed back, compared cell by cell."""

from __future__ import annotations

import ast
import asyncio
import csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from lake import made_answer
from made_designs import CONFLICT, DESIGNS
from made_sweep import sweep
from textual.app import App, ComposeResult

from fabric.bill.count import bill_of
from fabric.bill.energy import NetworkPower
from fabric.cables.schedule import cable_schedule
from fabric.cli.cables import profile_rows
from fabric.evaluation.link_flows import link_flows
from fabric.evaluation.severity import worst_phase
from fabric.faces.answers.route_report import route_document
from fabric.faces.report.content import Content, Section
from fabric.faces.report.make import make_report
from fabric.faces.report.markdown import to_markdown as report_markdown
from fabric.faces.report.page import to_page
from fabric.faces.report.record import block_record
from fabric.faces.report.source import ReportSource
from fabric.faces.views import cables as cable_views
from fabric.faces.views import failures
from fabric.faces.views.attached import host_table, leaf_table
from fabric.faces.views.bill import bill_table, part_table, total_table
from fabric.faces.views.build import cable_table, role_table
from fabric.faces.views.demand_matrix import demand_matrix, matrix_table
from fabric.faces.views.design import conflict_table, design_table
from fabric.faces.views.differences import (
    effect_table,
    figure_table,
    limits_since,
    moved_link_table,
    phases_since,
    times_since,
)
from fabric.faces.views.drain import window_table
from fabric.faces.views.energy import energy_of
from fabric.faces.views.exports import profile_table
from fabric.faces.views.flows import demand_table, link_flow_table, share_table
from fabric.faces.views.growth import growth_table, work_table
from fabric.faces.views.interference import (
    admitted_table,
    sharing_job_table,
    sharing_table,
    shift_table,
    slowdown_matrix,
)
from fabric.faces.views.jobs import job_table, step_table
from fabric.faces.views.limits import limit_table
from fabric.faces.views.links import folded_link_table, hot_link_table, hottest_table, link_table
from fabric.faces.views.nodes import node_table
from fabric.faces.views.phases import phase_table, spread_table
from fabric.faces.views.placements import placement_table
from fabric.faces.views.provenance import assumption_table, file_table
from fabric.faces.views.review import finding_table
from fabric.faces.views.routers import router_limit_table, router_step_table, router_table, source_table
from fabric.faces.views.scheduled import scheduled_table
from fabric.faces.views.shape import cut_table, path_table
from fabric.faces.views.storage import layout_table
from fabric.faces.views.suggestions import suggestion_table
from fabric.faces.views.tiers import tier_table
from fabric.faces.views.traffic import sent_table
from fabric.growth.grow import GrowthRequest, grow
from fabric.growth.sizes import StageWish
from fabric.operate.drain.drain import plan_drain
from fabric.operate.drain.planner import DrainRequest
from fabric.operate.drain.work import works_on
from fabric.output.row_kind import RowKind
from fabric.output.rows import Arrangement, arrange, row_records, to_csv, to_ndjson
from fabric.output.table import Table
from fabric.output.text import print_terminal, to_markdown, to_plain
from fabric.pipeline.comparison import compare_routers
from fabric.pipeline.network import build_network
from fabric.pipeline.prepared import prepare
from fabric.pipeline.run import Run, route, run_scenario
from fabric.pipeline.stages import schedules
from fabric.request import RouteRequest
from fabric.result import PhaseRoute, RouteResult
from fabric.review.finding import Finding
from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.share.interference.interference import InterferenceRequest, interference
from fabric.share.place.place import PlaceRequest, place_job
from fabric.share.place.setting import place_setting
from fabric.share.schedulers.listed_nodes import ListedNode, ListedNodes
from fabric.whatif.differences import Row
from fabric.whatif.effect import changed_links
from fabric.whatif.suggestions import Suggestion
from topologies.bisection import bisection
from topologies.distances import distances
from topologies.summary import summarise
from tui.style import Look
from tui.widgets.line_table import LineTable

ROOT = Path(__file__).parents[2]
TRAINING = str(ROOT / "tests" / "golden" / "cases" / "training.fabric.yaml")
_STYLES = {"bad": "\x1b[1;31m", "good": "\x1b[32m", "warn": "\x1b[33m"}


DRAINED = DrainRequest(failures=False)
GROWTH = GrowthRequest((StageWish(160), StageWish(320)))

NODES = ListedNodes(
    "kubernetes",
    "nodes.json",
    (ListedNode("n0", 8, 2, 95.5, 2**40, 3 * 10**12, ""), ListedNode("n1", 8, None, None, None, None, "cordoned")),
    "",
    (),
)


class Routed:
    """A training job with storage and a fabric with limits: routed, without a spine, and under several routers."""

    def __init__(self) -> None:
        self.loaded: LoadedScenario = load_scenario(TRAINING)
        self.run: Run = run_scenario(self.loaded, RouteRequest(top=6), given=TRAINING)
        self.result: RouteResult = self.run.result
        self.without: RouteResult = route(self.loaded, RouteRequest(down=("spine0",)))
        self.hashed: RouteResult = route(self.loaded, RouteRequest(router="ecmp-hash", replicas=3))
        three = ("ecmp", "ecmp-hash", "wcmp")
        self.routers = compare_routers(prepare(self.loaded, RouteRequest(replicas=3)), routers=three)
        limited = load_scenario(str(Path(TRAINING).with_name("oversubscribed.fabric.yaml")))
        self.limited: Run = run_scenario(limited, RouteRequest(top=3), given=limited.path)
        self.limited_less: RouteResult = route(limited, RouteRequest(down=("spine0",)))
        self.limited_routers = compare_routers(prepare(limited, RouteRequest()), routers=("ecmp", "ecmp-hash"))
        self.network = self.run.network
        self.grown = grow(load_scenario(str(ROOT / "examples" / "quickstart.fabric.yaml")), GROWTH)
        works = works_on(self.run.network, ["role=spine"], 1800.0)
        self.drained = plan_drain(self.run, works, DRAINED)
        three = load_scenario(str(ROOT / "examples" / "three-jobs.fabric.yaml"))
        self.sharing = interference(run_scenario(three), InterferenceRequest(admit="c"))
        self.stored = made_answer()
        self.workloads = self.run.traffic
        self.schedules = schedules(self.run.prepared)
        self.placed = place_job(place_setting(self.loaded, RouteRequest(), "job"), PlaceRequest("slurm"))
        placed = load_scenario(TRAINING, overrides=["site={rows: 4, racks_per_row: 8, trays: {width: 1 mm}}"])
        self.cables = cable_schedule(placed, build_network(placed).topologies)

    @property
    def entry(self) -> PhaseRoute:
        """The worst phase."""
        worst = worst_phase(self.result.routes)
        assert worst is not None
        return worst

    @property
    def hottest(self) -> int:
        """The id of its fullest link."""
        return int(self.entry.utilisation.argmax())


ROWS = (
    Row("load", "main: max offered", 2.0, 0.5, "ratio", False, True, 1.0),
    Row("time", "job: step time", 1.0, 3.0, "s", True, False, 2.0),
    Row("topology", "cables", None, 4.0, ""),
    Row("topology", "capacity", 400.0, None, "Gbps"),
    Row("load", "one and the same", 0.3, 0.1 + 0.2, "ratio"),
)
CHANGES = (
    Suggestion("queue pairs 16", "fabric route x --set=a=16", "main", False, 2.5, 1.0, 9, 0, 1.5, 1.25, 2, 0),
    Suggestion(
        "spray | packets",
        "fabric route x --set=b=*",
        "main",
        True,
        2.5,
        float("inf"),
        9,
        3,
        1.5,
        None,
        2,
        1,
        rest=0.96,
        rest_fabric="storage",
    ),
)
FINDINGS = (
    Finding("contradiction", "ports", "spines 4", "512 uplinks need 512 spine ports", ("64 x 8 = 512", "4 x 64 = 256")),
    Finding("warning", "single-point", "spine", "one spine", fix="two spines", fabric="main"),
    Finding("note", "unused", "leaf", "8 ports of 64 unused", ("64 - 56 = 8",), "room to grow", "main"),
)
SWEEP = sweep()
SCHEDULED_ROWS = [
    {
        "format": "slurm", "of": "fabric", "name": name, "folder": "out", "hosts": hosts, "levels": levels,
        "groups": groups, "ranks": None, "mapped": 0, "differences": differences, "read_by": "slurmctld",
    }
    for name, hosts, levels, groups, differences in (("backend", 256, 2, 9, 0), ("storage", 296, None, None, 3))
]  # fmt: skip

QUESTIONS: dict[str, Callable[[Routed], Table]] = {
    "phases": lambda it: phase_table(it.result.routes),
    "draws of the hash": lambda it: spread_table(it.hashed.routes),
    "tiers": lambda it: tier_table(it.result.routes),
    "hottest links": lambda it: hot_link_table(it.result.items),
    "hottest links, folded": lambda it: folded_link_table(it.result.folded),
    "all links": lambda it: link_table(it.entry),
    "limits": lambda it: limit_table(it.limited.result.limits),
    "steps": lambda it: step_table(it.result.jobs),
    "steps with demand cut": lambda it: step_table(it.without.jobs),
    "jobs": lambda it: job_table(it.result.jobs),
    "energy of a step": lambda it: energy_of(it.result.jobs, NetworkPower(24_000.0, 31_000.0, 64)),
    "suggestions": lambda _: suggestion_table(CHANGES),
    "findings of a review": lambda _: finding_table(FINDINGS),
    "who loads a link": lambda it: share_table(it.result.items[0]),
    "pairs on a link": lambda it: link_flow_table(it.entry, link_flows(it.entry, it.hottest)),
    "what a job sends": lambda it: demand_table(it.entry, job="job"),
    "effect of a failure": lambda it: effect_table(it.result, it.without),
    "links that changed": lambda it: moved_link_table(
        [("f", one.phase, each) for one, other in zip(it.result.routes, it.without.routes, strict=True)
         for each in changed_links(one, other, 3)]
    ),
    "differences": lambda _: figure_table(ROWS),
    "limits since": lambda it: limits_since(it.limited.result.limits, it.limited_less.limits),
    "phases since": lambda it: phases_since(it.result.routes, it.without.routes),
    "times since": lambda it: times_since(it.result.jobs, it.without.jobs),
    "routers": lambda it: router_table(it.routers),
    "sources of load": lambda it: source_table(it.routers),
    "step by router": lambda it: router_step_table(it.routers),
    "limits by router": lambda it: router_limit_table(it.limited_routers),
    "roles": lambda it: role_table(
        "backend", summarise(it.network.topologies["backend"]), it.network.topologies["backend"],
        it.loaded.scenario.fabrics["backend"],
    ),
    "cables": lambda it: cable_table({name: summarise(net) for name, net in it.network.topologies.items()}),
    "traffic": lambda it: sent_table(it.workloads, it.schedules),
    "demand matrix": lambda it: matrix_table(
        [demand_matrix(it.network.topologies["backend"], "backend", it.workloads, "leaf")]
    ),
    "bill": lambda it: bill_table(bill_of(it.loaded, it.network.topologies)),
    "cost and power by part": lambda it: part_table(bill_of(it.loaded, it.network.topologies)),
    "totals of the bill": lambda it: total_table(bill_of(it.loaded, it.network.topologies)),
    "paths": lambda it: path_table({name: distances(net) for name, net in it.network.topologies.items()}),
    "bisection": lambda it: cut_table({name: bisection(net) for name, net in it.network.topologies.items()}),
    "cables in pull order": lambda it: cable_views.cable_table(it.cables),
    "cables from both ends": lambda it: cable_views.cable_table(it.cables, both_ways=True),
    "cables to buy": lambda it: cable_views.cable_kind_table(it.cables),
    "bundles of cables": lambda it: cable_views.bundle_table(it.cables),
    "trays": lambda it: cable_views.tray_table(it.cables),
    "profiles of cables": lambda _: profile_table(profile_rows()),
    "hosts by switch": lambda it: leaf_table(it.network.topologies),
    "switches of hosts": lambda it: host_table(it.network),
    "assumptions": lambda it: assumption_table(it.result.assumptions),
    "files": lambda it: file_table(it.loaded),
    "failure cases": lambda _: failures.case_table(SWEEP.failures),
    "failure cases, folded": lambda _: failures.folded_case_table(failures.folded_cases(SWEEP.failures)),
    "links by their worst case": lambda _: failures.worst_link_table(SWEEP.links),
    "links by their worst case, folded": lambda _: failures.folded_link_table(failures.folded_links(SWEEP.links)),
    "failures that fill a link": lambda _: failures.cause_table(SWEEP.links[0]),
    "limits in failure cases": lambda _: failures.when_limit_table(SWEEP.limits, {"L2": 0.9975}),
    "worst failure of every kind": lambda _: failures.kind_table(failures.kind_harms(SWEEP.failures)),
    "what is lost a month": lambda _: failures.loss_table(SWEEP.expected),
    "best time between checkpoints": lambda _: failures.checkpoint_table(SWEEP.expected.checkpoints),
    "what to add": lambda _: failures.remedy_table(SWEEP.remedies),
    "designs": lambda _: design_table(DESIGNS, {DESIGNS[0].name: Path("a.fabric.yaml")}),
    "wishes that conflict": lambda _: conflict_table(CONFLICT),
    "windows of work": lambda it: window_table(it.drained),
    "placements of a job": lambda it: placement_table(it.placed),
    "what schedulers are told": lambda _: scheduled_table(SCHEDULED_ROWS),
    "nodes of a cluster": lambda _: node_table(NODES),
    "jobs beside each other": lambda it: sharing_table(it.sharing),
    "slowdown, job by job": lambda it: slowdown_matrix(it.sharing),
    "jobs that share links": lambda it: sharing_job_table(it.sharing),
    "what a newcomer costs": lambda it: admitted_table(it.sharing),
    "time shifts": lambda it: shift_table(it.sharing, it.sharing.shifts),
    "layouts of storage": lambda it: layout_table(it.stored),
    "stages of growth": lambda it: growth_table(it.grown),
    "order of the work": lambda it: work_table(it.grown),
}  # fmt: skip


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
