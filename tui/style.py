"""How things look: bands as terminal styles, in colour, in light and dark, and without any colour."""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from textual.theme import Theme

from fabric.faces.views.bands import DOUBLE, DOWN, HOT, NONE, Band, band, digit

DARK = Theme(
    name="fabric-dark",
    primary="#6baed6",
    secondary="#3f8dc6",
    accent="#f2b134",
    warning="#f2b134",
    error="#ff6b7d",
    success="#7bc47f",
    foreground="#e6e6e6",
    background="#12161c",
    surface="#12161c",
    panel="#1e252e",
    dark=True,
)
LIGHT = Theme(
    name="fabric-light",
    primary="#1f63a8",
    secondary="#3f8dc6",
    accent="#8a5a00",
    warning="#8a5a00",
    error="#9e1226",
    success="#1c6b2a",
    foreground="#1b1f24",
    background="#fbfbfb",
    surface="#fbfbfb",
    panel="#e8ecf1",
    dark=False,
)


@dataclass(frozen=True)
class Look:
    """How to draw; one value for all widgets."""

    dark: bool = True
    colour: bool = True  # False: bold and reverse only, as NO_COLOR asks
    ascii: bool = False  # digits for glyphs, and no box-drawing characters in our own drawings

    @property
    def text(self) -> Style:
        """Plain text."""
        return Style(color="#e6e6e6" if self.dark else "#1b1f24") if self.colour else Style()

    @property
    def faint(self) -> Style:
        """What is there and matters less; figures that wait for new ones."""
        return Style(color="#93a1b0" if self.dark else "#5a6673") if self.colour else Style(dim=True)

    @property
    def heading(self) -> Style:
        """Header rows."""
        return Style(color="#9fc9e6" if self.dark else "#1f63a8", bold=True) if self.colour else Style(bold=True)

    @property
    def cursor(self) -> Style:
        """The row or cell under the cursor."""
        if not self.colour:
            return Style(reverse=True)
        return Style(color="#12161c", bgcolor="#f2b134", bold=True) if self.dark else Style(
            color="#ffffff", bgcolor="#5b3b00", bold=True
        )  # fmt: skip

    @property
    def soft_cursor(self) -> Style:
        """The cursor of a pane that has no focus."""
        if not self.colour:
            return Style(bold=True, underline=True)
        return Style(bgcolor="#333c48") if self.dark else Style(bgcolor="#d5dde6")

    @property
    def good(self) -> Style:
        """Within limits."""
        return Style(color="#7bc47f" if self.dark else "#1c6b2a") if self.colour else Style()

    @property
    def bad(self) -> Style:
        """Over limits."""
        return Style(color="#ff8a98" if self.dark else "#9e1226", bold=True) if self.colour else Style(bold=True)

    @property
    def warn(self) -> Style:
        """Worth a look."""
        return Style(color="#f2b134" if self.dark else "#8a5a00") if self.colour else Style(bold=True)

    def mark(self, mark: str) -> Style:
        """Style of a row of a report: ``good``, ``bad``, ``warn`` or plain."""
        return {"good": self.good, "bad": self.bad, "warn": self.warn}.get(mark, self.text)

    def band(self, utilisation: float, *, down: bool = False) -> Style:
        """Style of a cell of a map."""
        entry = DOWN if down else band(utilisation)
        if not self.colour:
            return Style(bold=entry in (HOT, DOUBLE), reverse=entry is DOUBLE)
        return Style() if entry is NONE else Style(color=entry.ink, bgcolor=entry.colour, bold=entry in (HOT, DOUBLE))

    def load(self, utilisation: float) -> Style:
        """Style of a number in a table: red only above 100 %."""
        return self.bad if band(utilisation) in (HOT, DOUBLE) else self.text

    def glyph(self, utilisation: float, *, down: bool = False) -> str:
        """One character for a utilisation."""
        if down:
            return "x" if self.ascii else DOWN.glyph
        return digit(utilisation) if self.ascii else band(utilisation).glyph

    def legend(self) -> str:
        """What the characters mean."""
        if self.ascii:
            return "digits = tens of %, A = 100%, X > 100%, # >= 200%, . < 5%, x down"
        return "· <10  ░ <50  ▒ <90  ▓ ≤100  █ >100  ‼ ≥200  × down"

    def band_styles(self) -> list[tuple[Band, Style]]:
        """All bands with their styles, for legends."""
        from fabric.faces.views.bands import BANDS

        return [(entry, Style(color=entry.ink, bgcolor=entry.colour) if self.colour else Style()) for entry in BANDS]
