"""A fabric from a requirement: seven wishes, and while they are typed the designs that meet them."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from fabric.design.quick import QuickAnswer, quick_designs
from fabric.faces.views.builder_form import problems_of
from fabric.faces.views.quick_designs import WISHES, answer_lines, quick_table, requirement_keys
from fabric.output.table import Table
from fabric.routing.progress import Reporter
from topologies.errors import FabricError
from tui.dialogues.ask import Ask
from tui.shell import ShellScreen
from tui.start.new_file import written
from tui.text import safe
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane

_LATER_S = 0.4  # typing is over when nothing was typed for so long


class DesignScreen(ShellScreen[str | None]):
    """The answer is the path of the scenario written, or None."""

    BINDINGS: ClassVar = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+s", "save", show=False, priority=True),
        Binding("w", "save", show=False),
        Binding("down", "next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    CSS = """
    DesignScreen {
        #wishes { height: auto; padding: 0 1; }
        .field { height: 1; }
        .field .name { width: 18; }
        .field Input { width: 26; }
        .field .words { width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
        #quick-pane { height: 1fr; min-height: 6; }
        #answer { height: auto; min-height: 3; max-height: 8; padding: 0 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._typed = 0
        self._text = ""

    def compose(self) -> ComposeResult:
        """A line per wish, designs below, then what was taken for granted."""
        look = self.shell.look
        yield Static(Text(" fabric │ design: what has to be connected?", look.heading), classes="line")
        with Vertical(id="wishes"):
            for place, wish in enumerate(WISHES):
                with Horizontal(classes="field"):
                    yield Static(Text(wish.name, look.text), classes="name")
                    yield Input(value=wish.default, id=f"wish-{place}")
                    yield Static(Text(f" {wish.words}", look.faint), classes="words")
        yield Pane(LineTable(id="quick"), title="Designs, counted", id="quick-pane")
        yield Static(id="answer")
        keys = " ctrl+s writes the best as a scenario and opens it   tab next   esc leaves"
        yield Static(Text(keys, look.heading), classes="line")

    def on_mount(self) -> None:
        """The first field, and what the defaults come to."""
        self.query_one("#quick", LineTable).show(quick_table(()), self.shell.look)
        self.query_one("#wish-0", Input).focus()
        self._search()

    @property
    def values(self) -> dict[str, str]:
        """What stands in the fields."""
        return {wish.name: self.query_one(f"#wish-{place}", Input).value for place, wish in enumerate(WISHES)}

    def on_input_changed(self, _: Input.Changed) -> None:
        """Search when the typing is over; what was right before is not what stands there."""
        self._text = ""
        self._typed += 1
        typed = self._typed
        self.set_timer(_LATER_S, lambda: self._search() if typed == self._typed else None)

    def on_input_submitted(self, _: Input.Submitted) -> None:
        """Enter goes to the next field."""
        self.action_next()

    def action_next(self) -> None:
        """The next field."""
        self.focus_next()

    def _search(self) -> None:
        if not self.is_mounted:
            return
        keys = requirement_keys(self.values)
        self._say("counting …", "faint")
        self.shell.work("counting designs", lambda report: _outcome(keys, report), self._found)

    def _found(self, outcome: QuickAnswer | str) -> None:
        if not self.is_mounted:
            return
        if isinstance(outcome, str):
            self._show(quick_table(()), outcome, "bad")
            return
        self._text = outcome.text
        self._show(quick_table(outcome.designs), "\n".join(answer_lines(outcome)), "text" if outcome.designs else "bad")

    def _show(self, table: Table, text: str, style: str) -> None:
        self.query_one("#quick", LineTable).show(table, self.shell.look)
        self._say(text, style)

    def _say(self, text: str, style: str) -> None:
        lines = "\n".join(safe(line) for line in text.splitlines())
        self.query_one("#answer", Static).update(Text(lines, getattr(self.shell.look, style)))

    def action_save(self) -> None:
        """Ask where, if there is an answer."""
        if not self._text:
            self.shell.notify("nothing to write: no design yet, or still counting", severity="error")
            return
        name = requirement_keys(self.values)["name"]
        self.shell.push_screen(Ask("Write the scenario to", value=f"{name}.fabric.yaml"), self._save)

    def _save(self, path: str | None) -> None:
        if written(self.shell, path, self._text):
            self.dismiss(path)

    def action_leave(self) -> None:
        """Back, nothing written."""
        self.shell.drop_work()
        self.dismiss(None)


def _outcome(keys: dict[str, object], report: Reporter) -> QuickAnswer | str:
    """The answer, or what is wrong with the wishes."""
    try:
        return quick_designs(keys, report)
    except FabricError as error:
        return problems_of(error)
