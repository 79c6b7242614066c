"""``fabric verify``: exported tables followed from their files, and what runs and is plugged held against the plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, located
from fabric.cli.cabling import CablingFlags, verify_cabling_command
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.load_check import load_command
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, Settings
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import DIFFERENCES, FINDINGS, FIX_LIST, MOVES

if TYPE_CHECKING:
    from fabric.output.document import Document, Line
    from fabric.result import LimitVerdict
    from fabric.rules.export_baseline import ExportBaseline
    from fabric.rules.manifest import Manifest
    from fabric.rules.verify.findings import Finding, Verdict
    from fabric.scenario.load import LoadedScenario

SUMMARY = "Follow exported tables to every destination; hold what runs and what is plugged against the plan."
ORDER = 120


@click.group("verify")
def command() -> None:
    """Follow exported tables to every destination; hold what runs and what is plugged against the plan."""


@command.command("rules", cls=FabricCommand, takes=(*ANSWER, *SCENARIO, "progress"), rows=(FINDINGS,))
@click.argument("scenario")
@click.argument("folder", type=click.Path(path_type=Path))
def rules(scenario: str, folder: Path, settings: Settings) -> int:
    """Follow the tables in FOLDER from every source to every destination of SCENARIO, and walk its loads.

    Failures and overrides are those of the export unless given again. Switches whose files name no hash seed, or the
    same, hash alike, and loads are those. Exit code 0: no loop, black hole, leak or wrong load, and limits on the
    phase's load hold; 1: something was found, or a limit does not hold; 3: files that cannot be read.

    Where the scenario has tenants, every packet is followed from every host's port, with every source it may forge, and
    a packet that another tenant gets is shown hop by hop; partitions of InfiniBand and VRFs are held against them.
    """
    from fabric.cli.exported import load_exported
    from fabric.evaluation.table_limits import judge_loads
    from fabric.faces.views.exports import finding_table
    from fabric.routing.progress import Progress
    from fabric.rules.dialect import DIALECTS
    from fabric.rules.tenants.carried import OF_THEIR_OWN
    from fabric.rules.verify.check import verify_export
    from fabric.rules.verify.stamp import write_stamp

    loaded, ground = load_exported(scenario, folder, settings)
    manifest = ground.manifest
    if ground.tenancy is not None and DIALECTS.find(manifest.dialect).tenants in OF_THEIR_OWN:
        return _tenants(folder, loaded, ground, settings)
    with located(loaded, settings), watching(settings) as report:
        verdict = verify_export(
            folder, manifest, ground.plan, ground.pairs, tenancy=ground.tenancy,
            progress=lambda text: report(Progress(text)),
        )  # fmt: skip
        limits = judge_loads(
            loaded.scenario.limits, ground.plan.topology, verdict.found_gbps, fabric=manifest.fabric,
            phase=manifest.phase or "", router=manifest.router,
        )  # fmt: skip
    if verdict.holds:
        write_stamp(folder, manifest)
    emit(
        Answer(
            lambda: _record(manifest, verdict, limits),
            lambda: _document(folder, verdict, limits),
            lambda: finding_table([_finding(one) for one in verdict.findings], FINDINGS.columns),
            FINDINGS,
            lambda row: _entry(verdict.findings[row]),
        ),
        settings,
    )
    return OK if verdict.holds and all(limit.ok for limit in limits) else ANSWER_IS_NO


def _tenants(folder: Path, loaded: LoadedScenario, ground: ExportBaseline, settings: Settings) -> int:
    """Hold partitions or VRFs against the tenants; what forwards besides is compared by verify routes."""
    from fabric.faces.answers.isolation_report import isolation_lines, isolation_record
    from fabric.faces.views.exports import finding_table
    from fabric.output.document import Line
    from fabric.rules.dialect import DIALECTS
    from fabric.rules.tenants.carried import OF_THEIR_OWN
    from fabric.rules.verify.tenant_proofs import prove_tenants
    from fabric.scenario.provenance import SCHEMA, version

    assert ground.tenancy is not None
    with located(loaded, settings):
        chosen = DIALECTS.find(ground.manifest.dialect)
        proof = prove_tenants(folder, ground.manifest, ground.plan, ground.tenancy, chosen)

    def document() -> Document:
        said = Line(
            "forwarding tables were not followed: fabric verify routes compares them with OpenSM's"
            if chosen.tenants == "partitions"
            else "routes were not followed: BGP finds them; which VRF may have which was",
            "warn",
        )
        first = Line(f"{folder}: {OF_THEIR_OWN[chosen.tenants or '']} of dialect {chosen.name}")
        return [first, *isolation_lines(proof), *_shown_findings(proof.findings), said]

    record = {
        "schema": SCHEMA,
        "kind": "PartitionsVerdict" if chosen.tenants == "partitions" else "VrfsVerdict",
        "tool": {"name": "fabric-planner", "version": version()},
        "name": ground.manifest.scenario,
        "fabric": ground.manifest.fabric,
        "dialect": ground.manifest.dialect,
        "holds": proof.holds,
        "isolation": isolation_record(proof),
    }
    emit(
        Answer(
            lambda: record,
            document,
            lambda: finding_table([_finding(one) for one in proof.findings], FINDINGS.columns),
            FINDINGS,
            lambda row: _entry(proof.findings[row]),
        ),
        settings,
    )
    return OK if proof.holds else ANSWER_IS_NO


@command.command("routes", cls=FabricCommand, takes=(*ANSWER, *SCENARIO), rows=(DIFFERENCES,))
@click.argument("scenario")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--observed", required=True, metavar="ovs:DIR|lft:FILE|iproute:DIR",
    help="What runs: NAME.flows and NAME.groups of ovs-ofctl dump-flows and dump-groups, OpenSM's forwarding tables, "
    "or NAME.json of ip -j route; NAME is that of the export's files.",
)  # fmt: skip
def routes(scenario: str, folder: Path, observed: str, settings: Settings) -> int:
    """Compare the tables in FOLDER with what switches say they have.

    Exit code 0: every packet is treated as planned; 1: some are not, or entries differ; 3: files that cannot be read.
    """
    from fabric.cli.exported import load_exported
    from fabric.faces.views.exports import installed_table
    from fabric.rules.compare_observed import compare_observed

    kind, found, where = observed.partition(":")
    if not found or kind not in ("ovs", "lft", "iproute"):
        raise click.UsageError(f"--observed {observed}: write ovs:DIR, lft:FILE or iproute:DIR")
    _, ground = load_exported(scenario, folder, settings)
    differences = compare_observed(kind, Path(where), folder, ground)
    rows = [{**one.__dict__, "cookie": None if one.cookie is None else f"{one.cookie:#x}"} for one in differences]
    emit(
        Answer(
            lambda: _routes_record(ground.manifest, rows),
            lambda: _routes_document(folder, rows),
            lambda: installed_table(rows, DIFFERENCES.columns),
            DIFFERENCES,
        ),
        settings,
    )
    return ANSWER_IS_NO if rows else OK


@command.command(
    "cabling",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO, "progress"),
    rows=(MOVES, FIX_LIST),
    row_kind=lambda values: MOVES if values["fix_list"] is None else FIX_LIST,
)
@click.argument("scenario")
@click.option(
    "--observed", required=True, metavar="FORMAT:PATH",
    help="What is plugged: lldp:DIR, sonic:DIR, cumulus:DIR, eos:DIR or gnmi:DIR, a file per device named after it, or "
    "one file with all of them; ibnetdiscover:FILE; netbox:CSV.",
)  # fmt: skip
@click.option(
    "--names", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="CSV of device,port,alias: what interfaces and hosts go by, MAC addresses too; * in device is any characters.",
)  # fmt: skip
@click.option(
    "--write-names", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Where all names differ in one way: write them for --names.",
)  # fmt: skip
@click.option(
    "--alone", type=click.IntRange(min=0), default=20, show_default=True, metavar="N",
    help="Moves of which the cost is found each by itself, the largest first.",
)  # fmt: skip
@click.option("--fix-list", type=click.Choice(["csv"]), help="The work step by step instead, an action a row.")
@click.option("--picture", is_flag=True, help="Draw the wrong part into -o FILE.svg; that name alone does so too.")
def cabling(scenario: str, settings: Settings, **flags: Any) -> int:
    """Compare observed cabling with the plan of SCENARIO: what differs, the fewest moves to correct it, the cost now.

    Hosts without LLDP are not seen; only with --strict is that an error. Exit code 0: what is seen is as planned;
    1: something is not, harmless or not; 3: data that cannot be read, or of another fabric.
    """
    return verify_cabling_command(scenario, settings, CablingFlags(**flags))


def _routes_record(manifest: Manifest, rows: list[dict[str, Any]]) -> dict[str, Any]:
    from fabric.scenario.provenance import SCHEMA, version

    return {
        "schema": SCHEMA,
        "kind": "RoutesVerdict",
        "tool": {"name": "fabric-planner", "version": version()},
        "name": manifest.scenario,
        "fabric": manifest.fabric,
        "holds": not rows,
    }


def _routes_document(folder: Path, rows: list[dict[str, Any]]) -> Document:
    from fabric.faces.views.exports import installed_table
    from fabric.output.document import Line

    if not rows:
        return [Line(f"{folder}: switches have what was planned", "good")]
    table = installed_table(rows, DIFFERENCES.columns).only(*DIFFERENCES.shown).first(DIFFERENCES.most).as_rows()
    rest = len(rows) - len(table)
    more = [Line(f"and {rest:,} more; --limit, --json and csv have them", "warn", is_rows=True)] if rest else []
    return [table, *more]


def _entry(one: Any) -> dict[str, Any]:
    """A finding for JSON, its trace step by step."""
    return {**_finding(one), "trace": [step.strip() for step in one.trace]}


def _finding(one: Any) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "switch": one.switch,
        "destination": one.destination,
        "words": one.words,
        "trace": " > ".join(step.strip() for step in one.trace),
    }


def _record(manifest: Manifest, verdict: Verdict, limits: Sequence[LimitVerdict]) -> dict[str, Any]:
    from fabric.faces.answers.isolation_report import isolation_record
    from fabric.faces.views.limits import limit_table
    from fabric.scenario.provenance import SCHEMA, version

    left_out = ("findings", "families", "found_gbps", "isolation")
    figures = {key: value for key, value in verdict.__dict__.items() if key not in left_out}
    return {
        "schema": SCHEMA,
        "kind": "RulesVerdict",
        "tool": {"name": "fabric-planner", "version": version()},
        "name": manifest.scenario,
        "holds": verdict.holds,
        **figures,
        "families": list(verdict.families),
        "limits": limit_table(limits).records(),
        **({"isolation": isolation_record(verdict.isolation)} if verdict.isolation is not None else {}),
    }


def _document(folder: Path, verdict: Verdict, limits: Sequence[LimitVerdict]) -> Document:
    from fabric.faces.answers.isolation_report import isolation_lines
    from fabric.faces.views.limits import shown_limits
    from fabric.output.document import Line
    from topologies.units import percent

    judged = [shown_limits(limits)] if limits else []
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
            f"{'weights and a shared hash' if verdict.polarises else 'weights'} move no link by more than "
            f"{percent(verdict.weight_error)} of its capacity"
        ),
    ]
    if verdict.polarises:
        words = f"{verdict.hash_alike:,} switches hash alike, tier after tier: no seeds that differ in these files"
        lines.append(Line(words, "warn"))
    if verdict.isolation is not None:
        lines += isolation_lines(verdict.isolation)
    if verdict.holds:
        return [*lines, Line("no loop, no black hole, no leak; loads are those of the export", "good"), *judged]
    return [*lines, *_shown_findings(verdict.findings), *judged]


def _shown_findings(findings: Sequence[Finding]) -> list[Line]:
    from fabric.output.document import Line

    lines: list[Line] = []
    shown = findings[: FINDINGS.most]
    for one in shown:
        lines.append(Line(one.text, "bad", is_rows=True))
        lines += [Line(f"    {step.strip()}", is_rows=True) for step in one.trace]
    if len(findings) > len(shown):
        lines.append(Line(f"and {len(findings) - len(shown):,} more; --json has them", "warn", is_rows=True))
    return lines


command.add_command(load_command)
