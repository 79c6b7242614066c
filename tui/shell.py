"""What screens may know of the app that shows them: the session, how to draw, and what they may ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen, ScreenResultType

from fabric.pipeline.run import Run
from fabric.whatif.changes import History
from topologies.errors import FabricError
from tui.opening import OpeningFailed, open_path
from tui.options import Start
from tui.recent import remember
from tui.session import Selection, Session
from tui.style import Look
from tui.view import View
from tui.work import WorkingApp


class Shell(WorkingApp):
    """One session and the view of it in front."""

    def __init__(self, start: Start, look: Look, screens: Mapping[str, type[ShellView]]) -> None:
        super().__init__()
        self.start = start
        self.look = look
        self.session: Session | None = None
        self.screens = screens  # the views by name, in the order they are listed in
        self.path = start.path or ""  # opened last
        self.failure = OpeningFailed("", "")  # why that did not open

    # ---- opening ------------------------------------------------------------------------------------------------

    def open(self, path: str) -> None:
        """Open a scenario or a saved result in place of the screen in front."""
        self.switch_screen("waiting")
        self.read(path)

    def read(self, path: str) -> None:
        """Read and route what is to be opened, and show it when it is there."""
        self.path = path
        self.work(
            f"opening {Path(path).name}",
            lambda report: open_path(path, self.start.overrides, self.start.request, report),
            self._opened,
        )

    def _opened(self, run: Run) -> None:
        self.session = Session(run)
        remember(run.loaded.path)
        self._bring(self.session.place.screen)

    # ---- views --------------------------------------------------------------------------------------------------

    @property
    def views(self) -> dict[str, View]:
        """What the screens declare, by name."""
        return {name: screen.view for name, screen in self.screens.items()}

    @property
    def view(self) -> ShellView | None:
        """The view in front; None before a scenario is open and under a dialogue."""
        screen = self.screen
        return screen if isinstance(screen, ShellView) and self.session is not None else None

    def go(self, name: str, selection: Selection | None = None) -> None:
        """Down to a view; the way back is kept."""
        if self.session is not None and self._has(name):
            self.session.go(name, selection)
            self.bring_to_front()

    def show(self, name: str) -> None:
        """To a view by its key: the way begins anew."""
        if self.session is not None and self._has(name):
            self.session.jump(name, self._pointed())
            self.bring_to_front()

    def _pointed(self) -> Selection:
        """What is under the cursor of the view in front; nothing where a key came before its widgets are there."""
        try:
            return self.view.selected() if self.view is not None else Selection()
        except NoMatches:
            return Selection()

    def _has(self, name: str) -> bool:
        if name not in self.screens:
            self.notify(f"there is no screen {name}", severity="error", markup=False)
        return name in self.screens

    def bring_to_front(self) -> None:
        """Show the place of the session."""
        view = self.view
        if view is None or self.session is None:
            return
        name = self.session.place.screen
        if view.view.name == name:
            view.refresh_view()
        else:
            self._bring(name)

    def _bring(self, name: str) -> None:
        if not self.is_screen_installed(name):
            self.install_screen(self.screens[name](), name)
        self.switch_screen(name)

    def refresh_view(self) -> None:
        """Show the session on the view in front."""
        if isinstance(self.screen, ShellView):
            self.screen.refresh_view()

    # ---- what-ifs -----------------------------------------------------------------------------------------------

    def try_changes(self, history: History) -> None:
        """Route another state; the old figures stay, greyed, until the new ones are there."""
        session = self.session
        if session is None or history is session.history:
            return
        known = session.live.known(history.now)
        if known is not None:
            self.drop_work()
            session.take(history, known.result)
            self.refresh_view()
            return
        session.stale = True
        self.work(
            f"routing with {len(history.now.enabled)} changes",
            lambda report: session.live.route(history.now, report),
            lambda result: session.take(history, result),
        )

    # ---- work and mistakes --------------------------------------------------------------------------------------

    def work_reported(self) -> None:
        """The second line says it."""
        if isinstance(self.screen, ShellView):
            self.screen.refresh_lines()

    def work_changed(self) -> None:
        """Old figures turn grey, or new ones are there."""
        self.refresh_view()

    def failed(self, error: BaseException) -> None:
        """A mistake in words: on its own screen where nothing is open, else as a notice."""
        if self.session is None:
            self.failure = OpeningFailed.of(error, self.path)
            self.switch_screen("error")
            return
        self.session.stale = False
        self.notify_error(error)
        self.refresh_view()

    def notify_error(self, error: BaseException) -> None:
        """A mistake and the way out, as a notice."""
        problems = error.problems if isinstance(error, FabricError) else ()
        texts = [f"{problem.message}{f' ({problem.hint})' if problem.hint else ''}" for problem in problems]
        self.notify("; ".join(texts) or str(error), severity="error", timeout=8, markup=False)


def shell_of(node: DOMNode) -> Shell:
    """The shell around a screen or widget.

    Raises
    ------
    RuntimeError
        When another app shows it.
    """
    app = node.app
    if not isinstance(app, Shell):
        raise RuntimeError(f"{type(node).__name__} needs the shell of fabric tui around it")
    return app


class ShellScreen(Screen[ScreenResultType]):
    """A screen that knows the shell around it."""

    @property
    def shell(self) -> Shell:
        """The app, as screens know it."""
        return shell_of(self)


class ShellDialogue(ModalScreen[ScreenResultType]):
    """A dialogue that knows the shell around it; its box stands in the middle."""

    def __init__(self) -> None:
        super().__init__(classes="dialogue")

    @property
    def shell(self) -> Shell:
        """The app, as dialogues know it."""
        return shell_of(self)


class ShellView(ShellScreen[None]):
    """A screen of the session: what the shell asks of it."""

    view: ClassVar[View]

    def refresh_view(self) -> None:
        """Show the session as it is now."""

    def refresh_lines(self) -> None:
        """Draw the lines of heading and keys anew."""

    def selected(self) -> Selection:
        """What is under the cursor, else what is selected."""
        return Selection()
