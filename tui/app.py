"""The app: one session, its screens, the keys, and work in threads that never blocks them."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.filter import Monochrome, NoColor
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, get_current_worker

from fabric.faces.explain.explain import explain, find_target
from fabric.output.text import to_columns
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.routing.progress import Progress, Reporter
from fabric.whatif.changes import History, down
from topologies.errors import FabricError
from tui.choices import help_keys, key_table, target_table, targets
from tui.dialogues.ask import Ask
from tui.dialogues.chooser import Chooser
from tui.dialogues.reading import Reading
from tui.keys import Key, app_bindings, keys_of
from tui.opening import Opened, OpeningFailed, open_path
from tui.recent import remember
from tui.recording import Recorder, Recording
from tui.screens.compare import CompareScreen
from tui.screens.flows import FlowsScreen
from tui.screens.heat import HeatScreen
from tui.screens.overview import OverviewScreen
from tui.screens.phases import PhasesScreen
from tui.screens.rules import RulesScreen
from tui.screens.topology import TopologyScreen
from tui.screens.whatif import WhatIfScreen
from tui.session import Selection, Session
from tui.start.error import ErrorScreen
from tui.start.start import StartScreen
from tui.start.waiting import WaitingScreen
from tui.style import DARK, LIGHT, Look
from tui.view_screen import ViewScreen
from tui.writing import write_view

_REPORTS_PER_SECOND = 10


class Cancelled(Exception):  # noqa: N818 - it is no error
    """The person does not want to wait."""


@dataclass(frozen=True)
class Start:
    """What the command line asked for."""

    path: str | None = None
    overrides: tuple[str, ...] = ()
    request: RouteRequest = field(default_factory=RouteRequest)
    ascii: bool = False
    theme: str = "dark"
    record: str | None = None
    replay: Recording | None = None
    speed: float = 1.0
    leave: bool = False  # when the replay is over


class FabricApp(App[int]):
    """The planner in a terminal."""

    TITLE = "fabric"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = app_bindings()
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (80, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-normal"), (32, "-tall")]  # noqa: RUF012
    SCREENS: ClassVar = {
        "overview": OverviewScreen,
        "heat": HeatScreen,
        "topology": TopologyScreen,
        "flows": FlowsScreen,
        "phases": PhasesScreen,
        "whatif": WhatIfScreen,
        "compare": CompareScreen,
        "rules": RulesScreen,
        "start": StartScreen,
        "waiting": WaitingScreen,
    }

    class WorkDone(Message):
        """A thread has its answer."""

        def __init__(self, job: int, then: Callable[[Any], None], value: Any) -> None:
            super().__init__()
            self.job, self.then, self.value = job, then, value

    class WorkFailed(Message):
        """A thread met a mistake of the person's, or a bug of ours."""

        def __init__(self, job: int, error: BaseException) -> None:
            super().__init__()
            self.job, self.error = job, error

    class WorkReported(Message):
        """A thread says how far it is."""

        def __init__(self, job: int, text: str) -> None:
            super().__init__()
            self.job, self.text = job, text

    def __init__(self, start: Start = Start()) -> None:
        super().__init__()
        self.start = start
        self.session: Session | None = None
        self.busy = ""
        self._job = 0
        self._worker: Worker[None] | None = None
        # Textual's own answer to NO_COLOR is grey; the convention asks for no colour at all.
        self._filters = [entry for entry in self._filters if not isinstance(entry, Monochrome)]
        if self.no_color and not any(isinstance(entry, NoColor) for entry in self._filters):
            self._filters.append(NoColor())
        self._seen: events.Event | None = None
        size = shutil.get_terminal_size()
        self._recorder = Recorder(Path(start.record), start.path, (size.columns, size.lines)) if start.record else None
        self.look = Look(dark=start.theme == "dark", colour=not self.no_color, ascii=start.ascii or self.no_color)

    # ---- beginning ----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Open what was named, or ask."""
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.theme = DARK.name if self.look.dark else LIGHT.name
        if self.start.path is None:
            self.push_screen("start")
        else:
            self.push_screen("waiting")
            self.open(self.start.path)
        if self.start.replay is not None:
            self.run_worker(self._replay(self.start.replay), exit_on_error=True)

    def open_from_start(self, path: str) -> None:
        """Open what was chosen on the first screen."""
        self.start = replace(self.start, path=path)
        self.switch_screen("waiting")
        self.open(path)

    def on_unmount(self) -> None:
        """The session is over."""
        if self._recorder is not None:
            self._recorder.close()

    # ---- sessions as files --------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Record keys and clicks on their way."""
        if event is self._seen:  # a key that nobody took comes by again
            pass
        elif self._recorder is not None and isinstance(event, events.Key):
            self._recorder.key(event.key)
        elif self._recorder is not None and isinstance(event, events.MouseDown):
            self._recorder.click(event.screen_x, event.screen_y)
        self._seen = event
        await super().on_event(event)

    async def _replay(self, recording: Recording) -> None:
        """Play a session: each step when its time has come and the work of those before it is done."""
        from textual.pilot import Pilot

        pilot: Pilot[int] = Pilot(self)
        began = time.monotonic()
        for step in recording.steps:
            await asyncio.sleep(max(step.at_s / self.start.speed - (time.monotonic() - began), 0.01))
            while self.busy and step.key != "ctrl+c":
                await asyncio.sleep(0.02)
            if step.key is not None:
                self.simulate_key(step.key)
            elif step.click is not None:
                await pilot.click(offset=step.click)
            await pilot.pause()  # what the key set off has been seen by all
        while self.busy:
            await asyncio.sleep(0.02)
        if self.start.leave:
            self.exit(0)

    def open(self, path: str) -> None:
        """Open a scenario or a saved result."""
        start = self.start
        self.work(
            f"opening {Path(path).name}",
            lambda report: open_path(path, start.overrides, start.request, report),
            self._opened,
        )

    def _opened(self, opened: Opened) -> None:
        self.session = Session(opened.loaded, opened.request, opened.result)
        remember(opened.loaded.path)
        self.switch_screen("overview")

    # ---- work in threads ----------------------------------------------------------------------------------------

    def work(self, words: str, function: Callable[[Reporter], Any], then: Callable[[Any], None]) -> None:
        """Run ``function(report)`` in a thread and hand its value to ``then``; newer work makes older moot."""
        self._job += 1
        job, last = self._job, 0.0
        self.busy = words
        if self._worker is not None:
            self._worker.cancel()

        def run() -> None:
            worker = get_current_worker()

            def report(state: Progress) -> None:
                nonlocal last
                if worker.is_cancelled:
                    raise Cancelled
                now = time.monotonic()
                if now - last > 1 / _REPORTS_PER_SECOND:
                    last = now
                    self.post_message(self.WorkReported(job, state.text))

            try:
                self.post_message(self.WorkDone(job, then, function(report)))
            except Cancelled:
                pass
            except Exception as error:  # the edge of the thread: nothing may be lost silently
                self.post_message(self.WorkFailed(job, error))

        self._worker = self.run_worker(run, thread=True, exit_on_error=False)
        self.refresh_view()

    def on_fabric_app_work_reported(self, message: WorkReported) -> None:
        """The line of state says what is being done."""
        if message.job == self._job and self.busy:
            self.busy = message.text
            if isinstance(self.screen, ViewScreen):
                self.screen.refresh_lines()

    def on_fabric_app_work_done(self, message: WorkDone) -> None:
        """Take the answer, unless something newer was asked since."""
        if message.job != self._job:
            return
        self.busy = ""
        message.then(message.value)
        self.refresh_view()

    def on_fabric_app_work_failed(self, message: WorkFailed) -> None:
        """Show a mistake where it was made; a bug of ours ends the app with its traceback."""
        if message.job != self._job:
            return
        self.busy = ""
        if not isinstance(message.error, FabricError | OSError | UnicodeError):
            raise message.error
        self.failed(message.error)

    def failed(self, error: BaseException) -> None:
        """A mistake in words: on its own screen where nothing is open, else as a notice."""
        if self.session is None:
            self.switch_screen(ErrorScreen(OpeningFailed.of(error, self.start.path or "")))
            return
        self.session.stale = False
        problems = error.problems if isinstance(error, FabricError) else ()
        words = "; ".join(f"{problem.message}{f' ({problem.hint})' if problem.hint else ''}" for problem in problems)
        self.notify(words or str(error), severity="error", timeout=8, markup=False)
        self.refresh_view()

    def action_cancel(self) -> None:
        """Stop waiting for the work under way."""
        if not self.busy:
            self.notify("q leaves", timeout=3)
            return
        self._job += 1
        if self._worker is not None:
            self._worker.cancel()
        self.busy = ""
        if self.session is None:
            self.exit(130)
            return
        self.session.stale = False
        self.notify("cancelled", timeout=3)
        self.refresh_view()

    # ---- moving about -------------------------------------------------------------------------------------------

    def refresh_view(self) -> None:
        """Show the session on the screen in front."""
        if isinstance(self.screen, ViewScreen):
            self.screen.refresh_view()

    def go(self, screen: str, selection: Selection | None = None) -> None:
        """Down to another screen."""
        if self.session is not None:
            self.session.go(screen, selection)
            self._switch(screen)

    def _switch(self, screen: str) -> None:
        front = self.screen
        if isinstance(front, ViewScreen) and front.view == screen:
            front.refresh_view()
        elif isinstance(front, ViewScreen):
            self.switch_screen(screen)

    @property
    def view(self) -> ViewScreen | None:
        """The screen in front, unless it is a dialogue."""
        return self.screen if isinstance(self.screen, ViewScreen) and self.session is not None else None

    def action_show(self, screen: str) -> None:
        """A screen by its number."""
        if self.view is not None and self.session is not None and screen in self.SCREENS:
            self.session.jump(screen)
            self._switch(screen)

    def action_drill(self) -> None:
        """Enter where no table took it."""
        if self.view is not None:
            self.view.drill()

    def action_ascend(self) -> None:
        """Up."""
        if self.view is not None and self.session is not None and self.session.back():
            self._switch(self.session.place.screen)

    def link_id(self, name: str) -> int:
        """Id of a link of the fabric looked at, by its name; -1 when there is none."""
        entry = self.session.entry if self.session is not None else None
        if entry is None:
            return -1
        topology = entry.topology
        ends, _, ordinal = name.partition(" #")
        src, _, dst = ends.partition(" -> ")
        if not (topology.has_node(src) and topology.has_node(dst)):
            return -1
        found = ((topology.links.src == topology.node(src)) & (topology.links.dst == topology.node(dst))).nonzero()[0]
        at = int(ordinal) - 1 if ordinal.isdigit() else 0
        return int(found[at]) if at < len(found) else -1

    # ---- what-ifs -----------------------------------------------------------------------------------------------

    def try_changes(self, history: History) -> None:
        """Route another state; the old figures stay, greyed, until the new ones are there."""
        session = self.session
        if session is None or history is session.history:
            return
        known = session.live.known(history.now)
        if known is not None:
            self._job += 1  # work under way is moot
            self.busy = ""
            session.take(history, known)
            self.refresh_view()
            return
        session.stale = True
        self.work(
            f"routing with {len(history.now.enabled)} changes",
            lambda report: session.live.route(history.now, report),
            lambda result: session.take(history, result),
        )

    def action_toggle_down(self) -> None:
        """Kill what is selected, or restore it."""
        view, session = self.view, self.session
        if view is None or session is None:
            return
        selector = session.selector(view.toggled())
        if selector is None:
            self.notify("select a link, switch, unit or pod first: that can fail", timeout=4)
            return
        self.try_changes(session.history.then(session.changes.with_toggled(down(selector))))

    def action_undo(self) -> None:
        """One change back."""
        if self.view is not None and self.session is not None:
            self.try_changes(self.session.history.undone())

    def action_redo(self) -> None:
        """One change forth."""
        if self.view is not None and self.session is not None:
            self.try_changes(self.session.history.redone())

    def action_reroute(self) -> None:
        """Read the file again and route it; changes stay."""
        session = self.session
        if self.view is None or session is None:
            return
        start, history = self.start, session.history
        session.stale = True

        def again(report: Reporter) -> tuple[Session, RouteResult]:
            opened = open_path(session.loaded.path, start.overrides, start.request, report)
            fresh = Session(opened.loaded, opened.request, opened.result)
            return fresh, fresh.live.route(history.now, report)

        def taken(value: tuple[Session, RouteResult]) -> None:
            fresh, result = value
            fresh.fabric, fresh.phase, fresh.trail = session.fabric, session.phase, session.trail
            fresh.direction, fresh.metric = session.direction, session.metric
            self.session = fresh
            fresh.take(history, result)

        self.work(f"reading {Path(session.loaded.path).name} again", again, taken)

    # ---- keys that change what is looked at ---------------------------------------------------------------------

    def _change(self, change: Callable[[Session], None]) -> None:
        if self.view is not None and self.session is not None:
            change(self.session)
            self.refresh_view()

    def action_phase(self, steps: int) -> None:
        """Another phase."""
        self._change(lambda session: session.step_phase(steps))

    def action_fabric(self) -> None:
        """Another fabric."""
        self._change(Session.step_fabric)

    def action_direction(self) -> None:
        """Up or down."""
        self._change(Session.step_direction)

    def action_metric(self) -> None:
        """Offered or carried."""
        self._change(Session.step_metric)

    def action_ascii(self) -> None:
        """Digits or glyphs."""
        self.look = replace(self.look, ascii=not self.look.ascii)
        self.refresh_view()

    def action_theme(self) -> None:
        """Dark or light."""
        self.look = replace(self.look, dark=not self.look.dark)
        self.theme = DARK.name if self.look.dark else LIGHT.name
        self.refresh_view()

    def action_compare(self) -> None:
        """The base beside the present state."""
        self.action_show("compare")

    def action_play(self) -> None:
        """Phase after phase by itself."""
        if self.view is not None:
            self.view.play()

    def action_write(self) -> None:
        """Ask for a file, and write the view into it."""
        view, session = self.view, self.session
        if view is None or session is None:
            return
        name = f"{session.loaded.scenario.name}-{view.view}.svg"
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
            write_view(Path(path), view.view, view.view_table(), self.export_screenshot)
        except FabricError as error:
            problem = error.problems[0]
            self.notify(f"{problem.message}; {problem.hint}", severity="error", timeout=8, markup=False)
            return
        self.notify(f"wrote {path}", timeout=5, markup=False)

    def action_copy(self) -> None:
        """Show the command that reproduces this view, and copy it where the terminal can."""
        if self.view is None or self.session is None:
            return
        command = self.session.command()
        self.copy_to_clipboard(command)
        self.push_screen(Reading("Reproduce this view (copied where the terminal allows it)", command))

    def action_explain(self) -> None:
        """Why the selection is as it is, and what would cure it; each cure is routed."""
        view, session = self.view, self.session
        if view is None or session is None:
            return
        chosen = view.toggled()
        name = chosen.name if chosen.kind in ("link", "switch", "job") else session.phase
        changes, live, request = session.changes, session.live, session.changes.request(session.request)
        result, fabric, phase = session.result, session.fabric, session.phase

        def why(report: Reporter) -> str:
            place = find_target(result, name, fabric=fabric, phase=phase)
            found = explain(live.scenario(changes), request, result, place, progress=report)
            return to_columns(found.document)

        def told(text: str) -> None:
            self.push_screen(Reading(f"Why: {name}", text))

        self.work(f"explaining {name}", why, told)

    def action_difference(self) -> None:
        """What differs from what was written before."""
        if self.view is not None:
            self.view.show_difference()

    def action_add(self) -> None:
        """Add to what the screen lists."""
        if self.view is not None:
            self.view.add_row()

    def action_remove(self) -> None:
        """Remove what is under the cursor."""
        if self.view is not None:
            self.view.remove_row()

    def action_save(self) -> None:
        """Save what the screen lists."""
        if self.view is not None:
            self.view.save_row()

    def action_pane(self, steps: int) -> None:
        """Another pane."""
        if self.view is not None:
            self.view.next_pane(steps)

    # ---- dialogues ----------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Ask for a text or an expression, and keep the rows it holds for."""
        view = self.view
        if view is None:
            return
        hint = 'a text, or an expression such as: utilisation > 0.9 and tier == "leaf-spine"; empty shows all'
        self.push_screen(Ask("Filter", value=view.filter_text, hint=hint), lambda text: self._filtered(view, text))

    def _filtered(self, view: ViewScreen, text: str | None) -> None:
        if text is None:
            return
        try:
            view.filter_rows(text)
        except FabricError as error:
            problem = error.problems[0]
            self.notify(f"{problem.message}; {problem.hint}", severity="error", timeout=8, markup=False)
            return
        view.filter_text = text

    def action_help(self) -> None:
        """All keys, those of this screen first; enter does what the key does."""
        self._choose_key("Keys", help_keys(self.view.view if self.view is not None else ""))

    def action_palette(self) -> None:
        """All actions that hold here."""
        if self.view is not None:
            self._choose_key("Palette", [key for key in keys_of(self.view.view) if key.action not in ("palette",)])

    def _choose_key(self, title: str, keys: list[Key]) -> None:
        def chosen(row: int | None) -> None:
            if row is not None and (not keys[row].screens or self.view is None or self.view.view in keys[row].screens):
                self.call_later(self.run_action, keys[row].action, self)

        self.push_screen(Chooser(title, lambda query: key_table(keys, query)), chosen)

    def action_goto(self) -> None:
        """Go to anything by a few letters of its name."""
        session = self.session
        if self.view is None or session is None:
            return
        found = targets(session)

        def chosen(row: int | None) -> None:
            if row is None:
                return
            target = found[row]
            if target.kind == "phase":
                session.phase = target.words
            self.go(target.screen if target.screen in self.SCREENS else "overview", target.selection)

        hint = "a few letters; a > b finds links from a to b"
        self.push_screen(Chooser("Go to", lambda query: target_table(session, found, query), hint=hint), chosen)

    def action_sort(self) -> None:
        """Sort by the next column."""
        if self.view is not None:
            self.view.sort_rows()

    async def action_quit(self) -> None:
        """Leave; what was tried and not saved is named on the way out."""
        session = self.session
        if session is not None and len(session.changes):
            command = session.changes.command(session.loaded, session.request)
            self.exit(0, message=f"{len(session.changes)} changes were tried and not saved; they are:\n  {command}")
        else:
            self.exit(0)


def run(start: Start) -> int:
    """Run the app in this terminal; the exit code."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    return FabricApp(start).run(mouse=True) or 0


__all__ = ["FabricApp", "Screen", "Start", "run"]
