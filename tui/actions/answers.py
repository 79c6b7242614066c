"""What a view gives away: files, the command that reproduces it, and why it is as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fabric.faces.explain.explain import Target, describe, with_fixes
from fabric.faces.views.links import links_of_part
from fabric.output.text import to_columns
from fabric.result import PhaseRoute
from fabric.routing.progress import Reporter
from fabric.routing.utilisation import highest
from topologies.errors import FabricError
from tui.actions.front import Front
from tui.dialogues.ask import Ask
from tui.dialogues.reading import Reading
from tui.dialogues.why import Why
from tui.session import Selection
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
        command = self.front.command()
        self.copy_to_clipboard(command)
        self.push_screen(Reading("Reproduce this view (copied where the terminal allows it)", command))

    def action_explain(self) -> None:
        """Why the selection is as it is, and which single changes help, each routed."""
        session, selection = self.front.session, self.front.selected()
        if session.stale or session.entry is None:
            self.notify("the loads are being routed again: ask when they are there", timeout=4)
            return
        target, title = _target(session.entry, selection)
        changes, live = session.changes, session.live

        def why(fill: Callable[[str], None], report: Reporter) -> None:
            run = live.run(changes, report)
            described = describe(run, target)
            fill(to_columns(described.document))
            fill(to_columns(with_fixes(run, described, progress=report).document))

        self.push_screen(Why(f"Why: {title}", why))


def _target(entry: PhaseRoute, selection: Selection) -> tuple[Target, str]:
    """What is explained of a selection, and its title: of a tier, unit or pod the fullest link, else the phase."""
    topology, link = entry.topology, selection.link
    if selection.kind == "job":
        return Target("job", selection.name), selection.name
    if selection.kind in ("switch", "host") and topology.has_node(selection.name):
        return Target("switch", selection.name, entry, node=topology.node(selection.name)), selection.name
    part = links_of_part(topology, selection.kind, selection.name, selection.number).nonzero()[0]
    if len(part):
        link = int(part[highest(entry.utilisation[part])])
    if 0 <= link < len(topology.links):
        name = topology.link_name(link)
        title = name if selection.kind == "link" else f"{name}, the fullest link of {selection.name}"
        return Target("link", name, entry, link=link), title
    return Target("phase", entry.phase, entry), f"phase {entry.phase}"
