"""``fabric show``: distances and path counts, bisection, racks, every cable, and the bill with its power."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabric.cli.answer import Answer, emit, load, located, output_path
from fabric.cli.cables import CableFlags, cables
from fabric.cli.exit_codes import OK
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings, refuse_flags
from fabric.faces.views.row_kinds import BILL, CABLES, CUTS, DISTANCES, RACKS

if TYPE_CHECKING:
    from fabric.bill.bill import Bill
    from fabric.pipeline.network import Network
    from fabric.scenario.load import LoadedScenario

SUMMARY = "Show path counts, bisection, bill of materials, power, racks or cables of the fabrics."
ORDER = 30
_KINDS = {"paths": DISTANCES, "bisection": CUTS, "bom": BILL, "power": BILL, "racks": RACKS, "cables": CABLES}
_WORKBOOK = ".xlsx"


@click.command(
    "show",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO),
    rows=(DISTANCES, CUTS, BILL, RACKS, CABLES),
    row_kind=lambda values: _KINDS[values["what"]],
)
@click.argument("what", type=click.Choice(tuple(_KINDS)))
@click.argument("scenario")
@click.option("--nodes", is_flag=True, help="Of bom and power: count the servers, too.")
@click.option(
    "--workbook",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Of bom and power: write a spreadsheet (.xlsx) as well.",
)
def command(what: str, scenario: str, settings: Settings, nodes: bool, workbook: str | None) -> int:
    """Show WHAT of the fabrics of SCENARIO.

    paths: diameter, distances, equal-cost paths. bisection: by tier. bom: what is bought, with prices. power: what it
    draws, with heat and carbon. racks: what stands where. The output of bom and power may be a spreadsheet, by the
    ending .xlsx. cables: both ends, length, medium and trays of every one; exit code 1: a tray does not hold them.
    """
    from fabric.pipeline.prepared import build

    if what in ("bom", "power"):
        refuse_flags("what is down or degraded is bought all the same", "down", "up", "slow")
        places = _workbooks(workbook, settings)
    else:
        refuse_flags(f"it is of bom and power, not of {what}", "nodes", "workbook")
        places = []
    if what == "cables":
        return cables(scenario, CableFlags(), settings)
    loaded = load(scenario, settings, routed=False)
    with located(loaded, settings):
        network = build(loaded, down=settings.down, up=settings.up, slow=settings.slow)
        if what in ("bom", "power"):
            from fabric.bill.count import bill_of

            bill = bill_of(loaded, network.topologies, nodes=nodes)
            _write_workbooks(bill, places)
            if settings.output == "-" or Path(settings.output) not in places:
                emit(_bill_answer(what, bill, network, loaded), settings)
            return OK
        if what == "racks":
            emit(_racks_answer(network, loaded), settings)
            return OK
    emit(_shape_answer(what, network, loaded), settings)
    return OK


def _workbooks(workbook: str | None, settings: Settings) -> list[Path]:
    """Where workbooks go, refused before the work."""
    wanted = [] if workbook is None else [("--workbook", workbook)]
    if workbook is not None and Path(workbook).suffix.lower() != _WORKBOOK:
        raise click.UsageError(f"--workbook {workbook}: a workbook's name ends in {_WORKBOOK}")
    if Path(settings.output).suffix.lower() == _WORKBOOK:
        refuse_flags("a workbook has all rows, and one form", groups=("rows",))
        if settings.format is not None:
            raise click.UsageError(f"-o {settings.output} is a workbook; leave the format out, or use --workbook")
        wanted.append(("-o", settings.output))
    return [output_path(replace(settings, output=name), flag) for flag, name in wanted]


def _write_workbooks(bill: Bill, places: list[Path]) -> None:
    if not places:
        return
    from fabric.faces.answers.bill_report import bill_sheets
    from fabric.faces.answers.workbook import workbook_bytes, write_workbook

    sums = ("count", "cost", "power_w", "max_power_w", "embodied_kg", "cable_m")
    content = workbook_bytes(bill_sheets(bill), bill.notes, sums=sums[1:])
    for place in places:
        write_workbook(content, place)


def _bill_answer(what: str, bill: Bill, network: Network, loaded: LoadedScenario) -> Answer:
    from fabric.faces.answers.bill_report import bill_record, bom_document, power_document
    from fabric.faces.views.bill import bill_table
    from fabric.scenario.provenance import envelope

    warnings = [str(problem) for problem in network.warnings]
    return Answer(
        lambda: {**envelope("BillResult", loaded), **bill_record(bill), "warnings": warnings},
        lambda: bom_document(bill) if what == "bom" else power_document(bill),
        lambda: bill_table(bill),
        BILL,
    )


def _racks_answer(network: Network, loaded: LoadedScenario) -> Answer:
    from fabric.faces.answers.site_report import racks_document, racks_record, required_plan
    from fabric.faces.views.racks import rack_table
    from fabric.scenario.provenance import envelope

    plan = required_plan(network.site)
    warnings = [str(problem) for problem in network.warnings]
    return Answer(
        lambda: {**envelope("RacksResult", loaded), **racks_record(plan), "warnings": warnings},
        lambda: racks_document(plan),
        lambda: rack_table(plan),
        RACKS,
    )


def _shape_answer(what: str, network: Network, loaded: LoadedScenario) -> Answer:
    from fabric.faces.answers.records import line_rate_records
    from fabric.faces.answers.shape_report import (
        bisection_document,
        bisection_record,
        bisection_results,
        path_results,
        paths_document,
        paths_record,
    )
    from fabric.faces.views.shape import cut_table, path_table, reachable
    from fabric.scenario.provenance import envelope

    if what == "paths":
        paths = path_results(network)
        found = paths_record(paths)
        table = reachable(path_table(paths))
        document, rows, kind = paths_document(paths), DISTANCES, "PathsResult"
    else:
        halves = bisection_results(network, loaded.scenario.seed)
        found = bisection_record(halves)
        table = cut_table(halves)
        document, rows, kind = bisection_document(halves, loaded), CUTS, "BisectionResult"
    record = {
        **envelope(kind, loaded),
        "fabrics": found,
        "assumptions": line_rate_records(loaded) if what == "bisection" else [],
        "warnings": [str(problem) for problem in network.warnings],
    }
    return Answer(lambda: record, lambda: document, lambda: table, rows)
