"""How things look: bands as terminal styles, in colour, in light and dark, and without any colour."""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from rich.text import Text
from textual.theme import Theme

from fabric.faces.views.bands import BANDS, DOUBLE, DOWN, HOT, NONE, Band, band, digit
from fabric.faces.views.timeline import FILLS, Fill

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

_DIGITS = "digits = tens of %, A = 100%, X > 100%, # >= 200%, . < 5%, x down"
_DIGITS_SHORT = "tens of %, A 100, X >100, # >=200"


@dataclass(frozen=True)
class Look:
    """How to draw; one value for all widgets."""

    dark: bool = True
    colour: bool = True  # False: bold and reverse only, as NO_COLOR asks
    ascii: bool = False  # digits in cells, and no box-drawing characters in our own drawings

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

    def cell_cursor(self, style: Style) -> Style:
        """The cell under the cursor; without colour it is reversed against its neighbours, whatever they are."""
        return self.cursor if self.colour else Style(reverse=not style.reverse, underline=True)

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

    def load(self, utilisation: float | None) -> Style:
        """Style of a number in a table: red only above 100 %, and for None, load on a link without capacity."""
        return self.bad if utilisation is None or band(utilisation) in (HOT, DOUBLE) else self.text

    # ---- fills --------------------------------------------------------------------------------------------------

    def fill(self, utilisation: float, *, down: bool = False, stale: bool = False) -> Style:
        """Style of a cell of a map: the colour of its band behind black; figures that wait for new ones have none."""
        return self.faint if stale else self._band(DOWN if down else band(utilisation))

    def glyph(self, utilisation: float, *, down: bool = False, stale: bool = False) -> str:
        """The character of a narrow cell: none on a colour, which says it all, but for what is down."""
        if down:
            return "x" if self.ascii else DOWN.glyph
        if self.ascii or stale:
            return digit(utilisation)
        return " " if self.colour else band(utilisation).glyph

    def lead(self, utilisation: float, *, down: bool = False) -> str:
        """The character before the number of a wide cell; on a colour none."""
        return " " if self.colour else self.glyph(utilisation, down=down)

    def _band(self, entry: Band) -> Style:
        if not self.colour:
            return Style(bold=entry in (HOT, DOUBLE), reverse=entry is DOUBLE)
        return Style() if entry is NONE else Style(color=entry.ink, bgcolor=entry.colour, bold=entry in (HOT, DOUBLE))

    def legends(self) -> tuple[Text, ...]:
        """What the cells mean, in their own colours: the longest form first."""
        if not self.colour:
            words = "· <10  ░ <50  ▒ <90  ▓ ≤100  █ >100  ‼ ≥200  × down"
            return (Text(_DIGITS if self.ascii else words), Text(_DIGITS_SHORT if self.ascii else words))
        short, full = Text(), Text()
        for entry in (*BANDS, DOWN):
            words = entry.text.removesuffix(" %")
            if self.ascii:
                words = words.replace("≤", "<=").replace("≥", ">=")
            sign = ("x" if self.ascii else entry.mark) if entry is DOWN else ""
            full.append(f" {sign} {words} ".replace("  ", " "), self._band(entry))
            short.append(f"{sign or words.replace('idle', '0')} ", self._band(entry))
        if self.ascii:
            return (Text.assemble(full, f"  {_DIGITS}"), Text.assemble(full, "  digits: tens of %"), full, short)
        return (Text.assemble(full, " % of capacity"), full, short)

    def bar(self, kind: str) -> tuple[str, Style]:
        """The character of a kind of bar, and its style; on a colour none."""
        entry = FILLS[kind]
        return (" ", self._fill(entry)) if self.colour else (entry.letter if self.ascii else entry.glyph, Style())

    def bar_legends(self) -> tuple[Text, ...]:
        """What the bars mean, in their own colours: the longest form first."""
        full, short = Text(), Text()
        for kind, entry in FILLS.items():
            sign, style = self.bar(kind)
            for legend, words in ((full, entry.text), (short, entry.short)):
                legend.append(f" {words} " if self.colour else f"{sign} {words}  ", style)
        return (full, short)

    def _fill(self, entry: Fill) -> Style:
        return Style(color="#000000", bgcolor=entry.colour)
