"""What to open: recent files, scenarios and results here, templates, a path, or a fabric designed in a form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Static

from fabric.output.column_table import ColumnTable, TableColumn
from fabric.scenario.templates import template_names, template_text
from topologies.builder import TOPOLOGIES
from tui.dialogues.ask import Ask
from tui.recent import recent_files
from tui.start.form import FormScreen
from tui.view_screen import Pane
from tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from tui.app import FabricApp

_SUFFIXES = (".fabric.yaml", ".fabric.yml", ".fpr")


class StartScreen(Screen[None]):
    """A list to choose from."""

    BINDINGS: ClassVar = [Binding("o", "path", show=False), Binding("tab", "app.bell", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._offers: list[tuple[str, str, str, Callable[[], None]]] = []

    def compose(self) -> ComposeResult:
        """Heading, list, keys."""
        app = cast("FabricApp", self.app)
        yield Static(Text(" fabric │ what do you want to look at?", app.look.heading), classes="line", id="path")
        yield Pane(LineTable(id="offers"), title="Open", id="offers-pane")
        yield Static(Text(" enter opens   o a path   q quit", app.look.text), classes="line", id="keys")

    def on_screen_resume(self) -> None:
        """List what there is now."""
        app = cast("FabricApp", self.app)
        self.query_one(Pane).add_class("front")
        self._offers = list(self._find())
        rows = self._offers
        table = ColumnTable.of(
            (
                TableColumn("name", "", [row[0] for row in rows], width=30),
                TableColumn("what", "", [row[1] for row in rows], width=16),
                TableColumn("where", "", [row[2] for row in rows], width=40, priority=1),
            ),
            len(rows),
        )
        self.query_one("#offers", LineTable).show(table, app.look)
        self.query_one("#offers").focus()

    def _find(self) -> list[tuple[str, str, str, Callable[[], None]]]:
        found: list[tuple[str, str, str, Callable[[], None]]] = []
        seen = set()
        for path in recent_files():
            seen.add(path)
            found.append((Path(path).name, "opened before", str(Path(path).parent), self._opener(path)))
        for folder in (Path(), Path("examples")):
            for file in sorted(folder.iterdir()) if folder.is_dir() else []:
                if file.name.endswith(_SUFFIXES) and str(file.resolve()) not in seen:
                    found.append((file.name, "here", str(file.parent), self._opener(str(file))))
        found.append(("a path …", "open", "o", self.action_path))
        for entry in TOPOLOGIES:
            found.append((f"design: {entry.name}", "form", entry.summary, self._former(entry.name)))
        for name in template_names():
            words = next((line[1:].strip() for line in template_text(name).splitlines() if line[:1] == "#"), "")
            found.append((f"new: {name}", "template", words, self._starter(name)))
        return found

    def _opener(self, path: str) -> Callable[[], None]:
        return lambda: cast("FabricApp", self.app).open_from_start(path)

    def _former(self, kind: str) -> Callable[[], None]:
        return lambda: cast("None", self.app.push_screen(FormScreen(kind), self._written))

    def _starter(self, name: str) -> Callable[[], None]:
        def start() -> None:
            ask = Ask(f"Write the template {name} to", value=f"{name}.fabric.yaml")
            self.app.push_screen(ask, lambda path: self._write(name, path))

        return start

    def _write(self, name: str, path: str | None) -> None:
        if not path:
            return
        try:
            with Path(path).open("x", encoding="utf-8") as file:
                file.write(template_text(name))
        except OSError as error:
            reason = "it exists" if isinstance(error, FileExistsError) else error.strerror
            self.app.notify(f"cannot write {path}: {reason}", severity="error", markup=False)
            return
        cast("FabricApp", self.app).open_from_start(path)

    def _written(self, path: str | None) -> None:
        if path:
            cast("FabricApp", self.app).open_from_start(path)

    def action_path(self) -> None:
        """Ask for a path."""
        app = cast("FabricApp", self.app)
        hint = "a scenario (*.fabric.yaml) or a saved result (*.fpr)"
        self.app.push_screen(Ask("Open", hint=hint), lambda path: app.open_from_start(path) if path else None)

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter."""
        self._offers[int(message.table.table.order[message.position])][3]()
