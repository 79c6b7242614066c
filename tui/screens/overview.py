"""The first screen: is the cluster congested, where, who suffers."""

from __future__ import annotations

from collections.abc import Iterable

from rich.style import Style
from rich.text import Text
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from fabric.faces.views.headline import bound, limit_words, step_words
from fabric.faces.views.heat import OVERVIEW, heat_map
from fabric.faces.views.tables import hottest_table, job_table, metric_values, tier_table
from fabric.faces.views.timeline import timelines
from fabric.output.column_table import ColumnTable
from tui.session import Selection
from tui.style import Look
from tui.text import safe
from tui.view_screen import Pane, ViewScreen
from tui.widgets.heat_grid import HeatGrid
from tui.widgets.line_table import LineTable
from tui.widgets.timeline_bars import TimelineBars


def load_style(table: ColumnTable, position: int, look: Look) -> Style | None:
    """Rows whose links are over capacity are red."""
    row = table.record(position)
    value = row.get("max", row.get("utilisation"))
    return look.load(float("inf") if value is None else float(value))


class OverviewScreen(ViewScreen):
    """Tiers, heat by unit, hottest links, jobs, the step in time."""

    view = "overview"

    def body(self) -> Iterable[Widget]:
        """Five panes."""
        yield Container(
            Pane(LineTable(id="tiers", row_style=load_style), Static(id="words", markup=False), title="Tiers", id="p1"),
            Pane(HeatGrid(id="heat"), title="Heat", id="p2"),
            Pane(LineTable(id="hottest", row_style=load_style, empty="all links idle"), title="Hottest links", id="p3"),
            Pane(LineTable(id="jobs", empty="no job with a step"), title="Jobs", id="p4"),
            Pane(TimelineBars(id="timeline"), title="Step timeline", id="p5"),
            id="panes",
        )

    def show_state(self) -> None:
        """All five panes."""
        session, look, entry = self.session, self.look, self.session.entry
        if entry is None:
            return
        stale = session.stale
        self.query_one("#tiers", LineTable).show(tier_table(entry), look, stale=stale)
        self.query_one("#hottest", LineTable).show(hottest_table(entry), look, stale=stale)
        self.query_one("#jobs", LineTable).show(job_table(session.result), look, stale=stale)
        heat = heat_map(entry.topology, metric_values(entry, session.metric), OVERVIEW, session.direction)
        self.query_one("#heat", HeatGrid).show(heat, look, stale=stale)
        self.query_one("#p2", Pane).retitle(f"Heat: {heat.title}, max {session.metric} %", look.legend())
        self.query_one("#timeline", TimelineBars).show(
            timelines(session.result), look, phase=session.phase, stale=stale
        )
        self.query_one("#words", Static).update(self._words())

    def _words(self) -> Text:
        session, look, entry = self.session, self.look, self.session.entry
        assert entry is not None
        lines = [*step_words(session.result)]
        if (limits := limit_words(session.result)) is not None:
            lines.append(limits)
        text = Text()
        for line in lines:
            text.append(safe(line.text) + "\n", look.faint if session.stale else look.mark(line.mark))
        text.append(safe(bound(entry)), look.faint)
        return text

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter in a table: a tier's map, a link's flows, a job's flows."""
        row = message.table.table.record(message.position)
        app, session = self.fabric_app, self.session
        if message.table.id == "tiers":
            if row["direction"] in ("up", "down"):
                session.direction = "up" if row["direction"] == "up" else "down"
            app.go("heat", Selection("tier", str(row["tier"])))
        elif message.table.id == "hottest":
            link = app.link_id(str(row["link"]))
            app.go("flows", Selection("link", str(row["link"]), link))
        else:
            app.go("flows", Selection("job", str(row["job"])))

    def on_heat_grid_chosen(self, message: HeatGrid.Chosen) -> None:
        """Enter in the heat: the switch of the cell."""
        heat = message.grid.heat
        if heat is None:
            return
        links = heat.links(message.row, message.column)
        entry = self.session.entry
        if entry is None or not len(links):
            return
        worst = int(links[entry.utilisation[links].argmax()])
        topology = entry.topology
        ends = (int(topology.links.src[worst]), int(topology.links.dst[worst]))
        lower = min(ends, key=lambda node: int(topology.nodes.level[node]))
        self.fabric_app.go("topology", Selection("switch", topology.nodes.name[lower]))

    def drill(self) -> None:
        """Enter in the timeline: the phases."""
        self.fabric_app.go("phases")

    def view_table(self) -> ColumnTable | None:
        """The table in focus, else the hottest links."""
        focused = self.focused
        return (focused if isinstance(focused, LineTable) else self.query_one("#hottest", LineTable)).table

    def toggled(self) -> Selection:
        """The link under the cursor of the hottest links; the unit under the cursor of the map."""
        focused = self.focused
        if isinstance(focused, HeatGrid) and focused.heat is not None and focused.heat.row_title in ("unit", "pod"):
            kind = "unit" if focused.heat.row_title == "unit" else "pod"
            return Selection(kind, focused.heat.row_names[focused.row])  # type: ignore[arg-type]
        table = self.query_one("#hottest", LineTable)
        if focused is table and (row := table.record()) is not None:
            name = str(row["link"])
            return Selection("link", name, self.fabric_app.link_id(name))
        return self.session.selection
