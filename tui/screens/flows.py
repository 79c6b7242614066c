"""Flows: who loads the selected link, what a job or host sends, or all links of the phase by load."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from fabric.evaluation.hottest import describe_link
from fabric.evaluation.link_flows import LinkFlows, link_flows
from fabric.faces.views.flows import crossing_words, demand_table, link_flow_table
from fabric.faces.views.links import links_of_part
from fabric.output.table import Table
from fabric.result import PhaseRoute
from topologies.errors import FabricError
from topologies.units import format_gbps, percent
from tui.keys import Key
from tui.row_filter import FilteredView, filtered
from tui.session import Selection
from tui.text import safe
from tui.view import View
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane

SUMMARY = "Who loads the selected link, switch or job; the links of the phase by load."
ORDER = 40


class FlowsScreen(FilteredView):
    """A table of flows or links, and what they come to in words."""

    view = View(
        "flows",
        "4",
        "Flows",
        SUMMARY,
        keys=(Key("s", "sort", "sort", "Sort by the next column."),),
    )
    CSS = """
    FlowsScreen { #about { height: auto; max-height: 6; } }
    """

    def __init__(self) -> None:
        super().__init__()
        self._full = Table.of((), 0)
        self._shown: tuple[object, ...] = ()
        self._links: dict[tuple[int, int], LinkFlows | str] = {}
        self._sort = -1
        self._title = ""
        self._kept: PhaseRoute | None = None  # whose flows are kept: an id is that of a living object only

    def body(self) -> Iterable[Widget]:
        """Words and table."""
        yield Vertical(
            Static(id="about", markup=False),
            Pane(LineTable(id="rows", empty="nothing here"), title="Flows", id="p-rows"),
            id="flows",
        )

    def show_state(self) -> None:
        """The table of the selection, computed in a thread where it takes long."""
        session, entry = self.session, self.session.entry
        if entry is None:
            return
        selection = session.selection
        state = (id(entry), selection, session.metric)
        about = Text()
        if selection.kind == "link" and 0 <= selection.link < len(entry.topology.links):
            table, title = self._of_link(entry, selection.link, about)
        elif selection.kind == "job":
            table, title = demand_table(entry, job=selection.name), f"What {selection.name} sends in this phase"
        elif selection.kind in ("host", "switch") and entry.topology.has_node(selection.name):
            table, title = self._of_node(entry, selection)
        else:
            table, title = self._of_part(entry, selection, about)
        if state != self._shown:
            self._shown, self._sort = state, -1
            self.query_one("#rows", LineTable).cursor = 0
        self._full = table
        self.refill(title)
        self.query_one("#about", Static).update(about)
        self.query_one("#about", Static).display = bool(about.plain)

    def _of_link(self, entry: PhaseRoute, link: int, about: Text) -> tuple[Table, str]:
        link_load, look = describe_link(entry, link), self.look
        about.append(safe(f" {link_load.a} {link_load.a_port} → {link_load.b} {link_load.b_port}"), look.heading)
        about.append(
            f"   {format_gbps(link_load.capacity_gbps)}, offered {format_gbps(link_load.offered_gbps)} ", look.text
        )
        about.append(f"({percent(link_load.utilisation)})", look.load(link_load.utilisation))
        about.append(f", carried {format_gbps(link_load.carried_gbps)}", look.text)
        known = self._links.get((id(entry), link))
        if isinstance(known, LinkFlows):
            about.append("\n" + safe(f" {crossing_words(entry, known)}"), look.text)
            for share in link_load.shares[:3]:
                rate = f"{format_gbps(share.offered_gbps)} ({percent(share.share)})"
                about.append("\n" + safe(f" {share.job} {share.phase} {share.collective}: {rate}"), look.faint)
            return link_flow_table(entry, known), f"Who loads {link_load.link}"
        if isinstance(known, str):
            about.append("\n" + safe(f" {known}"), look.warn)
        elif not self.shell.busy:
            self.shell.work("finding whose traffic crosses it", lambda _: _flows(entry, link), self._keep_flows)
        return Table.of((), 0), f"Who loads {link_load.link}"

    def _keep_flows(self, value: tuple[PhaseRoute, int, LinkFlows | str]) -> None:
        entry, link, flows = value
        if len(self._links) > 64 or self._kept is not entry:
            self._links.clear()
        self._kept = entry
        self._links[id(entry), link] = flows

    def _of_node(self, entry: PhaseRoute, selection: Selection) -> tuple[Table, str]:
        node = entry.topology.node(selection.name)
        if entry.topology.nodes.nics[node] > 0:
            return demand_table(entry, node=node), f"What {selection.name} sends and receives"
        return self._links_of(entry, selection), f"Links of {selection.name}"

    def _of_part(self, entry: PhaseRoute, selection: Selection, about: Text) -> tuple[Table, str]:
        """Links of a tier, unit or pod; all where nothing is selected, or what is selected is not there now."""
        if selection.kind in ("tier", "unit", "pod"):
            table = self._links_of(entry, selection)
            if len(table):
                return table, f"Links of {selection.name}, hottest first"
        if selection.kind:
            lost = f" {selection.name} is not on {entry.fabric} in this state; esc clears the selection"
            about.append(safe(lost), self.look.warn)
        return self.session.links_by_load(entry), "Links of the phase, hottest first"

    def _links_of(self, entry: PhaseRoute, selection: Selection) -> Table:
        table = self.session.links_by_load(entry)
        chosen = links_of_part(entry.topology, selection.kind, selection.name, selection.number)
        return table.ordered(table.order[chosen[table.order]])

    # ---- rows ---------------------------------------------------------------------------------------------------

    def all_rows(self) -> Table:
        """All of what the view is about."""
        return self._full

    def refill(self, title: str | None = None) -> None:
        """Filter, sort, and say how many rows are left."""
        pane, table = self.query_one("#p-rows", Pane), self._full
        if title is not None:
            self._title = title
        table = filtered(table, self.filter_text)
        count = f"{len(table):,} of {len(self._full):,}" if self.filter_text else f"{len(table):,}"
        if 0 <= self._sort < len(table.columns):
            column = table.columns[self._sort]
            table = table.sorted_by(column.name, reverse=column.numeric)
            count += f", by {column.header}"
        note = f"{count} rows; filter {self.filter_text}, esc clears it" if self.filter_text else f"{count} rows"
        pane.retitle(self._title, f"{note}; / filter, s sort", note)
        self.query_one("#rows", LineTable).show(table, self.look, stale=self.session.stale)

    def action_sort(self) -> None:
        """The next column, after the last the order it came in."""
        count = len(self._full.columns)
        self._sort = self._sort + 1 if self._sort + 1 < count else -1
        self.refill()

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter on a link: who loads it; on a flow: what its source sends."""
        row = message.table.table.record(message.position)
        if "link" in row:
            self.shell.go("flows", self.session.link(str(row["link"])))
        elif "src" in row:
            self.shell.go("flows", Selection("host", str(row["src"])))

    def selected(self) -> Selection:
        """The link under the cursor, else the selection."""
        row = self.query_one("#rows", LineTable).record()
        if row is None or "link" not in row:
            return self.session.selection
        return self.session.link(str(row["link"]))

    def view_table(self) -> Table | None:
        """The rows as shown."""
        return self.query_one("#rows", LineTable).table


def _flows(entry: PhaseRoute, link: int) -> tuple[PhaseRoute, int, LinkFlows | str]:
    try:
        return entry, link, link_flows(entry, link)
    except FabricError as error:
        problem = error.problems[0]
        return entry, link, f"{problem.message}; {problem.hint}"


SCREEN = FlowsScreen
