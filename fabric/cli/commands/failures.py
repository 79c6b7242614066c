"""``fabric failures``: every failure of a set, what it does to links and jobs, and which limits it breaks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from fabric.cli.answer import Answer, emit, load, located, note
from fabric.cli.exit_codes import ANSWER_IS_NO, OK, PARTIAL
from fabric.cli.failure_picture import draw_failures, picture_names, wanted_picture
from fabric.cli.interrupts import exit_code_of
from fabric.cli.options import (
    ANSWER,
    SCENARIO,
    Duration,
    FabricCommand,
    OneOf,
    RareOption,
    Settings,
    Share,
    check_scale,
    refuse_flags,
)
from fabric.cli.spread_flags import spread_flags, spread_options
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import FAILURES, FAILURES_SHOWN, WORST_LINKS
from fabric.failures.part import PART_KINDS, PartKind
from fabric.failures.reaction import BLACKHOLE, CONVERGED, EXPORTED, REACTIONS, Reaction
from fabric.routing.names import router_names

if TYPE_CHECKING:
    from fabric.failures.request import FailureRequest
    from fabric.failures.result import FailureResult
    from fabric.scenario.load import LoadedScenario
    from fabric.spread.run import SpreadOptions

SUMMARY = "Sweep failures: what each does to links and jobs, the worst of every link, limits in failure cases."
ORDER = 12
_ROWS = {"failures": FAILURES, "links": WORST_LINKS}


@click.command(
    "failures",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO, "progress"),
    rows=(FAILURES, WORST_LINKS),
    row_kind=lambda values: _ROWS[values["rows"]],
)
@click.argument("scenario")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(PART_KINDS),
    metavar="KIND",
    help=f"What fails: {', '.join(PART_KINDS[:-1])}. Default: link and switch.",
)
@click.option(
    "--k", "choose", type=click.IntRange(min=1), default=1, show_default=True, help="Parts that fail at once."
)
@click.option(
    "--named", metavar="NAME", help="A set of the scenario's failures, or any-single-spine, any-two-links, ..."
)
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="A fair sample of the cases instead of all.")
@click.option(
    "--reaction",
    type=click.Choice(REACTIONS),
    default=CONVERGED,
    show_default=True,
    help="How the network reacts.",
)
@click.option("--dialect", metavar="NAME", help="Of --reaction exported: whose tables; see fabric export list.")
@click.option(
    "--detection",
    type=Duration(),
    metavar="TIME",
    help="Of --reaction blackhole: until a failure is noticed; default: as the scenario says, or 0.9 s.",
)
@click.option("--fabric", metavar="NAME", help="Only parts of this fabric fail; traffic of all fabrics is judged.")
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
@click.option(
    "--picture",
    type=OneOf(picture_names),
    help="With -o FILE.svg: a fabric by its worst cases (default: tier), or of the causes.",
)
@click.option("--rows", type=click.Choice([*_ROWS]), default="failures", show_default=True, help="What rows are.")
@click.option(
    "--top",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"At most N cases and links; default: {FAILURES_SHOWN}, all in csv and JSON. Counts stay whole.",
)
@click.option(
    "--keep-worst",
    cls=RareOption,
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Cases kept with all figures where there are too many to keep all.",
)
@click.option(
    "--months",
    cls=RareOption,
    type=click.IntRange(min=1, max=1_000_000),
    metavar="N",
    help="Months that are simulated for what is lost a month. Default: 1,000 to 10,000, as the mean needs.",
)
@click.option(
    "--expected/--no-expected",
    default=True,
    show_default=True,
    help="Apply failure rates and repair times: GPU-hours lost a month, by cause.",
)
@click.option(
    "--gap",
    cls=RareOption,
    type=Share(),
    default=1e-4,
    show_default=True,
    help="Of router or reaction optimal: the relative gap that every case is proven to.",
)
@click.option(
    "--time-limit",
    cls=RareOption,
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    help="Of router optimal: seconds per case and phase; of reaction optimal 30 at most.",
)
@click.option("--scale", cls=RareOption, type=float, default=1.0, help="Factor on all demand.")
@click.option(
    "--remedies",
    is_flag=True,
    help="What to add so that limits with when hold: cables per tier, each way built, routed and failed again.",
)
@spread_flags
def command(
    scenario: str,
    settings: Settings,
    kinds: tuple[PartKind, ...],
    choose: int,
    named: str | None,
    sample: int | None,
    reaction: Reaction,
    dialect: str | None,
    detection: float | None,
    fabric: str | None,
    router: str | None,
    picture: str | None,
    rows: str,
    top: int | None,
    keep_worst: int,
    months: int | None,
    expected: bool,
    remedies: bool,
    scale: float,
    gap: float,
    time_limit: float,
    backend: str,
    scheduler: str | None,
    workers: int | None,
    checkpoint: str | None,
    resume: bool,
) -> int:
    """Sweep failures of SCENARIO: what each does to links and jobs, the worst of every link, limits with when.

    Cases stand worst first: those in which a job stalls, then by how much longer steps take, then by the fullest link.
    Exit code 0; 1: a limit with when does not hold in a case of its set; 3: bad input. Demand that a failure leaves
    without a path is an answer, not an error.
    """
    from fabric.failures.request import FailureRequest
    from fabric.request import RouteRequest

    check_scale(scale)
    _check_flags(named, reaction)
    options = spread_options(settings, backend, scheduler, workers, checkpoint, resume)
    drawn = wanted_picture(settings, picture)
    loaded = load(scenario, settings)
    request = FailureRequest(
        route=RouteRequest(
            router=router, down=settings.down, up=settings.up, scale=scale, gap=gap, time_limit_s=time_limit
        ),
        kinds=kinds or FailureRequest().kinds,
        choose=choose,
        named=() if named is None else (named,),
        fabric=fabric,
        sample=sample,
        reaction=reaction,
        dialect=dialect or "",
        detection_s=detection,
        top=FAILURES_SHOWN if top is None else top,
        keep_worst=keep_worst,
        months=months,
        expected=expected,
    )
    return _sweep(loaded, settings, request, options, rows, top, drawn, cured=remedies)


def _check_flags(named: str | None, reaction: Reaction) -> None:
    """Refuse flags that do nothing for this set of failures, or this reaction."""
    if named is not None:
        refuse_flags("the set says what fails", "kinds", "choose", "fabric")
    if reaction != EXPORTED:
        refuse_flags("only exported tables have a dialect; --reaction exported looks at them", "dialect")
    if reaction != BLACKHOLE:
        refuse_flags("only --reaction blackhole waits for detection", "detection")


def _sweep(
    loaded: LoadedScenario,
    settings: Settings,
    request: FailureRequest,
    options: SpreadOptions,
    rows: str,
    top: int | None,
    picture: str | None,
    *,
    cured: bool,
) -> int:
    from fabric.failures.remedies import remedies
    from fabric.failures.spread import SpreadChunks
    from fabric.failures.sweep import run_failures
    from fabric.pipeline.prepared import check_fabric
    from fabric.pipeline.run import run_scenario

    result: FailureResult | None = None
    code, chunks = OK, SpreadChunks(loaded, options)
    try:
        with located(loaded, settings), watching(settings) as report:
            run = run_scenario(loaded, request.route, progress=report)
            check_fabric(request.fabric, run.network)
            result = run_failures(run, request, progress=report, chunks_of=chunks)
            if cured and not result.partial:
                result = replace(result, remedies=remedies(run, request, result.limits, report))
    except KeyboardInterrupt as error:
        if result is None:
            raise
        code = exit_code_of(error)
    finally:
        chunks.close()
    for text in chunks.said:
        note(text, settings)
    if picture is None:
        _emit(loaded, settings, result, rows, top)
    else:
        draw_failures(run, result, picture, settings, request.fabric)
    if code or result.partial:
        note(f"stopped after {result.cases:,} of {result.total:,} cases", settings)
        return code or (PARTIAL if chunks.stopped else code)
    return ANSWER_IS_NO if any(limit.verdict.ok is False for limit in result.limits) else OK


def _emit(loaded: LoadedScenario, settings: Settings, result: FailureResult, rows: str, top: int | None) -> None:
    from fabric.faces.answers.failures_records import case_record, failures_record, link_record
    from fabric.faces.answers.failures_report import failures_document
    from fabric.faces.views.failures import case_table, worst_link_table

    by_case = rows == "failures"
    answer = Answer(
        lambda: failures_record(loaded, result, rows, top),
        lambda: failures_document(loaded, result, rows=rows, top=FAILURES_SHOWN if top is None else top),
        lambda: case_table(result.failures) if by_case else worst_link_table(result.links),
        _ROWS[rows],
        (lambda row: case_record(result.failures[row])) if by_case else (lambda row: link_record(result.links[row])),
        top=top,
    )
    emit(answer, settings)
