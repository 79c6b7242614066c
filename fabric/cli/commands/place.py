"""``fabric place``: where a scheduler puts a job, where it belongs, and the step time of both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from fabric.cli.answer import Answer, emit, load, located, note
from fabric.cli.exit_codes import NO_ANSWER, OK
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, OneOf, RareOption, Settings
from fabric.cli.output_folder import asked_folder
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import PLACEMENTS
from fabric.routing.names import router_names

SUMMARY = "Say where a scheduler puts a job, and find its best hosts and rank order, each routed."
ORDER = 21


@click.command("place", cls=FabricCommand, takes=(*ANSWER, *SCENARIO, "progress"), rows=(PLACEMENTS,))
@click.argument("scenario")
@click.option("--job", required=True, metavar="ID", help="The workload to place; others stay where they are.")
@click.option(
    "--scheduler",
    type=click.Choice(["best", "slurm", "kueue"]),
    default="best",
    show_default=True,
    help="Whose placement is chosen; best: that of a search, with all others beside it.",
)
@click.option("--free-nodes", metavar="HOSTS", help="Only these hosts are free, such as n[001-032].")
@click.option("--busy", metavar="HOSTS", help="These hosts are taken, besides those of other jobs.")
@click.option(
    "--kueue",
    type=click.Choice(["required", "preferred", "unconstrained"]),
    help="Topology request of the job; preferred if absent.",
)
@click.option("--kueue-level", metavar="WORD", help="Level of the request, such as leaf or pod; default: the lowest.")
@click.option(
    "--write",
    type=click.Choice(["hostfile", "rankfile", "slurm"]),
    help="Write files that start the job there to -o FOLDER.",
)
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
@click.option(
    "--time-limit",
    cls=RareOption,
    type=click.FloatRange(min=0),
    default=40.0,
    show_default=True,
    help="Seconds of search.",
)
def command(
    scenario: str,
    settings: Settings,
    job: str,
    scheduler: str,
    free_nodes: str | None,
    busy: str | None,
    kueue: str | None,
    kueue_level: str | None,
    write: str | None,
    router: str | None,
    time_limit: float,
) -> int:
    """Place a job of SCENARIO on whole free hosts, and route it there beside the order of the tree.

    Placements are compared by step time, then by the time of a checkpoint, then by what reading data loads. Exit code
    0: placed; 3: bad input, or too few free hosts; 4: the scheduler would keep the job waiting, or no placement
    that was tried can run.
    """
    from fabric.request import RouteRequest
    from fabric.share.place.files import check_placement_folder, write_placement
    from fabric.share.place.place import PlaceRequest, place_job
    from fabric.share.place.setting import place_setting

    if scheduler == "slurm" and (kueue or kueue_level):
        flag = "--kueue" if kueue else "--kueue-level"
        raise click.UsageError(
            f"{flag} is Kueue's, and --scheduler slurm does not ask it: leave it out, or kueue or best"
        )
    folder = asked_folder(settings, check_placement_folder) if write else None
    if write and folder is None:
        raise click.UsageError("--write needs -o FOLDER, where its files go")
    loaded = load(scenario, settings)
    asked = RouteRequest(router=router, down=settings.down, up=settings.up, slow=settings.slow)
    with located(loaded, settings), watching(settings) as report:
        setting = place_setting(loaded, asked, job, busy=busy, free_nodes=free_nodes)
        request = PlaceRequest(scheduler, kueue or "preferred", kueue_level, time_limit)  # type: ignore[arg-type]  # click checks both
        result = place_job(setting, request, progress=report)
        if write and folder is not None:
            if result.chosen is not None:
                write_placement(result, write, Path(folder), force=settings.force)
                result = replace(result, folder=str(folder))
            settings = replace(settings, output="-")
    if result.stopped:
        note(f"the search was stopped after {time_limit:g} s; --time-limit gives it longer", settings)
    _emit(result, settings)
    return OK if result.chosen is not None else NO_ANSWER


def _emit(result: object, settings: Settings) -> None:
    from fabric.faces.answers.placement_report import placement_document, placement_entry, placement_record
    from fabric.faces.views.placements import placement_table
    from fabric.share.place.result import PlacementResult

    assert isinstance(result, PlacementResult)
    answer = Answer(
        lambda: placement_record(result),
        lambda: placement_document(result),
        lambda: placement_table(result),
        PLACEMENTS,
        placement_entry(result),
    )
    emit(answer, settings)
