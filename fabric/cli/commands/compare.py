"""``fabric compare``: two scenarios or saved results side by side."""

from __future__ import annotations

import click

from fabric.cli.answer import Answer, emit, open_run
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings, Share
from fabric.cli.timings import check_timings, say_timings, timings_option
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import FIGURES

SUMMARY = "Compare two scenarios or saved results: network, loads, times, what was changed."
ORDER = 90

SUBJECTS = ("topology", "load", "time", "cost", "flows")


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
@timings_option
def command(
    a: str,
    b: str,
    settings: Settings,
    only: tuple[str, ...],
    exit_code: bool,
    tolerance: float,
    top: int,
    timings: str | None,
) -> int:
    """Compare A with B, each a scenario or a saved result: what changed, sorted by change; what was gained and lost.

    --set, --down and the like hold for scenarios of both sides. Exit code 0, with --exit-code 1 for a difference.
    """
    from fabric.faces.answers.difference_report import (
        compare_document,
        compare_record,
    )
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
    wanted = tuple(subject for subject in ALL if not only or subject in only)
    answer = Answer(
        lambda: compare_record(sides[0], sides[1], found, wanted, tolerance),
        lambda: compare_document((a, b), found, wanted, tolerance),
        lambda: figure_table([row for row in found.rows if row.subject in wanted], tolerance=tolerance),
        FIGURES,
    )
    emit(answer, settings)
    differs = any(row.subject in wanted and row.differs(tolerance) for row in found.rows)
    differs |= "topology" in wanted and bool(found.gained or found.lost)
    return ANSWER_IS_NO if exit_code and differs else OK
