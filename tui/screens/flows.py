"""Flows: who loads the selected link, what a job or host sends, or all links of the phase by load."""

from __future__ import annotations

from collections.abc import Iterable

from rich.style import Style
from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from fabric.evaluation.hottest import describe_link
from fabric.evaluation.link_flows import LinkFlows, link_flows
from fabric.faces.views.flow_tables import crossing_words, demand_table, link_flow_table
from fabric.faces.views.tables import link_table
from fabric.output.column_table import ColumnTable
from fabric.output.numbers import percent
from fabric.result import PhaseRoute
from topologies.errors import FabricError
from tui.screens.overview import load_style
from tui.session import Selection
from tui.style import Look
from tui.text import safe
from tui.view_screen import Pane, ViewScreen
from tui.widgets.line_table import LineTable


class FlowsScreen(ViewScreen):
    """A table of flows or links, and what they come to in words."""

    view = "flows"

    def __init__(self) -> None:
        super().__init__()
        self._full = ColumnTable.of((), 0)
        self._shown: tuple[object, ...] = ()
        self._links: dict[tuple[int, int], LinkFlows | str] = {}
        self._sort = -1
        self._title = ""
        self._keep: PhaseRoute | None = None  # whose flows are kept: an id is that of a living object only

    def body(self) -> Iterable[Widget]:
        """Words and table."""
        yield Vertical(
            Static(id="about", markup=False),
            Pane(LineTable(id="rows", row_style=self._style, empty="nothing here"), title="Flows", id="p-rows"),
            id="flows",
        )

    def _style(self, table: ColumnTable, position: int, look: Look) -> Style | None:
        return load_style(table, position, look) if "utilisation" in table.names else None

    def show_state(self) -> None:
        """The table of the selection, computed in a thread where it takes long."""
        session, entry = self.session, self.session.entry
        if entry is None:
            return
        selection = session.selection
        state = (id(entry), selection, session.metric)
        about, title = Text(), "Links of the phase, hottest first"
        if selection.kind == "link" and 0 <= selection.link < len(entry.topology.links):
            table, title = self._of_link(entry, selection.link, about)
        elif selection.kind == "job":
            table, title = demand_table(entry, job=selection.name), f"What {selection.name} sends in this phase"
        elif selection.kind in ("host", "switch") and entry.topology.has_node(selection.name):
            table, title = self._of_node(entry, selection)
        else:
            table = link_table(entry, session.metric)
        if state != self._shown:
            self._shown, self._sort = state, -1
            self.query_one("#rows", LineTable).cursor = 0
        self._full = table
        self._refill(title)
        self.query_one("#about", Static).update(about)
        self.query_one("#about", Static).display = bool(about.plain)

    def _of_link(self, entry: PhaseRoute, link: int, about: Text) -> tuple[ColumnTable, str]:
        found, look = describe_link(entry, link), self.look
        about.append(safe(f" {found.a} {found.a_port} → {found.b} {found.b_port}"), look.heading)
        about.append(f"   {found.capacity_gbps:g} Gb/s, offered {found.offered_gbps:,.1f} ", look.text)
        about.append(f"({percent(found.utilisation)})", look.load(found.utilisation or 0.0))
        about.append(f", carried {found.carried_gbps:,.1f}\n", look.text)
        known = self._links.get((id(entry), link))
        if isinstance(known, LinkFlows):
            about.append(safe(f" {crossing_words(entry, known)}\n"), look.text)
            for share in found.shares[:3]:
                about.append(
                    safe(f" {share.job} {share.phase} {share.collective}: {share.offered_gbps:,.1f} Gb/s "), look.faint
                )
                about.append(f"({percent(share.share)})\n", look.faint)
            return link_flow_table(entry, known), f"Who loads {found.link}"
        if isinstance(known, str):
            about.append(safe(f" {known}\n"), look.warn)
        elif not self.fabric_app.busy:
            self.fabric_app.work("finding whose traffic crosses it", lambda _: _flows(entry, link), self._found)
        return ColumnTable.of((), 0), f"Who loads {found.link}"

    def _found(self, value: tuple[PhaseRoute, int, LinkFlows | str]) -> None:
        entry, link, flows = value
        if len(self._links) > 64 or self._keep is not entry:
            self._links.clear()
        self._keep = entry
        self._links[id(entry), link] = flows

    def _of_node(self, entry: PhaseRoute, selection: Selection) -> tuple[ColumnTable, str]:
        node = entry.topology.node(selection.name)
        if entry.topology.nodes.nics[node] > 0:
            return demand_table(entry, node=node), f"What {selection.name} sends and receives"
        table = link_table(entry, self.session.metric)
        ends = (entry.topology.links.src == node) | (entry.topology.links.dst == node)
        return ColumnTable(table.columns, table.order[ends[table.order]]), f"Links of {selection.name}"

    # ---- rows ---------------------------------------------------------------------------------------------------

    def _refill(self, title: str | None = None) -> None:
        pane, table = self.query_one("#p-rows", Pane), self._full
        if title is not None:
            self._title = title
        if self.filter_text:
            table = filtered(table, self.filter_text)
        words = f"{len(table):,} of {len(self._full):,}" if self.filter_text else f"{len(table):,}"
        if 0 <= self._sort < len(table.columns):
            column = table.columns[self._sort]
            table = table.sorted_by(column.name, reverse=column.numeric)
            words += f", by {column.header}"
        note = f"{words} rows; filter {self.filter_text}" if self.filter_text else f"{words} rows"
        pane.retitle(self._title, f"{note}; / filter, s sort")
        self.query_one("#rows", LineTable).show(table, self.look, stale=self.session.stale)

    def filter_rows(self, text: str) -> None:
        """Keep rows; an expression or a text.

        Raises
        ------
        FabricError
            When the expression is none.
        """
        if text:
            filtered(self._full, text)
        self.filter_text = text
        self._refill()

    def sort_rows(self) -> None:
        """The next column, after the last the order it came in."""
        count = len(self._full.columns)
        self._sort = self._sort + 1 if self._sort + 1 < count else -1
        self._refill()

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter on a link: who loads it; on a flow: what its source sends."""
        row = message.table.table.record(message.position)
        if "link" in row:
            name = str(row["link"])
            self.fabric_app.go("flows", Selection("link", name, self.fabric_app.link_id(name)))
        elif "src" in row:
            self.fabric_app.go("flows", Selection("host", str(row["src"])))

    def toggled(self) -> Selection:
        """The link under the cursor, else the selection."""
        row = self.query_one("#rows", LineTable).record()
        if row is None or "link" not in row:
            return self.session.selection
        name = str(row["link"])
        return Selection("link", name, self.fabric_app.link_id(name))

    def view_table(self) -> ColumnTable | None:
        """The rows as shown."""
        return self.query_one("#rows", LineTable).table


def filtered(table: ColumnTable, text: str) -> ColumnTable:
    """Rows that an expression holds for, or in which a text stands."""
    if any(sign in text for sign in "<>=") or text.split(" ")[0] in table.names:
        return table.where(text)
    return table.containing(text)


def _flows(entry: PhaseRoute, link: int) -> tuple[PhaseRoute, int, LinkFlows | str]:
    try:
        return entry, link, link_flows(entry, link)
    except FabricError as error:
        problem = error.problems[0]
        return entry, link, f"{problem.message}; {problem.hint}"
