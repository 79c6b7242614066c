"""What every answer starts with: which tool, which model, which inputs, what was overridden."""

from __future__ import annotations

import datetime
import os
from typing import Any

from fabric.scenario.load import LoadedScenario

SCHEMA = "fabric-planner/result/v1"
MODEL = {"name": "fluid", "version": 1}


def version() -> str:
    """Version of the installed distribution."""
    from importlib.metadata import version as installed

    return installed("fabric-planner")


def tool_envelope(kind: str) -> dict[str, Any]:
    """What an answer without a scenario starts with."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC) if epoch else datetime.datetime.now(datetime.UTC)
    return {
        "schema": SCHEMA,
        "kind": kind,
        "tool": {"name": "fabric-planner", "version": version()},
        "created": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
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
