"""``fabric build``: the networks, counted."""

from __future__ import annotations

import click

from fabric.cli.answer import Answer, emit, load, located
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings
from fabric.faces.views.row_kinds import TIERS

SUMMARY = "Build the fabrics: switches, ports, cables, capacities."
ORDER = 20


@click.command("build", cls=FabricCommand, takes=(*ANSWER, *SCENARIO), rows=(TIERS,))
@click.argument("scenario")
def command(scenario: str, settings: Settings) -> None:
    """Build the fabrics of SCENARIO: switches by role, cables and capacity by tier, ports, oversubscription."""
    from fabric.faces.answers.build_report import build_document
    from fabric.faces.answers.records import build_record
    from fabric.faces.views.build import cable_table
    from fabric.pipeline.prepared import build
    from topologies.summary import summarise

    loaded = load(scenario, settings)
    with located(loaded, settings):
        network = build(loaded, down=settings.down, up=settings.up)
    record = build_record(loaded, network)
    summaries = {name: summarise(topology, network.gpus(name)) for name, topology in network.topologies.items()}
    emit(
        Answer(lambda: record, lambda: build_document(loaded, network), lambda: cable_table(summaries), TIERS),
        settings,
    )
