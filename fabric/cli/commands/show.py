"""``fabric show``: distances between endpoints, over how many paths, and what can cross between their halves."""

from __future__ import annotations

import click

from fabric.cli.answer import Answer, emit, load, located
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings
from fabric.faces.views.row_kinds import CUTS, DISTANCES

SUMMARY = "Show path counts or the bisection of the fabrics."
ORDER = 30


@click.command(
    "show",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO),
    rows=(DISTANCES, CUTS),
    row_kind=lambda values: DISTANCES if values["what"] == "paths" else CUTS,
)
@click.argument("what", type=click.Choice(("paths", "bisection")))
@click.argument("scenario")
def command(what: str, scenario: str, settings: Settings) -> None:
    """Show WHAT of the fabrics of SCENARIO: paths (diameter, distances, equal-cost paths) or bisection (by tier)."""
    from fabric.faces.answers.shape_report import (
        bisection_document,
        bisection_record,
        bisection_results,
        path_results,
        paths_document,
        paths_record,
    )
    from fabric.faces.views.shape import cut_table, path_table, reachable
    from fabric.pipeline.prepared import build
    from fabric.scenario.provenance import envelope

    loaded = load(scenario, settings, routed=False)
    with located(loaded, settings):
        network = build(loaded, down=settings.down, up=settings.up, slow=settings.slow)
    if what == "paths":
        paths = path_results(network)
        found = paths_record(paths)
        table = reachable(path_table(paths))
        document, rows, kind = paths_document(paths), DISTANCES, "PathsResult"
    else:
        halves = bisection_results(network, loaded.scenario.seed)
        found = bisection_record(halves)
        table = cut_table(halves)
        document, rows, kind = bisection_document(halves), CUTS, "BisectionResult"
    record = {**envelope(kind, loaded), "fabrics": found, "warnings": [str(problem) for problem in network.warnings]}
    emit(Answer(lambda: record, lambda: document, lambda: table, rows), settings)
