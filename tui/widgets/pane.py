"""A bordered part of a screen, with a title."""

from __future__ import annotations

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget

from tui.text import safe


class Pane(Vertical):
    """Widgets in a frame; in a small terminal one pane is shown at a time."""

    def __init__(self, *children: Widget, title: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(*children, id=id, classes="pane")
        self.border_title = title

    def retitle(self, title: str, subtitle: str = "") -> None:
        """Another text in the frame; it is not markup."""
        self.border_title = Text(safe(title)).markup
        self.border_subtitle = Text(safe(subtitle)).markup
