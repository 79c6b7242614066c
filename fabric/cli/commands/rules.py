"""``fabric rules``: a packet followed through exported tables, and probes that hit every rule of a switch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, note
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.exported import load_exported
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings
from fabric.faces.views.row_kinds import HOPS

if TYPE_CHECKING:
    from fabric.output.document import Document
    from fabric.rules.trace import Path as Walk

SUMMARY = "Trace a packet through exported tables, write probes that hit every rule."
ORDER = 130


@click.group("rules")
def command() -> None:
    """Look into exported tables: trace follows a packet, probes writes packets that hit every rule of a switch."""


@command.command("trace", cls=FabricCommand, takes=(*ANSWER, *SCENARIO), rows=(HOPS,))
@click.argument("scenario")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("src")
@click.argument("dst")
@click.option("--sport", type=click.IntRange(1, 65535), default=49152, show_default=True, help="UDP source port.")
@click.option("--dport", type=click.IntRange(1, 65535), default=4791, show_default=True, help="UDP destination port.")
@click.option("--family", type=click.Choice(["4", "6"]), default="4", show_default=True, help="IP version of names.")
@click.option("--slot", type=click.IntRange(min=0), help="Hash slot taken at every group; default: the likeliest port.")
@click.option("--all", "every", is_flag=True, help="All paths with their probabilities.")
def trace(
    scenario: str, folder: Path, src: str, dst: str, sport: int, dport: int, family: str, slot: int | None, every: bool,
    settings: Settings,
) -> int:  # fmt: skip
    """Follow a UDP packet from endpoint SRC to endpoint or address DST through the tables in FOLDER.

    Exit code 0: it arrives; 1: it does not.
    """
    from fabric.faces.views.exports import hop_table
    from fabric.rules.dialect import DIALECTS
    from fabric.rules.trace import Tracer
    from fabric.rules.verify.tables import parts_of

    _, ground = load_exported(scenario, folder, settings)
    dialect = DIALECTS.find(ground.manifest.dialect)
    if dialect.seeds == "nobody":
        words = "cannot say a hash seed: probabilities are of switches that hash anew, and these hash alike"
        note(f"dialect {dialect.name} {words}", settings)
    tracer = Tracer(ground.tables(folder), ground.plan, parts_of(dialect))
    packet = tracer.packet(src, dst, src_port=sport, dst_port=dport, family=int(family))
    paths: list[Walk] = []
    for entry in tracer.entries(src):
        if every:
            paths += tracer.trace_all(packet, entry).paths
        else:
            paths.append(tracer.trace(packet, entry, slot=slot))
    emit(
        Answer(lambda: _record(paths), lambda: _document(paths), lambda: hop_table(paths, HOPS.columns), HOPS), settings
    )
    return OK if paths and all(path.end == "delivered" for path in paths) else ANSWER_IS_NO


def _record(paths: Sequence[Walk]) -> dict[str, Any]:
    from fabric.scenario.provenance import SCHEMA, version

    ends = [{"end": path.end, "at": path.at, "probability": path.probability} for path in paths]
    tool = {"name": "fabric-planner", "version": version()}
    return {
        "schema": SCHEMA,
        "kind": "RulesTrace",
        "tool": tool,
        "paths": ends,
    }


def _document(paths: Sequence[Walk]) -> Document:
    from fabric.faces.views.exports import HOPS_SHOWN, hop_table, hops_of
    from fabric.output.document import Line
    from topologies.units import percent

    parts: list[Any] = []
    hops = hop_table(paths, HOPS.columns)
    for number, path in enumerate(paths, 1):
        title = f"path {number} of {len(paths)}, probability {percent(path.probability)}"
        parts.append(hops_of(hops, number).only(*HOPS_SHOWN).titled(title).as_rows())
        parts.append(Line(f"path {number}: {path.end} at {path.at}", "good" if path.end == "delivered" else "bad"))
    return parts


@command.command("probes", cls=FabricCommand, takes=("output", "force", *SCENARIO))
@click.argument("scenario")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("switch")
def probes(scenario: str, folder: Path, switch: str, settings: Settings) -> int:
    """Write packets that exercise every rule of SWITCH once: a capture and a table of what should happen, to -o DIR."""
    from fabric.output.whole_folder import check_folder
    from fabric.rules.errors import RuleError
    from fabric.rules.folder import PROBES, write_folder
    from fabric.rules.probes import plan_probes, probe_files
    from topologies.errors import nearest_hint

    if settings.output == "-":
        raise click.UsageError("probes are files; name a folder with -o DIR")
    check_folder(Path(settings.output), PROBES, force=settings.force)
    _, ground = load_exported(scenario, folder, settings)
    tables = ground.tables(folder)
    if switch not in tables:
        raise RuleError(
            f"the export has no switch {switch!r}",
            hint=nearest_hint(switch, tables, otherwise=f"such as {', '.join(list(tables)[:3])}"),
            code="FP8051",
        )
    made = plan_probes(tables[switch], ground.plan)
    stem = next(entry.file for entry in ground.manifest.switches if entry.name == switch)
    write_folder(Path(settings.output), probe_files(made, stem), force=settings.force, kind=PROBES)
    if not settings.quiet:
        missed = f"; {len(made.unreachable):,} rules that no packet reaches" if made.unreachable else ""
        click.echo(f"wrote {len(made.probes):,} probes of {switch} to {settings.output}{missed}", err=True)
    return OK
