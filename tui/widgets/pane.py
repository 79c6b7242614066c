"""A bordered part of a screen, with a title."""

from __future__ import annotations

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget

from tui.text import safe

_CORNERS = 4  # cells of a border's line that no text takes


class Pane(Vertical):
    """Widgets in a frame; in a small terminal one pane is shown at a time."""

    def __init__(self, *children: Widget, title: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(*children, id=id, classes="pane")
        self.border_title = title
        self._notes: tuple[Text, ...] = ()

    def retitle(self, title: str, *notes: str | Text) -> None:
        """Another title in the frame, and below the first of the notes that fits; none of it is markup."""
        self.border_title = Text(safe(title)).markup
        self._notes = tuple(Text(safe(note)) if isinstance(note, str) else note for note in notes)
        self._note()

    def on_resize(self) -> None:
        """Another width: another note may fit."""
        self._note()

    def _note(self) -> None:
        room = self.outer_size.width - _CORNERS
        fitting = [note for note in self._notes if note.cell_len <= room] or list(self._notes[-1:])
        self.border_subtitle = fitting[0].markup if fitting else ""
