"""``fabric drain``: order and windows of work on switches."""

from __future__ import annotations

import click

from fabric.cli.options import ANSWER, SCENARIO, Duration, FabricCommand, Settings
from fabric.cli.work_plans import answer_plan, plan_flags
from fabric.faces.views.row_kinds import WINDOWS

SUMMARY = "Put work on switches into windows that keep the limits at the least cost to the jobs."
ORDER = 18


@click.command("drain", cls=FabricCommand, takes=(*ANSWER, *SCENARIO, "progress"), rows=(WINDOWS,))
@click.argument("scenario")
@click.option(
    "--switch",
    "switches",
    multiple=True,
    required=True,
    metavar="SELECTOR",
    help="What is worked on, as --down takes it; every switch or link that it names is a work of its own.",
)
@click.option("--takes", type=Duration(), default="30 min", show_default=True, metavar="TIME", help="Drained so long.")
@plan_flags
def command(
    scenario: str,
    settings: Settings,
    switches: tuple[str, ...],
    takes: float,
    windows: int | None,
    at_most: int | None,
    failures: bool,
    router: str | None,
    time_limit: float,
) -> int:
    """Put work on switches of SCENARIO into windows, each as many at once as costs the jobs least, and order them.

    Every state is routed. -o FOLDER writes, window by window, the rounds of OpenFlow rules to it and back. Exit code 0:
    every window keeps what holds before the work; 1: one does not, and none breaks less; 3: bad input.
    """
    from fabric.operate.drain.planner import DrainRequest
    from fabric.operate.drain.work import works_on

    request = DrainRequest(windows, at_most, failures, time_limit)
    return answer_plan(scenario, settings, lambda network: works_on(network, switches, takes), request, router)
