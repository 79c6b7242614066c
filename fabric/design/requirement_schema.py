"""JSON Schema (draft 2020-12) of the requirement file."""

from __future__ import annotations

from typing import Any

from fabric.design.requirement_keys import RequirementSpec
from fabric.scenario.json_schema import document_schema
from fabric.scenario.registries import Registries


def requirement_schema(registries: Registries | None = None) -> dict[str, Any]:
    """The schema of a requirement file; its workloads and site are those of scenarios."""
    return document_schema(RequirementSpec, "fabric requirement", registries)
