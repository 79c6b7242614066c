"""The files of ``fabric export prometheus``: rules by what they do, their tests, and what they were made from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabric.operate.forecast import forecast
from fabric.operate.monitoring import alerts, recording
from fabric.operate.monitoring.link_labels import measured_links
from fabric.operate.monitoring.names_file import GivenNames
from fabric.operate.monitoring.plan_series import PLAN_SERIES, MonitoredFabric
from fabric.operate.monitoring.profiles import Profile
from fabric.operate.monitoring.rule_text import RuleGroup, rule_file
from fabric.operate.monitoring.snmp_module import snmp_module
from fabric.operate.monitoring.thresholds import thresholds
from fabric.operate.monitoring.unit_tests import RuleFiles, draw_tests, fault_tests, plan_test
from fabric.output.whole_folder import FolderKind, whole_folder
from fabric.pipeline.run import Run
from topologies.errors import OutputError, RoutingError
from topologies.units import format_seconds, percent

FOLDER = FolderKind("monitoring rules", OutputError, "FP9850")
PORTS, LINKS, BESIDE, ALERTS = "ports.rules.yml", "links.rules.yml", "measured.rules.yml", "alerts.rules.yml"
DRAWS = 1000
MEAN = (
    "Rates are means over the window: a counter read every half minute knows no peaks, and no phases of a step.",
    "The plan's rates are means too: the bytes of a step over the time of a step, and steady traffic.",
)


@dataclass(frozen=True)
class MonitoringRequest:
    """What the command line says of rules."""

    window_s: float = 300.0
    tolerance: float = 0.1
    draws: int = DRAWS
    names: GivenNames = field(default_factory=GivenNames)


@dataclass(frozen=True, eq=False)
class Monitoring:
    """Rules of a run, and what there is to say of them."""

    profile: Profile
    request: MonitoringRequest
    fabrics: tuple[MonitoredFabric, ...]
    notes: tuple[str, ...]


def monitor(run: Run, profile: Profile, request: MonitoringRequest) -> Monitoring:
    """Forecast, limits and counters of all fabrics of a run.

    Raises
    ------
    RoutingError
        Nothing is sent, or no device of the fabrics reports to such an exporter (FP9851).
    """
    plans = forecast(run)
    if not plans:
        raise RoutingError("nothing is sent: there is nothing to watch", code="FP9851", hint="add workloads")
    reporting = measured_links(
        run.loaded, run.network.topologies, [plan.fabric for plan in plans], profile, request.names
    )
    notes: list[str] = []
    fabrics = []
    for plan in plans:
        seen = reporting[plan.fabric]
        longest = max([job.step_time_s or 0.0 for job in run.result.jobs if job.id in plan.jobs], default=0.0)
        limits = thresholds(plan, tolerance=request.tolerance + min(longest / request.window_s, 1.0))
        fabrics.append(MonitoredFabric(plan, limits, seen))
        notes += [*plan.notes, *limits.notes, *_window_notes(plan.fabric, longest, request)]
        left = len(plan.topology.links) - len(seen.links)
        if left:
            notes.append(f"{left:,} of {len(plan.topology.links):,} links of {plan.fabric} have no end that reports")
    if not any(fabric.measured.links for fabric in fabrics):
        raise RoutingError(
            f"profile {profile.name} is of {profile.summary}; no link of the plan has such an end",
            code="FP9851", hint="--names FILE says which devices report, or another --profile",
        )  # fmt: skip
    return Monitoring(profile, request, tuple(fabrics), tuple(dict.fromkeys(notes)))


def _window_notes(fabric: str, longest_s: float, request: MonitoringRequest) -> Iterator[str]:
    if longest_s > request.window_s / 10:
        yield (
            f"a step on {fabric} takes {format_seconds(longest_s)}: a window of {format_seconds(request.window_s)} "
            "cuts steps, and limits are as much wider; --window makes it longer"
        )


def monitoring_files(run: Run, made: Monitoring, about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and text of every file."""
    window = f"{round(made.request.window_s)}s"
    profile = made.profile
    head = (f"{run.loaded.scenario.name}: written by fabric export prometheus --profile {profile.name}", *MEAN)
    yield PORTS, rule_file((*head, f"Needs: {profile.needs}."), _port_groups(profile, window))
    for fabric in made.fabrics:
        yield plan_file(fabric.name), rule_file((*head, *made.notes), [_plan(fabric)])
    yield LINKS, rule_file(head, [recording.link_group()])
    yield BESIDE, rule_file((*head, *_ATTRIBUTED), [recording.beside_group()])
    yield ALERTS, rule_file((*head, *_limits_said(made)), [alerts.alert_group(window)])
    kinds: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for fabric in made.fabrics:
        names = RuleFiles(PORTS, plan_file(fabric.name), LINKS, BESIDE, ALERTS)
        text, found = fault_tests(fabric, profile, made.request.window_s, names)
        yield f"tests/{fabric.name}.faults.test.yml", text
        yield f"tests/{fabric.name}.plan.test.yml", plan_test(fabric, names)
        kinds[fabric.name] = [f"{fault.alert}: {fault.words}" for fault in found]
        text, counts[fabric.name] = draw_tests(run, fabric, made.request.draws, names)
        if text:
            yield f"tests/{fabric.name}.draws.test.yml", text
    if profile.name == "snmp":
        yield "snmp.yml", snmp_module()
    yield "manifest.json", _manifest(made, about, kinds, counts)


def plan_file(fabric: str) -> str:
    """Name of the file of a fabric's constants."""
    return f"plan.{fabric}.rules.yml"


_ATTRIBUTED = (
    "A phase is not measured: what a job sends is shared out by the bytes that its phases have in the plan.",
    "What two jobs send over one link is shared out likewise.",
)


def _port_groups(profile: Profile, window: str) -> list[RuleGroup]:
    groups = [recording.port_group(profile, window)]
    return [*groups, recording.scale_up_group(window)] if profile.name == "dcgm" else groups


def _plan(fabric: MonitoredFabric) -> RuleGroup:
    return RuleGroup(f"fabric_plan_{fabric.name}", (rule for make in PLAN_SERIES for rule in make(fabric)))


def _limits_said(made: Monitoring) -> Iterator[str]:
    yield "Limits are in the files plan.*: the plan's band, what a hash may do in it, and a tolerance."
    for fabric in made.fabrics:
        yield f"{fabric.name}: router {fabric.plan.router}, tolerance {percent(fabric.limits.tolerance)}"


def _manifest(
    made: Monitoring, about: Mapping[str, Any], kinds: Mapping[str, Sequence[str]], draws: Mapping[str, int]
) -> str:
    fabrics = {
        fabric.name: {
            "router": fabric.plan.router,
            "links": len(fabric.plan.topology.links),
            "measured": len(fabric.measured.links),
            "tolerance": fabric.limits.tolerance,
            "faults_in_tests": list(kinds[fabric.name]),
            "draws_in_tests": draws.get(fabric.name, 0),
        }
        for fabric in made.fabrics
    }
    record = {
        "kind": "MonitoringRules",
        **about,
        "profile": made.profile.name,
        "window_s": made.request.window_s,
        "rule_files": [PORTS, *(plan_file(fabric.name) for fabric in made.fabrics), LINKS, BESIDE, ALERTS],
        "fabrics": fabrics,
        "notes": list(made.notes),
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def write_monitoring(folder: Path, files: Iterator[tuple[str, str]], *, force: bool) -> None:
    """Write all files, whole or not at all."""
    with whole_folder(folder, FOLDER, force=force) as beside:
        for name, text in files:
            path = beside / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
