"""Rules: what every switch would be told, and what differs from an export."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from textual.containers import Horizontal
from textual.widget import Widget

from fabric.faces.views.rule_tables import PlannedTables, differences, planned_tables, rule_table, switch_table
from fabric.output.column_table import ColumnTable
from fabric.routing.progress import Progress, Reporter
from topologies.errors import FabricError
from tui.dialogues.ask import Ask
from tui.dialogues.reading import Reading
from tui.screens.flows import filtered
from tui.session import Selection
from tui.view_screen import Pane, ViewScreen
from tui.widgets.line_table import LineTable


class RulesScreen(ViewScreen):
    """Switches at the left, the rules and groups of the one under the cursor at the right."""

    view = "rules"

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
        if (state != self._state or not planned) and not session.stale and not self.fabric_app.busy:
            self._state, self._tables, self._changed, self._why_not = state, None, None, ""
            changes, fabric, phase = session.changes, session.fabric, session.phase
            request = replace(changes.request(session.request), fabric=fabric, phase=phase or "worst")
            live = session.live

            def plan(report: Reporter) -> PlannedTables | str:
                report(Progress(f"planning the tables of {fabric}"))
                try:
                    return planned_tables(live.scenario(changes), request, report)
                except FabricError as error:
                    return "; ".join(f"{problem.message}: {problem.hint}" for problem in error.problems)

            self.fabric_app.work(f"planning the tables of {fabric}", plan, self._planned)
        self._refill()

    def _planned(self, value: PlannedTables | str) -> None:
        if isinstance(value, str):
            self._why_not = value
        else:
            self._tables = value

    def _refill(self) -> None:
        switches, rules = self.query_one("#switches", LineTable), self.query_one("#rules", LineTable)
        if self._tables is None:
            switches.empty = self._why_not or "tables are being planned"
            switches.show(ColumnTable.of((), 0), self.look)
            rules.show(ColumnTable.of((), 0), self.look)
            return
        table = switch_table(self._tables, self._changed)
        if self.filter_text:
            table = filtered(table, self.filter_text)
        switches.show(table, self.look)
        names = self._tables.names
        wanted = self.session.selection.name
        if self.session.selection.kind == "switch" and wanted in names and not switches.has_focus:
            at = (table.order == names.index(wanted)).nonzero()[0]
            switches.move_to(int(at[0]) if len(at) else switches.cursor)
        router = self._tables.planned.rules.router
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
            self.fabric_app.push_screen(Reading(str(row["kind"]), str(row["text"]).replace(",", ", ")))

    def show_difference(self) -> None:
        """Ask for an export folder and compare with it."""
        if self._tables is None:
            return
        folder = Path(self.session.loaded.path).parent / f"{self.session.loaded.scenario.name}-rules"
        self.fabric_app.push_screen(Ask("Folder of an export", value=str(folder)), self._compare)

    def _compare(self, text: str | None) -> None:
        tables = self._tables
        if not text or tables is None:
            return
        self.fabric_app.work(f"reading {text}", lambda _: differences(tables, Path(text)), self._compared)

    def _compared(self, changed: dict[str, tuple[int, int]]) -> None:
        self._changed = changed
        words = f"{len(changed):,} of {len(self._tables.names) if self._tables else 0:,} switches differ"
        self.fabric_app.notify(words, timeout=6)
        self._refill()

    def filter_rows(self, text: str) -> None:
        """Keep switches.

        Raises
        ------
        FabricError
            When an expression is none.
        """
        if self._tables is not None and text:
            filtered(switch_table(self._tables, self._changed), text)
        self.filter_text = text
        self._refill()

    def sort_rows(self) -> None:
        """Switches with most rules first, or in their own order again."""
        switches = self.query_one("#switches", LineTable)
        if self._tables is not None:
            self._by_rules = not self._by_rules
            table = switches.table.sorted_by("rules", reverse=True) if self._by_rules else None
            switches.show(table, self.look, cursor=0) if table is not None else self._refill()
            self._show_rules()

    def toggled(self) -> Selection:
        """The switch under the cursor."""
        row = self.query_one("#switches", LineTable).record()
        return Selection("switch", str(row["switch"])) if row else self.session.selection

    def view_table(self) -> ColumnTable | None:
        """Rules, or switches where they have the focus."""
        focused = self.focused
        return (focused if isinstance(focused, LineTable) else self.query_one("#rules", LineTable)).table
