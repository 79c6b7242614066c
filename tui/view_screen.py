"""What every screen of a session shares: two lines of heading, a body of panes, a bar of keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from fabric.faces.views.headline import identity, verdict
from fabric.output.table import Table
from tui.key_list import keys_on
from tui.keys import Key
from tui.session import Place, Selection, Session
from tui.shell import ShellView
from tui.style import Look
from tui.text import fitted, safe
from tui.widgets.pane import Pane

_METRICS = {"offered": "offered load (may exceed 100 %)", "carried": "carried load (at most 100 %)"}


class ViewScreen(ShellView):
    """A screen that shows a part of the session; what it declares as ``view`` binds its keys."""

    # Textual's screens take these keys for single widgets; ours go from pane to pane.
    BINDINGS: ClassVar = [
        Binding("tab", "app.pane(1)", show=False),
        Binding("shift+tab", "app.pane(-1)", show=False),
    ]

    def __init_subclass__(cls) -> None:
        if "view" in cls.__dict__:
            cls.BINDINGS = [*cls.__dict__.get("BINDINGS", ()), *(key.binding for key in cls.view.keys)]
        super().__init_subclass__()

    def compose(self) -> ComposeResult:
        """Heading, body, keys."""
        yield Static(id="path", classes="line", markup=False)
        yield Static(id="state", classes="line", markup=False)
        yield Vertical(*self.body(), id="body")
        yield Static(id="keys", classes="line", markup=False)

    def body(self) -> Iterable[Widget]:
        """The widgets between heading and keys."""
        return ()

    # ---- the session --------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The open scenario.

        Raises
        ------
        RuntimeError
            When none is open; such screens are not shown then.
        """
        session = self.shell.session
        if session is None:
            raise RuntimeError("no scenario is open")
        return session

    @property
    def look(self) -> Look:
        """How to draw."""
        return self.shell.look

    def on_screen_resume(self) -> None:
        """The screen comes to the front."""
        if self.focused is None or not self.query(".front"):
            self.next_pane(0)
        self.refresh_view()

    def on_resize(self) -> None:
        """Another size: lines are cut anew."""
        self.refresh_lines()

    def refresh_view(self) -> None:
        """Show the session as it is now."""
        if self.shell.session is None or not self.is_mounted:
            return
        self.turn()
        self.refresh_lines()
        session, kinds = self.session, self.map_kinds
        if session.is_ready(kinds):
            self.show_state()
        elif not self.shell.busy:
            entry = session.entry
            links = 0 if entry is None else len(entry.topology.links)
            self.shell.work(f"drawing {links:,} links", lambda _: session.prepare(kinds), lambda _: None)

    @property
    def map_kinds(self) -> tuple[str, ...]:
        """Heat maps that the screen shows; of a large fabric they are made in a thread before."""
        return ()

    def turn(self) -> None:
        """Turn to what is selected, before anything is drawn."""

    def show_state(self) -> None:
        """Fill the body from the session."""

    # ---- panes --------------------------------------------------------------------------------------------------

    def next_pane(self, steps: int) -> None:
        """Focus another pane; where the terminal is small, it is the only one shown."""
        panes = [pane for pane in self.query(Pane) if any(child.can_focus for child in pane.walk_children(Widget))]
        if not panes:
            return
        if steps and len(panes) == 1:
            self.shell.notify("this screen has one pane to go to", timeout=3)
        inside = [at for at, pane in enumerate(panes) if self.focused is not None and pane in self.focused.ancestors]
        at = inside[0] if inside else 0
        for _ in panes:
            at = (at + steps) % len(panes)
            for other in self.query(Pane):
                other.set_class(other is panes[at], "front")
            if panes[at].display or self.is_small or not steps:
                break
        target = next(child for child in panes[at].walk_children(Widget) if child.can_focus)
        self.call_after_refresh(target.focus)

    @property
    def is_small(self) -> bool:
        """Whether the terminal shows one pane at a time."""
        return self.app.size.width < 80 or self.app.size.height < 24

    # ---- lines --------------------------------------------------------------------------------------------------

    def refresh_lines(self) -> None:
        """Heading and keys."""
        if self.shell.session is None or not self.is_mounted:
            return
        width = self.app.size.width
        self.query_one("#path", Static).update(self._line(self.path_text(), self.look.heading, width))
        self.query_one("#state", Static).update(self._state_line(width))
        self.query_one("#keys", Static).update(self._keys(width))

    def path_text(self) -> str:
        """The first line: what is open, and the way to here."""
        session = self.session
        way = " › ".join(self._name_of(place) for place in session.trail)
        return f" fabric │ {' │ '.join(identity(session.loaded, session.entry))} │ {way}"

    def _name_of(self, place: Place) -> str:
        view = self.shell.views.get(place.screen)
        return place.selection.name or (view.title if view is not None else place.screen)

    def _state_line(self, width: int) -> Text:
        """The second line: title, phase, and the work under way or the verdict."""
        session, busy = self.session, self.shell.busy
        if width < 80 and not busy:
            return self._small_line(width)
        long, short, phase = _METRICS[session.metric], session.metric, session.phase_words
        forms = [
            (f"{phase}  {long}  ", False),
            (f"{phase}  {short}  ", False),
            (f"{phase}  {short}  ", True),
            (f"{phase} ", True),
        ]
        states = [self._state_in(words, short=cut, busy=busy) for words, cut in forms]
        state = next((state for state in states if state.cell_len <= width), states[-1])
        state.truncate(width, overflow="ellipsis")
        return state

    def _small_line(self, width: int) -> Text:
        """The second line of a small terminal: the verdict, and how to see the rest."""
        line = Text(" ")
        if self.session.entry is not None:
            words = verdict(self.session.entry, short=True)
            line.append(safe(words.text), self.look.mark(words.mark))
        line.append("  small terminal: tab next pane", self.look.warn)
        line.truncate(width, overflow="ellipsis")
        return line

    def _state_in(self, words: str, *, short: bool, busy: str) -> Text:
        """Title, phase and metric in these words, then the work under way or the verdict."""
        state, entry = Text(), self.session.entry
        state.append(f" {self.view.title.upper()}  ", self.look.heading)
        state.append(safe(words), self.look.text)
        if busy:
            state.append(safe(f"… {busy} "), self.look.warn)
        elif entry is not None:
            line = verdict(entry, short=short)
            state.append(safe(line.text), self.look.mark(line.mark))
        return state

    def _line(self, text: str, style: Style, width: int) -> Text:
        """The end of a path matters more than its middle."""
        plain = safe(text)
        if len(plain) > width > 10:
            parts = plain.split(" │ ")
            while len(parts) > 3 and len(" │ ".join(parts)) > width:
                parts.pop(-2)
            plain = " │ ".join(parts)
        return Text(fitted(plain, width), style)

    def _keys(self, width: int) -> Text:
        """Keys that fit, most important first; help and quit are always there."""
        keys = [listed.key for listed in keys_on(self.view, self.shell.views)]
        always = [key for key in keys if key.action in ("help", "quit")]
        room = width - 1 - sum(_key_cells(key) for key in always)
        shown = []
        for key in keys:
            if key.action == "ascend" and self.clears:
                key = replace(key, label="clear")
            if key.label and key not in always and _key_cells(key) <= room:
                shown.append(key)
                room -= _key_cells(key)
        line = Text(" ")
        for key in [*shown, *always]:
            line.append(f"{key.shown} ", self.look.heading)
            line.append(f"{key.label}  ", self.look.text)
        return line

    # ---- what keys of the shell ask of a screen -----------------------------------------------------------------

    def drill(self) -> None:
        """Enter where no widget took it, or nothing is behind what it took."""
        self.shell.notify("nothing to go down to here", timeout=3)

    @property
    def clears(self) -> bool:
        """Whether esc clears something here and leads nowhere."""
        return self.session.clears

    def clear(self) -> bool:
        """Take away what narrows the rows; False where nothing does."""
        return False

    def view_table(self) -> Table | None:
        """The view as a table, for CSV and Markdown."""
        return None

    def command(self) -> str:
        """The command line that prints what is looked at."""
        return self.session.command()

    def selected(self) -> Selection:
        """What ``x`` kills and ``e`` explains: what is under the cursor, else the selection of the session."""
        return self.session.selection


def _key_cells(key: Key) -> int:
    """Cells of a key in the footer."""
    return len(key.shown) + len(key.label) + 3
