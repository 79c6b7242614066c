"""What every answer starts with: which tool, which model, which inputs, what was overridden."""

from __future__ import annotations

import datetime
import os
from typing import Any

from fabric.scenario.load import LoadedScenario
from topologies.errors import FabricError

SCHEMA = "fabric-planner/result/v1"
MODEL = {"name": "fluid", "version": 1}


def version() -> str:
    """Version of the installed distribution."""
    from importlib.metadata import version as installed

    return installed("fabric-planner")


def created() -> str | None:
    """The date of ``SOURCE_DATE_EPOCH``, UTC; None without one: a clock would make two equal runs differ.

    Raises
    ------
    FabricError
        FP1012 where it is not a number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "").strip()
    if not epoch:
        return None
    try:
        when = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
    except (ValueError, OverflowError, OSError):
        raise FabricError(
            f"SOURCE_DATE_EPOCH is {epoch[:40]!r}, which is no number of seconds since 1970",
            hint="SOURCE_DATE_EPOCH=$(date +%s) sets it to now; unset it for answers without a date",
            code="FP1012",
        ) from None
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def tool_envelope(kind: str) -> dict[str, Any]:
    """What an answer without a scenario starts with."""
    return {
        "schema": SCHEMA,
        "kind": kind,
        "tool": {"name": "fabric-planner", "version": version()},
        "created": created(),
    }


def envelope(kind: str, loaded: LoadedScenario) -> dict[str, Any]:
    """What every answer about a scenario starts with."""
    return {
        **tool_envelope(kind),
        "name": loaded.scenario.name,
        "inputs": [{"path": file.path, "sha256": file.sha256} for file in loaded.inputs],
        "overrides": [{"set": entry.path, "value": entry.value} for entry in loaded.overrides],
        "seed": loaded.scenario.seed,
        "model": MODEL,
    }
