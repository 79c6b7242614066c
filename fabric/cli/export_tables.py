"""Tables of switches on the command line: written, followed, and put in place as a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, load, located, note
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.export_checks import check_tenants, follow_tables, tenant_notes
from fabric.cli.export_lists import export_record, list_addresses, made_from
from fabric.cli.options import Settings
from fabric.cli.timings import check_timings, say_timings
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import TABLES

if TYPE_CHECKING:
    from fabric.output.document import Document
    from fabric.request import RouteRequest, TablesRequest
    from fabric.rules.dialect import Dialect, File
    from fabric.rules.export import ExportSummary
    from fabric.rules.planned import PlannedRules
    from fabric.scenario.load import LoadedScenario

FORMATS = {"openflow": "ovs", "routes": "frr", "lft": "opensm"}  # format -> its default dialect
IP_VERSIONS = {"4": (4,), "6": (6,), "both": (4, 6)}


@dataclass(frozen=True)
class TableFlags:
    """What the command line says of tables."""

    name: str | None
    fabric: str | None
    router: str | None
    paths: str | None
    objective: str | None
    family: str
    tolerance: float | None
    max_rules: int | None
    max_groups: int | None
    max_members: int | None
    allow_overflow: bool
    old: Path | None
    no_verify: bool
    time_limit: float
    timings: str | None

    def request(self, settings: Settings) -> RouteRequest:
        """What is routed."""
        from fabric.request import RouteRequest

        return RouteRequest(
            router=self.router, paths=self.paths, objective=self.objective, fabric=self.fabric, phase=settings.phase,
            time_limit_s=self.time_limit, down=settings.down, up=settings.up, slow=settings.slow,
        )  # fmt: skip


def export_addresses(scenario: str, fabric: str | None, settings: Settings) -> int:
    """The address plans of all fabrics, or of one."""
    from fabric.request import RouteRequest

    loaded = load(scenario, settings)
    request = RouteRequest(fabric=fabric, down=settings.down, up=settings.up, slow=settings.slow)
    return list_addresses(loaded, request, settings)


def export_tables(form: str, scenario: str, flags: TableFlags, settings: Settings) -> int:
    """Write tables; exit code 1 where a limit on the phase's load does not hold with them."""
    from fabric.request import TablesRequest
    from fabric.rules.dialect import DIALECTS as KNOWN

    loaded = load(scenario, settings)
    target = _target(settings)
    chosen = KNOWN.find(flags.name or FORMATS[form])
    if chosen.format != form:
        raise click.UsageError(f"dialect {chosen.name} is one of export {chosen.format}, not of {form}")
    tables = TablesRequest(
        IP_VERSIONS[flags.family], chosen.carrier, flags.tolerance, flags.max_rules, flags.max_groups,
        flags.max_members, chosen.seeds, port_rules=chosen.tenants in (None, "rules"),
    )  # fmt: skip
    check_timings(flags.timings, settings)
    rows = _write(
        loaded,
        settings,
        flags.request(settings),
        tables,
        chosen,
        target,
        allow_overflow=flags.allow_overflow,
        old=flags.old,
        verify=not flags.no_verify,
        timings=flags.timings,
    )
    from dataclasses import replace

    emit(_answer(loaded, rows), replace(settings, output="-"))
    return ANSWER_IS_NO if any(row["limits_ok"] is False for row in rows) else OK


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
    from fabric.rules.tenants.carried import OF_THEIR_OWN, check_dialect

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
                row["verified"] = follow_tables(folder / prefix, planned, report) if verify and chosen.read else None
                if verify and chosen.tenants in OF_THEIR_OWN:
                    check_tenants(folder / prefix, planned, chosen)

        say_timings(timings, [one.route for one in found if one.route is not None], settings)
        write_folder(target, (file for part in files for file in part), force=settings.force, check=check)
    for row in rows:
        if row["verified"] is None:
            why = "--no-verify" if not verify else f"dialect {chosen.name} cannot be read back"
            but = (
                f"; its {OF_THEIR_OWN[chosen.tenants or '']} were, and keep tenants apart"
                if verify and row["tenants"]
                else ""
            )
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
        "notes": [*([hashing.words(chosen.name)] if hashing.polarises else []), *tenant_notes(planned, chosen)],
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
