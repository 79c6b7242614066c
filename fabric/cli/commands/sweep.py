"""``fabric sweep``: the scenario at every point of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, load, located, note
from fabric.cli.exit_codes import ANSWER_IS_NO, BAD_INPUT, NO_ANSWER, OK, PARTIAL
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, RareOption, Settings
from fabric.cli.spread_flags import saying_how_to_go_on, spread_flags, spread_options
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import POINTS, points_of
from fabric.routing.names import router_names
from topologies.errors import FabricError, nearest_hint

if TYPE_CHECKING:
    from fabric.output.row_kind import RowKind
    from fabric.whatif.points import PointSweep

SUMMARY = "Route a scenario at every point of a grid of values: which is best, and what each costs."
ORDER = 14


def _router(_ctx: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is not None and name not in (known := router_names()):
        hint = nearest_hint(name, known, otherwise=f"routers: {', '.join(known)}")
        raise click.BadParameter(f"{name!r} is not a router; {hint}")
    return name


def _row_kind(values: Mapping[str, Any]) -> RowKind:
    """The rows of this grid; an axis that is none is refused later, with the others."""
    from fabric.whatif.grid import Grid, parse_axis

    try:
        return points_of(Grid(tuple(map(parse_axis, values["vary"]))).names)
    except FabricError:
        return POINTS


@click.command(
    "sweep",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO, "progress"),
    rows=(POINTS,),
    row_kind=_row_kind,
)
@click.argument("scenario")
@click.option(
    "--vary",
    multiple=True,
    required=True,
    metavar="KEY=A,B,C",
    help="Values of a key of the scenario; several --vary: every combination.",
)
@click.option("--fabric", metavar="NAME", help="Only this fabric.")
@click.option("--router", metavar="NAME", callback=_router, help="Instead of the scenario's router, at every point.")
@click.option(
    "--replicas", cls=RareOption, type=click.IntRange(min=1), help="Draws of the hash seeds that percentiles are over."
)
@click.option(
    "--time-limit",
    cls=RareOption,
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    help="Seconds per solve.",
)
@click.option("--allow-unreachable", cls=RareOption, is_flag=True, help="Demand without a path is not a failure.")
@spread_flags
def command(
    scenario: str,
    settings: Settings,
    vary: tuple[str, ...],
    fabric: str | None,
    router: str | None,
    replicas: int | None,
    time_limit: float,
    allow_unreachable: bool,
    backend: str,
    scheduler: str | None,
    workers: int | None,
    checkpoint: str | None,
    resume: bool,
) -> int:
    """Route SCENARIO with every combination of the values of --vary, each as fabric route --set would.

    What cannot be routed is a row too, with the reason. Exit code 0: all limits hold at some point; 1: at none; 3: bad
    input, or no point can be routed; 4: demand has no path at any point; 6: some points cannot be routed, or the sweep
    was stopped.
    """
    from fabric.faces.answers.sweep_report import point_entry, sweep_document, sweep_record
    from fabric.faces.views.points import point_table
    from fabric.request import RouteRequest
    from fabric.spread.run import Spread
    from fabric.whatif.grid import grid_of
    from fabric.whatif.points import sweep_job, sweep_points

    options = spread_options(settings, backend, scheduler, workers, checkpoint, resume)
    grid = grid_of(vary, settings.overrides)
    loaded = load(scenario, settings)
    request = RouteRequest(
        router=router,
        replicas=replicas,
        fabric=fabric,
        time_limit_s=time_limit,
        down=settings.down,
        up=settings.up,
    )
    with located(loaded, settings), watching(settings) as report:
        spread = Spread(sweep_job(loaded, grid, request), options, report)
        with saying_how_to_go_on(spread):
            sweep = sweep_points(loaded, grid, request, spread=spread)
    for text in sweep.said:
        note(text, settings)
    if sweep.stopped:
        note(sweep.stopped, settings)
    answer = Answer(
        lambda: sweep_record(loaded, sweep),
        lambda: sweep_document(loaded, sweep),
        lambda: point_table(sweep),
        points_of(grid.names),
        point_entry(sweep),
    )
    emit(answer, settings)
    return _exit_code(sweep, allow_unreachable=allow_unreachable)


def _exit_code(sweep: PointSweep, *, allow_unreachable: bool) -> int:
    if sweep.stopped:
        return PARTIAL
    if not sweep.routed:
        return BAD_INPUT
    if not allow_unreachable and all(point.unreachable_pairs for point in sweep.routed):
        return NO_ANSWER
    if len(sweep.routed) < len(sweep.points) or any(point.partial for point in sweep.points):
        return PARTIAL
    return OK if any(not point.failed for point in sweep.routed) else ANSWER_IS_NO
