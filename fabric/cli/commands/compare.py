"""``fabric compare``: two scenarios or saved results side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from fabric.cli.answer import Answer, emit, open_run
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings, Share, refuse_flags
from fabric.cli.timings import check_timings, say_timings, timings_option
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import FIGURES

if TYPE_CHECKING:
    from fabric.failures.differences import SweepDifferences
    from fabric.pipeline.run import Run
    from fabric.saved.failure_file import SavedFailures

SUMMARY = "Compare two scenarios, saved results or failure sweeps: network, loads, times, what was changed."
ORDER = 90

SUBJECTS = ("topology", "load", "time", "cost", "flows", "failures")


def _tolerance(_ctx: click.Context, _option: click.Parameter, ratio: float) -> float:
    """``1%`` or ``0.01``: less than the whole."""
    if ratio >= 1:
        raise click.BadParameter(f"{ratio:g} is not a part of a figure; for example 1% or 0.01")
    return ratio


@click.command("compare", cls=FabricCommand, takes=(*ANSWER, *SCENARIO, "progress"), rows=(FIGURES,))
@click.argument("a")
@click.argument("b")
@click.option("--only", multiple=True, type=click.Choice(SUBJECTS), help="Only these subjects; default: all.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when a figure differs.")
@click.option(
    "--tolerance", type=Share(), default="0", metavar="1%", callback=_tolerance, help="Differences below it are none."
)
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Links listed per phase, besides the figures.",
)
@click.option("--failures", is_flag=True, help="Sweep single failures of both, and compare what they do.")
@timings_option
def command(
    a: str,
    b: str,
    settings: Settings,
    only: tuple[str, ...],
    exit_code: bool,
    tolerance: float,
    top: int,
    failures: bool,
    timings: str | None,
) -> int:
    """Compare A with B, each a scenario or a saved result: what changed, sorted by change; what was gained and lost.

    Failure sweeps (fabric failures --json) are compared case by case and link by link, with each other or with that of
    a scenario. --set, --down and the like hold for scenarios of both sides. Exit code 0, with --exit-code 1 for a
    difference.
    """
    from fabric.saved.failure_file import is_failure_file

    if any(map(is_failure_file, (a, b))):
        refuse_flags("sweeps are compared, and they are of failures alone", "only", "timings")
        return _sweeps((a, b), settings, tolerance, top, exit_code=exit_code)
    from fabric.faces.answers.difference_report import (
        compare_document,
        compare_record,
    )
    from fabric.faces.answers.sweep_differences import sweep_differences_lines, sweep_differences_record
    from fabric.faces.views.differences import figure_table
    from fabric.request import RouteRequest
    from fabric.whatif.differences import SUBJECTS as ALL
    from fabric.whatif.differences import compare

    check_timings(timings, settings)
    request = RouteRequest(down=settings.down, up=settings.up, slow=settings.slow)
    with watching(settings) as report:
        sides = [open_run(path, settings, request, report, idle=True) for path in (a, b)]
    say_timings(timings, [route for side in sides for route in side.result.routes], settings)
    found = compare(sides[0], sides[1], most=top)
    swept = _swept(sides, settings) if failures or "failures" in only else None
    if swept is not None:
        found = replace(found, rows=(*found.rows, *swept.rows(top)))
    wanted = tuple(subject for subject in ALL if not only or subject in only)
    answer = Answer(
        lambda: (
            compare_record(sides[0], sides[1], found, wanted, tolerance)
            | ({} if swept is None else {"failures": sweep_differences_record(swept)})
        ),
        lambda: [
            *compare_document((a, b), found, wanted, tolerance),
            *([] if swept is None else sweep_differences_lines(swept, top)),
        ],
        lambda: figure_table([row for row in found.rows if row.subject in wanted], tolerance=tolerance),
        FIGURES,
    )
    emit(answer, settings)
    differs = any(row.subject in wanted and row.differs(tolerance) for row in found.rows)
    differs |= "topology" in wanted and bool(found.gained or found.lost)
    differs |= swept is not None and swept.differs(tolerance)
    return ANSWER_IS_NO if exit_code and differs else OK


def _swept(sides: Sequence[Run], settings: Settings) -> SweepDifferences:
    """Single failures of both sides, swept and compared."""
    from fabric.failures.differences import compare_sweeps
    from fabric.failures.request import FailureRequest
    from fabric.failures.sweep import run_failures

    with watching(settings) as report:
        one, other = (run_failures(side, FailureRequest(route=side.request), progress=report) for side in sides)
    return compare_sweeps(one, other)


def _sweeps(names: tuple[str, str], settings: Settings, tolerance: float, top: int, *, exit_code: bool) -> int:
    """Two sweeps of which at least one is a file; a scenario is swept as the file was."""
    from fabric.faces.answers.sweep_differences import sweeps_document, sweeps_record
    from fabric.faces.views.differences import figure_table
    from fabric.failures.differences import compare_sweeps
    from fabric.saved.failure_file import is_failure_file, open_failures

    saved = {name: open_failures(name) for name in names if is_failure_file(name)}
    if len(saved) == len(set(names)):
        refuse_flags("both sides are sweeps that were made before", groups=("scenario", "files"))
    like = next(iter(saved.values()))
    sweeps = [saved[name] if name in saved else _sweep_like(name, like, settings) for name in names]
    whole = all(sweep.is_whole for sweep in sweeps)
    found = compare_sweeps(sweeps[0].result, sweeps[1].result, whole=whole)
    answer = Answer(
        lambda: sweeps_record(sweeps, found, tolerance),
        lambda: sweeps_document(sweeps, found, tolerance, top),
        lambda: figure_table(found.rows(top), tolerance=tolerance),
        FIGURES,
    )
    emit(answer, settings)
    return ANSWER_IS_NO if exit_code and found.differs(tolerance) else OK


def _sweep_like(path: str, like: SavedFailures, settings: Settings) -> SavedFailures:
    """A scenario swept over the cases that a file has, with its reaction."""
    from fabric.failures.sweep import run_failures
    from fabric.request import RouteRequest
    from fabric.saved.failure_file import saved_failures

    with watching(settings) as report:
        request = RouteRequest(down=settings.down, up=settings.up, slow=settings.slow)
        run = open_run(path, settings, request, report)
        result = run_failures(run, like.like(run.request), progress=report)
    return saved_failures(run, result)
