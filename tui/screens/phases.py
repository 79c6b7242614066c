"""Phases: the step of every job in time, and the figures of its phases."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget

from fabric.faces.views.jobs import step_table
from fabric.faces.views.timeline import timelines
from fabric.output.table import Table
from tui.keys import Key
from tui.view import View
from tui.view_screen import ViewScreen
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane
from tui.widgets.timeline_bars import TimelineBars

_SECONDS_A_PHASE = 0.8

SUMMARY = "The step of every job in time: compute, hidden and exposed communication."
ORDER = 50


class PhasesScreen(ViewScreen):
    """Bars above, figures below; the row under the cursor is the phase looked at everywhere."""

    view = View(
        "phases",
        "5",
        "Phases",
        SUMMARY,
        keys=(Key("space", "play", "", "Step through the phases by itself; again stops."),),
    )

    def __init__(self) -> None:
        super().__init__()
        self._playing: Timer | None = None

    def body(self) -> Iterable[Widget]:
        """Table first in focus."""
        yield Vertical(
            Pane(LineTable(id="figures", empty="no phase with a volume"), title="Phases", id="p-figures"),
            Pane(TimelineBars(id="bars"), title="Step in time", id="p-bars"),
            id="phases",
        )

    def show_state(self) -> None:
        """Bars and figures."""
        session, look = self.session, self.look
        table = step_table(session.result.jobs).without_empty("p5_s", "p95_s")
        figures = self.query_one("#figures", LineTable)
        at = next((i for i in range(len(table)) if self._is_here(table, i)), figures.cursor)
        figures.show(table, look, cursor=at, stale=session.stale)
        self.query_one("#bars", TimelineBars).show(
            timelines(session.result), look, phase=session.phase, stale=session.stale
        )
        self.query_one("#p-bars", Pane).retitle("Step in time, space plays", *look.bar_legends())

    def _is_here(self, table: Table, position: int) -> bool:
        row = table.record(position)
        return (row["fabric"], row["name"]) == (self.session.fabric, self.session.phase)

    def on_line_table_moved(self, message: LineTable.Moved) -> None:
        """The phase under the cursor is looked at."""
        self._look_at(message)

    def _look_at(self, message: LineTable.Chosen) -> None:
        row = message.table.table.record(message.position)
        if row["fabric"] in self.session.fabrics:
            self.session.look_at(str(row["fabric"]), str(row["name"]))
            self.refresh_view()

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter: the map of the phase."""
        self._look_at(message)
        self.shell.go("heat")

    def action_play(self) -> None:
        """Phase after phase by itself, or stop."""
        if self._playing is not None:
            self._playing.stop()
            self._playing = None
        elif len(self.session.phases) < 2:
            self.shell.notify("nothing to play: the fabric has one phase", timeout=3)
        else:
            self._playing = self.set_interval(_SECONDS_A_PHASE, self._next)

    def _next(self) -> None:
        self.session.step_phase(1)
        self.refresh_view()

    def on_screen_suspend(self) -> None:
        """Nothing plays where nobody looks."""
        if self._playing is not None:
            self.action_play()

    def view_table(self) -> Table | None:
        """The figures."""
        return self.query_one("#figures", LineTable).table


SCREEN = PhasesScreen
