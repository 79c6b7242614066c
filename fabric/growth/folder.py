"""A folder with the scenario of every stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fabric.growth.result import GrowthResult, Stage
from fabric.growth.stage_file import stage_text
from fabric.output.whole_folder import FolderKind, check_folder, whole_folder
from fabric.scenario.load import load_scenario
from topologies.errors import OutputError
from topologies.units import percent

STAGES = FolderKind("stages of growth", OutputError, "FP9706")


def check_stage_folder(folder: Path, *, force: bool) -> None:
    """Refuse, before the work, a folder that cannot be written."""
    check_folder(folder, STAGES, force=force)


def write_stages(result: GrowthResult, folder: Path, *, force: bool) -> dict[int, str]:
    """Write the scenario of every stage; number of the stage -> path.

    Each is read again, so that what was written is a scenario.
    """
    paths = {}
    with whole_folder(folder, STAGES, force=force) as beside:
        for stage in result.stages:
            (beside / stage_file(stage)).write_text(text_of(result, stage, folder), encoding="utf-8")
            paths[stage.number] = str(folder / stage_file(stage))
    for path in paths.values():
        load_scenario(path)
    return paths


def stage_file(stage: Stage) -> str:
    """Name of a stage's file."""
    return f"stage{stage.number}-{stage.size}.fabric.yaml"


def text_of(result: GrowthResult, stage: Stage, folder: Path) -> str:
    """The scenario of a stage under what it is."""
    name = result.loaded.scenario.name
    comment = f"Stage {stage.number} of the growth of {name}: {stage.size:,} {result.unit}."
    if stage.growth:
        comment += (
            f"\n{stage.touched:,} cables are touched, {percent(stage.touched_part)} of those between switches; "
            f"{percent(stage.least_capacity)} of the capacity is left meanwhile."
        )
    return stage_text(stage.scenario, f"{name}-{stage.size}", comment, folder)


def stage_texts(result: GrowthResult | None, paths: Mapping[int, Path]) -> dict[Path, str]:
    """Scenarios by the file they go to; none where nothing grows."""
    stages = () if result is None else result.stages
    return {
        paths[stage.number]: text_of(result, stage, paths[stage.number].parent)
        for stage in stages
        if result is not None
    }
