"""What ``fabric failures --json`` wrote, read back: every face that shows a sweep takes the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fabric.failures.request import FailureRequest
from fabric.failures.result import (
    CheckpointAdvice,
    Estimate,
    Expected,
    FailureCase,
    FailureLimit,
    FailureResult,
    JobState,
    Remedy,
    WorstLink,
)
from fabric.pipeline.run import Run
from fabric.request import RouteRequest
from fabric.result import Assumption, LimitVerdict
from topologies.errors import FormatError
from topologies.reading.json_value import parse_json
from topologies.reading.text_input import read_text

KIND = "FailureResult"
_HINT = "fabric failures SCENARIO --json -o FILE writes one"
_HEAD_BYTES = 4096
_CASES = TypeAdapter(tuple[FailureCase, ...])
_LINKS = TypeAdapter(tuple[WorstLink, ...])
_REQUEST = TypeAdapter(FailureRequest)
_JOBS = TypeAdapter(tuple[JobState, ...])
_VERDICT = TypeAdapter(LimitVerdict)
_LIMIT = TypeAdapter(FailureLimit)
_REMEDIES = TypeAdapter(tuple[Remedy, ...])
_ASSUMPTIONS = TypeAdapter(tuple[Assumption, ...])
_CHECKPOINTS = TypeAdapter(tuple[CheckpointAdvice, ...])
_ESTIMATE = TypeAdapter(Estimate)
_BY_CAUSE = TypeAdapter(dict[str, float])


@dataclass(frozen=True, eq=False)
class SavedFailures:
    """A sweep from a file, and of which scenario it is.

    Attributes
    ----------
    inputs : tuple of (str, str)
        Path and SHA-256 of every file that the scenario was made of.
    is_whole : bool
        Whether every link and case that was kept stands in the file; not where it was written with ``--top``.
    given : str
        The path as the user wrote it.
    """

    result: FailureResult
    name: str
    seed: int | None
    inputs: tuple[tuple[str, str], ...]
    overrides: tuple[tuple[str, Any], ...]
    is_whole: bool
    given: str

    def check_of(self, run: Run) -> None:
        """Refuse to show it beside another run.

        Raises
        ------
        FormatError
            FP9105 where files, overrides, seed or what is down differ.
        """
        differing = self._differing(run)
        if differing:
            path = run.loaded.path
            raise FormatError(
                f"{self.given} is a sweep of {self.name}, and not of {path} as it is shown here: {differing}",
                hint="take the flags that it was made with, or sweep again: "
                f"fabric failures {path} --json -o {self.given} --force",
                code="FP9105",
            )

    def _differing(self, run: Run) -> str:
        """What makes it another run; empty where it is the same."""
        loaded, asked = run.loaded, self.result.request
        if {digest for _, digest in self.inputs} != {file.sha256 for file in loaded.inputs}:
            return "their files differ"
        if {(key, str(value)) for key, value in self.overrides} != {
            (entry.path, str(entry.value)) for entry in loaded.overrides
        }:
            return "their overrides differ"
        if asked is None:
            return ""
        for flag in ("down", "up", "slow", "router", "scale"):
            one, other = getattr(asked.route, flag), getattr(run.request, flag)
            if one != other:
                return f"it was made with --{flag} {_shown(one)}, this is with {_shown(other)}"
        return ""

    def like(self, route: RouteRequest) -> FailureRequest:
        """What sweeps another scenario over the same set.

        Raises
        ------
        FormatError
            FP9106 where it was a sample, or sets of its scenario, that another one does not have.
        """
        result, asked = self.result, self.result.request
        if asked is None or asked.named or asked.sample is not None or result.total > result.cases:
            raise FormatError(
                f"{self.given} is a sweep of {result.set}: that set is of its own scenario, or a sample",
                hint="sweep both with fabric failures --json, and compare the files",
                code="FP9106",
            )
        return replace(asked, route=route)


def _shown(value: Any) -> str:
    """What a flag was given."""
    return ", ".join(value) or "nothing" if isinstance(value, tuple) else "nothing" if value is None else str(value)


def saved_failures(run: Run, result: FailureResult) -> SavedFailures:
    """A sweep that was made now, as one from a file."""
    loaded = run.loaded
    return SavedFailures(
        result,
        loaded.scenario.name,
        loaded.scenario.seed,
        tuple((file.path, file.sha256) for file in loaded.inputs),
        tuple((entry.path, entry.value) for entry in loaded.overrides),
        True,
        run.given,
    )


def is_failure_file(path: str) -> bool:
    """Whether a file says of itself that it is a sweep; nothing but its beginning is read."""
    place = Path(path)
    if place.suffix.lower() != ".json" or not place.is_file():
        return False
    with place.open("rb") as file:
        return f'"{KIND}"'.encode() in file.read(_HEAD_BYTES)


def open_failures(path: str) -> SavedFailures:
    """Read a sweep back.

    Raises
    ------
    FormatError
        FP9104 for a file that is not a sweep, or lacks what a sweep says.
    """
    record = parse_json(read_text(Path(path)), path).value
    if not isinstance(record, Mapping) or record.get("kind") != KIND:
        raise FormatError(f"{path} is not a failure sweep", hint=_HINT, code="FP9104")
    try:
        result = _result(record)
        kept = record.get("summary", {})
        return SavedFailures(
            result,
            str(record.get("name", "")),
            record.get("seed"),
            tuple((str(entry["path"]), str(entry["sha256"])) for entry in record.get("inputs", ())),
            tuple((str(entry["set"]), entry["value"]) for entry in record.get("overrides", ())),
            len(result.links) >= kept.get("loaded_links", 0) and len(result.failures) >= kept.get("kept_failures", 0),
            path,
        )
    except (KeyError, TypeError, AttributeError, ValueError, ValidationError) as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise FormatError(
            f"{path} does not say what a failure sweep has to ({text})", hint=_HINT, code="FP9104"
        ) from None


def _result(record: Mapping[str, Any]) -> FailureResult:
    """The sweep of a record."""
    summary, intact, expected = record["summary"], record["intact"], record.get("expected")
    return FailureResult(
        set=str(record["set"]),
        kinds=tuple(map(str, record["kinds"])),
        choose=int(record["choose"]),
        total=int(record["total"]),
        cases=int(record["cases"]),
        evaluated=int(record["evaluated"]),
        reaction=record["reaction"],
        failures=_CASES.validate_python([_case(entry) for entry in record["failures"]]),
        links=_LINKS.validate_python([_link(entry) for entry in record["links"]]),
        limits=tuple(_limit(entry) for entry in record["limits"]),
        intact=_JOBS.validate_python(intact["jobs"]),
        intact_max_utilisation=_load(intact["max_utilisation"]),
        expected=None if expected is None else _expected(expected),
        remedies=_REMEDIES.validate_python(record.get("remedies", ())),
        assumptions=_ASSUMPTIONS.validate_python(record.get("assumptions", ())),
        warnings=tuple(map(str, record.get("warnings", ()))),
        by_state={state: int(count) for state, count in summary["by_state"].items()},
        cut_off=int(summary["cut_off"]),
        over_capacity=int(summary["over_capacity"]),
        partial=bool(record["partial"]),
        detection_s=record["detection_s"],
        dialect=str(record["dialect"] or ""),
        request=None if record["request"] is None else _REQUEST.validate_python(record["request"]),
    )


def _load(utilisation: float | None) -> float:
    """A utilisation; null is load on a link without capacity."""
    return inf if utilisation is None else utilisation


def _case(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**entry, "selectors": entry.get("down", ()), "slowed": entry.get("slow", ())}


def _link(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    causes = [{**cause, "utilisation": _load(cause["utilisation"])} for cause in entry["causes"]]
    loads = {name: _load(entry[name]) for name in ("intact_utilisation", "worst_utilisation")}
    return {**entry, **loads, "causes": causes}


def _limit(entry: Mapping[str, Any]) -> FailureLimit:
    return _LIMIT.validate_python({**entry, "verdict": _VERDICT.validate_python(entry)})


def _expected(entry: Mapping[str, Any]) -> Expected:
    lost = entry["gpu_hours_lost_per_month"]
    return Expected(
        gpu_hours_lost_per_month=_ESTIMATE.validate_python(lost),
        by_cause=_BY_CAUSE.validate_python(lost["by_cause"]),
        gpu_hours_per_month=float(entry["gpu_hours_per_month"]),
        availability=_BY_CAUSE.validate_python(entry["availability"]),
        months=int(entry["months"]),
        failures_per_month=float(entry["failures_per_month"]),
        checkpoints=_CHECKPOINTS.validate_python(entry.get("checkpoints", ())),
    )


def files_of(sweeps: Sequence[SavedFailures]) -> list[dict[str, str]]:
    """Files that sweeps were made from, as answers list them."""
    pairs = dict.fromkeys(pair for sweep in sweeps for pair in sweep.inputs)
    return [{"path": path, "sha256": digest} for path, digest in pairs]
