"""``fabric storage``: the layout of a storage cluster."""

from __future__ import annotations

from dataclasses import replace

import click

from fabric.cli.answer import Answer, emit, load, located
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, OneOf, Settings
from fabric.cli.output_folder import asked_folder
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import LAYOUTS
from fabric.routing.names import router_names

SUMMARY = "Choose failure domain, reads and devices of a storage cluster; CRUSH map, HDFS racks, volumes."
ORDER = 23


@click.command("storage", cls=FabricCommand, takes=(*ANSWER, *SCENARIO, "progress"), rows=(LAYOUTS,))
@click.argument("scenario")
@click.option("--workload", metavar="ID", help="The storage workload; default: the only one.")
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
def command(scenario: str, settings: Settings, workload: str | None, router: str | None) -> int:
    """Route every layout of a storage workload of SCENARIO: reads in the core, time of recovery, limits; name the best.

    -o FOLDER writes a CRUSH map with its rules, read back by crushtool where it is installed, racks of HDFS, and
    volumes of Kubernetes. Exit code 0: the layout keeps all limits; 1: every layout breaks one; 3: bad input.
    """
    from fabric.faces.answers.storage_report import storage_document, storage_record
    from fabric.faces.views.storage import layout_table
    from fabric.pipeline.run import run_scenario
    from fabric.request import RouteRequest
    from fabric.share.storage.cluster import storage_workload
    from fabric.share.storage.folder import check_storage_folder, possible_forms, write_storage
    from fabric.share.storage.layouts import place_storage

    folder = asked_folder(settings, check_storage_folder)
    loaded = load(scenario, settings)
    asked = RouteRequest(router=router, down=settings.down, up=settings.up, slow=settings.slow)
    files: tuple[str, ...] = ()
    said = ""
    with located(loaded, settings), watching(settings) as report:
        own = storage_workload(loaded.scenario.workloads, workload)
        answer = place_storage(run_scenario(loaded, asked, progress=report), own, report)
        if folder is not None:
            made, domain = answer.cluster, answer.best.failure_domain
            files, said = write_storage(made, domain, folder, forms=possible_forms(made), force=settings.force)
            settings = replace(settings, output="-")
    written = "" if folder is None else str(folder)
    emit(
        Answer(
            lambda: storage_record(answer, written, files, said),
            lambda: storage_document(answer, written, said),
            lambda: layout_table(answer),
            LAYOUTS,
        ),
        settings,
    )
    return ANSWER_IS_NO if answer.best.broken else OK
