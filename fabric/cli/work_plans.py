"""Plans of work as commands give them: flags that are common, the folder of rules, the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from fabric.cli.answer import Answer, emit, load, located, note
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import OneOf, RareOption, Settings
from fabric.cli.output_folder import asked_folder
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import WINDOWS
from fabric.routing.names import router_names

if TYPE_CHECKING:
    from fabric.operate.drain.planner import DrainRequest
    from fabric.operate.drain.result import DrainResult
    from fabric.operate.drain.work import Work
    from fabric.pipeline.network import Network

_FLAGS = (
    click.option("--windows", type=click.IntRange(min=1), metavar="N", help="At most so many; default: least cost."),
    click.option("--at-most", type=click.IntRange(min=1), metavar="N", help="Works in one window."),
    click.option(
        "--failures/--no-failures",
        default=True,
        show_default=True,
        help="Sweep single failures in every window, and judge limits with when there.",
    ),
    click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router."),
    click.option(
        "--time-limit",
        cls=RareOption,
        type=click.FloatRange(min=0),
        default=60.0,
        show_default=True,
        help="Seconds of search where not all divisions can be compared.",
    ),
)

Works = Callable[["Network"], "tuple[Work, ...]"]


def plan_flags(command: Callable[..., int]) -> Callable[..., int]:
    """The flags of all plans of work."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command


def answer_plan(scenario: str, settings: Settings, works: Works, request: DrainRequest, router: str | None) -> int:
    """Plan, write the folder of rules where one is asked for, and print."""
    from fabric.operate.drain.drain import plan_drain
    from fabric.operate.drain.plan_folder import check_plan_folder
    from fabric.pipeline.run import run_scenario
    from fabric.request import RouteRequest

    folder = asked_folder(settings, check_plan_folder)
    loaded = load(scenario, settings)
    asked = RouteRequest(router=router, down=settings.down, up=settings.up, slow=settings.slow)
    with located(loaded, settings), watching(settings) as report:
        run = run_scenario(loaded, asked, progress=report, idle=True)
        result = plan_drain(run, works(run.network), request, progress=report)
        if folder is not None:
            from fabric.operate.drain.plan_folder import write_windows

            result = write_windows(result, run, folder, force=settings.force, progress=report)
            settings = replace(settings, output="-")
    for text in result.notes:
        note(text, settings)
    _emit(result, settings)
    return OK if result.keeps_limits else ANSWER_IS_NO


def _emit(result: DrainResult, settings: Settings) -> None:
    from fabric.faces.answers.drain_report import drain_document, drain_record, window_entry
    from fabric.faces.views.drain import window_table

    answer = Answer(
        lambda: drain_record(result),
        lambda: drain_document(result),
        lambda: window_table(result),
        WINDOWS,
        window_entry(result),
    )
    emit(answer, settings)
