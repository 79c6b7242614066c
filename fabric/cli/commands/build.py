"""``fabric build``: the networks, counted."""

from __future__ import annotations

import click

from fabric.cli.answer import Answer, emit, load, located
from fabric.cli.options import FabricCommand, Settings

SUMMARY = "Build the fabrics: switches, ports, cables, capacities."
ORDER = 20

COLUMNS = ("fabric", "tier", "cables", "capacity_gbps")


@click.command("build", cls=FabricCommand)
@click.argument("scenario")
def command(scenario: str, settings: Settings) -> None:
    """Build the fabrics of SCENARIO: switches by role, cables and capacity by tier, ports, oversubscription."""
    from fabric.faces.answers.build_report import build_document
    from fabric.faces.answers.records import build_record
    from fabric.pipeline.stages import build

    loaded = load(scenario, settings)
    with located(loaded, settings):
        network = build(loaded, down=settings.down, up=settings.up)
    record = build_record(loaded, network)
    rows = [
        {
            "fabric": fabric["name"],
            "tier": tier,
            "cables": cables,
            "capacity_gbps": fabric["capacity_gbps_by_tier"][tier],
        }
        for fabric in record["fabrics"]
        for tier, cables in fabric["cables_by_tier"].items()
    ]
    emit(Answer(lambda: record, lambda: build_document(loaded.scenario.name, network), lambda: rows, COLUMNS), settings)
