"""Catalogue files of the user: sections of models, or one NetBox device type, with every mistake located."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, create_model

from fabric.scenario.diagnostics import locate
from fabric.scenario.explain import explain
from fabric.scenario.keys import Keys
from fabric.scenario.positions import decode, read_yaml
from fabric.scenario.tree import Tree
from topologies.catalogue import SECTIONS, Catalogue, CatalogueRow
from topologies.errors import FormatError, Problem, ScenarioError, TopologyError
from topologies.netbox import is_device_type, switch_row
from topologies.registry import Spec


@cache
def catalogue_model() -> type[Spec]:
    """A catalogue file as a pydantic model: a list of rows per section."""
    fields: dict[str, Any] = {
        name: (tuple[row, ...], Field(default=(), description=f"Models of {name}"))  # type: ignore[valid-type]
        for name, row in SECTIONS.items()
    }
    return create_model("Catalogue", __base__=Spec, **fields)


@cache
def catalogue_schema() -> dict[str, Any]:
    """JSON Schema of a catalogue file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **catalogue_model().model_json_schema(),
        "title": "fabric catalogue",
    }


def is_catalogue(tree: Tree) -> bool:
    """Whether a document is a catalogue rather than a scenario."""
    data = tree.plain()
    return is_device_type(data) or (isinstance(data, dict) and bool(data) and set(data) <= set(SECTIONS))


def with_file(base: Catalogue, tree: Tree) -> Catalogue:
    """A catalogue with the rows of a document laid over it.

    Raises
    ------
    ScenarioError
        With every problem, located.
    """
    data = tree.plain()
    if is_device_type(data):
        try:
            row, notes = switch_row(data, tree.place.file or "")
        except TopologyError as error:
            raise ScenarioError(locate(error.problems, tree)) from None
        except FormatError as error:
            raise ScenarioError(locate(map(_at_key, error.problems), tree)) from None
        return replace(base.with_rows("switches", {row.model: row}), said=(*base.said, *notes))
    try:
        found = catalogue_model().model_validate(data)
    except ValidationError as error:
        problems = explain(error.errors(include_url=False), data, Keys(catalogue_schema, data))
        raise ScenarioError(locate(problems, tree)) from None
    for section in SECTIONS:
        rows: tuple[CatalogueRow, ...] = getattr(found, section)
        base = base.with_rows(section, {row.model: row for row in rows})
    return base


def _at_key(problem: Problem) -> Problem:
    """A problem of a device type under the keys that its message begins with, such as ``power-ports[0].type``."""
    path = problem.message.partition(": ")[0]
    keys = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
    return replace(problem, file=None, where=tuple(keys))


def read_catalogue(path: str | Path, base: Catalogue) -> Catalogue:
    """A catalogue with the rows of a file laid over it.

    Raises
    ------
    FabricError
        When the file cannot be read or is wrong.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise FormatError(f"cannot read the file: {error.strerror}", file=str(path), code="FP6001") from error
    tree = read_yaml(decode(content, str(path)), str(path))
    if not isinstance(tree.plain(), dict):
        place = tree.place
        problem = Problem(
            "a catalogue is a mapping of sections",
            code="FP1006",
            file=place.file,
            line=place.line,
            column=place.column,
            hint=f"sections: {', '.join(SECTIONS)}",
        )
        raise ScenarioError([problem])
    return with_file(base, tree)
