"""Commented starter scenarios for ``fabric init``."""

from __future__ import annotations

from importlib import resources

from topologies.errors import ScenarioError, nearest_hint


def template_names() -> list[str]:
    """Names of the templates, sorted."""
    files = resources.files("fabric.scenario").joinpath("templates").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def template_text(name: str) -> str:
    """Text of a template.

    Raises
    ------
    ScenarioError
        FP2104 when there is none of that name.
    """
    known = template_names()
    if name not in known:
        hint = nearest_hint(name, known, "templates")
        raise ScenarioError(f"unknown template {name!r}", hint=hint, code="FP2104")
    file = resources.files("fabric.scenario").joinpath("templates", f"{name}.yaml")
    return file.read_text(encoding="utf-8")
