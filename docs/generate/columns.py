"""The rows of every command in ``docs/output.md``: what they are, and their columns with units."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from fabric.cli.main import cli
from fabric.cli.options import FabricCommand
from fabric.output.row_kind import RowKind

START, END = "<!-- rows: written by make docs -->", "<!-- end of rows -->"


def page(text: str) -> str:
    """The page with a row of its table for every kind of rows.

    Raises
    ------
    ValueError
        When the page has no place for the table.
    """
    lines = ["| command | rows | JSON key | people see | columns, with units |", "| --- | --- | --- | ---: | --- |"]
    for name, kind in sorted(row_kinds(), key=lambda pair: pair[0]):
        columns = ", ".join([_column(kind, column) for column in kind.columns])
        more = (
            f"; with `--columns +NAME` {', '.join(_column(kind, column) for column in kind.more)}" if kind.more else ""
        )
        most = "all" if kind.most is None else f"{kind.most} of each phase" if kind.group else str(kind.most)
        lines.append(f"| `{name}` | {kind.what} | `{kind.key}` | {most} | {columns}{more} |")
    table = "\n".join([START, *lines, END])
    text, places = re.subn(f"{re.escape(START)}.*?{re.escape(END)}", lambda _: table, text, flags=re.DOTALL)
    if places != 1:
        raise ValueError(f"docs/output.md has {places} places for the table of rows")
    return text


def row_kinds() -> Iterator[tuple[str, RowKind]]:
    """Every command that answers with rows, once for every kind of rows."""
    for words, command in commands():
        for kind in command.rows:
            yield " ".join(words), kind


def commands() -> Iterator[tuple[tuple[str, ...], FabricCommand]]:
    """All commands, and the verbs below them."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            for verb, below in command.commands.items():
                assert isinstance(below, FabricCommand)
                yield (name, verb), below
        elif isinstance(command, FabricCommand):
            yield (name,), command


def _column(kind: RowKind, name: str) -> str:
    unit = kind.unit(name)
    return f"`{name}` ({unit})" if unit else f"`{name}`"
