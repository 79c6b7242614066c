"""``fabric traffic``: what the workloads send."""

from __future__ import annotations

import click

from fabric.cli.answer import Answer, emit, load, located, say_not_modelled
from fabric.cli.options import FabricCommand, Settings

COLUMNS = (
    "workload",
    "name",
    "collective",
    "fabric",
    "group_size",
    "payload_bytes_per_rank",
    "sent_bytes_per_rank",
    "total_bytes",
    "pairs",
    "steady",
    "rate_gbps",
    "overlaps_compute",
)


@click.command("traffic", cls=FabricCommand, short_help="Derive the traffic: phases and bytes of every workload.")
@click.argument("scenario")
def command(scenario: str, settings: Settings) -> None:
    """Derive what the workloads of SCENARIO send: phases, bytes per rank and direction, pairs."""
    from fabric.export.records import phase_record, traffic_record
    from fabric.export.traffic_report import traffic_document
    from fabric.pipeline import build, derive_traffic, ignored_keys

    loaded = load(scenario, settings)
    with located(loaded, settings):
        network = build(loaded, down=settings.down, up=settings.up)
        workloads = derive_traffic(loaded, network)
    say_not_modelled(ignored_keys(workloads), settings)
    rows = [{"workload": entry.id, **phase_record(phase)} for entry in workloads for phase in entry.phases]
    emit(
        Answer(lambda: traffic_record(loaded, workloads), lambda: traffic_document(workloads), lambda: rows, COLUMNS),
        settings,
    )
