"""From a path, or from flags, to a checked requirement: every problem at its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fabric.design.requirement import COMMAND_LINE, GPU_GROUP, Requirement, further_group
from fabric.design.requirement_keys import RequirementSpec
from fabric.design.requirement_schema import requirement_schema
from fabric.scenario.diagnostics import locate
from fabric.scenario.explain import explain
from fabric.scenario.keys import Keys
from fabric.scenario.load import LoadError, SourceFiles, require_mapping
from fabric.scenario.overrides import apply_override, parse_override
from fabric.scenario.references import check_references
from fabric.scenario.registries import Registries
from fabric.scenario.tree import Place, Tree, merge
from topologies.catalogue import builtin
from topologies.errors import Problem, ScenarioError

_BEGIN = "begin with version: 1 and require: {gpus: 512, nic: 400G}"


def load_requirement(
    path: str | Path | None = None, *, given: Mapping[str, Any] | None = None, overrides: Sequence[str] = ()
) -> Requirement:
    """Read a requirement file, lay what flags give over it, and check it.

    Parameters
    ----------
    path
        The file; ``-`` is standard input, None where flags say everything.
    given
        Keys as a file would have them, from flags.
    overrides
        ``PATH=VALUE`` texts, applied in order.

    Raises
    ------
    LoadError
        With every problem, located.
    """
    files, said = SourceFiles(), list[str]()
    try:
        tree = _merged(files, path, given or {})
        registries = Registries(catalogue=files.catalogue(builtin()))
        for text in overrides:
            override = parse_override(text)
            tree = apply_override(tree, override, Keys(lambda: requirement_schema(registries), tree.plain()))
        tree = _with_jobs(files, tree, Path() if path in (None, "-") else Path(str(path)).parent, said)
        spec = _validated(tree, registries)
    except ScenarioError as error:
        raise LoadError(error.problems, files.sources) from None
    directory = Path() if path in (None, "-") else Path(str(path)).parent
    said += registries.catalogue.said
    return Requirement(
        spec, COMMAND_LINE if path is None else str(path), directory, tuple(files.inputs), files.sources,
        tree.plain(), registries.catalogue, tuple(files.catalogues), tree, said,
    )  # fmt: skip


def _merged(files: SourceFiles, path: str | Path | None, given: Mapping[str, Any]) -> Tree:
    """The file with what flags give laid over it."""
    flags = _tree_of({"version": 1, **given}, Place(COMMAND_LINE))
    if path is None:
        return flags
    tree = files.merged(str(path), "a requirement is a mapping of keys", _BEGIN)
    keys = set(tree.value) if isinstance(tree.value, Mapping) else set()
    if "require" not in keys and keys & {"fabrics", "nodes"}:
        place = tree.place
        raise ScenarioError(
            "this is a scenario: it says what the fabric is, not what it has to do",
            file=place.file,
            line=place.line,
            column=place.column,
            hint="fabric route takes it; a requirement has require: {gpus: 512, nic: 400G}",
            code="FP2120",
        )
    return merge(tree, flags) if given else tree


def _tree_of(value: Any, place: Place) -> Tree:
    """Plain values as a tree, every part of it at one place."""
    if isinstance(value, Mapping):
        return Tree({str(key): _tree_of(child, place) for key, child in value.items()}, place, place)
    if isinstance(value, list | tuple):
        return Tree([_tree_of(child, place) for child in value], place, place)
    return Tree(value, place, place)


def _with_jobs(files: SourceFiles, tree: Tree, directory: Path, said: list[str]) -> Tree:
    """The jobs of ``require.workload``'s file among the workloads."""
    require = tree.child("require")
    named = require.child("workload") if require is not None else None
    if require is None or named is None or not isinstance(named.value, str) or not named.value:
        return tree
    base = Path() if named.place.file == COMMAND_LINE else directory
    path = base / named.value
    own = files.read(str(path), named.place)
    jobs, limits = _jobs_of(own, path, said)
    for key, items in (("workloads", jobs), ("limits", limits)):
        if items:
            before = require.child(key)
            require = require.with_child(key, Tree([*items, *(before.items if before is not None else ())], own.place))
    return tree.with_child("require", require)


