"""Getting scenarios in and answers out, the same way for every command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.options import Settings
from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.scenario.schema import not_yet_modelled
from topologies.errors import FabricError, OutputError, Problem
from topologies.printable import json_text

if TYPE_CHECKING:
    from fabric.output.table import Table

SAID = "fabric.said"  # key of the context's lists of what files were taken for
NOT_MODELLED = "fabric.not-modelled"  # key of the context's lines about keys that change nothing
DROPPED = "fabric.dropped"  # key of the context's lists of what was left out of files
_BY_SUFFIX = {".json": "json", ".ndjson": "ndjson", ".csv": "csv", ".md": "md", ".txt": "plain", ".tsv": "plain"}


@dataclass(frozen=True)
class Answer:
    """One command's answer in all the forms it can be printed in; each is made only when asked for."""

    record: Callable[[], Mapping[str, Any]]
    document: Callable[[], Sequence[Any]]
    table: Callable[[], Table]
    columns: Sequence[str]  # of the table, for CSV and NDJSON


@contextmanager
def located(loaded: LoadedScenario, settings: Settings) -> Iterator[None]:
    """Errors raised inside are shown with the text of the scenario."""
    try:
        yield
    except FabricError as error:
        # Problems that name no key, such as those of a flag, have no place in the text.
        placed = loaded.locate(error) if any(problem.where for problem in error.problems) else error
        placed.sources = dict(loaded.sources)  # type: ignore[attr-defined]
        placed.max_errors = settings.max_errors  # type: ignore[attr-defined]
        raise placed from None


def load(path: str, settings: Settings, *, routed: bool = True) -> LoadedScenario:
    """Load a scenario, and say once on stderr what of it is not yet modelled.

    Parameters
    ----------
    routed : bool
        Whether the command routes traffic; without it, keys that matter only there are not named.
    """
    try:
        loaded = load_scenario(path, overrides=settings.overrides)
    except FabricError as error:
        error.max_errors = settings.max_errors  # type: ignore[attr-defined]
        raise
    say_not_modelled(loaded, settings, routed=routed)
    loaded = replace(loaded, strict=settings.strict)
    remember(loaded.dropped)
    remember_said(loaded.said)
    return loaded


def remember(dropped: list[Problem]) -> None:
    """Have the command end with the list of what was left out of its files, and with the exit code that says so."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta.setdefault(DROPPED, []).append(dropped)


def remember_said(said: list[str]) -> None:
    """Have the command end with what its files were taken for, a line each on standard error."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta.setdefault(SAID, []).append(said)


def say_not_modelled(loaded: LoadedScenario, settings: Settings, *, routed: bool = True) -> None:
    """One line for all keys that change nothing yet; the lines of a command differ."""
    keys = not_yet_modelled(loaded.scenario, routed=routed)
    line = f"note: accepted but not yet modelled: {', '.join(keys)}"
    context = click.get_current_context(silent=True)
    lines = [] if context is None else context.meta.setdefault(NOT_MODELLED, [])
    if keys and not settings.quiet and line not in lines:
        lines.append(line)
        click.echo(line, err=True)


def chosen_format(settings: Settings) -> str:
    """The format asked for: by flag, by the output's suffix, else table on a terminal and plain when piped."""
    if settings.format is not None:
        return settings.format
    if settings.output != "-":
        return _BY_SUFFIX.get(Path(settings.output).suffix.lower(), "plain")
    return "table" if sys.stdout.isatty() or settings.color == "always" else "plain"


def emit(answer: Answer, settings: Settings) -> None:
    """Print or write an answer."""
    from fabric.output.rows import arrange, select_columns, to_csv, to_ndjson
    from fabric.output.text import print_terminal, to_markdown, to_plain

    if settings.columns == "help":
        click.echo("\n".join(answer.columns))
        return
    name = chosen_format(settings)
    if name == "table" and settings.output == "-":
        color = {"always": True, "never": False, "auto": None}[settings.color]
        live = sys.stdout.isatty()
        print_terminal(answer.document(), sys.stdout, color=color, ascii_only=settings.ascii, live=live)
        return
    if name in ("csv", "ndjson"):
        table = arrange(
            answer.table().only(*answer.columns),
            where=settings.where,
            sort=settings.sort,
            reverse=settings.reverse,
            limit=settings.limit,
        )
        table = table.only(*select_columns(answer.columns, settings.columns))
        text = to_csv(table) if name == "csv" else to_ndjson(answer.record(), table)
    elif name == "json":
        text = json_text(answer.record(), indent=2) + "\n"
    elif name == "md":
        text = to_markdown(answer.document())
    else:
        text = to_plain(answer.document())
    write(text, settings)


def write(text: str, settings: Settings) -> None:
    """Text to standard output or, whole or not at all, to the file asked for."""
    if settings.output == "-":
        from fabric.cli.streams import as_json

        click.echo(as_json(text, sys.stdout) if settings.format in ("json", "ndjson") else text, nl=False)
        return
    from topologies.whole_file import whole_file

    path = output_path(settings)
    try:
        with whole_file(path) as place:
            place.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


def output_path(settings: Settings, flag: str = "-o") -> Path:
    """The output file, checked: its folder exists, and it is not overwritten unless forced."""
    path = Path(settings.output)
    if not path.parent.is_dir():
        raise click.UsageError(f"{flag} {path}: the folder {path.parent} does not exist")
    if (path.is_file() or path.is_dir()) and not settings.force:
        raise click.UsageError(f"{flag} {path}: the file exists; --force overwrites it")
    return path
