"""The heat map: every pair of switches of a tier as a cell, and the link under the cursor beside it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from rich.text import Text
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from fabric.evaluation.hottest import describe_link
from fabric.faces.views.heat import HeatMap, hottest_tier, rising, shown_tiers
from fabric.output.table import Column, Table
from fabric.routing.utilisation import highest
from topologies.units import format_gbps, percent
from tui.session import Selection
from tui.text import safe
from tui.view import View
from tui.view_screen import ViewScreen
from tui.widgets.heat_grid import HeatGrid
from tui.widgets.pane import Pane

SUMMARY = "Every leaf-spine pair as a cell; the link under the cursor beside it."
ORDER = 20


class HeatScreen(ViewScreen):
    """Lower switches by upper switches of one tier."""

    view = View("heat", "2", "Heat map", SUMMARY)

    def body(self) -> Iterable[Widget]:
        """The map, and the link."""
        yield Horizontal(
            Pane(HeatGrid(id="heat"), title="Heat map", id="map"),
            Pane(Static(id="link", markup=False), title="Link", id="detail"),
            id="split",
        )

    def __init__(self) -> None:
        super().__init__()
        self._went_to: object = None  # the link the cursor was put on last, so that it is free afterwards

    @property
    def aim(self) -> Selection:
        """The tier or link that is selected, else the link that was under the cursor of the screen before."""
        session = self.session
        if session.selection.kind in ("tier", "link"):
            return session.selection
        return session.pointed if session.pointed.kind == "link" else Selection()

    @property
    def tier(self) -> str:
        """The tier shown: the one selected, else the one with the hottest link."""
        entry, selection = self.session.entry, self.aim
        if entry is None:
            return ""
        kinds = shown_tiers(entry)
        if selection.kind == "tier" and selection.name in kinds:
            return selection.name
        if selection.kind == "link" and 0 <= selection.link < len(entry.topology.links):
            tier = str(entry.topology.tiers[entry.topology.links.tier[selection.link]])
            if tier in kinds:
                return tier
        return hottest_tier(entry)

    def heat_of(self) -> HeatMap | None:
        """The map of the session's phase."""
        entry, tier = self.session.entry, self.tier
        return self.session.heat(entry, tier) if entry is not None and tier else None

    @property
    def map_kinds(self) -> tuple[str, ...]:
        """The tier shown."""
        return (self.tier,) if self.tier else ()

    @property
    def _is_new(self) -> bool:
        """Whether a link is aimed at that the cursor has not been put on."""
        return self.aim.kind == "link" and self.aim.link >= 0 and (self.session.fabric, self.aim) != self._went_to

    def turn(self) -> None:
        """To the direction of a link that is aimed at."""
        session = self.session
        if self._is_new and session.entry is not None:
            session.direction = "up" if rising(session.entry.topology)[self.aim.link] else "down"

    def show_state(self) -> None:
        """Map and link."""
        session, look, aim, new = self.session, self.look, self.aim, self._is_new
        heat, grid = self.heat_of(), self.query_one("#heat", HeatGrid)
        if heat is None:
            self.query_one("#link", Static).update("this fabric has no links between switches")
            return
        grid.show(heat, look, stale=session.stale)
        self._went_to = (session.fabric, aim)
        if new:
            self._to_link(grid, heat, aim.link)
        rows, columns = heat.shape
        self.query_one("#map", Pane).retitle(
            f"{self.tier}: {heat.title}, {session.metric}, {rows:,} × {columns:,}", *look.legends()
        )
        self.show_link()

    def _to_link(self, grid: HeatGrid, heat: HeatMap, link: int) -> None:
        entry = self.session.entry
        assert entry is not None
        topology = entry.topology
        ends = int(topology.links.src[link]), int(topology.links.dst[link])
        for lower, upper in (ends, ends[::-1]):
            row, column = heat.row_of(lower), heat.column_of(upper)
            if row is not None and column is not None:
                grid.row, grid.column = row, column
                grid._keep_in_view()
                grid.refresh()

    def cell_link(self) -> int | None:
        """The worst link of the cell under the cursor."""
        grid, entry = self.query_one("#heat", HeatGrid), self.session.entry
        if grid.heat is None or entry is None or not grid.heat.value.size:
            return None
        links = grid.heat.links(grid.row, grid.column)
        return int(links[highest(entry.utilisation[links])]) if len(links) else None

    def show_link(self) -> None:
        """The link under the cursor in words."""
        link, entry, look = self.cell_link(), self.session.entry, self.look
        text = Text()
        if link is None or entry is None:
            text.append("no link here", look.faint)
        else:
            load = describe_link(entry, link)
            text.append(safe(f"{load.a} {load.a_port} → {load.b} {load.b_port}") + "\n", look.heading)
            text.append(f"{format_gbps(load.capacity_gbps)}   offered {format_gbps(load.offered_gbps)} ", look.text)
            text.append(f"({percent(load.utilisation)})", look.load(load.utilisation))
            text.append(f"   carried {format_gbps(load.carried_gbps)}\n\n", look.text)
            for share in load.shares[:8]:
                text.append(safe(f"{share.job} {share.phase} "), look.text)
                text.append(
                    f"{share.collective}  {format_gbps(share.offered_gbps)}  {percent(share.share)}\n", look.faint
                )
            if not load.shares:
                text.append("idle in this phase\n", look.faint)
            text.append(self._others(), look.faint)
            text.append("\nenter flows   x kill/restore   e why   o hottest cell", look.faint)
        self.query_one("#link", Static).update(text)

    def _others(self) -> str:
        """What the link under the cursor is the worst of; empty where it is alone in its cell."""
        heat, (row, column) = self.query_one("#heat", HeatGrid).heat, self._cell()
        if heat is None or len(heat.links(row, column)) < 2:
            return ""
        single = len(heat.row_members[row]) == len(heat.column_members[column]) == 1
        return f"\nworst of {len(heat.links(row, column)):,} {'parallel ' if single else ''}links of this cell\n"

    def _cell(self) -> tuple[int, int]:
        grid = self.query_one("#heat", HeatGrid)
        return grid.row, grid.column

    def on_heat_grid_moved(self, _: HeatGrid.Moved) -> None:
        """Another cell; its link is selected where a link was."""
        if self.session.selection.kind == "link" and self.session.follow(self.selected()):
            self._went_to = (self.session.fabric, self.session.selection)
            self.refresh_lines()
        self.show_link()

    def on_heat_grid_chosen(self, _: HeatGrid.Chosen) -> None:
        """Enter: who loads the link."""
        link = self.selected()
        if link.kind == "link":
            self.shell.go("flows", link)

    def selected(self) -> Selection:
        """The link under the cursor."""
        link, entry = self.cell_link(), self.session.entry
        if link is None or entry is None:
            return self.session.selection
        return Selection("link", entry.topology.link_name(link), link)

    def view_table(self) -> Table | None:
        """The cells, row by row."""
        heat = self.heat_of()
        if heat is None:
            return None
        rows, columns = heat.shape
        row, column = np.divmod(np.arange(rows * columns), max(columns, 1))
        values = [None if np.isnan(value) else float(value) for value in heat.value.ravel().tolist()]
        return Table.of(
            (
                Column(heat.row_title, heat.row_title, [heat.row_names[at] for at in row.tolist()]),
                Column(heat.column_title, heat.column_title, [heat.column_names[at] for at in column.tolist()]),
                Column("utilisation", self.session.metric, values, lambda value: percent(value), numeric=True),
                Column("links", "links", heat.total.ravel(), numeric=True),
                Column("down", "down", heat.down.ravel(), numeric=True),
            ),
            rows * columns,
        )


SCREEN = HeatScreen
