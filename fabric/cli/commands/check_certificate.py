"""``fabric check-certificate``: proofs, checked by other code than that which made them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import FabricCommand, Settings

if TYPE_CHECKING:
    from fabric.certificate_check import PhaseVerdict
    from fabric.certificate_check.columns import CertificateFile
    from fabric.output.document import Document

SUMMARY = "Check a certificate of route --certificate by shortest paths alone."
ORDER = 170

COLUMNS = (
    "fabric",
    "phase",
    "router",
    "max_utilisation_claimed",
    "max_utilisation_found",
    "hottest_link",
    "lower_bound_claimed",
    "lower_bound_found",
    "gap_claimed",
    "gap_found",
    "verdict",
    "refuted",
    "not_checked",
)


@click.command("check-certificate", cls=FabricCommand)
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path, settings: Settings) -> int:
    """Check every claim of FILE, written by fabric route --certificate, with nothing but shortest paths.

    Loads are walked again from demand and splits, bounds summed again from prices, by code that shares nothing with the
    routing engine. Exit code 0: every claim holds; 1: one is refuted; 3: FILE is no certificate.
    """
    from fabric.certificate_check import check_certificate, read_certificate

    certificate = read_certificate(file)
    verdicts = check_certificate(certificate)
    emit(
        Answer(
            lambda: _record(certificate, verdicts),
            lambda: _document(certificate, verdicts),
            lambda: [_row(verdict) for verdict in verdicts],
            COLUMNS,
        ),
        settings,
    )
    return ANSWER_IS_NO if any(verdict.refuted for verdict in verdicts) else OK


def _row(verdict: PhaseVerdict) -> dict[str, Any]:
    """One phase as a flat record."""
    from fabric.output.numbers import finite

    return {
        "fabric": verdict.fabric,
        "phase": verdict.phase,
        "router": verdict.router,
        "max_utilisation_claimed": verdict.claimed_utilisation,
        "max_utilisation_found": finite(verdict.found_utilisation),
        "hottest_link": verdict.hottest_link,
        "lower_bound_claimed": verdict.claimed_bound,
        "lower_bound_found": finite(verdict.found_bound),
        "gap_claimed": verdict.claimed_gap,
        "gap_found": finite(verdict.found_gap),
        "verdict": verdict.verdict,
        "refuted": "; ".join(f"{found.claim}: {found.words}" for found in verdict.refuted),
        "not_checked": "; ".join(f"{found.claim}: {found.words}" for found in verdict.open),
    }


def _record(certificate: CertificateFile, verdicts: list[PhaseVerdict]) -> dict[str, Any]:
    """``CertificateCheck``: the file, and every phase with every finding."""
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
        "phases": [
            {
                **{key: value for key, value in _row(verdict).items() if key not in ("refuted", "not_checked")},
                "findings": [
                    {"claim": found.claim, "verdict": found.verdict, "words": found.words} for found in verdict.findings
                ],
            }
            for verdict in verdicts
        ],
    }


def _document(certificate: CertificateFile, verdicts: list[PhaseVerdict]) -> Document:
    """The table, and a line for every claim that is wrong or open."""
    from fabric.output.document import Line, Table, table

    headers = (
        "fabric",
        "phase~",
        "router?",
        ">θ claimed",
        ">θ found",
        ">bound claimed",
        ">bound found",
        ">gap",
        "verdict",
    )
    parts: list[Table | Line] = [
        Line(
            f"certificate of {certificate.scenario} (sha256 {certificate.sha256[:12]}, seed {certificate.seed}), "
            f"written by fabric-planner {certificate.tool_version}"
        ),
        table(
            "",
            headers,
            [_cells(verdict) for verdict in verdicts],
            marks=["bad" if verdict.refuted else "good" if not verdict.open else "warn" for verdict in verdicts],
        ),
    ]
    for verdict in verdicts:
        where = f"{verdict.fabric} {verdict.phase}"
        parts += [Line(f"refuted: {where}, {found.claim}: {found.words}", "bad") for found in verdict.refuted]
        parts += [Line(f"not checked: {where}, {found.claim}: {found.words}", "warn") for found in verdict.open]
    if not verdicts:
        parts.append(Line("the file claims nothing", "warn"))
    return parts


def _cells(verdict: PhaseVerdict) -> tuple[str, ...]:
    from fabric.output.numbers import percent

    return (
        verdict.fabric,
        verdict.phase,
        verdict.router,
        percent(verdict.claimed_utilisation, 4),
        percent(verdict.found_utilisation, 4),
        percent(verdict.claimed_bound, 4),
        percent(verdict.found_bound, 4),
        percent(verdict.found_gap, 4),
        verdict.verdict,
    )
