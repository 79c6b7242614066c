"""JSON Schema (draft 2020-12) of the scenario file, from the models and the registries: hover help for editors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from fabric.scenario.registries import Registries
from fabric.scenario.schema import Scenario
from fabric.scenario.topology_schema import FileTopology
from fabric.scenario.workload_schema import with_id

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MODE: JsonSchemaMode = "validation"


def scenario_schema(registries: Registries | None = None) -> dict[str, Any]:
    """The schema of a scenario file.

    Topologies and workloads are ``oneOf`` their kinds, distinguished by the constant ``kind``. Unknown keys are refused
    everywhere except ``x-`` keys, which are ignored.
    """
    return document_schema(Scenario, "fabric scenario", registries)


def document_schema(document: type[BaseModel], title: str, registries: Registries | None = None) -> dict[str, Any]:
    """The schema of a kind of file that may have topologies and workloads of every registered kind."""
    registries = registries or Registries()
    topologies: list[type[BaseModel]] = [*(entry.model for entry in registries.topologies), FileTopology]
    workloads: list[type[BaseModel]] = [with_id(entry.model) for entry in registries.workloads]
    models: list[type[BaseModel]] = [document, *topologies, *workloads]
    refs, common = models_json_schema([(model, _MODE) for model in models], by_alias=True)
    definitions: dict[str, Any] = common.get("$defs", {})
    choices = {
        "topologies": {"oneOf": [dict(refs[model, _MODE]) for model in topologies]},
        "workloads": {"oneOf": [dict(refs[model, _MODE]) for model in workloads]},
    }
    for part in _objects(definitions):
        _finish(part, choices)
    root = definitions.pop(_target(refs[document, _MODE]))
    used = _reachable(root, definitions)
    definitions = {name: part for name, part in sorted(definitions.items()) if name in used}
    return {
        "$schema": _DIALECT,
        "title": title,
        **{**root, "title": title},
        "$defs": definitions,
    }


def _target(part: dict[str, Any]) -> str:
    return str(part["$ref"]).rsplit("/", 1)[1]


def _reachable(root: dict[str, Any], definitions: dict[str, Any]) -> set[str]:
    """Definitions that the root leads to; tagged unions leave their empty base classes behind."""
    found: set[str] = set()
    waiting = [root]
    while waiting:
        names = {_target(part) for part in _objects(waiting.pop()) if isinstance(part.get("$ref"), str)} - found
        found |= names
        waiting += [definitions[name] for name in names]
    return found


def _finish(part: dict[str, Any], choices: dict[str, Any]) -> None:
    """Fill in the tagged unions, allow ``x-`` keys, describe ``kind``, list keys under all their names."""
    part.update(choices.get(str(part.pop("x-one-of", "")), {}))
    named = part.pop("patternProperties", None)
    if isinstance(named, dict):
        (pattern, value), *_ = named.items()
        part |= {"propertyNames": {"pattern": f"^x-|{pattern}"}, "additionalProperties": value}
    if part.get("additionalProperties") is not None:
        part["patternProperties"] = {"^x-": {}}
    found = part.get("properties")
    properties: dict[str, Any] = found if isinstance(found, dict) else {}
    for key, value in list(properties.items()):
        for other in value.pop("x-also", ()) if isinstance(value, dict) else ():
            properties[other] = {**value, "description": f"Another word for {key}"}
    kind = properties.get("kind")
    if isinstance(kind, dict) and "description" not in kind:
        kind["description"] = part.get("description", "Which kind this is")


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping inside a schema, the outermost first."""
    if isinstance(value, dict):
        yield value
        for child in list(value.values()):
            yield from _objects(child)
    elif isinstance(value, list):
        for child in value:
            yield from _objects(child)
