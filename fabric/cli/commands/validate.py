"""``fabric validate``: is the scenario sound?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from fabric.cli.answer import load, remember_said, write
from fabric.cli.exit_codes import BAD_INPUT, OK
from fabric.cli.options import FabricCommand, Settings
from fabric.cli.topology_input import TopologyFlags, format_of, parsed_flags, read_topology_input, topology_flags
from topologies.errors import FabricError, FormatError, Problem, TopologyError
from topologies.printable import json_text

SUMMARY = "Check scenario, catalogue and topology files: syntax, schema and semantics."
ORDER = 50


@click.command("validate", cls=FabricCommand)
@click.argument("files", nargs=-1, required=True, metavar="INPUT...")
@topology_flags
def command(files: tuple[str, ...], settings: Settings, **given: Any) -> int:
    """Check INPUTs: of scenarios syntax, schema, and whether fabrics can be built and workloads placed.

    Catalogues are checked row by row, topology files (CSV, GraphML, containerlab, ...) and folders of LLDP files cable
    by cable. '-' is standard input: a scenario, or with --from a topology.
    """
    from fabric.scenario.diagnostics import render

    flags = parsed_flags(**given)
    worst = OK
    findings: list[dict[str, Any]] = []
    for file in files:
        problems, sources = _check(file, settings, flags)
        failed = any(problem.severity == "error" for problem in problems)
        worst = BAD_INPUT if failed else worst
        findings += [{"file": problem.file or file, **_record(problem)} for problem in problems]
        if settings.format != "json":
            if problems:
                text = render(problems, sources, name=file, max_errors=settings.max_errors)
                click.echo(text, err=True, nl=False)
            if not failed and not settings.quiet:
                click.echo(f"{file}: ok")
    if settings.format == "json":
        record = {
            "schema": "fabric-planner/diagnostics/v1",
            "kind": "ValidateResult",
            "ok": worst == OK,
            "items": findings,
        }
        write(json_text(record, indent=2) + "\n", settings)
    return worst


def _check(file: str, settings: Settings, flags: TopologyFlags) -> tuple[list[Problem], dict[str, str]]:
    """Problems of one file, and the text they are in; those of a scenario through all stages up to traffic."""
    from fabric.pipeline.prepared import prepare
    from fabric.request import RouteRequest

    sources: dict[str, str] = {}
    try:
        if _checked_alone(file, flags):
            return [], {}
        loaded = load(file, settings)
        sources = dict(loaded.sources)
        prepared = prepare(loaded, RouteRequest(down=settings.down, up=settings.up))
        network, workloads = prepared.network, prepared.traffic
    except FabricError as error:
        return list(error.problems), getattr(error, "sources", sources) or sources
    warnings = list(loaded.locate(FabricError(network.warnings)).problems) if network.warnings else []
    for index, workload in enumerate(workloads):
        found = [Problem(text, "FP4100", ("workloads", index), severity="warning") for text in workload.warnings]
        warnings += loaded.locate(FabricError(found)).problems if found else ()
    return warnings, sources


def _checked_alone(file: str, flags: TopologyFlags) -> bool:
    """Whether a file is a topology or a catalogue, and then checked.

    Raises
    ------
    FabricError
        With everything that is wrong with it.
    """
    from fabric.scenario.catalogue_file import is_catalogue, read_catalogue
    from fabric.scenario.positions import decode, read_yaml
    from topologies.catalogue import builtin
    from topologies.validate import validate

    form = format_of(file, flags.form)
    if form is not None:
        if form == "containerlab" and flags.speed_gbps is None:
            # A lab tells no speeds; any will do for the other checks.
            flags = replace(flags, speed_gbps=1.0)
            remember_said([f"{file}: a lab tells no speeds; other commands need one (speed, or --speed)"])
        found = read_topology_input(file, form, flags, strict=True)
        remember_said([f"{file}: {text}" for text in found.notes])
        errors = [problem for problem in validate(found.topology) if problem.severity == "error"]
        if errors:
            raise TopologyError(errors)
        return True
    if file == "-" or not Path(file).is_file():
        return False
    text = decode(_bytes(file), file)
    if not is_catalogue(read_yaml(text, file)):
        return False
    try:
        remember_said(list(read_catalogue(file, builtin()).said))
    except FabricError as error:
        error.sources = {file: text}  # type: ignore[attr-defined]
        raise
    return True


def _bytes(file: str) -> bytes:
    from fabric.scenario.positions import MOST_BYTES
    from topologies.reading.file_bytes import file_bytes

    try:
        return file_bytes(file, MOST_BYTES)
    except OSError as error:
        raise FormatError(f"cannot read the file: {error.strerror}", file=file, code="FP6001") from None


def _record(problem: Problem) -> dict[str, Any]:
    return {
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "path": ".".join(map(str, problem.where)),
        "line": problem.line,
        "column": problem.column,
        "hint": problem.hint or None,
    }
