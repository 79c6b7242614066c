"""The pages of a plan, made once: the report, the answer as JSON, the series; and health, which looks at the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fabric.faces.answers.records import route_record
from fabric.faces.report.make import make_report
from fabric.faces.report.page import to_page
from fabric.faces.report.source import ReportSource
from fabric.operate.monitoring.exposition import CONTENT_TYPE, exposition, inputs_changed_series
from fabric.operate.monitoring.files import MonitoringRequest, monitor
from fabric.operate.monitoring.profiles import PROFILES
from fabric.pipeline.run import Run
from fabric.scenario.load import STDIN, InputFile
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
    """All pages by path, made once or, where they say what changes, when they are asked for."""

    made: Mapping[str, Page | Callable[[], Page]]
    said: tuple[str, ...] = ()  # what there is to say of them

    def at(self, path: str) -> Page | None:
        """The page of a path; None where there is none."""
        page = self.made.get(path)
        return page if page is None or isinstance(page, Page) else page()


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
    inputs = _Inputs(run.loaded.inputs)
    series = exposition(run, watched)
    made: dict[str, Page | Callable[[], Page]] = {
        REPORT: Page("text/html; charset=utf-8", to_page(make_report(ReportSource(run))).encode()),
        METRICS: lambda: Page(CONTENT_TYPE, (series + inputs_changed_series(len(inputs.changed()))).encode()),
        RESULT: Page(
            "application/json",
            (json_text(route_record(run.loaded, run.result, power=run.power), indent=2) + "\n").encode(),
        ),
        HEALTH: lambda: _health(run, inputs.changed()),
    }
    return Pages(made, said)


def _health(run: Run, changed: Sequence[str]) -> Page:
    """That it answers, and which of the files that it was made from are no longer the same."""
    record = {
        "status": "ok",
        "scenario": run.loaded.scenario.name,
        "limits_met": run.result.limits_ok,
        "inputs_changed": changed,
    }
    return Page("application/json", (json.dumps(record) + "\n").encode())


@dataclass
class _Inputs:
    """Files that a plan was made from; one is read again only when its size or time differ from the last look."""

    files: Sequence[InputFile]
    _seen: dict[str, tuple[tuple[int, ...], bool]] = field(default_factory=dict)  # by path: its state, whether changed

    def changed(self) -> list[str]:
        """Those that are no longer what they were, or cannot be read; standard input is no file."""
        return [file.path for file in self.files if file.path != STDIN and self._changed(file)]

    def _changed(self, file: InputFile) -> bool:
        try:
            path = Path(file.path)
            found = path.stat()
            state = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            seen = self._seen.get(file.path)
            if seen is not None and seen[0] == state:
                return seen[1]
            with path.open("rb") as opened:
                changed = hashlib.file_digest(opened, "sha256").hexdigest() != file.sha256
        except OSError:
            return True
        self._seen[file.path] = state, changed
        return changed
