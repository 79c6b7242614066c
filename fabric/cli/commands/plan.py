"""``fabric plan change``: a file of works put into windows."""

from __future__ import annotations

import click

from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings
from fabric.cli.work_plans import answer_plan, plan_flags
from fabric.faces.views.row_kinds import WINDOWS

SUMMARY = "Plan a change: works of a file, some after others, in windows that keep the limits."
ORDER = 19


@click.group("plan")
def command() -> None:
    """Plan a change on a fabric that runs."""


@command.command("change", cls=FabricCommand, takes=(*ANSWER, *SCENARIO, "progress"), rows=(WINDOWS,))
@click.argument("scenario")
@click.argument("work")
@plan_flags
def change(
    scenario: str,
    work: str,
    settings: Settings,
    windows: int | None,
    at_most: int | None,
    failures: bool,
    router: str | None,
    time_limit: float,
) -> int:
    """Divide the works of the file WORK on SCENARIO into windows, and say what every one costs the jobs.

    WORK says what each work drains, how long it takes, and which come before it; fabric schema work has its keys. -o
    FOLDER writes, window by window, the rounds of OpenFlow rules to it and back. Exit codes as of fabric drain.
    """
    from fabric.operate.drain.planner import DrainRequest
    from fabric.operate.drain.work_file import load_work, works_of

    spec = load_work(work)
    request = DrainRequest(windows or spec.windows, at_most or spec.at_most, failures, time_limit)
    return answer_plan(scenario, settings, lambda network: works_of(spec, network), request, router)
