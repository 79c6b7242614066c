"""``fabric check-certificate``: proofs, checked by other code than that which made them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import ANSWER, FabricCommand, Settings
from fabric.faces.views.row_kinds import CLAIMS

if TYPE_CHECKING:
    from fabric.certificate_check import PhaseVerdict
    from fabric.certificate_check.columns import CertificateFile
    from fabric.output.document import Document

SUMMARY = "Check a certificate of route --certificate by shortest paths alone."
ORDER = 170


@click.command("check-certificate", cls=FabricCommand, takes=ANSWER, rows=(CLAIMS,))
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path, settings: Settings) -> int:
    """Check every claim of FILE, written by fabric route --certificate, with nothing but shortest paths.

    Loads are walked again from demand and splits, bounds summed again from prices, by code that shares nothing with the
    routing engine. Exit code 0: every claim holds; 1: one is refuted; 3: FILE is not a certificate.
    """
    from fabric.certificate_check import check_certificate, read_certificate
    from fabric.faces.views.certificates import certificate_table

    certificate = read_certificate(file)
    verdicts = check_certificate(certificate)
    emit(
        Answer(
            lambda: _record(certificate, verdicts),
            lambda: _document(certificate, verdicts),
            lambda: certificate_table(verdicts),
            CLAIMS,
            lambda row: _entry(verdicts, row),
        ),
        settings,
    )
    return ANSWER_IS_NO if any(verdict.refuted for verdict in verdicts) else OK


def _record(certificate: CertificateFile, verdicts: list[PhaseVerdict]) -> dict[str, Any]:
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
    }


def _entry(verdicts: list[PhaseVerdict], row: int) -> dict[str, Any]:
    """A phase, with every finding."""
    from fabric.faces.views.certificates import certificate_table

    findings = verdicts[row].findings
    return {
        **certificate_table(verdicts).only(*CLAIMS.columns).without("refuted", "not_checked").entry(row),
        "findings": [{"claim": each.claim, "verdict": each.verdict, "words": each.words} for each in findings],
    }


def _document(certificate: CertificateFile, verdicts: list[PhaseVerdict]) -> Document:
    """The table, and a line for every claim that is wrong or open."""
    from fabric.faces.views.certificates import certificate_mark, certificate_table, objective_words
    from fabric.output.document import Line
    from fabric.output.table import Table

    parts: list[Table | Line] = [
        Line(
            f"certificate of {certificate.scenario} (sha256 {certificate.sha256[:12]}, seed {certificate.seed}), "
            f"written by fabric-planner {certificate.tool_version}"
        ),
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
