"""``fabric export``: flow tables, routes, addresses and cables as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from fabric.cables.labels import BY_PLACE
from fabric.cli.answer import Answer, emit, load, located, note
from fabric.cli.cables import CableFlags, cables
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.export_lists import export_record, list_addresses, list_dialects, made_from
from fabric.cli.monitoring import EXPORTERS, MonitoringFlags, export_monitoring
from fabric.cli.options import (
    ANSWER,
    SCENARIO,
    Duration,
    FabricCommand,
    OneOf,
    RareOption,
    Settings,
    Share,
    refuse_flags,
)
from fabric.cli.timings import check_timings, say_timings, timings_option
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import ADDRESSES, CABLES, DIALECTS, TABLES, WATCHED
from fabric.routing.names import PATH_POLICIES, objective_names, router_names
from topologies.errors import FabricError
from topologies.plugin_folder import file_names

if TYPE_CHECKING:
    from fabric.output.document import Document
    from fabric.request import RouteRequest, TablesRequest
    from fabric.rules.dialect import Dialect, File
    from fabric.rules.export import ExportSummary
    from fabric.rules.planned import PlannedRules
    from fabric.rules.verify.findings import Finding
    from fabric.scenario.load import LoadedScenario

SUMMARY = "Write flow tables, routes, addresses and cable schedules; export list names dialects and profiles."
ORDER = 110

FORMATS = {"openflow": "ovs", "routes": "frr", "lft": "opensm"}  # format -> its default dialect
# Parameters of its own, which are of tables.
_OWN = (
    "name", "fabric", "router", "paths", "objective", "family", "tolerance", "max_rules", "max_groups", "max_members",
    "allow_overflow", "old", "no_verify", "time_limit", "timings",
)  # fmt: skip
_OF_CABLES = ("profile", "both_ways", "label_format", "colour_by")
_NOT_OF_MONITORING = (
    "name", "family", "tolerance", "max_rules", "max_groups", "max_members", "allow_overflow", "old", "no_verify",
    "timings", "both_ways", "label_format", "colour_by",
)  # fmt: skip
_ROWS = {
    "list": DIALECTS, "addresses": ADDRESSES, "cables": CABLES, "prometheus": WATCHED, "grafana": WATCHED,
}  # fmt: skip
FAMILIES = {"4": (4,), "6": (6,), "both": (4, 6)}


MONITORING = ("prometheus", "grafana")
_OF_MONITORING = ("window", "margin", "names", "draws")


def profile_names() -> tuple[str, ...]:
    """Profiles of cables, then of monitoring; imports none of them."""
    return (*file_names("fabric.cables.profiles"), *EXPORTERS)


@click.command(
    "export",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO, "phase", "progress"),
    rows=(TABLES, ADDRESSES, CABLES, DIALECTS, WATCHED),
    row_kind=lambda values: _ROWS.get(values["form"], TABLES),
)
@click.argument("form", metavar="FORMAT", type=click.Choice(["list", *FORMATS, "addresses", "cables", *MONITORING]))
@click.argument("scenario", required=False)
@click.option("--dialect", "name", metavar="NAME", help="Dialect of the format; export list names them.")
@click.option("--profile", type=OneOf(profile_names), help="What cables are written for; whose counters rules read.")
@click.option("--both-ways", is_flag=True, help="Of cables: list every cable from each of its ends.")
@click.option("--label-format", metavar="TEMPLATE", help=f"Of cables: labels, such as '{BY_PLACE}'.")
@click.option(
    "--color-by",
    "colour_by",
    cls=RareOption,
    type=click.Choice(["rail", "tier", "fabric"]),
    help="Of cables: what gives a cable its colour; default: its rail where it has one, else its tier.",
)
@click.option("--fabric", metavar="NAME", help="Only this fabric.")
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
@click.option("--paths", type=click.Choice(PATH_POLICIES), help="Paths that router optimal may use.")
@click.option("--objective", type=OneOf(objective_names), help="What router optimal is best at.")
@click.option(
    "--family", type=click.Choice(list(FAMILIES)), default="4", show_default=True, help="IP version of rules."
)
@click.option(
    "--tolerance",
    cls=RareOption,
    type=Share(),
    metavar="X",
    help="Oversubscription above 1 that weights may cost; 0.01.",
)
@click.option(
    "--max-rules", cls=RareOption, type=click.IntRange(min=1), metavar="N", help="Table entries of every switch."
)
@click.option("--max-groups", cls=RareOption, type=click.IntRange(min=0), metavar="N", help="Groups of every switch.")
@click.option(
    "--max-members", cls=RareOption, type=click.IntRange(min=0), metavar="N", help="Group members of every switch."
)
@click.option("--allow-overflow", cls=RareOption, is_flag=True, help="Write tables that do not fit as well.")
@click.option("--diff", "old", metavar="OLD", type=click.Path(path_type=Path), help="Also plan the change from OLD.")
@click.option("--no-verify", cls=RareOption, is_flag=True, help="Do not follow the files before they are put in place.")
@click.option(
    "--time-limit",
    cls=RareOption,
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    help="Seconds per solve.",
)
@click.option("--window", type=Duration(), metavar="TIME", help="Of rules: over which rates are means; 5 min.")
@click.option("--margin", type=Share(), metavar="X", help="Of rules: above the plan's band, before an alert; 10%.")
@click.option(
    "--names",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Of rules: CSV with node,instance or node,instance,port,interface, as the exporter calls them.",
)
@click.option(
    "--draws",
    cls=RareOption,
    type=click.IntRange(min=0),
    metavar="N",
    help="Of rules: of the hash, in their tests; 1000.",
)
@timings_option
def command(
    form: str,
    scenario: str | None,
    settings: Settings,
    name: str | None,
    profile: str | None,
    both_ways: bool,
    label_format: str | None,
    colour_by: Literal["rail", "tier", "fabric"] | None,
    fabric: str | None,
    router: str | None,
    paths: str | None,
    objective: str | None,
    family: str,
    tolerance: float | None,
    max_rules: int | None,
    max_groups: int | None,
    max_members: int | None,
    allow_overflow: bool,
    old: Path | None,
    no_verify: bool,
    time_limit: float,
    timings: str | None,
    window: float | None,
    margin: float | None,
    names: Path | None,
    draws: int | None,
) -> int:
    """Write the tables of switches for the worst phase of SCENARIO or the one named by --phase; its cables; its rules.

    FORMAT: openflow, routes, lft (InfiniBand), addresses, cables, prometheus, grafana, or list. prometheus writes
    recording rules, alerts with limits of the plan and their tests for --profile snmp, node, gnmi or dcgm; grafana
    dashboards of what they record. cables writes the schedule of every cable by a profile: both ends by rack, unit and
    port, length, medium, trays, bundle, label, in the order of pulling; exit code 1: a tray does not hold its cables.
    The others describe tables: writes the folder -o DIR, whole or not at all; with several fabrics a folder of each in
    it. Files are verified, followed from every source to every destination, before they are put in place. Loads are
    those that switches will have: where a dialect cannot seed their hash, all hash alike. Exit code 0: limits on the
    phase's load hold with the tables; 1: one does not; 3: tables do not fit, or a router that tables cannot carry.
    """
    if form == "list":
        return _listed(scenario, settings)
    if scenario is None:
        raise click.UsageError(f"export {form} needs a SCENARIO")
    if form in MONITORING:
        refuse_flags(f"export {form} writes no tables and no cables", *_NOT_OF_MONITORING, groups=("phase",))
        flags = MonitoringFlags(profile, window, margin, names, draws, fabric, router, paths, objective, time_limit)
        return export_monitoring(form, scenario, flags, settings)
    refuse_flags(f"export {form} writes no rules", *_OF_MONITORING)
    if form == "cables":
        if profile in EXPORTERS:
            raise click.UsageError(f"profile {profile} is one of export prometheus, not of cables")
        others = [name for name in _OWN if name != "fabric"]
        refuse_flags("cables are laid, not tables written", *others, groups=("phase", "progress"))
        return cables(scenario, CableFlags(profile, both_ways, label_format, colour_by, fabric), settings)
    refuse_flags(f"export {form} writes no cables", *_OF_CABLES)
    from fabric.request import RouteRequest, TablesRequest
    from fabric.rules.dialect import DIALECTS as KNOWN

    loaded = load(scenario, settings)
    request = RouteRequest(
        router=router, paths=paths, objective=objective, fabric=fabric, phase=settings.phase,
        time_limit_s=time_limit, down=settings.down, up=settings.up, slow=settings.slow,
    )  # fmt: skip
    if form == "addresses":
        others = [name for name in _OWN if name != "fabric"]
        refuse_flags("addresses are of the fabrics, not of tables", *others, groups=("phase", "progress"))
        return list_addresses(loaded, request, settings)
    target = _target(settings)
    chosen = KNOWN.find(name or FORMATS[form])
    if chosen.format != form:
        raise click.UsageError(f"dialect {chosen.name} is one of export {chosen.format}, not of {form}")
    families = FAMILIES[family]
    tables = TablesRequest(
        families,
        chosen.carrier,
        tolerance,
        max_rules,
        max_groups,
        max_members,
        chosen.seeds,
        port_rules=chosen.tenants != "partitions",
    )
    check_timings(timings, settings)
    rows = _write(
        loaded,
        settings,
        request,
        tables,
        chosen,
        target,
        allow_overflow=allow_overflow,
        old=old,
        verify=not no_verify,
        timings=timings,
    )
    from dataclasses import replace

    emit(_answer(loaded, rows), replace(settings, output="-"))
    return ANSWER_IS_NO if any(row["limits_ok"] is False for row in rows) else OK


def _listed(scenario: str | None, settings: Settings) -> int:
    """What there is to export to."""
    if scenario is not None:
        raise click.UsageError("export list reads no scenario; it names the dialects")
    refuse_flags(
        "export list only names dialects",
        *_OWN,
        *_OF_CABLES,
        *_OF_MONITORING,
        groups=("scenario", "files", "phase", "progress"),
    )
    return list_dialects(settings)


def _target(settings: Settings) -> Path:
    from fabric.output.whole_folder import check_folder
    from fabric.rules.folder import EXPORT

    if settings.output == "-":
        raise click.UsageError("an export is a folder; name it with -o DIR")
    check_folder(Path(settings.output), EXPORT, force=settings.force)
    return Path(settings.output)


def _write(
    loaded: LoadedScenario,
    settings: Settings,
    request: RouteRequest,
    tables: TablesRequest,
    chosen: Dialect,
    target: Path,
    *,
    allow_overflow: bool,
    old: Path | None,
    verify: bool,
    timings: str | None,
) -> list[dict[str, Any]]:
    """Plan, write, follow and put in place; one row per fabric."""
    from fabric.pipeline.prepared import prepare
    from fabric.pipeline.tables import plan_tables
    from fabric.rules.export import measure_tables, refuse_overflow
    from fabric.rules.folder import write_folder
    from fabric.rules.tenants.carried import check_dialect

    if loaded.scenario.tenants:
        check_dialect(chosen)
    files: list[Iterator[File]] = []
    rows: list[dict[str, Any]] = []
    with located(loaded, settings), watching(settings) as report:
        found = plan_tables(prepare(loaded, request, progress=report), tables, progress=report)
        for planned in found:
            made, summary = measure_tables(planned)
            if not allow_overflow:
                refuse_overflow(made, summary.overflows)
            prefix = f"{made.plan.fabric}/" if len(loaded.scenario.fabrics) > 1 and request.fabric is None else ""
            about = made_from(loaded, settings)
            files.append(_files(made, chosen, summary, about, prefix, old))
            rows.append(_row(loaded, made, summary, chosen, str(target / prefix)))

        def check(folder: Path) -> None:
            for planned, row in zip(found, rows, strict=True):
                prefix = str(Path(row["folder"]).relative_to(target))
                row["verified"] = _verify(folder / prefix, planned, report) if verify and chosen.read else None
                if verify and chosen.tenants == "partitions" and planned.rules.tenancy is not None:
                    _prove_partitions(folder / prefix, planned)

        say_timings(timings, [one.route for one in found if one.route is not None], settings)
        write_folder(target, (file for part in files for file in part), force=settings.force, check=check)
    for row in rows:
        if row["verified"] is None:
            why = "--no-verify" if not verify else f"dialect {chosen.name} cannot be read back"
            but = "; its partitions keep tenants apart" if verify and row["tenants"] else ""
            note(f"{row['folder']} was not verified: {why}{but}", settings)
        for text in row["notes"]:
            note(f"{row['folder']}: {text}", settings)
    return rows


def _files(
    planned: PlannedRules, chosen: Dialect, summary: ExportSummary, about: dict[str, Any], prefix: str, old: Path | None
) -> Iterator[File]:
    from fabric.rules.export import export_files

    for file in export_files(planned, chosen, about=about, summary=summary):
        yield file._replace(path=prefix + file.path)
    if old is not None:
        from fabric.rules.changes import change_files

        for file in change_files(old / prefix if prefix else old, planned, chosen):
            yield file._replace(path=f"{prefix}change/{file.path}")


def _verify(folder: Path, planned: PlannedRules, report: Any) -> bool:
    """Follow what was written; what fails is a bug of ours and stops the export."""
    from fabric.routing.progress import Progress
    from fabric.rules.manifest import read_manifest
    from fabric.rules.verify.check import verify_export
    from fabric.rules.verify.stamp import write_stamp

    def say(text: str) -> None:
        report(Progress(text))

    manifest = read_manifest(folder)
    verdict = verify_export(folder, manifest, planned.plan, planned.pairs, tenancy=planned.rules.tenancy, progress=say)
    if not verdict.holds:
        raise _not_as_planned(verdict.findings[0])
    write_stamp(folder, manifest)
    return True


def _tenant_notes(planned: PlannedRules) -> list[str]:
    """What keeping tenants apart costs in rules, and who is shared by design."""
    tenancy, names = planned.rules.tenancy, planned.rules.topology.nodes.name
    if tenancy is None:
        return []
    counts = {
        names[node]: sum(1 for rule in planned.rules.make(node).rules if rule.match.in_port)
        for node in planned.rules.nodes
    }
    most = max(counts, key=lambda name: counts[name])
    price = f"{sum(counts.values()):,} rules at the ports of hosts, {counts[most]:,} of them at {most}, "
    shared = [f"; {name} is shared by design with {', '.join(others)}" for name, others in tenancy.shared]
    return [f"{price if counts[most] else ''}keep {len(tenancy.names)} tenants apart{''.join(shared)}"]


def _prove_partitions(folder: Path, planned: PlannedRules) -> None:
    """Hold the partitions that were written against the tenants."""
    from fabric.rules.verify.partition_proof import prove_partitions

    assert planned.rules.tenancy is not None
    found = prove_partitions(folder, planned.plan, planned.rules.tenancy)
    if not found.holds:
        raise _not_as_planned(found.findings[0])


def _not_as_planned(first: Finding) -> FabricError:
    from fabric.rules.errors import RuleError

    return RuleError(
        f"the tables do not do what was planned: {first.text}",
        notes=first.trace,
        hint="this is a bug of fabric; --no-verify writes them all the same",
        code="FP8013",
    )


def _row(
    loaded: LoadedScenario, planned: PlannedRules, summary: ExportSummary, chosen: Dialect, folder: str
) -> dict[str, Any]:
    from dataclasses import asdict

    from fabric.evaluation.table_limits import judge_loads
    from fabric.rules.hash_report import HashReport

    names = planned.rules.topology.nodes.name
    hashing = HashReport.of(planned, chosen)
    limits = judge_loads(
        loaded.scenario.limits, planned.plan.topology, planned.programmed_gbps, fabric=planned.plan.fabric,
        phase=planned.route.phase if planned.route is not None else "", router=planned.rules.router,
    )  # fmt: skip
    return {
        "fabric": planned.plan.fabric,
        "folder": folder.rstrip("/"),
        "dialect": chosen.name,
        "router": planned.rules.router,
        "phase": planned.route.phase if planned.route is not None else None,
        "switches": summary.switches,
        "rules": summary.rules,
        "groups": summary.groups,
        "most_rules": summary.most.rules if summary.most else 0,
        "most_rules_at": names[summary.most.node] if summary.most else None,
        "planned_max_utilisation": planned.planned_utilisation,
        "programmed_max_utilisation": planned.programmed_utilisation,
        "oversubscription": planned.programme.oversubscription,
        "hash_seeds": chosen.seeds,
        "limits_ok": all(limit.ok for limit in limits) if limits else None,
        "verified": None,
        "hash": asdict(hashing),
        "limits": limits,
        "tenants": len(planned.rules.tenancy.names) if planned.rules.tenancy is not None else 0,
        "notes": [*([hashing.words(chosen.name)] if hashing.polarises else []), *_tenant_notes(planned)],
    }


def _answer(loaded: LoadedScenario, rows: Sequence[dict[str, Any]]) -> Answer:
    from fabric.faces.views.exports import export_table

    return Answer(
        lambda: export_record(loaded),
        lambda: _document(rows),
        lambda: export_table(rows, TABLES.columns),
        TABLES,
        lambda row: _entry(rows[row]),
    )


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    """The tables of a fabric, with the limits judged on their loads."""
    from fabric.faces.views.exports import export_table
    from fabric.faces.views.limits import limit_table

    shown = export_table([row], TABLES.columns).only(*TABLES.columns).entry(0)
    return {**shown, "limits": limit_table(row["limits"]).records()}


def _document(rows: Sequence[dict[str, Any]]) -> Document:
    from fabric.faces.views.exports import export_table
    from fabric.faces.views.limits import shown_limits
    from fabric.output.document import Line

    parts: list[Any] = [export_table(rows, TABLES.columns).only(*TABLES.shown).as_rows()]
    for row in rows:
        seen = "followed from every source to every destination" if row["verified"] else "not followed"
        parts.append(Line(f"{row['folder']}: {row['dialect']}, {seen}", "good" if row["verified"] else "warn"))
        if row["limits"]:
            parts.append(shown_limits(row["limits"]))
    return parts
