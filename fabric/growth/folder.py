"""A folder with the scenario of every stage."""

from __future__ import annotations

from pathlib import Path

from fabric.growth.result import GrowthResult
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
            name = f"{result.loaded.scenario.name}-{stage.size}"
            comment = (
                f"Stage {stage.number} of the growth of {result.loaded.scenario.name}: {stage.size:,} {result.unit}."
            )
            if stage.growth:
                comment += (
                    f"\n{stage.touched:,} cables are touched, {percent(stage.touched_part)} of those between switches; "
                    f"{percent(stage.least_capacity)} of the capacity is left meanwhile."
                )
            file = f"stage{stage.number}-{stage.size}.fabric.yaml"
            (beside / file).write_text(stage_text(stage.scenario, name, comment, folder), encoding="utf-8")
            paths[stage.number] = str(folder / file)
    for path in paths.values():
        load_scenario(path)
    return paths
