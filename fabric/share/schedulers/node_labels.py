"""Labels of Kubernetes nodes that say where they are in a tree: as a list of nodes, and as a script."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from fabric.share.schedulers.format import Facts, SchedulerPlan, TextFile
from fabric.share.schedulers.label_keys import LabelKeys
from fabric.share.schedulers.names import LABEL, NODE, Mapped, fit_names, mapped
from fabric.share.schedulers.switch_tree import SwitchTree
from topologies.errors import FormatError
from topologies.reading.json_value import read_json
from topologies.reading.text_input import read_text

NODES, SCRIPT = "nodes.json", "label-nodes.sh"
_AT_ONCE = 200  # nodes of one call
_HEAD = """\
#!/bin/sh
# Labels the nodes of {what}; KUBECTL="kubectl --context NAME" says which cluster. It makes no nodes.
set -eu
label() {{ ${{KUBECTL:-kubectl}} label --overwrite nodes "$@"; }}
"""
_HEAD_LINES = _HEAD.format(what="").splitlines()


def labelled_levels(tree: SwitchTree, keys: LabelKeys) -> list[int]:
    """Levels that have a label: all, or all but a top that holds every host."""
    levels = list(range(len(tree.levels)))
    return levels[:-1] if not keys.top and len(levels) > 1 and tree.roots == 1 else levels


def level_keys(tree: SwitchTree, keys: LabelKeys) -> dict[int, str]:
    """Key of every labelled level."""
    levels = labelled_levels(tree, keys)
    return dict(zip(levels, keys.keys(tree.fabric, [tree.levels[level].word for level in levels]), strict=True))


def node_names(plan: SchedulerPlan) -> dict[str, str]:
    """Names of hosts as nodes of Kubernetes."""
    return fit_names((host for tree in plan.trees.values() for host in tree.hosts), NODE)


def group_values(tree: SwitchTree) -> dict[str, str]:
    """Names of groups as values of labels."""
    return fit_names((name for level in tree.levels for name in level.names), LABEL)


def host_labels(plan: SchedulerPlan, tree: SwitchTree) -> dict[str, dict[str, str]]:
    """Labels of every attached host, by its name."""
    assert plan.labels is not None
    keys, values = level_keys(tree, plan.labels), group_values(tree)
    found: dict[str, dict[str, str]] = {tree.hosts[host]: {} for host in tree.attached.tolist()}
    for level, key in sorted(keys.items(), reverse=True):
        names = tree.levels[level].names
        for host in tree.attached.tolist():
            found[tree.hosts[host]][key] = values[names[tree.group_at[level][host]]]
    domain = plan.labels.domain_key(tree.fabric)
    if domain is not None and tree.fabric in plan.blocks:
        blocks = plan.blocks[tree.fabric]
        written = fit_names(blocks.names, LABEL)
        for host in tree.attached.tolist():
            if blocks.of_host[host] >= 0:
                found[tree.hosts[host]][domain] = written[blocks.names[blocks.of_host[host]]]
    return found


def label_files(plan: SchedulerPlan, fabric: str) -> Iterator[TextFile]:
    """The list of nodes with their labels, and the script."""
    tree, names = plan.trees[fabric], node_names(plan)
    labels = host_labels(plan, tree)
    items = [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": names[host], "labels": own}}
        for host, own in labels.items()
    ]
    rows = ",\n  ".join(json.dumps(item) for item in items)
    text = f'{{"apiVersion": "v1", "kind": "List", "items": [\n  {rows}\n]}}\n'
    yield TextFile(f"{plan.folder(fabric)}{NODES}", text)
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for host, own in labels.items():
        alike.setdefault(tuple(own.items()), []).append(names[host])
    lines = [_HEAD.format(what=f"{plan.scenario}, fabric {fabric}".replace("\n", " "))]
    for pairs, nodes in alike.items():
        words = " ".join(shlex.quote(f"{key}={value}") for key, value in pairs)
        for start in range(0, len(nodes), _AT_ONCE):
            lines.append(f"label {' '.join(nodes[start : start + _AT_ONCE])} {words}\n")
    yield TextFile(f"{plan.folder(fabric)}{SCRIPT}", "".join(lines))


def label_facts(plan: SchedulerPlan) -> dict[str, tuple[str, ...]]:
    """Labels that every node has to have, in the list and by the script."""
    names = node_names(plan)
    found: dict[str, tuple[str, ...]] = {}
    for fabric, tree in plan.trees.items():
        for host, own in host_labels(plan, tree).items():
            labels = tuple(sorted(f"{key}={value}" for key, value in own.items()))
            found |= dict.fromkeys(_about(fabric, names[host]), labels)
    return found


def _about(fabric: str, node: str) -> tuple[str, str]:
    """What is said of a node: in the list, and in the script."""
    return f"{fabric} node {node}", f"{fabric} node {node} in {SCRIPT}"


def read_labels(plan: SchedulerPlan, folder: Path) -> Facts:
    """Labels that the list gives, and those that the script gives.

    Raises
    ------
    FormatError
        A line of the script that does something else (FP8075).
    """
    found: dict[str, tuple[str, ...]] = {}
    for fabric in plan.trees:
        document = read_json(folder / f"{plan.folder(fabric)}{NODES}", code="FP8075", hint="export again")
        for item in document.need("items").each():
            metadata = item.need("metadata")
            own = tuple(sorted(f"{key}={value.text()}" for key, value in metadata.get("labels").items()))
            found[_about(fabric, metadata.need("name").text())[0]] = own
        for node, labels in _script_labels(folder / f"{plan.folder(fabric)}{SCRIPT}").items():
            found[_about(fabric, node)[1]] = tuple(sorted(f"{key}={value}" for key, value in labels.items()))
    return found


def _script_labels(path: Path) -> dict[str, dict[str, str]]:
    """Labels by node after all lines of the script have run."""
    found: dict[str, dict[str, str]] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise _not_ours(path, number, str(error)) from None
        if not words or line in _HEAD_LINES:
            continue
        if words[0] != "label":
            raise _not_ours(path, number, f"{line.strip()!r} is not a line that labels nodes")
        pairs = dict(word.split("=", 1) for word in words[1:] if "=" in word)
        for word in words[1:]:
            if "=" not in word:
                found.setdefault(word, {}).update(pairs)
    return found


def _not_ours(path: Path, number: int, message: str) -> FormatError:
    return FormatError(message, file=str(path), line=number, hint="export again", code="FP8075")


def label_names(plan: SchedulerPlan) -> Iterator[Mapped]:
    """Names that labels and nodes write differently."""
    yield from mapped("host", "", node_names(plan))
    for fabric, tree in plan.trees.items():
        yield from mapped("group", fabric, group_values(tree))
        if fabric in plan.blocks:
            yield from mapped("block", fabric, fit_names(plan.blocks[fabric].names, LABEL))


def label_notes(plan: SchedulerPlan) -> Iterator[str]:
    """What labels of several fabrics do to each other."""
    assert plan.labels is not None
    if len(plan.trees) > 1 and not plan.labels.by_fabric:
        yield (
            f"labels {plan.labels.profile} have the same keys for every fabric: apply those of one "
            f"({plan.primary} carries the collectives); --labels by-level keeps them apart"
        )
    yield from renamed_notes(plan)


def renamed_notes(plan: SchedulerPlan) -> Iterator[str]:
    """That hosts have other names in Kubernetes, where they have."""
    if any(name != written for name, written in node_names(plan).items()):
        yield "hosts are renamed as Kubernetes names nodes (names.csv)"
