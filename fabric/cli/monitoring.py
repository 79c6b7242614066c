"""Monitoring on the command line: rules for Prometheus and dashboards for Grafana, as folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, load, located, note
from fabric.cli.exit_codes import OK
from fabric.cli.export_lists import export_record, made_from
from fabric.cli.options import Settings, refuse_flags
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import WATCHED

if TYPE_CHECKING:
    from fabric.operate.monitoring.files import Monitoring
    from fabric.output.document import Document
    from fabric.pipeline.run import Run
    from fabric.scenario.load import LoadedScenario

EXPORTERS = ("snmp", "node", "gnmi", "dcgm")


@dataclass(frozen=True)
class MonitoringFlags:
    """What the command line says of rules and dashboards."""

    profile: str | None
    window_s: float | None
    margin: float | None
    names: Path | None
    draws: int | None
    fabric: str | None
    router: str | None
    paths: str | None
    objective: str | None
    time_limit_s: float


def export_monitoring(form: str, scenario: str, flags: MonitoringFlags, settings: Settings) -> int:
    """Write the folder ``-o DIR``, whole or not at all."""
    from fabric.operate.monitoring.files import FOLDER, monitor
    from fabric.operate.monitoring.profiles import PROFILES
    from fabric.output.whole_folder import check_folder
    from fabric.pipeline.run import run_scenario
    from fabric.request import RouteRequest

    if settings.output == "-":
        raise click.UsageError("an export is a folder; name it with -o DIR")
    if flags.profile is not None and flags.profile not in PROFILES:
        raise click.UsageError(f"profile {flags.profile} is one of cables; of rules: {', '.join(PROFILES)}")
    if form == "grafana":
        refuse_flags("dashboards have no tests", "draws")
    folder = Path(settings.output)
    check_folder(folder, FOLDER, force=settings.force)
    asked = _request(flags)
    loaded = load(scenario, settings)
    request = RouteRequest(
        router=flags.router, paths=flags.paths, objective=flags.objective, fabric=flags.fabric,
        time_limit_s=flags.time_limit_s, down=settings.down, up=settings.up, slow=settings.slow,
    )  # fmt: skip
    with located(loaded, settings), watching(settings) as report:
        run = run_scenario(loaded, request, progress=report)
        made = monitor(run, PROFILES[flags.profile or "snmp"], asked)
        tried = _write(form, folder, run, made, made_from(loaded, settings), settings)
    for text in made.notes:
        note(text, settings)
    rows = _rows(made, folder, tried)
    emit(_answer(loaded, rows), replace(settings, output="-"))
    return OK


def _request(flags: MonitoringFlags) -> Any:
    from fabric.operate.monitoring.files import MonitoringRequest
    from fabric.operate.monitoring.names_file import GivenNames, read_names

    if flags.window_s is not None and not 60 <= flags.window_s <= 86_400:
        raise click.UsageError("--window: from 1 min, with several readings of a counter in it, to 24 h")
    return MonitoringRequest(
        window_s=300.0 if flags.window_s is None else flags.window_s,
        tolerance=0.1 if flags.margin is None else flags.margin,
        draws=1000 if flags.draws is None else flags.draws,
        names=GivenNames() if flags.names is None else read_names(flags.names),
    )


def _write(
    form: str, folder: Path, run: Run, made: Monitoring, about: dict[str, Any], settings: Settings
) -> dict[str, Any]:
    """The manifest of what was written."""
    from fabric.operate.monitoring.files import monitoring_files, write_monitoring
    from topologies.reading.json_value import parse_json

    manifest: dict[str, Any] = {}

    def passed(files: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        for name, text in files:
            if name == "manifest.json":
                manifest.update(parse_json(text, name).value)
            yield name, text

    if form == "grafana":
        from fabric.operate.monitoring.dashboards import dashboard_files

        files = dashboard_files(made, about)
    else:
        files = monitoring_files(run, made, about)
    write_monitoring(folder, passed(files), force=settings.force)
    return manifest


def _rows(made: Monitoring, folder: Path, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    import numpy as np

    rows = []
    for fabric in made.fabrics:
        said = manifest.get("fabrics", {}).get(fabric.name, {})
        tested = sorted({text.partition(":")[0] for text in said.get("faults_in_tests", ())})
        limits = fabric.limits.link_gbps[list(fabric.measured.links)]
        rows.append(
            {
                "fabric": fabric.name,
                "folder": str(folder),
                "profile": made.profile.name,
                "router": fabric.plan.router,
                "links": len(fabric.plan.topology.links),
                "measured": len(fabric.measured.links),
                "band_limits": int((~np.isnan(limits)).sum()),
                "margin": fabric.limits.tolerance,
                "alerts_tested": ", ".join(tested),
                "draws": said.get("draws_in_tests", 0),
            }
        )
    return rows


def _answer(loaded: LoadedScenario, rows: list[dict[str, Any]]) -> Answer:
    from fabric.faces.views.watched import watched_table

    def document() -> Document:
        return [watched_table(rows).only(*WATCHED.shown).as_rows()]

    return Answer(lambda: export_record(loaded), document, lambda: watched_table(rows), WATCHED)
