"""``fabric interference``: who slows whom where several jobs share links, and time shifts."""

from __future__ import annotations

import click

from fabric.cli.answer import Answer, emit, load, located, note
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, OneOf, RareOption, Settings, Share
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import SHARINGS
from fabric.routing.names import router_names

SUMMARY = "Say who slows whom where jobs share links, what a further job costs, and which time shifts help."
ORDER = 22


@click.command("interference", cls=FabricCommand, takes=(*ANSWER, *SCENARIO, "progress"), rows=(SHARINGS,))
@click.argument("scenario")
@click.option("--admit", metavar="JOB", help="What this workload costs every other one, beside the rest without it.")
@click.option("--without", multiple=True, metavar="JOB", help="Leave this workload out; repeatable.")
@click.option(
    "--max-slowdown",
    type=Share(),
    metavar="RATIO",
    help="Exit code 1 where a job beside all others, or with --admit by the newcomer, is slower: 1.07 or 107%.",
)
@click.option("--shifts/--no-shifts", default=True, show_default=True, help="Search time shifts that keep jobs apart.")
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
@click.option(
    "--time-limit",
    cls=RareOption,
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    help="Seconds of search for time shifts.",
)
def command(
    scenario: str,
    settings: Settings,
    admit: str | None,
    without: tuple[str, ...],
    max_slowdown: float | None,
    shifts: bool,
    router: str | None,
    time_limit: float,
) -> int:
    """Say how much slower every job of SCENARIO is beside every other, on which link and in which phases.

    A slowdown is a step beside others over the step alone, by fair sharing of full links, over all phases of the steps
    against each other; JSON has the worst and the best phase too. workloads[].weight is a job's share, period its
    measured step. Exit code 0: done; 1: a slowdown is over --max-slowdown or a limit; 3: bad input; 4: a job has
    no path.
    """
    from fabric.pipeline.run import run_scenario
    from fabric.request import RouteRequest
    from fabric.share.interference.interference import InterferenceRequest, interference

    if max_slowdown is not None and max_slowdown < 1:
        raise click.UsageError(
            f"--max-slowdown {max_slowdown:g}: a slowdown is 1 or more; {1 + max_slowdown:g} is so much longer a step"
        )
    loaded = load(scenario, settings)
    asked = RouteRequest(router=router, down=settings.down, up=settings.up, slow=settings.slow)
    wanted = InterferenceRequest(admit, without, max_slowdown, shifts, time_limit)
    with located(loaded, settings), watching(settings) as report:
        run = run_scenario(loaded, asked, progress=report, rates=False)
        result = interference(run, wanted, progress=report)
    for text in result.notes:
        note(text, settings)

    from fabric.faces.answers.interference_report import interference_document, interference_record
    from fabric.faces.views.interference import sharing_table

    answer = Answer(
        lambda: interference_record(result),
        lambda: interference_document(result),
        lambda: sharing_table(result),
        SHARINGS,
    )
    emit(answer, settings)
    return OK if result.holds else ANSWER_IS_NO
