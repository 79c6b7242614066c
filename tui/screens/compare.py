"""Compare: the base beside the present state, cell by cell, figure by figure, link by link."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from fabric.faces.views.differences import changed_link_table, effect_table
from fabric.faces.views.heat import OVERVIEW
from fabric.output.table import Table
from fabric.result import PhaseRoute
from fabric.whatif.effect import changed_links
from topologies.budget import counted
from tui.view import View
from tui.view_screen import ViewScreen
from tui.widgets.heat_grid import HeatGrid
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane

SUMMARY = "The base beside the present state: maps, figures, links that changed most."
ORDER = 70


class CompareScreen(ViewScreen):
    """Two maps with one cursor, the figures, the links that changed most."""

    view = View("compare", "7", "Compare", SUMMARY)
    CSS = """
    CompareScreen {
        #maps { height: 12; }
        &.-tiny #maps, &.-short #maps { height: auto; }
        &.-tiny #maps:focus-within, &.-short #maps:focus-within { height: 1fr; }
    }
    """

    def body(self) -> Iterable[Widget]:
        """Four panes."""
        yield Vertical(
            Horizontal(
                Pane(HeatGrid(id="base-map"), title="Base", id="p-base"),
                Pane(HeatGrid(id="now-map"), title="Now", id="p-now"),
                id="maps",
            ),
            Pane(LineTable(id="figures"), title="Figures", id="p-figures"),
            Pane(
                LineTable(id="links", empty="nothing differs from the base: 6 + makes a change, x kills a selection"),
                title="Links that changed most",
                id="p-links",
            ),
            id="compare",
        )

    def show_state(self) -> None:
        """All four."""
        session, look = self.session, self.look
        base, now = session.base_entry, session.entry
        if base is None or now is None:
            return
        self._map("#base-map", "#p-base", "A  base", base)
        self._map("#now-map", "#p-now", f"B  now, {counted(len(session.changes.enabled), 'changes')}", now)
        self.query_one("#figures", LineTable).show(
            effect_table(session.base, session.result), look, stale=session.stale
        )
        self.query_one("#links", LineTable).show(
            changed_link_table(changed_links(base, now)), look, stale=session.stale
        )

    def _map(self, grid: str, pane: str, state: str, entry: PhaseRoute) -> None:
        heat = self.session.heat(entry, OVERVIEW)
        self.query_one(grid, HeatGrid).show(heat, self.look, stale=self.session.stale)
        self.query_one(pane, Pane).retitle(
            f"{state}, {entry.links_over_capacity:,} links over: {heat.title}", *self.look.legends()
        )

    def on_heat_grid_moved(self, message: HeatGrid.Moved) -> None:
        """The other map follows."""
        for grid in self.query(HeatGrid):
            if grid is not message.grid:
                with grid.prevent(HeatGrid.Moved):
                    grid.go_to(message.row, message.column)

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter on a link: its flows."""
        row = message.table.table.record(message.position)
        if "link" in row:
            self.shell.go("flows", self.session.link(str(row["link"])))
        else:
            self.drill()

    def on_heat_grid_chosen(self, _: HeatGrid.Chosen) -> None:
        """Enter on a cell: the maps are of whole units, there is no one link behind it."""
        self.drill()

    def view_table(self) -> Table | None:
        """The links in focus, else the figures."""
        focused = self.focused
        return (focused if isinstance(focused, LineTable) else self.query_one("#figures", LineTable)).table


SCREEN = CompareScreen
