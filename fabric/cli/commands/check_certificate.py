"""``fabric check-certificate``: proofs, checked by other code than that which made them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, load, located
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings, refuse_flags
from fabric.faces.views.row_kinds import CLAIMS

if TYPE_CHECKING:
    from fabric.certificate_check import PhaseVerdict
    from fabric.certificate_check.columns import CertificateFile
    from fabric.certificate_check.given import Given
    from fabric.output.document import Document, Line
    from fabric.scenario.load import LoadedScenario

SUMMARY = "Check a certificate of route --certificate by shortest paths alone."
ORDER = 170


@click.command("check-certificate", cls=FabricCommand, takes=(*ANSWER, *SCENARIO), rows=(CLAIMS,))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--scenario", metavar="SCENARIO",
    help="Hold links and demand against this scenario's, with the failures and overrides of FILE unless given.",
)  # fmt: skip
def command(file: Path, scenario: str | None, settings: Settings) -> int:
    """Check every claim of FILE, written by fabric route --certificate, with nothing but shortest paths.

    Loads are walked again from demand and splits, bounds summed again from prices, by code that shares nothing with the
    routing engine. With --scenario, links and demand are those that the scenario has today, or refuted. Exit code 0:
    every claim holds; 1: one is refuted; 3: FILE is not a certificate.
    """
    from fabric.certificate_check import check_certificate, read_certificate
    from fabric.faces.views.certificates import certificate_table

    certificate = read_certificate(file)
    if scenario is None:
        refuse_flags("it reads no scenario unless --scenario names one", groups=SCENARIO)
    against = None if scenario is None else _against(scenario, certificate, settings)
    verdicts = check_certificate(certificate, None if against is None else against.phases)
    emit(
        Answer(
            lambda: _record(certificate, verdicts, against),
            lambda: _document(certificate, verdicts, against),
            lambda: certificate_table(verdicts),
            CLAIMS,
            lambda row: _entry(verdicts, row),
        ),
        settings,
    )
    return ANSWER_IS_NO if any(verdict.refuted for verdict in verdicts) else OK


@dataclass(frozen=True)
class _Against:
    """The scenario that a certificate is held against, and with what."""

    loaded: LoadedScenario
    phases: dict[tuple[str, str], Given]
    besides: tuple[str, ...]  # phases that the certificate does not have
    what_if: tuple[str, ...]  # as flags


def _against(scenario: str, certificate: CertificateFile, settings: Settings) -> _Against:
    """Load a scenario with the failures and overrides of the certificate, unless others are given."""
    from fabric.request import RouteRequest
    from fabric.saved.certificate_scenario import scenario_phases

    said = certificate.what_if
    if not settings.overrides:
        settings = replace(settings, sets=certificate.overrides)
    request = RouteRequest(
        down=settings.down or said.down, up=settings.up or said.up, slow=settings.slow or said.slow, scale=said.scale
    )
    loaded = load(scenario, settings)
    with located(loaded, settings):
        phases, besides = scenario_phases(loaded, certificate, request)
    flags = {"--set": settings.overrides, "--down": request.down, "--up": request.up, "--slow": request.slow}
    words = [f"{flag} {value}" for flag, values in flags.items() for value in values]
    return _Against(loaded, phases, besides, (*words, *([f"--scale {said.scale:g}"] if said.scale != 1 else [])))


def _record(certificate: CertificateFile, verdicts: list[PhaseVerdict], against: _Against | None) -> dict[str, Any]:
    """``CertificateCheck``: the file, and whether all it claims holds."""
    from fabric.scenario.provenance import SCHEMA, version

    return {
        "schema": SCHEMA,
        "kind": "CertificateCheck",
        "tool": {"name": "fabric-planner", "version": version()},
        "name": certificate.scenario,
        "inputs": [{"path": certificate.scenario, "sha256": certificate.sha256}],
        "seed": certificate.seed,
        "written_by": {"name": "fabric-planner", "version": certificate.tool_version},
        "holds": not any(verdict.refuted for verdict in verdicts),
        "against": None
        if against is None
        else {
            "path": against.loaded.path,
            "sha256": against.loaded.sha256,
            "same_file": against.loaded.sha256 == certificate.sha256,
            "what_if": list(against.what_if),
            "phases_left_out": list(against.besides),
        },
    }


def _entry(verdicts: list[PhaseVerdict], row: int) -> dict[str, Any]:
    """A phase, with every finding."""
    from fabric.faces.views.certificates import certificate_table

    findings = verdicts[row].findings
    return {
        **certificate_table(verdicts).only(*CLAIMS.columns).without("refuted", "not_checked").entry(row),
        "findings": [{"claim": each.claim, "verdict": each.verdict, "words": each.words} for each in findings],
    }


def _document(certificate: CertificateFile, verdicts: list[PhaseVerdict], against: _Against | None) -> Document:
    """The table, and a line for every claim that is wrong or open."""
    from fabric.faces.views.certificates import certificate_mark, certificate_table, objective_words
    from fabric.output.document import Line
    from fabric.output.table import Table

    parts: list[Table | Line] = [
        Line(
            f"certificate of {certificate.scenario} (sha256 {certificate.sha256[:12]}, seed {certificate.seed}), "
            f"written by fabric-planner {certificate.tool_version}"
        ),
        *([] if against is None else _held_against(certificate, against)),
        certificate_table(verdicts).only(*CLAIMS.shown).as_rows(),
    ]
    for verdict in verdicts:
        where = f"{verdict.fabric} {verdict.phase}"
        if words := objective_words(verdict):
            parts.append(Line(f"{where}, {words}", certificate_mark(verdict)))
        parts += [Line(f"refuted: {where}, {found.claim}: {found.words}", "bad") for found in verdict.refuted]
        parts += [Line(f"not checked: {where}, {found.claim}: {found.words}", "warn") for found in verdict.open]
    if not verdicts:
        parts.append(Line("the file claims nothing", "warn"))
    return parts


def _held_against(certificate: CertificateFile, against: _Against) -> list[Line]:
    """Which scenario links and demand are compared with, and what of it the certificate leaves out."""
    from fabric.output.document import Line

    loaded = against.loaded
    same = loaded.sha256 == certificate.sha256
    state = "the file certified" if same else f"another file than that certified, sha256 {loaded.sha256[:12]}"
    with_what = f", with {' '.join(against.what_if)}" if against.what_if else ""
    lines = [Line(f"links and demand against {loaded.path} ({state}){with_what}", "" if same else "warn")]
    if against.besides:
        lines.append(Line(f"not in the certificate: {', '.join(against.besides)}", "warn"))
    return lines
