"""``fabric show``: distances and path counts, what can cross between halves, and every cable."""

from __future__ import annotations

import click

from fabric.cli.answer import Answer, emit, load, located
from fabric.cli.cables import CableFlags, cables
from fabric.cli.exit_codes import OK
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings
from fabric.faces.views.row_kinds import CABLES, CUTS, DISTANCES

SUMMARY = "Show path counts, the bisection or the cables of the fabrics."
ORDER = 30


@click.command(
    "show",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO),
    rows=(DISTANCES, CUTS, CABLES),
    row_kind=lambda values: {"paths": DISTANCES, "cables": CABLES}.get(values["what"], CUTS),
)
@click.argument("what", type=click.Choice(("paths", "bisection", "cables")))
@click.argument("scenario")
def command(what: str, scenario: str, settings: Settings) -> int:
    """Show WHAT of SCENARIO: paths (diameter, distances, equal-cost paths), bisection (by tier), or cables.

    Cables: both ends, length, medium, trays and bundle of every one; exit code 1: a tray does not hold them.
    """
    if what == "cables":
        return cables(scenario, CableFlags(), settings)
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
    return OK
