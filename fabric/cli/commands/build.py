"""``fabric build``: the networks, counted."""

from __future__ import annotations

from typing import Any

import click

from fabric.cli.answer import Answer, emit, load, located
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings
from fabric.faces.views.row_kinds import HOSTS, LEAVES, TIERS

SUMMARY = "Build the fabrics: switches, ports, cables, capacities."
ORDER = 20


_LISTED = {"tier": TIERS, "leaf": LEAVES, "host": HOSTS}


@click.command(
    "build",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO),
    rows=(TIERS, LEAVES, HOSTS),
    row_kind=lambda values: _LISTED[values["by"] or "tier"],
)
@click.argument("scenario")
@click.option(
    "--by",
    type=click.Choice(tuple(_LISTED)),
    help="List the hosts of every leaf, or the leaves of every host; tier: cables, the default of csv.",
)
def command(scenario: str, by: str | None, settings: Settings) -> None:
    """Build the fabrics of SCENARIO: switches by role, cables by tier, ports, and who is attached where."""
    from fabric.faces.answers.build_report import attached_document, build_document
    from fabric.faces.views.attached import host_table, leaf_table
    from fabric.faces.views.build import cable_table
    from fabric.output.document import Document
    from fabric.output.table import Table
    from fabric.pipeline.prepared import build
    from topologies.summary import summarise

    loaded = load(scenario, settings, routed=False)
    with located(loaded, settings):
        network = build(loaded, down=settings.down, up=settings.up, slow=settings.slow)

    def document() -> Document:
        return build_document(loaded, network) if by in (None, "tier") else attached_document(network, str(by))

    def table() -> Table:
        if by in ("leaf", "host"):
            return leaf_table(network.topologies) if by == "leaf" else host_table(network)
        return cable_table({name: summarise(each, network.gpus(name)) for name, each in network.topologies.items()})

    def record() -> dict[str, Any]:
        from fabric.faces.answers.records import build_record  # with all that routes: not for a table

        return build_record(loaded, network)

    emit(Answer(record, document, table, _LISTED[by or "tier"]), settings)
