"""``fabric export crush``, ``hdfs`` and ``volumes``: files of a storage workload as the scenario has it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, load, located
from fabric.cli.exit_codes import OK
from fabric.cli.export_lists import export_record
from fabric.cli.options import Settings
from fabric.faces.views.row_kinds import STORED

if TYPE_CHECKING:
    from fabric.output.document import Document
    from fabric.scenario.load import LoadedScenario

FORMS = ("crush", "hdfs", "volumes")


def export_storage(form: str, scenario: str, workload: str | None, settings: Settings) -> int:
    """Write the folder ``-o DIR``, whole or not at all, for the failure domain that the workload has."""
    from fabric.pipeline.prepared import prepare
    from fabric.request import RouteRequest
    from fabric.share.storage.cluster import KIND, RACKED, cluster_of, storage_workload
    from fabric.share.storage.folder import check_storage_folder, fullness, write_storage

    if settings.output == "-":
        raise click.UsageError("an export is a folder; name it with -o DIR")
    folder = Path(settings.output)
    check_storage_folder(folder, force=settings.force)
    loaded = load(scenario, settings)
    with located(loaded, settings):
        own = storage_workload(loaded.scenario.workloads, workload, RACKED if form == "hdfs" else (KIND,))
        asked = RouteRequest(down=settings.down, up=settings.up, slow=settings.slow)
        cluster = cluster_of(prepare(loaded, asked), own)
        domain = str(getattr(own.spec, "failure_domain", None) or "host")
        files, said = write_storage(cluster, domain, folder, forms=(form,), force=settings.force)
        said = "; ".join(text for text in (said, fullness(cluster)) if text)
    devices = sum(one.count for one in cluster.devices) * len(cluster.hosts)
    rows = [
        {
            "format": form, "file": str(folder / name), "workload": cluster.id, "failure_domain": domain,
            "servers": len(cluster.hosts), "racks": len(cluster.rack_sizes), "devices": devices, "read_back": said,
        }
        for name in files
    ]  # fmt: skip
    emit(_answer(loaded, rows), replace(settings, output="-"))
    return OK


def _answer(loaded: LoadedScenario, rows: list[dict[str, Any]]) -> Answer:
    from fabric.faces.views.storage import stored_table

    def document() -> Document:
        from fabric.output.document import Line

        said = str(rows[0]["read_back"])
        return [stored_table(rows).only(*STORED.shown).as_rows(), *([Line(said)] if said else [])]

    return Answer(lambda: export_record(loaded), document, lambda: stored_table(rows), STORED)
