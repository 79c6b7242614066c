"""``fabric verify cabling``: what is asked, checked before the work, and the answer in the form asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabric.cli.answer import Answer, emit, note, open_run, output_path, write
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import Settings, refuse_flags
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import FIX_LIST, MOVES

if TYPE_CHECKING:
    from fabric.operate.cabling.result import CablingResult
    from fabric.pipeline.run import Run

PICTURE = ".svg"


@dataclass(frozen=True)
class CablingFlags:
    """Flags of the command itself."""

    observed: str
    names: Path | None = None
    write_names: Path | None = None
    alone: int = 20
    fix_list: str | None = None
    picture: bool = False


def verified(scenario: str, settings: Settings, flags: CablingFlags) -> tuple[Run, CablingResult]:
    """Read what was observed and the scenario, and hold one against the other."""
    from fabric.operate.cabling.verify import CablingRequest, verify_cabling
    from fabric.operate.observed.read import observed_source, read_neighbours
    from fabric.request import RouteRequest

    try:
        form, where = observed_source(flags.observed)
    except ValueError as error:
        raise click.UsageError(f"--observed {error}") from None
    request = RouteRequest(down=settings.down, up=settings.up, slow=settings.slow)
    heard = read_neighbours(form, where)
    with watching(settings) as report:
        run = open_run(scenario, settings, request, report, idle=True)
        wanted = CablingRequest(flags.observed, flags.names, flags.alone, settings.strict)
        return run, verify_cabling(run, heard, wanted, progress=report)


def verify_cabling_command(scenario: str, settings: Settings, flags: CablingFlags) -> int:
    """Verify, and print or write what came of it."""
    draws = _draws(settings, flags)
    if flags.write_names is not None:
        output_path(replace(settings, output=str(flags.write_names)), "--write-names")
    run, result = verified(scenario, settings, flags)
    if flags.write_names is not None:
        _write_names(result, replace(settings, output=str(flags.write_names)))
    if draws:
        _draw(run, result, settings)
    else:
        _emit(run, result, settings, flags)
    return OK if result.is_right else ANSWER_IS_NO


def _write_names(result: CablingResult, settings: Settings) -> None:
    """The names that were found, as ``--names`` takes them."""
    from fabric.faces.views.cabling import name_table
    from fabric.output.rows import to_csv

    if result.renaming is None:
        note(f"no names differ in one way: {settings.output} is not written", settings)
        return
    write(to_csv(name_table(result.renaming)), settings)
    note(f"wrote {settings.output}: {len(result.renaming.rows):,} names; --names takes them", settings)


def _draws(settings: Settings, flags: CablingFlags) -> bool:
    """Whether a picture is asked for; refused before the work where it cannot be written."""
    is_svg = Path(settings.output).suffix.lower() == PICTURE
    if flags.picture and not is_svg:
        raise click.UsageError("--picture needs a file to draw into: -o wrong.svg")
    if not is_svg:
        return False
    output_path(settings)
    refuse_flags("a picture has no rows", "fix_list", groups=("rows", "format"))
    return True


def _draw(run: Run, result: CablingResult, settings: Settings) -> None:
    from fabric.faces.drawing.cabling import cabling_dot
    from fabric.faces.drawing.graphviz_program import render_dot

    render_dot(cabling_dot(run.loaded, result), output_path(settings), "svg")
    if not settings.quiet:
        click.echo(f"wrote {settings.output}", err=True)


def _emit(run: Run, result: CablingResult, settings: Settings, flags: CablingFlags) -> None:
    from fabric.faces.answers.cabling_report import cabling_document, cabling_entry, cabling_record
    from fabric.faces.views.cabling import move_table, step_table

    if flags.fix_list is not None:
        table = step_table(result)
        answer = Answer(lambda: cabling_record(run.loaded, result), lambda: [table.as_rows()], lambda: table, FIX_LIST)
        emit(answer, replace(settings, format=settings.format or flags.fix_list))
        return
    emit(
        Answer(
            lambda: cabling_record(run.loaded, result),
            lambda: cabling_document(run.loaded, result),
            lambda: move_table(result),
            MOVES,
            lambda row: cabling_entry(result.moves[row]),
        ),
        settings,
    )
