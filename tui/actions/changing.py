"""What is tried: killing the selection, undoing, redoing, routing again."""

from __future__ import annotations

from pathlib import Path

from fabric.result import RouteResult
from fabric.routing.progress import Reporter
from fabric.whatif.changes import History, down
from tui.actions.front import Front
from tui.opening import open_path
from tui.session import Session


class Changing(Front):
    """Keys that change the state that is routed."""

    def action_toggle_down(self) -> None:
        """Kill what is selected, or restore it."""
        view = self.front
        session = view.session
        selector = session.selector(view.selected()) or session.selector(session.selection)
        if selector is None:
            self.notify("select a link, switch, unit or pod first: that can fail", timeout=4)
            return
        self.try_changes(session.history.then(session.changes.with_toggled(down(selector))))

    def action_undo(self) -> None:
        """Undo."""
        self._step(self.front.session.history.undone(), "nothing to undo")

    def action_redo(self) -> None:
        """Redo."""
        self._step(self.front.session.history.redone(), "nothing to redo")

    def _step(self, history: History, why_not: str) -> None:
        if history is self.front.session.history:
            self.notify(why_not, timeout=3)
        self.try_changes(history)

    def action_reroute(self) -> None:
        """Read the file again and route it; changes stay."""
        session = self.front.session
        start, history = self.start, session.history
        session.stale = True

        def again(report: Reporter) -> tuple[Session, RouteResult]:
            fresh = Session(open_path(session.loaded.path, start.overrides, start.request, report))
            return fresh, fresh.live.route(history.now, report)

        def take(routed: tuple[Session, RouteResult]) -> None:
            fresh, result = routed
            fresh.fabric, fresh.phase, fresh.trail = session.fabric, session.phase, session.trail
            fresh.direction, fresh.metric = session.direction, session.metric
            self.session = fresh
            fresh.take(history, result)

        self.work(f"reading {Path(session.loaded.path).name} again", again, take)
