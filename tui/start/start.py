"""What to open: recent files, scenarios and results here, templates, a path, or a fabric designed in a form."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from fabric.output.table import Column, Table
from fabric.scenario.templates import template_names, template_text
from topologies.builder import TOPOLOGIES
from tui.dialogues.ask import Ask
from tui.recent import recent_files
from tui.shell import ShellScreen
from tui.start.design import DesignScreen
from tui.start.form import FormScreen
from tui.start.new_file import written
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane

_SUFFIXES = (".fabric.yaml", ".fabric.yml", ".fpr")


@dataclass(frozen=True)
class Offer:
    """Something to open or to make."""

    name: str
    what: str
    where: str
    take: Callable[[], object]


class StartScreen(ShellScreen[None]):
    """A list to choose from."""

    BINDINGS: ClassVar = [Binding("o", "path", show=False), Binding("tab", "app.bell", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._offers: list[Offer] = []

    def compose(self) -> ComposeResult:
        """Heading, list, keys."""
        yield Static(Text(" fabric │ what do you want to look at?", self.shell.look.heading), classes="line", id="path")
        yield Pane(LineTable(id="offers"), title="Open", id="offers-pane")
        yield Static(Text(" enter opens   o a path   q quit", self.shell.look.text), classes="line", id="keys")

    def on_screen_resume(self) -> None:
        """List what there is now."""
        self.query_one(Pane).add_class("front")
        self._offers = [*self._files(), *self._new()]
        table = Table.of(
            (
                Column("name", "", [offer.name for offer in self._offers], width=30),
                Column("what", "", [offer.what for offer in self._offers], width=16),
                Column("where", "", [offer.where for offer in self._offers], width=40, priority=1),
            ),
            len(self._offers),
        )
        self.query_one("#offers", LineTable).show(table, self.shell.look)
        self.query_one("#offers").focus()

    def _files(self) -> Iterator[Offer]:
        """Files opened before, and those of the working folder."""
        recent = recent_files()
        for path in recent:
            yield Offer(Path(path).name, "opened before", str(Path(path).parent), self._opener(path))
        for folder in (Path(), Path("examples")):
            for file in sorted(folder.iterdir()) if folder.is_dir() else []:
                if file.name.endswith(_SUFFIXES) and os.path.realpath(file) not in recent:
                    yield Offer(file.name, "here", str(file.parent), self._opener(str(file)))
        yield Offer("a path …", "open", "o", self.action_path)

    def _new(self) -> Iterator[Offer]:
        """A requirement to design for, a form per kind of fabric, and templates."""
        summary = "GPUs, NICs and wishes; the cheapest fabrics that meet them, while you type"
        yield Offer("design", "requirement", summary, self._designer)
        for entry in TOPOLOGIES:
            yield Offer(f"design: {entry.name}", "form", entry.summary, self._former(entry.name))
        for name in template_names():
            lines = template_text(name).splitlines()
            summary = next((line[1:].strip() for line in lines if line[:1] == "#"), "")
            yield Offer(f"new: {name}", "template", summary, self._starter(name))

    def _opener(self, path: str) -> Callable[[], None]:
        return lambda: self.shell.open(path)

    def _designer(self) -> object:
        return self.shell.push_screen(DesignScreen(), self._open)

    def _former(self, kind: str) -> Callable[[], object]:
        return lambda: self.shell.push_screen(FormScreen(kind), self._open)

    def _starter(self, name: str) -> Callable[[], object]:
        ask = f"Write the template {name} to"
        return lambda: self.shell.push_screen(
            Ask(ask, value=f"{name}.fabric.yaml"), lambda path: self._write(name, path)
        )

    def _write(self, name: str, path: str | None) -> None:
        if written(self.shell, path, template_text(name)):
            self._open(path)

    def _open(self, path: str | None) -> None:
        if path:
            self.shell.open(path)

    def action_path(self) -> None:
        """Ask for a path."""
        hint = "a scenario (*.fabric.yaml) or a saved result (*.fpr)"
        self.shell.push_screen(Ask("Open", hint=hint), self._open)

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter."""
        self._offers[int(message.table.table.order[message.position])].take()
