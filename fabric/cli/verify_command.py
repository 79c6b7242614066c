"""``fabric verify``: exported tables followed from their files, and compared with what runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, load, located
from fabric.cli.main import ANSWER_IS_NO, OK
from fabric.cli.options import FabricCommand, Settings
from fabric.cli.watch import watching

if TYPE_CHECKING:
    from fabric.export.document import Document
    from fabric.rules.manifest import Manifest
    from fabric.rules.verify.findings import Verdict

FINDING_COLUMNS = ("kind", "switch", "destination", "words", "trace")


@click.group("verify", short_help="Follow exported tables, or compare them with what runs.")
def command() -> None:
    """Check exported tables: rules follows them, routes compares them with what switches have."""


@command.command("rules", cls=FabricCommand)
@click.argument("scenario")
@click.argument("folder", type=click.Path(path_type=Path))
def rules(scenario: str, folder: Path, settings: Settings) -> int:
    """Follow the tables in FOLDER from every source to every destination of SCENARIO, and walk its loads.

    Failures and overrides are those of the export unless given again. Exit code 0: no loop, black hole, leak or wrong
    load; 1: something was found; 3: files that cannot be read.
    """
    from dataclasses import replace

    from fabric.rules.manifest import read_manifest
    from fabric.rules.verify.check import verify_export
    from fabric.rules.verify.stamp import write_stamp

    manifest = read_manifest(folder)
    what_if = manifest.record.get("what_if", {})
    if not settings.overrides:
        settings = replace(settings, sets=tuple(what_if.get("set", ())))
    loaded = load(scenario, settings)
    if loaded.sha256 != manifest.record.get("sha256") and not settings.quiet:
        click.echo("note: the scenario has changed since the export", err=True)
    from fabric.pipeline import tables_ground

    down, up = settings.down or tuple(what_if.get("down", ())), settings.up or tuple(what_if.get("up", ()))
    with located(loaded, settings), watching(settings) as report:
        from fabric.routing.router import Progress

        plan, pairs = tables_ground(loaded, manifest.fabric, manifest.phase, manifest.number, down=down, up=up)
        verdict = verify_export(folder, manifest, plan, pairs, progress=lambda text: report(Progress(text)))
    if verdict.holds:
        write_stamp(folder, manifest)
    emit(
        Answer(
            lambda: _record(manifest, verdict),
            lambda: _document(folder, verdict),
            lambda: [_finding(one) for one in verdict.findings],
            FINDING_COLUMNS,
        ),
        settings,
    )
    return OK if verdict.holds else ANSWER_IS_NO


def _finding(one: Any) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "switch": one.switch,
        "destination": one.destination,
        "words": one.words,
        "trace": " > ".join(step.strip() for step in one.trace),
    }


def _record(manifest: Manifest, verdict: Verdict) -> dict[str, Any]:
    from fabric.export.records import SCHEMA, version

    figures = {key: value for key, value in verdict.__dict__.items() if key not in ("findings", "families")}
    return {
        "schema": SCHEMA,
        "kind": "RulesVerdict",
        "tool": {"name": "fabric-planner", "version": version()},
        "name": manifest.record.get("scenario"),
        "holds": verdict.holds,
        **figures,
        "families": list(verdict.families),
        "items": [{**_finding(one), "trace": [step.strip() for step in one.trace]} for one in verdict.findings],
    }


def _document(folder: Path, verdict: Verdict) -> Document:
    from fabric.export.document import Line, percent

    lines = [
        Line(
            f"{folder}: {verdict.switches:,} switches, {verdict.rules:,} rules, {verdict.groups:,} groups of dialect "
            f"{verdict.dialect}"
        ),
        Line(
            f"followed {verdict.sources:,} sources to {verdict.destinations:,} destinations in {verdict.classes:,} "
            "classes of addresses" + (f", and {verdict.flows:,} single flows" if verdict.flows else "")
        ),
        Line(
            f"fullest link: plan {percent(verdict.planned_max_utilisation)}, as programmed "
            f"{percent(verdict.programmed_max_utilisation)}, by these files {percent(verdict.found_max_utilisation)}; "
            f"weights move no link by more than {percent(verdict.weight_error)} of its capacity"
        ),
    ]
    if verdict.holds:
        return [*lines, Line("no loop, no black hole, no leak; loads are those of the export", "good")]
    shown = verdict.findings[:20]
    for one in shown:
        lines.append(Line(one.text, "bad"))
        lines += [Line(f"    {step.strip()}") for step in one.trace]
    if len(verdict.findings) > len(shown):
        lines.append(Line(f"and {len(verdict.findings) - len(shown):,} more; --json has them", "warn"))
    return lines
