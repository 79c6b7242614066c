"""What a view gives away: files, the command that reproduces it, and why it is as it is."""

from __future__ import annotations

from pathlib import Path

from fabric.faces.explain.explain import explain, find_target
from fabric.output.text import to_columns
from fabric.routing.progress import Reporter
from topologies.errors import FabricError
from tui.actions.front import Front
from tui.dialogues.ask import Ask
from tui.dialogues.reading import Reading
from tui.view_screen import ViewScreen
from tui.writing import write_view


class Answers(Front):
    """Keys that take something out of the view in front."""

    def action_write(self) -> None:
        """Ask for a file, and write the view into it."""
        view = self.front
        name = f"{view.session.loaded.scenario.name}-{view.view.name}.svg"
        hint = ".svg: a picture of the screen; .csv or .md: its table"
        self.push_screen(Ask("Write this view to", value=name, hint=hint), lambda path: self._write(view, path))

    def _write(self, view: ViewScreen, path: str | None, *, force: bool = False) -> None:
        if not path:
            return
        if Path(path).exists() and not force:
            ask = Ask(f"{Path(path).name} exists: write over it? yes or no", value="no")
            self.push_screen(ask, lambda answer: self._write(view, path, force=True) if answer == "yes" else None)
            return
        try:
            write_view(Path(path), view.view.name, view.view_table(), self.export_screenshot)
        except FabricError as error:
            self.notify_error(error)
            return
        self.notify(f"wrote {path}", timeout=5, markup=False)

    def action_copy(self) -> None:
        """Show the command that reproduces this view, and copy it where the terminal can."""
        command = self.front.session.command()
        self.copy_to_clipboard(command)
        self.push_screen(Reading("Reproduce this view (copied where the terminal allows it)", command))

    def action_explain(self) -> None:
        """Why the selection is as it is, and which single changes help, each routed."""
        view = self.front
        session, selection = view.session, view.selected()
        name = selection.name if selection.kind in ("link", "switch", "job") else session.phase
        changes, live = session.changes, session.live
        result, fabric, phase = session.result, session.fabric, session.phase

        def why(report: Reporter) -> str:
            target = find_target(result, name, fabric=fabric, phase=phase)
            return to_columns(explain(live.run(changes, report), target, progress=report).document)

        def show(text: str) -> None:
            self.push_screen(Reading(f"Why: {name}", text))

        self.work(f"explaining {name}", why, show)
