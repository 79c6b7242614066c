"""Changes as a scenario of their own: a small YAML file that includes the base and says what differs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fabric.pipeline.degraded import read_slow
from fabric.request import RouteRequest
from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.scenario.tree import NAMED_LISTS
from fabric.whatif.changes import ChangeSet
from topologies.errors import ScenarioError
from topologies.whole_file import whole_file


def overlay_text(
    loaded: LoadedScenario, changes: ChangeSet, directory: Path, request: RouteRequest = RouteRequest()
) -> str:
    """The overlay as YAML, for a file in ``directory``.

    Raises
    ------
    ScenarioError
        FP9301 for an override that reaches into a list without names, which an included file cannot change.
    """
    import yaml

    from fabric.scenario.positions import read_yaml

    if loaded.path == "-":
        raise ScenarioError("a scenario from standard input cannot be included", code="FP9302", hint="save it first")
    base = os.path.relpath(Path(loaded.path).resolve(), directory.resolve())
    document: dict[str, Any] = {"version": 1, "name": _name(loaded), "include": [base]}
    given = [f"{entry.path}={entry.value}" for entry in loaded.overrides]
    for text in (*given, *changes.sets):
        path, _, value = text.partition("=")
        _put(document, path.split("."), read_yaml(value, text).plain() if value.strip() else None, text)
    asked = changes.request(request)
    down = [selector for selector in dict.fromkeys((*loaded.scenario.down, *asked.down)) if selector not in asked.up]
    if down:
        document["down"] = down
    if asked.slow:
        document["slow"] = _slow(loaded, asked)
    scale = loaded.scenario.scale * asked.scale
    if scale != 1:
        document["scale"] = scale
    if asked.router:
        for fabric in loaded.scenario.fabrics:
            _put(document, ["fabrics", fabric, "routing", "router"], asked.router, "router")
    head = "# What differs from the included scenario; written by fabric, edit at will.\n"
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _slow(loaded: LoadedScenario, asked: RouteRequest) -> dict[str, float]:
    """What is asked to be degraded; on top of what the scenario says of the same."""
    parts: dict[str, float] = {}
    for text in dict.fromkeys(asked.slow):
        selector, left = read_slow(text)
        parts[selector] = parts.get(selector, loaded.scenario.slow.get(selector, 1.0)) * left
    return parts


def _name(loaded: LoadedScenario) -> str:
    return loaded.scenario.name if loaded.scenario.name.endswith("-what-if") else f"{loaded.scenario.name}-what-if"


def _put(document: dict[str, Any], path: list[str], value: Any, text: str) -> None:
    here = document
    for depth, part in enumerate(path[:-1]):
        if depth == 1 and path[0] in NAMED_LISTS:
            continue
        if depth == 0 and part in NAMED_LISTS and len(path) > 2:
            items = document.setdefault(part, [])
            key = NAMED_LISTS[part]
            found = next((item for item in items if item[key] == path[1]), None)
            if found is None:
                found = {key: path[1]}
                items.append(found)
            here = found
            continue
        if part.isdigit():
            raise ScenarioError(
                f"{text!r} changes one item of a list, which an included file cannot",
                code="FP9301",
                hint="edit the scenario itself, or keep the change as --set",
            )
        here = here.setdefault(part, {})
    here[path[-1]] = value


def write_overlay(
    path: Path,
    loaded: LoadedScenario,
    changes: ChangeSet,
    request: RouteRequest = RouteRequest(),
    *,
    force: bool = False,
) -> None:
    """Write the overlay, whole or not at all, and check that it loads.

    Raises
    ------
    ScenarioError
        FP9303 where the file exists or cannot be written; else what is wrong with the overlay.
    """
    if not path.parent.is_dir():
        raise ScenarioError(f"the folder {path.parent} does not exist", code="FP9303", hint="name another file")
    if path.exists() and not force:
        raise ScenarioError(f"{path} exists", code="FP9303", hint="name another file, or overwrite it")
    text = overlay_text(loaded, changes, path.parent, request)
    try:
        with whole_file(path) as place:
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"cannot write {path}: {error.strerror}", code="FP9303", hint="name another file") from None
    load_scenario(path)
