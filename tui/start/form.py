"""A fabric designed in a form: one line per parameter of the builder, what it comes to, saved as a scenario."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, Static

from fabric.faces.views.builder_form import facts, form_fields, problems_of, scenario_text
from topologies.errors import FabricError
from tui.dialogues.ask import Ask
from tui.shell import ShellScreen
from tui.start.new_file import written
from tui.text import safe

_LATER_S = 0.3  # typing is over when nothing was typed for so long


class FormScreen(ShellScreen[str | None]):
    """The answer is the path of the scenario written, or None."""

    BINDINGS: ClassVar = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+s", "save", show=False, priority=True),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    CSS = """
    FormScreen {
        .field { height: 1; }
        .field .name { width: 24; }
        .field Input { width: 1fr; }
        .words { height: 1; margin: 0 0 0 24; text-wrap: nowrap; text-overflow: ellipsis; }
        #form { height: 1fr; padding: 1 2; }
        #facts { height: auto; max-height: 8; padding: 0 2; }
    }
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.fields = form_fields(kind)
        self._typed = 0
        self._good = ""

    def compose(self) -> ComposeResult:
        """A line per parameter, facts below."""
        yield Static(Text(f" fabric │ design a {self.kind} fabric", self.shell.look.heading), classes="line")
        with VerticalScroll(id="form"):
            for field in self.fields:
                mark = "*" if field.required else " "
                with Horizontal(classes="field"):
                    yield Static(Text(f"{mark}{field.name}", self.shell.look.text), classes="name")
                    yield Input(value=field.default, id=f"field-{field.name}")
                yield Static(Text(f"  {safe(field.words)}", self.shell.look.faint), classes="words")
        yield Static(id="facts")
        yield Static(
            Text(" ctrl+s saves and opens   tab next field   esc leaves", self.shell.look.heading), classes="line"
        )

    def on_mount(self) -> None:
        """The first field, and what the defaults come to."""
        self.query(Input).first().focus()
        self._check()

    @property
    def text(self) -> str:
        """The scenario as it stands."""
        values = {field.name: self.query_one(f"#field-{field.name}", Input).value for field in self.fields}
        return scenario_text(self.kind, values, f"my-{self.kind}")

    def on_input_changed(self, _: Input.Changed) -> None:
        """Check when the typing is over; what was right before is not what stands there."""
        self._good = ""
        self._typed += 1
        typed = self._typed
        self.set_timer(_LATER_S, lambda: self._check() if typed == self._typed else None)

    def _check(self) -> None:
        line = self.query_one("#facts", Static)
        self._good = ""
        try:
            text = self.text
        except FabricError as error:
            line.update(Text(safe(problems_of(error)), self.shell.look.bad))
            return
        line.update(Text("building …", self.shell.look.faint))
        self.shell.work("building", lambda _: _outcome(text), self._checked)

    def _checked(self, outcome: tuple[str, str, bool]) -> None:
        if not self.is_mounted:
            return
        text, answer, good = outcome
        look = self.shell.look
        self._good = text if good else ""
        lines = "\n".join(safe(line) for line in answer.splitlines())
        self.query_one("#facts", Static).update(Text(lines, look.good if good else look.bad))

    def action_save(self) -> None:
        """Ask where, if there is nothing wrong."""
        if not self._good:
            self.shell.notify("nothing to save: what is typed is wrong, or still being checked", severity="error")
            return
        self.shell.push_screen(Ask("Save the scenario as", value=f"my-{self.kind}.fabric.yaml"), self._save)

    def _save(self, path: str | None) -> None:
        if written(self.shell, path, self._good):
            self.dismiss(path)

    def action_leave(self) -> None:
        """Back, nothing saved."""
        self.dismiss(None)


def _outcome(text: str) -> tuple[str, str, bool]:
    try:
        return text, facts(text), True
    except FabricError as error:
        return text, problems_of(error), False
