"""From view to view, down and up, and from pane to pane."""

from __future__ import annotations

from tui.actions.front import Front
from tui.dialogues.chooser import Chooser
from tui.targets import target_table, targets


class Moving(Front):
    """Keys that move."""

    def action_show(self, name: str) -> None:
        """A view by its key."""
        self.show(name)

    def action_compare(self) -> None:
        """The base beside the present state."""
        self.show("compare")

    def action_drill(self) -> None:
        """Enter where no widget took it."""
        self.front.drill()

    def action_ascend(self) -> None:
        """Up: first the filter goes, then the way back, then what is selected."""
        if self.front.clear():
            return
        if self.front.session.back():
            self.bring_to_front()
        else:
            self.notify("the way begins here; q leaves", timeout=3)

    def action_pane(self, steps: int) -> None:
        """Another pane."""
        self.front.next_pane(steps)

    def action_goto(self) -> None:
        """Go to anything by a few letters of its name."""
        session = self.front.session
        known = targets(session, self.views)

        def go(row: int | None) -> None:
            if row is None:
                return
            target = known[row]
            if target.kind == "phase":
                session.phase = target.name
            self.go(target.screen, target.selection)

        hint = "a few letters; a > b finds links from a to b"
        self.push_screen(Chooser("Go to", lambda query: target_table(session, known, query), hint=hint), go)
