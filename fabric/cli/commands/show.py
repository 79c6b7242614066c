"""``fabric show``: distances between endpoints, over how many paths, and what can cross between their halves."""

from __future__ import annotations

import click

from fabric.cli.answer import Answer, emit, load, located
from fabric.cli.options import FabricCommand, Settings

SUMMARY = "Show path counts or the bisection of the fabrics."
ORDER = 30

PATH_COLUMNS = ("fabric", "hops", "pairs", "least_paths", "mean_paths", "most_paths")
CUT_COLUMNS = (
    "fabric", "cut", "kind", "cables", "gbps", "beneath_gbps", "bisection_gbps", "ratio", "least_ratio", "least_at",
)  # fmt: skip


@click.command("show", cls=FabricCommand)
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
        network = build(loaded, down=settings.down, up=settings.up)
    columns: tuple[str, ...]
    if what == "paths":
        paths = path_results(network)
        found = paths_record(paths)
        table = reachable(path_table(paths))
        document, columns, kind = paths_document(paths), PATH_COLUMNS, "PathsResult"
    else:
        halves = bisection_results(network, loaded.scenario.seed)
        found = bisection_record(halves)
        table = cut_table(halves)
        document, columns, kind = bisection_document(halves), CUT_COLUMNS, "BisectionResult"
    record = {**envelope(kind, loaded), "fabrics": found, "warnings": [str(problem) for problem in network.warnings]}
    emit(Answer(lambda: record, lambda: document, lambda: table, columns), settings)
