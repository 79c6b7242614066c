"""``fabric validate``: is the scenario sound?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, chosen_format, emit, load, remember_said
from fabric.cli.exit_codes import BAD_INPUT, OK
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings
from fabric.cli.topology_input import TopologyFlags, format_of, parsed_flags, read_topology_input, topology_flags
from fabric.faces.views.row_kinds import PROBLEMS
from topologies.errors import FabricError, FormatError, Problem, TopologyError

if TYPE_CHECKING:
    from fabric.output.document import Document

SUMMARY = "Check scenario, requirement, catalogue and topology files: syntax, schema and semantics."
ORDER = 50


@click.command("validate", cls=FabricCommand, takes=(*ANSWER, *SCENARIO), rows=(PROBLEMS,))
@click.argument("files", nargs=-1, required=True, metavar="INPUT...")
@topology_flags
def command(files: tuple[str, ...], settings: Settings, **given: Any) -> int:
    """Check INPUTs: of scenarios syntax, schema, and whether fabrics can be built and workloads placed.

    Requirements are checked up to what they ask of every fabric, catalogues row by row, topology files (CSV, GraphML,
    containerlab, ...) and folders of LLDP files cable by cable. '-' is standard input: a scenario, or with --from a
    topology.

    What is wrong goes to standard error with its place in the file; in other formats, to a file, and with flags of rows
    it is the answer, one problem a row.
    """
    from fabric.scenario.diagnostics import render

    flags = parsed_flags(**given)
    for_people = chosen_format(settings) in ("table", "plain") and settings.output == "-"
    for_people = for_people and not settings.arrangement().is_asked
    verdicts: dict[str, bool] = {}
    findings: list[dict[str, Any]] = []
    for file in files:
        problems, sources = _check(file, settings, flags)
        verdicts[file] = not any(problem.severity == "error" for problem in problems)
        findings += [{"file": problem.file or file, **_record(problem)} for problem in problems]
        if for_people:
            if problems:
                text = render(problems, sources, name=file, max_errors=settings.max_errors)
                click.echo(text, err=True, nl=False)
            if verdicts[file] and not settings.quiet:
                click.echo(f"{file}: ok")
    if not for_people:
        emit(_answer(verdicts, findings), settings)
    return OK if all(verdicts.values()) else BAD_INPUT


def _answer(verdicts: Mapping[str, bool], findings: Sequence[dict[str, Any]]) -> Answer:
    """The files, and every problem as a row."""
    from fabric.faces.views.problems import problem_table
    from fabric.output.document import Line

    def document() -> Document:
        lines = [
            Line(f"{file}: {'ok' if ok else 'not sound'}", "good" if ok else "bad") for file, ok in verdicts.items()
        ]
        return [*lines, *([problem_table(findings).as_rows()] if findings else [])]

    record = {"schema": "fabric-planner/diagnostics/v1", "kind": "ValidateResult", "ok": all(verdicts.values())}
    return Answer(lambda: record, document, lambda: problem_table(findings), PROBLEMS)


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
        prepared = prepare(loaded, RouteRequest(down=settings.down, up=settings.up, slow=settings.slow))
        network, workloads = prepared.network, prepared.traffic
        if any(fabric.cables for fabric in loaded.scenario.fabrics.values()):
            from fabric.cables.schedule import cable_schedule

            cable_schedule(loaded, network.topologies)
    except FabricError as error:
        return list(error.problems), getattr(error, "sources", sources) or sources
    warnings = list(loaded.locate(FabricError(network.warnings)).problems) if network.warnings else []
    for index, workload in enumerate(workloads):
        found = [Problem(text, "FP4100", ("workloads", index), severity="warning") for text in workload.warnings]
        warnings += loaded.locate(FabricError(found)).problems if found else ()
    return warnings, sources


def _checked_alone(file: str, flags: TopologyFlags) -> bool:
    """Whether a file is a topology, a catalogue or a requirement, and then checked.

    Raises
    ------
    FabricError
        With everything that is wrong with it.
    """
    from fabric.design.is_requirement import is_requirement
    from fabric.scenario.catalogue_file import is_catalogue, read_catalogue
    from fabric.scenario.positions import decode, read_yaml
    from topologies.catalogue import builtin

    form = format_of(file, flags.form)
    if form is not None:
        from topologies.validate import validate

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
    tree = read_yaml(text, file)
    if is_requirement(tree):
        from fabric.design.requirement_file import load_requirement

        loaded = load_requirement(file)
        remember_said([*loaded.said, *(f"{file}: default {line}" for line in loaded.defaults)])
        return True
    if not is_catalogue(tree):
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
