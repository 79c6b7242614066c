"""A switch drawn like its front: ports in two rows, odd above, even below, in groups of eight columns."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from fabric.faces.views.faceplate import Port
from topologies.units import format_gbps, percent
from tui.style import Look
from tui.text import fitted

_GROUP = 8


class FacePlate(Widget, can_focus=True):
    """Ports with a cursor, the port under it in words below."""

    BINDINGS: ClassVar = [
        Binding("left,h", "move(-2)", show=False),
        Binding("right,l", "move(2)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("home", "move(-100000)", show=False),
        Binding("end", "move(100000)", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Chosen(Message):
        """Enter on a port."""

        def __init__(self, plate: FacePlate, port: Port) -> None:
            super().__init__()
            self.plate, self.port = plate, port

        @property
        def control(self) -> FacePlate:
            """The plate."""
            return self.plate

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.look = Look()
        self.ports: tuple[Port, ...] = ()
        self.cursor = 0
        self.stale = False

    def show(self, ports: tuple[Port, ...], look: Look, *, stale: bool = False) -> None:
        """Show another switch, or the same with other loads."""
        self.ports, self.look, self.stale = ports, look, stale
        self.cursor = max(0, min(self.cursor, len(ports) - 1))
        self.refresh()

    @property
    def port(self) -> Port | None:
        """The port under the cursor."""
        return self.ports[self.cursor] if self.ports else None

    @property
    def _across(self) -> int:
        """Columns of ports that fit side by side, in whole groups where possible."""
        room = max(self.size.width - 2, 2)
        fits = room * _GROUP // (2 * _GROUP + 1)
        return max(fits // _GROUP * _GROUP, min(fits, _GROUP), 1)

    def render_line(self, y: int) -> Strip:
        """Two lines of ports and a blank one per bank, then the port in words."""
        width, look = self.size.width, self.look
        banks = -(-len(self.ports) // (2 * self._across))
        if not self.ports:
            words = "no switch selected" if y == 0 else ""
            return Strip([Segment(fitted(words, width), look.faint)]).apply_style(self.rich_style)
        bank, line = divmod(y, 3)
        if bank < banks:
            parts = [Segment(" ")] if line == 2 else self._ports(bank, line)
            return Strip(parts).adjust_cell_length(width, look.text).apply_style(self.rich_style)
        lines = self._words()
        at = y - banks * 3
        text, style = lines[at] if at < len(lines) else ("", look.text)
        return Strip([Segment(fitted(text, width), style)]).apply_style(self.rich_style)

    def _ports(self, bank: int, line: int) -> list[Segment]:
        parts = [Segment(" ")]
        for column in range(self._across):
            at = (bank * self._across + column) * 2 + line
            if at >= len(self.ports):
                break
            port = self.ports[at]
            free, dead, at_cursor = port.link < 0, not port.is_up, at == self.cursor
            glyph = "_" if free else self.look.glyph(port.worse, down=dead, stale=self.stale or at_cursor)
            style = self.look.faint if free else self.look.fill(port.worse, down=dead, stale=self.stale)
            if at_cursor:
                style = self.look.cell_cursor(style) if self.has_focus else style + Style(bold=True, underline=True)
            parts += [Segment(glyph, style), Segment("  " if (column + 1) % _GROUP == 0 else " ", self.look.text)]
        return parts

    def _words(self) -> list[tuple[str, Style]]:
        look, port = self.look, self.port
        assert port is not None
        if port.link < 0:
            return [(f" {len([p for p in self.ports if p.link < 0])} ports are free", look.faint)]
        state = "" if port.is_up else "   DOWN"
        return [
            (f" {port.name} → {port.peer} {port.peer_port}   {format_gbps(port.capacity_gbps)}{state}", look.heading),
            (f" out {percent(port.out)} offered", look.load(port.out)),
            (f" in  {percent(port.into)} offered", look.load(port.into)),
            (" enter flows   x kill/restore", look.faint),
        ]

    def action_move(self, ports: int) -> None:
        """To another port."""
        target = max(0, min(self.cursor + ports, len(self.ports) - 1))
        if target != self.cursor:
            self.cursor = target
            self.refresh()

    def action_choose(self) -> None:
        """Enter."""
        if self.port is not None and self.port.link >= 0:
            self.post_message(self.Chosen(self, self.port))
        else:
            self.notify("this port is free" if self.port is not None else "no port to choose", timeout=3)

    def on_click(self, event: events.Click) -> None:
        """A click selects, a second one chooses."""
        bank, line = divmod(event.y, 3)
        inside = event.x - 1
        column = inside * _GROUP // (2 * _GROUP + 1)
        at = (bank * self._across + column) * 2 + line
        if line < 2 and inside >= 0 and column < self._across and at < len(self.ports):
            again, self.cursor = at == self.cursor, at
            self.refresh()
            if again or event.chain > 1:
                self.action_choose()

    def on_focus(self) -> None:
        """Draw the cursor as the active one."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw the cursor as a resting one."""
        self.refresh()
