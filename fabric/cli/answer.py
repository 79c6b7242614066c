"""Getting scenarios in and answers out, the same way for every command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.options import Settings
from topologies.errors import FabricError, OutputError, Problem
from topologies.printable import printable

if TYPE_CHECKING:
    from fabric.output.row_kind import RowKind
    from fabric.output.rows import Entry
    from fabric.output.table import Table
    from fabric.pipeline.run import Run
    from fabric.request import RouteRequest
    from fabric.routing.progress import Reporter
    from fabric.scenario.load import LoadedScenario

SAID = "fabric.said"  # key of the context's lists of what files were taken for
NOTED = "fabric.noted"  # key of the context's set of notes that were printed
DROPPED = "fabric.dropped"  # key of the context's lists of what was left out of files
_BY_SUFFIX = {".json": "json", ".ndjson": "ndjson", ".csv": "csv", ".md": "md", ".txt": "plain", ".tsv": "plain"}


@dataclass(frozen=True)
class Answer:
    """One command's answer in all the forms it can be printed in; each is made only when asked for.

    Attributes
    ----------
    record : callable
        What JSON says besides the rows.
    document : callable
        Lines and tables for people; those that show rows are marked so.
    table : callable
        All rows, in their own order.
    kind : RowKind
        What the rows are.
    entry : callable, optional
        All that JSON says of the row with an id; default: its columns.
    top : int, optional
        Rows of each group that are asked for.
    """

    record: Callable[[], Mapping[str, Any]]
    document: Callable[[], Sequence[Any]]
    table: Callable[[], Table]
    kind: RowKind
    entry: Entry | None = None
    top: int | None = None


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
    from fabric.scenario.load import load_scenario

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


def open_run(path: str, settings: Settings, request: RouteRequest, progress: Reporter, *, idle: bool = False) -> Run:
    """Open a saved result, or load and route a scenario; what was left out of files is said when the command ends.

    With ``idle`` a scenario that sends nothing is opened too, without routes.
    """
    from fabric.failures.verdicts import decided
    from fabric.saved.open_any import open_any

    run = open_any(
        path, overrides=settings.overrides, request=request, strict=settings.strict, progress=progress, idle=idle
    )
    say_not_modelled(run.loaded, settings)
    remember(run.loaded.dropped)
    remember_said(run.loaded.said)
    return decided(run, progress)


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


def note(text: str, settings: Settings) -> None:
    """One line on standard error, once a run, unless it is to be quiet."""
    context = click.get_current_context(silent=True)
    said: set[str] = set() if context is None else context.meta.setdefault(NOTED, set())
    if not settings.quiet and text not in said:
        said.add(text)
        click.echo(f"note: {printable(text)}", err=True)


def say_not_modelled(loaded: LoadedScenario, settings: Settings, *, routed: bool = True) -> None:
    """One line for all keys that change nothing yet; the lines of a command differ."""
    from fabric.scenario.schema import not_yet_modelled

    keys = not_yet_modelled(loaded.scenario, routed=routed)
    if keys:
        note(f"accepted but not yet modelled: {', '.join(keys)}", settings)


def chosen_format(settings: Settings) -> str:
    """The format asked for: by flag, by the output's suffix, else table on a terminal and plain when piped."""
    if settings.format is not None:
        return settings.format
    if settings.output != "-":
        return _BY_SUFFIX.get(Path(settings.output).suffix.lower(), "plain")
    return "table" if sys.stdout.isatty() or settings.color == "always" else "plain"


def emit(answer: Answer, settings: Settings) -> None:
    """Print or write an answer, its rows as the row flags ask for them."""
    from fabric.output.rows import arrange, row_records, select_columns, to_csv, to_json, to_ndjson

    name = chosen_format(settings)
    if name not in ("csv", "ndjson", "json"):
        _emit_document(answer, settings, name)
        return
    rows = arrange(answer.table(), answer.kind, settings.arrangement(answer.top))
    if name == "csv":
        names = select_columns(answer.kind.columns, settings.columns, answer.kind.names)
        text = to_csv(rows.table.only(*names))
    else:
        records = row_records(rows, settings.columns, answer.entry)
        text = (to_json if name == "json" else to_ndjson)(answer.record(), rows, records)
    write(text, settings)
    if rows.text and name == "csv":
        note(rows.text, settings)


def _emit_document(answer: Answer, settings: Settings, name: str) -> None:
    """An answer for people: on a terminal, as plain text or as Markdown."""
    from fabric.output.rows import arrange, with_rows
    from fabric.output.text import print_terminal, to_markdown, to_plain

    document = answer.document()
    wanted = settings.arrangement(answer.top)
    if wanted.is_asked:
        rows = arrange(answer.table(), answer.kind, wanted, most=answer.kind.most)
        document = with_rows(document, rows, settings.columns)
    if name == "table" and settings.output == "-":
        color = {"always": True, "never": False, "auto": None}[settings.color]
        live = sys.stdout.isatty()
        print_terminal(document, sys.stdout, color=color, ascii_only=settings.ascii, live=live)
        return
    write(to_markdown(document) if name == "md" else to_plain(document), settings)


def write(text: str | Iterable[str], settings: Settings) -> None:
    """Text, whole or in parts, to standard output or, whole or not at all, to the file asked for."""
    parts = (text,) if isinstance(text, str) else text
    if settings.output == "-":
        from fabric.cli.streams import as_json

        is_json = settings.format in ("json", "ndjson")
        for part in parts:
            click.echo(as_json(part, sys.stdout) if is_json else part, nl=False)
        return
    from topologies.whole_file import whole_file

    path = output_path(settings)
    try:
        with (
            whole_file(path) as place,
            place.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        ):
            file.writelines(parts)
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
