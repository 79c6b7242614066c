"""A folder with the rounds that lead flow tables around what every window drains, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from fabric.operate.drain.result import DrainResult, TableChange, Window
from fabric.output.whole_folder import FolderKind, check_folder
from fabric.pipeline.prepared import prepare
from fabric.pipeline.run import Run
from fabric.pipeline.tables import plan_tables
from fabric.request import TablesRequest
from fabric.routing.progress import Progress, Reporter, silent
from fabric.rules.changes import Change, change_to
from fabric.rules.dialect import DIALECTS, File
from fabric.rules.folder import write_folder
from fabric.rules.planned import PlannedRules
from topologies.errors import OutputError

PLAN = FolderKind("windows of work", OutputError, "FP9707")
DIALECT = "ovs"


def check_plan_folder(folder: Path, *, force: bool) -> None:
    """Refuse, before the work, a folder that cannot be written."""
    check_folder(folder, PLAN, force=force)


def write_windows(
    result: DrainResult, run: Run, folder: Path, *, force: bool, progress: Reporter = silent
) -> DrainResult:
    """Write the rounds of every window; the result with their counts and folders.

    Raises
    ------
    RoutingError
        For a router whose decisions no table carries (FP5031).
    """
    changes = _Changes(run, progress)
    files: list[File] = []
    windows = []
    for window in result.windows:
        name = f"window-{window.number:02d}"
        found = []
        for fabric, change in changes.of(window):
            found.append(_counted(fabric, change))
            own = change.files("before the work")
            files += [file._replace(path=f"{name}/{fabric}/{file.path}") for file in own]
        windows.append(replace(window, changes=tuple(found), folder=str(folder / name)))
    write_folder(folder, files, force=force, kind=PLAN)
    return replace(result, windows=tuple(windows))


class _Changes:
    """Tables before the work, compiled once, and rounds from them to those of a window."""

    def __init__(self, run: Run, progress: Reporter) -> None:
        self.run, self.progress = run, progress

    @cached_property
    def before(self) -> dict[str, PlannedRules]:
        """Tables of every fabric as it is before the work."""
        request = replace(self.run.request, phase="worst", fabric=None)
        planned = plan_tables(replace(self.run.prepared, request=request), TablesRequest(), progress=self.progress)
        return {one.plan.fabric: one for one in planned}

    def of(self, window: Window) -> Iterator[tuple[str, Change]]:
        """The change of every fabric whose tables change; its tables are for the same phase as before the work."""
        self.progress(Progress(f"tables of window {window.number}"))
        request = replace(self.run.request, down=(*self.run.request.down, *window.selectors))
        stages = prepare(self.run.loaded, request, like=self.run.prepared)
        for fabric, before in self.before.items():
            if (stages.network.topologies[fabric].up == self.run.network.topologies[fabric].up).all():
                continue
            phase = before.route.phase if before.route is not None else "worst"
            own = replace(stages, request=replace(request, fabric=fabric, phase=phase))
            (after,) = plan_tables(own, TablesRequest(), progress=self.progress)
            running = {table.name: table for table in before.rules.tables()}
            yield fabric, change_to(after, before=running, chosen=DIALECTS.find(DIALECT))


def _counted(fabric: str, change: Change) -> TableChange:
    forth, back = change.forth, change.back
    return TableChange(
        fabric=fabric,
        rounds=len(forth.rounds),
        steps=sum(len(one.steps) for one in forth.rounds),
        switches=forth.switches,
        back_rounds=len(back.rounds),
        back_steps=sum(len(one.steps) for one in back.rounds),
    )
