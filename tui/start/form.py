"""A fabric designed in a form: one line per parameter of the builder, what it comes to, saved as a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Input, Static

from fabric.faces.views.builder_form import facts, form_fields, problems_of, scenario_text
from topologies.errors import FabricError
from tui.dialogues.ask import Ask
from tui.text import safe

if TYPE_CHECKING:
    from tui.app import FabricApp

_LATER_S = 0.3  # typing is over when nothing was typed for so long


class FormScreen(Screen[str | None]):
    """The answer is the path of the scenario written, or None."""

    BINDINGS: ClassVar = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+s", "save", show=False, priority=True),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.fields = form_fields(kind)
        self._typed = 0
        self._good = ""

    def compose(self) -> ComposeResult:
        """A line per parameter, facts below."""
        app = cast("FabricApp", self.app)
        yield Static(Text(f" fabric │ design a {self.kind} fabric", app.look.heading), classes="line")
        with VerticalScroll(id="form"):
            for field in self.fields:
                mark = "*" if field.required else " "
                with Horizontal(classes="field"):
                    yield Static(Text(f"{mark}{field.name}", app.look.text), classes="name")
                    yield Input(value=field.default, id=f"field-{field.name}")
                yield Static(Text(f"  {safe(field.words)}", app.look.faint), classes="words")
        yield Static(id="facts")
        yield Static(Text(" ctrl+s saves and opens   tab next field   esc leaves", app.look.heading), classes="line")

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
        """Check when the typing is over."""
        self._typed += 1
        typed = self._typed
        self.set_timer(_LATER_S, lambda: self._check() if typed == self._typed else None)

    def _check(self) -> None:
        app = cast("FabricApp", self.app)
        line = self.query_one("#facts", Static)
        self._good = ""
        try:
            text = self.text
        except FabricError as error:
            line.update(Text(safe(problems_of(error)), app.look.bad))
            return
        line.update(Text("building …", app.look.faint))
        app.work("building", lambda _: _outcome(text), self._checked)

    def _checked(self, outcome: tuple[str, str, bool]) -> None:
        if not self.is_mounted:
            return
        text, words, good = outcome
        look = cast("FabricApp", self.app).look
        self._good = text if good else ""
        lines = "\n".join(safe(line) for line in words.splitlines())
        self.query_one("#facts", Static).update(Text(lines, look.good if good else look.bad))

    def action_save(self) -> None:
        """Ask where, if there is nothing wrong."""
        if not self._good:
            self.app.notify("mend what is wrong first", severity="error")
            return
        self.app.push_screen(Ask("Save the scenario as", value=f"my-{self.kind}.fabric.yaml"), self._save)

    def _save(self, path: str | None) -> None:
        if not path:
            return
        try:
            with Path(path).open("x", encoding="utf-8") as file:
                file.write(self._good)
        except OSError as error:
            reason = "it exists" if isinstance(error, FileExistsError) else error.strerror
            self.app.notify(f"cannot write {path}: {reason}", severity="error", markup=False)
            return
        self.dismiss(path)

    def action_leave(self) -> None:
        """Back, nothing saved."""
        self.dismiss(None)


def _outcome(text: str) -> tuple[str, str, bool]:
    try:
        return text, facts(text), True
    except FabricError as error:
        return text, problems_of(error), False
