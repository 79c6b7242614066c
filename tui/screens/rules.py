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
from fabric.rules.table import SwitchTable
from topologies.budget import counted
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
        self._went_to: object = None  # the switch the cursor was put on last, so that it is free afterwards

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
        switches = self.query_one("#switches", LineTable)
        if self._tables is None:
            switches.empty = self._why_not or "tables are being planned"
            switches.show(Table.of((), 0), self.look)
            self.query_one("#p-switches", Pane).retitle("Switches")
            self._show_rules()
            return
        every = switch_table(self._tables, self._changed)
        table = filtered(every, self.filter_of(every))
        if self._by_rules:
            table = table.sorted_by("rules", reverse=True)
        switches.show(table, self.look, cursor=self._cursor(table), stale=self.session.stale)
        router = router_label(self._tables.planned.rules.router)
        count = f"{len(table):,} of {len(every):,}" if len(table) < len(every) else f"{len(every):,}"
        self.query_one("#p-switches", Pane).retitle(
            f"{count} switches, {router}", f"{self._filter_note(every)}D difference to an export"
        )
        self._show_rules()

    def _filter_note(self, table: Table) -> str:
        text = self.filter_of(table)
        return f"filter {text}, esc clears it; " if text else ""

    def _cursor(self, table: Table) -> int | None:
        """The row of the switch that was selected elsewhere, once; None leaves the cursor where it is."""
        session, tables = self.session, self._tables
        assert tables is not None
        wanted = next((name for name in map(self._switch_of, (session.selection, session.pointed)) if name), "")
        if wanted == self._went_to:
            return None
        self._went_to = wanted
        rows = table.order.tolist()
        place = tables.names.index(wanted) if wanted else -1
        return rows.index(place) if place in rows else None

    def _switch_of(self, selection: Selection) -> str:
        """The switch that a selection is, or is attached to: of a link the one that sends into it."""
        entry, tables = self.session.entry, self._tables
        if entry is None or tables is None:
            return ""
        topology, names = entry.topology, [selection.name]
        if selection.kind == "link" and selection.link >= 0:
            ends = (topology.links.src[selection.link], topology.links.dst[selection.link])
            names = [topology.nodes.name[end] for end in ends]
        elif selection.kind == "host" and topology.has_node(selection.name):
            leaving = topology.links.src == topology.node(selection.name)
            names = [topology.nodes.name[end] for end in topology.links.dst[leaving].tolist()]
        return next((name for name in names if name in tables.names), "")

    def _shown_switch(self) -> SwitchTable | None:
        """The table of the switch under the cursor."""
        switches = self.query_one("#switches", LineTable)
        if self._tables is None or not len(switches.table):
            return None
        return self._tables.table(int(switches.table.order[switches.cursor]))

    def _show_rules(self) -> None:
        rules, pane, table = self.query_one("#rules", LineTable), self.query_one("#p-rules", Pane), self._shown_switch()
        if table is None:
            rules.show(Table.of((), 0), self.look)
            pane.retitle("Rules and groups")
            return
        every = rule_table(table)
        rules.show(filtered(every, self.filter_of(every)), self.look, cursor=0, stale=self.session.stale)
        note = f"{self._filter_note(every)}enter shows the whole line, datapath {table.datapath:016x}"
        count = f"{counted(len(table.rules), 'rules')}, {counted(len(table.groups), 'groups')}"
        pane.retitle(f"{table.name}: {count}", note, "enter: the whole line")

    def on_line_table_moved(self, message: LineTable.Moved) -> None:
        """Another switch: its rules; it is selected where something was."""
        if message.table.id == "switches":
            if self.session.follow(self.selected()):
                self._went_to = self.session.selection.name
                self.refresh_lines()
            self._show_rules()

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter on a switch goes to its rules, on a rule shows all of it."""
        if message.table.id == "switches":
            self.query_one("#rules").focus()
        else:
            row = message.table.table.record(message.position)
            table = self._shown_switch()
            title = f"{row['kind']} of {table.name}, as ovs-ofctl reads it" if table is not None else str(row["kind"])
            self.shell.push_screen(Reading(title, str(row["text"]).replace(",", ", ")))

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
        """All rules of the switch where they have the focus, else all switches."""
        if self._tables is None:
            return None
        table = self._shown_switch()
        if self.focused is self.query_one("#rules") and table is not None:
            return rule_table(table)
        return switch_table(self._tables, self._changed)

    def action_sort(self) -> None:
        """Switches with most rules first, or in their own order again."""
        if self._tables is None:
            self._say_why_not()
            return
        self._by_rules = not self._by_rules
        self.query_one("#switches", LineTable).cursor = 0
        self.refill()

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
