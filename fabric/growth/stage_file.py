"""The scenario of a stage: that of the user with more nodes and other topologies, and as a file of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fabric.growth.rule import Keys
from fabric.scenario.json_schema import scenario_schema
from fabric.scenario.keys import Keys as SchemaKeys
from fabric.scenario.load import LoadedScenario, validate
from fabric.scenario.overrides import Override, apply_override
from fabric.scenario.registries import Registries

_WIDTH = 110


def stage_scenario(
    loaded: LoadedScenario,
    counts: Mapping[str, int],
    topologies: Mapping[str, Keys],
    orders: Mapping[str, Sequence[str]] | None = None,
) -> LoadedScenario:
    """The scenario with so many nodes of each group, these topologies, and groups cabled in these orders.

    Raises
    ------
    ScenarioError
        With what the schema refuses.
    """
    registries = Registries(catalogue=loaded.catalogue)
    given = [Override(f"nodes.{group}.count", str(count)) for group, count in counts.items()]
    given += [Override(f"fabrics.{name}.topology", json.dumps(keys)) for name, keys in topologies.items()]
    given += [Override(f"fabrics.{name}.attach", json.dumps(list(order))) for name, order in (orders or {}).items()]
    tree, schema = loaded.tree, scenario_schema(registries)
    for override in given:
        tree = apply_override(tree, override, SchemaKeys(lambda: schema, tree.plain()))
    return replace(
        loaded,
        scenario=validate(tree, registries),
        tree=tree,
        overrides=(*loaded.overrides, *given),
        said=[],
        dropped=[],
    )


def topology_keys(loaded: LoadedScenario, fabric: str) -> Keys:
    """A fabric's ``topology:`` as it is written, plain values."""
    written: dict[str, Any] = loaded.tree.plain()["fabrics"][fabric]["topology"]
    return written


def stage_text(stage: LoadedScenario, name: str, comment: str, folder: Path) -> str:
    """The scenario as YAML for a file in ``folder``; files that it names are found from there.

    Parameters
    ----------
    comment : str
        Lines above it, without the ``#``.
    """
    import yaml

    plain = stage.tree.plain()
    document: dict[str, Any] = {"version": 1, "name": name}
    include = [{"catalog": os.path.relpath(path.resolve(), folder.resolve())} for path in stage.catalogues]
    if include:
        document["include"] = include
    document |= {key: value for key, value in plain.items() if key not in document and key != "include"}
    moved = _moved(document, stage.directory, folder)
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    return head + yaml.safe_dump(moved, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None)


def _moved(value: Any, source: Path, folder: Path) -> Any:
    """The same values with names of files next to the scenario as seen from ``folder``."""
    if isinstance(value, Mapping):
        return {key: _moved(below, source, folder) for key, below in value.items()}
    if isinstance(value, list):
        return [_moved(below, source, folder) for below in value]
    is_name = isinstance(value, str) and ("/" in value or "." in value) and "\n" not in value and len(value) < 1024
    if (
        is_name
        and not Path(value).is_absolute()
        and (source / value).is_file()
        and source.resolve() != folder.resolve()
    ):
        return os.path.relpath((source / value).resolve(), folder.resolve())
    return value