def _jobs_of(own: Tree, path: Path, said: list[str]) -> tuple[list[Tree], list[Tree]]:
    """Workloads of a file, and limits on them: one workload, a list of them, or a scenario with some."""
    if isinstance(own.value, Mapping) and "workloads" in own.value:
        workloads, limits = own.value["workloads"], own.value.get("limits")
        ids = {item.text("id") for item in workloads.items}
        kept = [item for item in (limits.items if limits is not None else ()) if item.text("workload") in ids]
        rest = sorted(set(own.value) - {"workloads", "limits", "version", "name", "include", "seed"})
        if rest:
            said.append(f"{path}: its workloads and the limits on them are taken, not {', '.join(rest)}")
        return list(workloads.items), kept
    if own.items:
        return list(own.items), []
    require_mapping(own, "a workload is a mapping of keys", "begin with kind: training")
    if own.text("id") is None and isinstance(own.value, Mapping):
        name = path.name.partition(".")[0]
        said.append(f"{path}: the workload is called {name}, after its file")
        own = replace(own, value={"id": Tree(name, own.place), **own.value})
    return [own], []


def _validated(tree: Tree, registries: Registries) -> RequirementSpec:
    """Check a tree against the schema and its own names.

    Raises
    ------
    ScenarioError
        With every problem, located.
    """
    data = tree.plain()
    names = list(_unknown_names(data))
    try:
        spec = RequirementSpec.model_validate(data, context=registries)
    except ValidationError as error:
        keys = Keys(lambda: requirement_schema(registries), data)
        problems = explain(error.errors(include_url=False), data, keys, "requirement")
        reported = {problem.where for problem in problems}
        problems += [problem for problem in names if problem.where not in reported]
        raise ScenarioError(locate(problems, tree)) from None
    problems = [*names, *_shrinking(spec)]
    if problems:
        raise ScenarioError(locate(problems, tree))
    return spec


def _unknown_names(data: Any) -> Iterator[Problem]:
    """Fabrics, node groups and jobs that nothing here has."""
    require = data.get("require") if isinstance(data, dict) else None
    if not isinstance(require, dict):
        return
    fabrics = require.get("fabrics") or {"backend": {}}
    if not isinstance(fabrics, dict):
        return
    groups = [GPU_GROUP]
    for name, wish in fabrics.items():
        if isinstance(wish, dict) and wish.get("hosts"):
            groups.append(str(wish.get("group") or further_group(name)))
    scenario: dict[str, Any] = {
        "fabrics": {name: {} for name in fabrics},
        "nodes": [{"group": group} for group in dict.fromkeys(groups)],
        "workloads": require.get("workloads") or [],
        "limits": require.get("limits") or [],
    }
    for problem in check_references(scenario):
        yield problem.under("require")


def _shrinking(spec: RequirementSpec) -> Iterator[Problem]:
    """Stages that are not larger than the one before, the requirement itself the first."""
    require = spec.require
    for unit in ("gpus", "hosts"):
        before, name = getattr(require, unit), "the requirement"
        for place, stage in enumerate(require.growth):
            size = getattr(stage, unit)
            if size is None:
                continue
            if before is not None and size <= before:
                says = "as many" if size == before else f"{before - size:,} fewer"
                yield Problem(
                    f"stage {place + 1} has {size:,} {unit}, {says} than {name} with {before:,}; stages only grow",
                    code="FP2121",
                    where=("require", "growth", place, unit),
                    hint=f"write more than {before:,}, or leave the stage out",
                )
            before, name = max(size, before or 0), f"stage {place + 1}"
