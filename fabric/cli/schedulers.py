"""Exports for schedulers on the command line: a folder written, or read back and compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, load, located, note
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.export_lists import export_record, made_from
from fabric.cli.options import Settings, refuse_flags
from fabric.faces.views.row_kinds import SCHEDULED

if TYPE_CHECKING:
    from fabric.output.document import Document
    from fabric.scenario.load import LoadedScenario
    from fabric.share.schedulers.export import Difference, WrittenExport
    from fabric.share.schedulers.format import SchedulerPlan
    from fabric.share.schedulers.programs import Taken

_SHOWN = 10  # differences that are shown


@dataclass(frozen=True)
class SchedulerFlags:
    """What the command line says of an export for schedulers."""

    fabric: str | None = None
    style: str | None = None
    block_by: str | None = None
    labels: str | None = None
    job: str | None = None
    pci: Path | None = None
    check: bool = False


def export_schedulers(form: str, scenario: str, flags: SchedulerFlags, settings: Settings) -> int:
    """Write the folder ``-o DIR``, whole or not at all; or compare it, exit code 1 where it differs."""
    from fabric.output.whole_folder import check_folder
    from fabric.share.schedulers.export import FOLDER, differences, notes_of, write_export
    from fabric.share.schedulers.format import SCHEDULER_FORMATS
    from fabric.share.schedulers.programs import tried

    chosen = SCHEDULER_FORMATS[form]
    takes = ("fabric", "check", *chosen.takes)
    for name in vars(flags):
        if name not in takes:
            refuse_flags(f"export {form} takes no --{name.replace('_', '-')}", name)
    if settings.output == "-":
        raise click.UsageError("an export is a folder; name it with -o DIR")
    folder = Path(settings.output)
    written = _written(folder, form) if flags.check else None
    if written is None:
        check_folder(folder, FOLDER, force=settings.force)
    loaded = load(scenario, settings, routed=chosen.of == "job")
    if written is not None and written.sha256 not in ("", loaded.sha256):
        note("the scenario has changed since the export", settings)
    with located(loaded, settings):
        plan = _plan(loaded, form, flags, written, settings)
        checked = _Checked()
        if written is None:
            write_export(folder, plan, form, made_from(loaded, settings), force=settings.force)
            for text in notes_of(plan, chosen):
                note(text, settings)
        else:
            checked = _Checked(differences(folder, plan, form), list(tried(folder, plan)))
    emit(_answer(loaded, _rows(plan, form, folder, checked), checked), replace(settings, output="-"))
    return ANSWER_IS_NO if checked.bad else OK


@dataclass(frozen=True)
class _Checked:
    """What a folder says otherwise than the scenario, and what real programs say of it; None: it was written now."""

    found: list[Difference] | None = None
    programs: list[Taken] | None = None

    @property
    def bad(self) -> bool:
        return bool(self.found) or any(taken.refused for taken in self.programs or ())


def _written(folder: Path, form: str) -> WrittenExport:
    """The manifest of the folder to compare."""
    from fabric.share.schedulers.export import read_export

    written = read_export(folder)
    if written.form != form:
        raise click.UsageError(f"-o {folder} is an export of {written.form}, not of {form}")
    return written


def _plan(
    loaded: LoadedScenario, form: str, flags: SchedulerFlags, written: WrittenExport | None, settings: Settings
) -> SchedulerPlan:
    from fabric.pipeline.prepared import build
    from fabric.share.schedulers.export import as_written, scheduler_plan
    from fabric.share.schedulers.format import SCHEDULER_FORMATS, ExportOptions

    options = ExportOptions(flags.style, flags.block_by, flags.labels, flags.pci)
    fabric, job = flags.fabric, flags.job
    if written is not None:
        options = as_written(options, written)
        fabric = fabric or (written.fabrics[0] if len(written.fabrics) == 1 else None)
        job = job or (written.jobs[0] if len(written.jobs) == 1 else None)
    network = build(loaded, down=settings.down, up=settings.up, slow=settings.slow)
    jobs = SCHEDULER_FORMATS[form].of == "job"
    return scheduler_plan(loaded, network, options, fabric=fabric, jobs=jobs, job=job)


def _rows(plan: SchedulerPlan, form: str, folder: Path, checked: _Checked) -> list[dict[str, Any]]:
    """A row per fabric, or per job, or per node group."""
    from fabric.share.schedulers.format import SCHEDULER_FORMATS

    chosen = SCHEDULER_FORMATS[form]
    names = list(dict.fromkeys(chosen.names(plan)))
    common: dict[str, Any] = {
        "format": form,
        "folder": str(folder),
        "of": chosen.of,
        "read_by": chosen.read_by,
    }
    sizes: list[tuple[str, int, int | None, int | None, int | None]]
    if chosen.of == "job":
        sizes = [(job.id, len(set(job.hosts)), None, None, len(job.hosts)) for job in plan.jobs]
    elif chosen.of == "node group":
        groups = [g for g in plan.inventory.groups.values() if g.gpus_per_host and plan.primary in g.nics]
        sizes = [(g.name, len(g.hosts), None, None, None) for g in groups]
    else:
        sizes = [
            (name, len(tree.attached), len(tree.levels), sum(map(len, tree.levels)), None)
            for name, tree in plan.trees.items()
        ]
    return [
        {
            **common,
            "name": name,
            "hosts": hosts,
            "levels": levels,
            "groups": groups,
            "ranks": ranks,
            "mapped": sum(1 for one in names if one.fabric in ("", name)),
            "differences": sum(1 for one in checked.found or () if one.about.startswith((f"{name} ", "names.csv"))),
        }
        for name, hosts, levels, groups, ranks in sizes
    ]


def _answer(loaded: LoadedScenario, rows: list[dict[str, Any]], checked: _Checked) -> Answer:
    from fabric.faces.views.scheduled import scheduled_table

    def record() -> dict[str, Any]:
        return {
            **export_record(loaded),
            "checked": checked.found is not None,
            "differences": [one.words for one in checked.found or ()],
            "programs": [vars(taken) for taken in checked.programs or ()],
        }

    def document() -> Document:
        return [scheduled_table(rows).only(*SCHEDULED.shown).as_rows(), *_said(rows[0], checked)]

    return Answer(record, document, lambda: scheduled_table(rows), SCHEDULED)


def _said(row: dict[str, Any], checked: _Checked) -> Document:
    """What came of reading it back, and what programs said."""
    from fabric.output.document import Line

    folder, found = row["folder"], checked.found
    if found is None:
        return [Line(f"{folder}: read back as planned; for {row['read_by']}", "good")]
    parts = [Line(f"{folder} is what this scenario gives", "good")]
    if found:
        parts = [Line(f"{folder} differs from this scenario in {len(found):,} places", "bad")]
        parts += [Line(one.words) for one in found[:_SHOWN]]
    if len(found) > _SHOWN:
        parts.append(Line(f"... {len(found) - _SHOWN:,} more; -f json has all"))
    for taken in checked.programs or ():
        said = f"refuses {taken.file}: {taken.refused}" if taken.refused else f"takes {taken.file}"
        parts.append(Line(f"{taken.program} {said}", "bad" if taken.refused else "good"))
    return parts
