"""What of the results is looked at, and how it is drawn."""

from __future__ import annotations

from dataclasses import replace

from tui.actions.front import Front
from tui.style import DARK, LIGHT, Look


class Looking(Front):
    """Keys that change what all views show."""

    def action_phase(self, steps: int) -> None:
        """Another phase."""
        session = self.front.session
        if len(session.phases) < 2:
            self.notify("the fabric has no other phase", timeout=3)
        session.step_phase(steps)
        self.refresh_view()

    def action_fabric(self) -> None:
        """Another fabric."""
        session = self.front.session
        if len(session.fabrics) < 2:
            self.notify("no other fabric carries traffic", timeout=3)
        session.step_fabric()
        self.refresh_view()

    def action_direction(self) -> None:
        """Up or down."""
        self.front.session.step_direction()
        self.refresh_view()

    def action_metric(self) -> None:
        """Offered or carried."""
        self.front.session.step_metric()
        self.refresh_view()

    def action_ascii(self) -> None:
        """Digits or glyphs."""
        self.draw(replace(self.look, ascii=not self.look.ascii))

    def action_theme(self) -> None:
        """Dark or light."""
        self.draw(replace(self.look, dark=not self.look.dark))

    def draw(self, look: Look) -> None:
        """Draw all in another way."""
        self.look = look
        self.theme = DARK.name if look.dark else LIGHT.name
        self.refresh_view()
