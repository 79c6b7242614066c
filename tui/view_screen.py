"""What every screen of a session shares: two lines of heading, a body, a bar of keys, and a look at the session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from fabric.faces.views.headline import identity, verdict
from fabric.output.column_table import ColumnTable
from tui.keys import SCREENS, Key, keys_of
from tui.session import Selection, Session
from tui.style import Look
from tui.text import fitted, safe

if TYPE_CHECKING:
    from tui.app import FabricApp


class Pane(Vertical):
    """A bordered part of a screen, with a title."""

    def __init__(self, *children: Widget, title: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(*children, id=id, classes="pane")
        self.border_title = title

    def retitle(self, title: str, subtitle: str = "") -> None:
        """Other words in the frame; they are no markup."""
        self.border_title = Text(safe(title)).markup
        self.border_subtitle = Text(safe(subtitle)).markup


class ViewScreen(Screen[None]):
    """A screen that shows a part of the session."""

    # Textual's screens take these keys for single widgets; ours go from pane to pane.
    BINDINGS: ClassVar = [
        Binding("tab", "app.pane(1)", show=False),
        Binding("shift+tab", "app.pane(-1)", show=False),
    ]

    view = ""  # its name in ``keys.SCREENS``
    filter_text = ""  # what its rows are filtered by

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
    def fabric_app(self) -> FabricApp:
        """The app, by its own type."""
        from tui.app import FabricApp

        return cast(FabricApp, self.app)

    @property
    def session(self) -> Session:
        """The open scenario.

        Raises
        ------
        RuntimeError
            When none is open; such screens are not shown then.
        """
        session = self.fabric_app.session
        if session is None:
            raise RuntimeError("no scenario is open")
        return session

    @property
    def look(self) -> Look:
        """How to draw."""
        return self.fabric_app.look

    def on_screen_resume(self) -> None:
        """The screen comes to the front."""
        if self.focused is None or not self.query(".front"):
            self.next_pane(0)
        self.refresh_view()

    def next_pane(self, steps: int) -> None:
        """Focus another pane; where the terminal is small, it is the only one shown."""
        panes = [pane for pane in self.query(Pane) if any(child.can_focus for child in pane.walk_children(Widget))]
        if not panes:
            return
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

    def on_resize(self) -> None:
        """Another size: lines are cut anew."""
        self.refresh_lines()

    def refresh_view(self) -> None:
        """Show the session as it is now."""
        if self.fabric_app.session is None or not self.is_mounted:
            return
        self.refresh_lines()
        self.show_state()

    def show_state(self) -> None:
        """Fill the body from the session."""

    # ---- lines --------------------------------------------------------------------------------------------------

    def refresh_lines(self) -> None:
        """Heading and keys."""
        session = self.fabric_app.session
        if session is None or not self.is_mounted:
            return
        width = self.app.size.width
        self.query_one("#path", Static).update(self._line(self.path_words(), self.look.heading, width))
        state = Text()
        name = SCREENS[self.view][1].upper() if self.view in SCREENS else self.view.upper()
        state.append(f" {name}  ", self.look.heading)
        state.append(safe(f"{session.phase_words}  {self.state_words()}  "), self.look.text)
        busy = self.fabric_app.busy
        if busy:
            state.append(safe(f"… {busy} "), self.look.warn)
        elif session.entry is not None:
            line = verdict(session.entry)
            state.append(safe(line.text), self.look.mark(line.mark))
        if self.is_small and not busy and width < 80:
            state = Text(" small terminal: one pane at a time, tab for the next; 80x24 shows all", self.look.warn)
        state.truncate(width, overflow="ellipsis")
        self.query_one("#state", Static).update(state)
        self.query_one("#keys", Static).update(self._keys(width))

    def path_words(self) -> str:
        """The first line: what is open, and the way to here."""
        session = self.session
        way = " › ".join(place.words if place.selection.name else SCREENS[place.screen][1] for place in session.trail)
        return f" fabric │ {' │ '.join(identity(session.loaded, session.entry))} │ {way}"

    def state_words(self) -> str:
        """What the second line says between phase and verdict."""
        metric = {"offered": "offered load (may exceed 100 %)", "carried": "carried load (at most 100 %)"}
        return metric[self.session.metric] if self.app.size.width >= 100 else self.session.metric

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
        always = [key for key in keys_of(self.view) if key.action in ("help", "quit")]
        room = width - 1 - sum(_key_cells(key) for key in always)
        shown = []
        for key in keys_of(self.view):
            if key.label and key not in always and _key_cells(key) <= room:
                shown.append(key)
                room -= _key_cells(key)
        line = Text(" ")
        for key in [*shown, *always]:
            line.append(f"{key.shown} ", self.look.heading)
            line.append(f"{key.label}  ", self.look.text)
        return line

    # ---- what keys ask of a screen ------------------------------------------------------------------------------

    def drill(self) -> None:
        """Enter outside of a table."""

    def filter_rows(self, text: str) -> None:
        """Keep rows that a text or an expression holds for; an empty one keeps all."""

    def sort_rows(self) -> None:
        """Sort by the next column."""

    def play(self) -> None:
        """Step through the phases, or stop."""

    def show_difference(self) -> None:
        """What differs from what was written before."""

    def add_row(self) -> None:
        """Add to what is listed."""

    def remove_row(self) -> None:
        """Remove what is under the cursor."""

    def save_row(self) -> None:
        """Save what is listed."""

    def view_table(self) -> ColumnTable | None:
        """The view as a table, for CSV and Markdown."""
        return None

    def toggled(self) -> Selection:
        """What ``x`` kills: the selection, or what is under the cursor."""
        return self.session.selection


def _key_cells(key: Key) -> int:
    """Cells of a key in the footer."""
    return len(key.shown) + len(key.label) + 3
