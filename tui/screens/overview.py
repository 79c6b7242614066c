"""The first screen: is the cluster congested, where, who suffers."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from fabric.faces.views.headline import bound, limit_words, step_words
from fabric.faces.views.heat import OVERVIEW
from fabric.faces.views.jobs import job_table
from fabric.faces.views.links import hottest_table
from fabric.faces.views.tiers import tier_table
from fabric.faces.views.timeline import timelines
from fabric.output.table import Table
from fabric.routing.utilisation import highest
from tui.session import Selection
from tui.text import safe
from tui.view import View
from tui.view_screen import ViewScreen
from tui.widgets.heat_grid import HeatGrid
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane
from tui.widgets.timeline_bars import TimelineBars

SUMMARY = "Tiers, heat by unit, hottest links, jobs and the timeline of the step."
ORDER = 10


class OverviewScreen(ViewScreen):
    """Tiers, heat by unit, hottest links, jobs, the step in time."""

    view = View("overview", "1", "Overview", SUMMARY)
    CSS = """
    OverviewScreen {
        #panes { layout: grid; grid-size: 2 3; grid-columns: 1fr 1fr; grid-rows: 1fr 1fr 8; height: 1fr; }
        #p5 { column-span: 2; }
        #tiers { height: 1fr; min-height: 3; }
        #summary { height: auto; max-height: 7; border-top: dashed $primary 40%; }
        &.-narrow #panes { grid-rows: 9 1fr 6; }
        &.-normal #summary { max-height: 3; }
        &.-narrow #summary { max-height: 2; border-top: none; text-wrap: nowrap; text-overflow: ellipsis; }
        &.-narrow #p2 { row-span: 2; }
        &.-narrow #p4 { display: none; }
        &.-tiny #panes, &.-short #panes { grid-size: 1 1; grid-rows: 1fr; grid-columns: 1fr; }
    }
    """

    def body(self) -> Iterable[Widget]:
        """Five panes."""
        yield Container(
            Pane(LineTable(id="tiers"), Static(id="summary", markup=False), title="Tiers, offered load", id="p1"),
            Pane(HeatGrid(id="heat"), title="Heat", id="p2"),
            Pane(LineTable(id="hottest", empty="all links idle"), title="Hottest links", id="p3"),
            Pane(LineTable(id="jobs", empty="no job with a step"), title="Jobs", id="p4"),
            Pane(TimelineBars(id="timeline"), title="Step timeline", id="p5"),
            id="panes",
        )

    @property
    def map_kinds(self) -> tuple[str, ...]:
        """The map by unit or pod."""
        return (OVERVIEW,)

    def show_state(self) -> None:
        """All five panes."""
        session, look, entry = self.session, self.look, self.session.entry
        if entry is None:
            return
        stale = session.stale
        self.query_one("#tiers", LineTable).show(tier_table([entry]).without("fabric", "phase"), look, stale=stale)
        self.query_one("#hottest", LineTable).show(hottest_table(entry), look, stale=stale)
        self.query_one("#jobs", LineTable).show(job_table(session.result.jobs), look, stale=stale)
        heat = session.heat(entry, OVERVIEW)
        self.query_one("#heat", HeatGrid).show(heat, look, stale=stale)
        self.query_one("#p2", Pane).retitle(f"Heat: {heat.title}, max {session.metric} %", *look.legends())
        self.query_one("#timeline", TimelineBars).show(
            timelines(session.result), look, phase=session.phase, stale=stale
        )
        self.query_one("#p5", Pane).retitle("Step timeline", *look.bar_legends())
        self.query_one("#summary", Static).update(self._summary())

    def _summary(self) -> Text:
        session, look, entry = self.session, self.look, self.session.entry
        assert entry is not None
        limits = limit_words(session.result)
        lines = [*([limits] if limits is not None else []), *step_words(session.result)]
        text = Text()
        for line in lines:
            text.append(safe(line.text) + "\n", look.faint if session.stale else look.mark(line.mark))
        text.append(safe(bound(entry)), look.faint)
        return text

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter in a table: a tier's map, a link's flows, a job's flows."""
        row = message.table.table.record(message.position)
        shell, session = self.shell, self.session
        if message.table.id == "tiers":
            if row["direction"] in ("up", "down"):
                session.direction = "up" if row["direction"] == "up" else "down"
            shell.go("heat", Selection("tier", str(row["tier"])))
        elif message.table.id == "hottest":
            shell.go("flows", session.link(str(row["link"])))
        else:
            shell.go("flows", Selection("job", str(row["job"])))

    def on_heat_grid_chosen(self, message: HeatGrid.Chosen) -> None:
        """Enter in the heat: the switch of the cell."""
        heat = message.grid.heat
        if heat is None:
            return
        links = heat.links(message.row, message.column)
        entry = self.session.entry
        if entry is None or not len(links):
            return
        worst = int(links[highest(entry.utilisation[links])])
        topology = entry.topology
        ends = (int(topology.links.src[worst]), int(topology.links.dst[worst]))
        lower = min(ends, key=lambda node: int(topology.nodes.level[node]))
        self.shell.go("topology", Selection("switch", topology.nodes.name[lower]))

    def drill(self) -> None:
        """Enter in the timeline: the phases."""
        self.shell.go("phases")

    def view_table(self) -> Table | None:
        """The table in focus, else the hottest links."""
        focused = self.focused
        return (focused if isinstance(focused, LineTable) else self.query_one("#hottest", LineTable)).table

    def selected(self) -> Selection:
        """What is under the cursor: a link, a job, a tier, the unit of the map."""
        focused = self.focused
        if isinstance(focused, HeatGrid) and focused.heat is not None and focused.heat.row_title in ("unit", "pod"):
            kind, heat, entry = focused.heat.row_title, focused.heat, self.session.entry
            assert entry is not None
            first = int(heat.row_members[focused.row][0])
            number = int(getattr(entry.topology.nodes, kind)[first])
            return Selection(kind, heat.row_names[focused.row], number=number)  # type: ignore[arg-type]
        row = focused.record() if isinstance(focused, LineTable) else None
        if row is not None and "link" in row:
            return self.session.link(str(row["link"]))
        if row is not None:
            return Selection("job", str(row["job"])) if "job" in row else Selection("tier", str(row["tier"]))
        return self.session.selection


SCREEN = OverviewScreen
