"""``fabric grow``: stages of growth from a scenario."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabric.cli.answer import Answer, emit, load, located, note
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings, Share
from fabric.cli.output_folder import asked_folder
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import GROWTH, WORK

if TYPE_CHECKING:
    from fabric.growth.result import GrowthResult

SUMMARY = "Grow a fabric in stages: what is bought and re-cabled when, and in which order."
ORDER = 17


def _sizes(_ctx: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> tuple[int, ...]:
    """Sizes of all flags; several in one have commas between them."""
    sizes = []
    for text in (part.strip() for given in texts for part in given.split(",")):
        if not text.isdecimal() or not 0 < int(text) <= 10**9:
            raise click.BadParameter(f"{text!r} is not a number of GPUs; for example 2048, or 2048,8192")
        sizes.append(int(text))
    return tuple(sizes)


def _floor(_ctx: click.Context, _option: click.Parameter, ratio: float) -> float:
    if not 0 <= ratio <= 1:
        raise click.BadParameter(f"{ratio:g} is not a part of the capacity; for example 80% or 0.8")
    return ratio


@click.command(
    "grow",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO, "progress"),
    rows=(GROWTH, WORK),
    row_kind=lambda values: WORK if values["rows"] == "steps" else GROWTH,
)
@click.argument("scenario")
@click.option(
    "--to",
    "sizes",
    multiple=True,
    required=True,
    callback=_sizes,
    metavar="GPUS",
    help="Size of the next stage; once for each stage, or several with commas. Nodes where these have no GPUs.",
)
@click.option(
    "--reserve", is_flag=True, help="Buy the upper tiers for the last stage first: no cable is touched later."
)
@click.option("--built", is_flag=True, help="SCENARIO stands already: a reserve begins with its first growth.")
@click.option(
    "--floor",
    type=Share(),
    default="80%",
    show_default=True,
    callback=_floor,
    help="Least part of the capacity that is left during the work.",
)
@click.option("--step", type=click.IntRange(min=1), metavar="GPUS", help="Further stages, so many GPUs apart.")
@click.option(
    "--rows", type=click.Choice(["stages", "steps"]), default="stages", help="Which rows: stages, or steps of the work."
)
def command(
    scenario: str,
    settings: Settings,
    sizes: tuple[int, ...],
    reserve: bool,
    built: bool,
    floor: float,
    step: int | None,
    rows: str,
) -> int:
    """Grow SCENARIO in stages, with what is bought, which cables are touched, and the order of the work.

    Every state on the way is built and routed. -o FOLDER writes the scenario of every stage. Exit code 0; 1: a state is
    below the floor, or a limit fails at some stage; 3: bad input, or the fabric does not grow so far.
    """
    from fabric.growth.folder import check_stage_folder
    from fabric.growth.grow import GrowthRequest, grow
    from fabric.growth.sizes import GrowingNodes, StageWish, with_steps

    folder = asked_folder(settings, check_stage_folder)
    loaded = load(scenario, settings)
    with located(loaded, settings), watching(settings) as report:
        wishes = with_steps(GrowingNodes.of(loaded).size, [StageWish(size, floor) for size in sizes], step)
        result = grow(loaded, GrowthRequest(wishes, reserve=reserve, built=built), progress=report)
    return _answer(result, settings, folder, steps=rows == "steps")


def _answer(result: GrowthResult, settings: Settings, folder: Path | None, *, steps: bool) -> int:
    from fabric.faces.answers.growth_report import growth_document, growth_record, stage_entry, step_entry
    from fabric.faces.views.growth import growth_table, work_table

    files: dict[int, str] = {}
    if folder is not None:
        from fabric.growth.folder import write_stages

        files = write_stages(result, folder, force=settings.force)
        settings = replace(settings, output="-")
    for text in result.notes:
        note(text, settings)
    answer = Answer(
        lambda: growth_record(result),
        lambda: growth_document(result, files, steps=steps),
        lambda: work_table(result) if steps else growth_table(result),
        WORK if steps else GROWTH,
        step_entry(result) if steps else stage_entry(result, files),
    )
    emit(answer, settings)
    return OK if result.floor_kept and result.limits_ok else ANSWER_IS_NO
