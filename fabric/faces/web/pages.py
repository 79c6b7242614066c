"""The pages of a plan, made once: the report, the answer as JSON, the series; and health, which looks at the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fabric.faces.answers.records import route_record
from fabric.faces.report.make import make_report
from fabric.faces.report.page import to_page
from fabric.faces.report.source import ReportSource
from fabric.operate.monitoring.exposition import CONTENT_TYPE, exposition
from fabric.operate.monitoring.files import MonitoringRequest, monitor
from fabric.operate.monitoring.profiles import PROFILES
from fabric.pipeline.run import Run
from topologies.errors import RoutingError
from topologies.printable import json_text

REPORT, METRICS, RESULT, HEALTH = "/", "/metrics", "/result.json", "/healthz"


@dataclass(frozen=True)
class Page:
    """What a path answers."""

    content_type: str
    body: bytes


@dataclass(frozen=True, eq=False)
class Pages:
    """All pages by path; ``said`` is what there is to say of them."""

    made: Mapping[str, Page]
    health: Callable[[], Page]
    said: tuple[str, ...] = ()

    def at(self, path: str) -> Page | None:
        """The page of a path; None where there is none."""
        return self.health() if path == HEALTH else self.made.get(path)


def pages_of(run: Run, profile: str, request: MonitoringRequest) -> Pages:
    """Pages of a run that was routed now.

    A plan whose links nobody would report on has no series of links, which is said.
    """
    said: tuple[str, ...]
    try:
        watched = monitor(run, PROFILES[profile], request)
        said = watched.notes
    except RoutingError as error:
        watched, said = None, (f"no series of links: {error.problems[0].message}",)
    made = {
        REPORT: Page("text/html; charset=utf-8", to_page(make_report(ReportSource(run))).encode()),
        METRICS: Page(CONTENT_TYPE, exposition(run, watched).encode()),
        RESULT: Page(
            "application/json",
            (json_text(route_record(run.loaded, run.result, power=run.power), indent=2) + "\n").encode(),
        ),
    }
    return Pages(made, lambda: _health(run), said)


def _health(run: Run) -> Page:
    """That it answers, and whether the files that it was made from are still the same."""
    record = {
        "status": "ok",
        "scenario": run.loaded.scenario.name,
        "limits_met": run.result.limits_ok,
        "inputs_changed": [file.path for file in run.loaded.inputs if _changed(file.path, file.sha256)],
    }
    return Page("application/json", (json.dumps(record) + "\n").encode())


def _changed(path: str, sha256: str) -> bool:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest() != sha256
    except OSError:
        return True
