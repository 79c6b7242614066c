"""Rules: the tables of every switch, and what differs from an export."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from textual.containers import Horizontal
from textual.widget import Widget

from fabric.faces.views.rule_tables import PlannedTables, differences, planned_tables, rule_table, switch_table
from fabric.output.table import Table
from fabric.routing.progress import Progress, Reporter
from fabric.routing.router import router_label
from topologies.errors import FabricError
from tui.dialogues.ask import Ask
from tui.dialogues.reading import Reading
from tui.keys import Key
from tui.row_filter import FilteredView, filtered
from tui.session import Selection
from tui.view import View
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane

SUMMARY = "Flow tables and groups of every switch; difference to the last export."
ORDER = 90


class RulesScreen(FilteredView):
    """Switches at the left, the rules and groups of the one under the cursor at the right."""

    view = View(
        "rules",
        "9",
        "Rules",
        SUMMARY,
        keys=(
            Key("s", "sort", "sort", "Sort by the next column."),
            Key("D", "difference", "difference", "What differs from an export folder.", "fabric export --diff"),
        ),
    )
    CSS = """
    RulesScreen {
        #split-rules { height: 1fr; }
        #p-switches { width: 2fr; }
        #p-rules { width: 3fr; }
        &.-narrow #split-rules, &.-tiny #split-rules, &.-short #split-rules { layout: vertical; }
        &.-narrow #p-switches, &.-narrow #p-rules { width: 100%; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._state: object = None
        self._tables: PlannedTables | None = None
        self._why_not = ""
        self._changed: dict[str, tuple[int, int]] | None = None
        self._by_rules = False

    def body(self) -> Iterable[Widget]:
        """Switches and rules."""
        yield Horizontal(
            Pane(LineTable(id="switches", empty="tables are being planned"), title="Switches", id="p-switches"),
            Pane(LineTable(id="rules", empty="no switch selected"), title="Rules and groups", id="p-rules"),
            id="split-rules",
        )

    def show_state(self) -> None:
        """Plan the tables of the state looked at, unless they are there."""
        session = self.session
        state = (session.fabric, session.phase, session.changes.key)
        planned = self._tables is not None or bool(self._why_not)
        if (state != self._state or not planned) and not session.stale and not self.shell.busy:
            self._state, self._tables, self._changed, self._why_not = state, None, None, ""
            changes, fabric, phase = session.changes, session.fabric, session.phase
            request = replace(changes.request(session.request), fabric=fabric, phase=phase or "worst")
            live = session.live

            def plan(report: Reporter) -> PlannedTables | str:
                report(Progress(f"planning the tables of {fabric}"))
                try:
                    prepared = replace(live.run(changes, report).prepared, request=request)
                    return planned_tables(prepared, report)
                except FabricError as error:
                    return "; ".join(f"{problem.message}: {problem.hint}" for problem in error.problems)

            self.shell.work(f"planning the tables of {fabric}", plan, self._planned)
        self.refill()

    def _planned(self, value: PlannedTables | str) -> None:
        if isinstance(value, str):
            self._why_not = value
        else:
            self._tables = value

    def refill(self) -> None:
        """The switches that the filter leaves, and the rules of the one under the cursor."""
        switches, rules = self.query_one("#switches", LineTable), self.query_one("#rules", LineTable)
        if self._tables is None:
            switches.empty = self._why_not or "tables are being planned"
            switches.show(Table.of((), 0), self.look)
            rules.show(Table.of((), 0), self.look)
            return
        table = filtered(switch_table(self._tables, self._changed), self.filter_text)
        switches.show(table, self.look)
        names = self._tables.names
        wanted = self.session.selection.name
        if self.session.selection.kind == "switch" and wanted in names and not switches.has_focus:
            at = (table.order == names.index(wanted)).nonzero()[0]
            switches.move_to(int(at[0]) if len(at) else switches.cursor)
        router = router_label(self._tables.planned.rules.router)
        self.query_one("#p-switches", Pane).retitle(f"Switches, {router}", "D difference to an export")
        self._show_rules()

    def _show_rules(self) -> None:
        switches, rules = self.query_one("#switches", LineTable), self.query_one("#rules", LineTable)
        if self._tables is None or not len(switches.table):
            return
        at = int(switches.table.order[switches.cursor])
        table = self._tables.table(at)
        rules.show(rule_table(table), self.look, cursor=0)
        self.query_one("#p-rules", Pane).retitle(
            f"{table.name}: {len(table.rules):,} rules, {len(table.groups):,} groups", f"datapath {table.datapath:016x}"
        )

    def on_line_table_moved(self, message: LineTable.Moved) -> None:
        """Another switch: its rules."""
        if message.table.id == "switches":
            self._show_rules()

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter on a switch goes to its rules, on a rule shows all of it."""
        if message.table.id == "switches":
            self.query_one("#rules").focus()
        else:
            row = message.table.table.record(message.position)
            self.shell.push_screen(Reading(str(row["kind"]), str(row["text"]).replace(",", ", ")))

    def action_difference(self) -> None:
        """Ask for an export folder and compare with it."""
        if self._tables is None:
            self._say_why_not()
            return
        folder = Path(self.session.loaded.path).parent / f"{self.session.loaded.scenario.name}-rules"
        self.shell.push_screen(Ask("Folder of an export", value=str(folder)), self._compare)

    def _compare(self, text: str | None) -> None:
        tables = self._tables
        if not text or tables is None:
            return
        self.shell.work(f"reading {text}", lambda _: differences(tables, Path(text)), self._compared)

    def _compared(self, changed: dict[str, tuple[int, int]]) -> None:
        self._changed = changed
        count = len(self._tables.names) if self._tables is not None else 0
        self.shell.notify(f"{len(changed):,} of {count:,} switches differ", timeout=6)
        self.refill()

    def all_rows(self) -> Table | None:
        """All switches."""
        return switch_table(self._tables, self._changed) if self._tables is not None else None

    def action_sort(self) -> None:
        """Switches with most rules first, or in their own order again."""
        switches = self.query_one("#switches", LineTable)
        if self._tables is None:
            self._say_why_not()
            return
        self._by_rules = not self._by_rules
        if self._by_rules:
            switches.show(switches.table.sorted_by("rules", reverse=True), self.look, cursor=0)
        else:
            self.refill()
        self._show_rules()

    def _say_why_not(self) -> None:
        self.shell.notify(self._why_not or "tables are being planned", timeout=4, markup=False)

    def selected(self) -> Selection:
        """The switch under the cursor."""
        row = self.query_one("#switches", LineTable).record()
        return Selection("switch", str(row["switch"])) if row else self.session.selection

    def view_table(self) -> Table | None:
        """Rules, or switches where they have the focus."""
        focused = self.focused
        return (focused if isinstance(focused, LineTable) else self.query_one("#rules", LineTable)).table


SCREEN = RulesScreen
