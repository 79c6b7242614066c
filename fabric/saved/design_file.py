"""What ``fabric design --json`` wrote, read back: the designs side by side, without what they are counted from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fabric.design.result import Conflict, Design, DesignResult, Status, WorstFailure
from topologies.errors import FormatError
from topologies.reading.json_value import parse_json
from topologies.reading.text_input import read_text

KIND = "DesignResult"
_STATUS: TypeAdapter[Status] = TypeAdapter(Status)
_CONFLICT = TypeAdapter(tuple[Conflict, ...])
_TEXTS = TypeAdapter(tuple[str, ...])
_NUMBER = TypeAdapter(float | None)


@dataclass(frozen=True, eq=False)
class SavedDesign:
    """A choice from a file.

    Attributes
    ----------
    unit : str
        Of the objective; empty where it has several.
    scenarios : mapping
        Scenario file of every design by its name.
    given : str
        The path as the user wrote it.
    """

    result: DesignResult
    name: str
    unit: str
    scenarios: Mapping[str, str]
    given: str


def open_design(path: str) -> SavedDesign:
    """Read the file back.

    Raises
    ------
    FormatError
        FP9108 where it is none.
    """
    data = parse_json(read_text(path), path).value
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise _refused(path, "it is no answer of fabric design")
    try:
        return _read(data, path)
    except (ValidationError, KeyError, TypeError) as error:
        raise _refused(path, str(error).splitlines()[0]) from None


def _refused(path: str, why: str) -> FormatError:
    return FormatError(
        f"{path} cannot be read as designs: {why}",
        hint="fabric design REQUIREMENT --json > FILE writes one",
        code="FP9108",
    )


def _read(data: Mapping[str, Any], path: str) -> SavedDesign:
    entries = data["designs"]
    result = DesignResult(
        _STATUS.validate_python(data["status"]),
        str(data["objective"]),
        _NUMBER.validate_python(data["value"]),
        _NUMBER.validate_python(data["bound"]),
        tuple(_design(entry) for entry in entries),
        conflict=_CONFLICT.validate_python(data["conflict"]),
        defaults=_TEXTS.validate_python(data.get("defaults", ())),
        flips=_TEXTS.validate_python(data.get("flips", ())),
        rejected=_TEXTS.validate_python(data.get("rejected", ())),
        tried=int(data.get("tried", 0)),
        notes=_TEXTS.validate_python(data.get("notes", ())),
        unit=str(data.get("unit") or ""),
    )
    scenarios = {str(entry["name"]): str(entry["scenario"]) for entry in entries if entry.get("scenario")}
    return SavedDesign(result, str(data.get("name", "")), str(data.get("unit") or ""), scenarios, path)


def _design(entry: Mapping[str, Any]) -> Design:
    worst = entry["worst_failure"]
    return Design(
        name=str(entry["name"]),
        topology_kind=str(entry["topology_kind"]),
        fabrics={},
        text="",
        gpus=entry["gpus"],
        switches_by_role=dict(entry["switches_by_role"]),
        cables_by_tier=dict(entry["cables_by_tier"]),
        optics_by_model=dict(entry["optics_by_model"]),
        value=float(entry["value"]),
        cost_usd=_NUMBER.validate_python(entry["cost"]),
        power_w=_NUMBER.validate_python(entry["power_w"]),
        carbon_kg=_NUMBER.validate_python(entry.get("carbon_kg")),
        cable_m=_NUMBER.validate_python(entry["cable_m"]),
        oversubscription_by_role=dict(entry["oversubscription_by_role"]),
        step_time_s=dict(entry["step_time_s"]),
        max_utilisation=_NUMBER.validate_python(entry.get("max_utilisation")),
        worst_failure=None
        if worst is None
        else WorstFailure(
            str(worst["case"]),
            dict(worst["step_time_s"]),
            int(worst["unreachable_pairs"]),
            _NUMBER.validate_python(worst["max_utilisation"]),
        ),
        chosen=bool(entry["chosen"]),
        why_not=str(entry.get("why_not") or ""),
        notes=_TEXTS.validate_python(entry.get("notes", ())),
    )
