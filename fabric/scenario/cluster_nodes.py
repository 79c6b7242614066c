"""Node groups of ``from: kubernetes`` and ``from: slurm``: the names that are read take their place in the tree.

All nodes that are cabled belong to a group, cordoned and broken ones too: what of them a job may have is for its
placement. They are in the order of their names, numbers in them as numbers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fabric.scenario.tree import Place, Tree
from topologies.budget import counted
from topologies.errors import FabricError, FormatError, Problem, ScenarioError
from topologies.reading.text_input import shown
from topologies.units import parse_seconds
from traffic.files import read_beside
from traffic.hostlist import folded_hosts
from traffic.schedulers.kubernetes_nodes import KubernetesNode, read_kubernetes_nodes
from traffic.schedulers.live.answer import TIMEOUT_S, LiveSource, read_live
from traffic.schedulers.live.kubernetes_api import KubernetesCluster
from traffic.schedulers.live.slurm_api import SlurmCluster
from traffic.schedulers.slurm_nodes import SlurmNode, read_slurm_nodes
from traffic.schedulers.sources import check_one_source
from traffic.slots import listed

_RESOURCES = {"cpu": "cpu", "memory": "memory", "storage": "ephemeral-storage"}  # ours, theirs
_MOST_SHOWN = 80  # characters of names in one sentence
_WITH_CONTEXT = ("kubeconfig", "selector")


@dataclass(frozen=True)
class ReadGroup:
    """What was read for a group."""

    label: str
    sha256: str
    values: Mapping[str, Any]  # of keys of the group
    said: tuple[str, ...]


def with_cluster_nodes(tree: Tree, directory: Path) -> tuple[Tree, list[ReadGroup]]:
    """The tree with names (and resources) of every such group, and what was read.

    Raises
    ------
    ScenarioError
        With the problems of all groups, at the groups.
    """
    nodes = tree.child("nodes")
    problems: list[Problem] = []
    read: list[ReadGroup] = []
    for index, item in enumerate(nodes.items if nodes is not None else ()):
        if nodes is None or not _source(item):
            continue
        try:
            group = read_group(item.plain(), directory)
        except FabricError as error:
            problems += [_at(problem, index, item) for problem in error.problems]
            continue
        read.append(group)
        place = (item.child("from") or item).place
        for key, value in group.values.items():
            item = item.with_child(key, _tree(value, place))
        nodes = nodes.with_child(index, item)
    if problems:
        raise ScenarioError(problems)
    return (tree if nodes is None else tree.with_child("nodes", nodes)), read


def _source(item: Tree) -> bool:
    return item.text("from") in ("kubernetes", "slurm")


def _at(problem: Problem, index: int, item: Tree) -> Problem:
    """A problem that is about a file or a cluster, at the group that names it."""
    place = (item.child("from") or item).place
    named = f"{problem.file}: {problem.message}" if problem.file else problem.message
    return replace(
        problem, message=named, where=("nodes", index, "from"), file=place.file, line=place.line, column=place.column,
        length=max(place.length, 1),
    )  # fmt: skip


def _tree(value: Any, place: Place) -> Tree:
    if isinstance(value, Mapping):
        return Tree({key: _tree(child, place) for key, child in value.items()}, place)
    if isinstance(value, list):
        return Tree([_tree(child, place) for child in value], place)
    return Tree(value, place)


def read_group(given: Mapping[str, Any], directory: Path) -> ReadGroup:
    """Names of the nodes of one group, their GPUs and resources.

    Raises
    ------
    FormatError
        Keys that contradict each other (FP6289), a cluster that cannot be read (FP6281 to FP6285), has no such nodes
        (FP6287), or nodes of several kinds (FP6288); a file that is none.
    TrafficError
        A file that cannot be read (FP4025).
    """
    scheduler = str(given["from"])
    for key, what in (("count", "how many nodes there are"), ("names", "what the nodes are called")):
        if given.get(key) is not None:
            raise FormatError(f"{key} is written, and from reads {what}", hint=f"leave {key} out", code="FP6289")
    _check_texts(given)
    _check_keys(scheduler, given)
    text, label, said = _text(scheduler, given, directory)
    read = _of_kubernetes if scheduler == "kubernetes" else _of_slurm
    values, notes = read(text, label, given)
    count = len(values["names"])
    folded = folded_hosts(values["names"])
    named = folded if len(folded) <= _MOST_SHOWN else listed(values["names"])
    summary = f"nodes.{given.get('group')}: {counted(count, 'nodes')}, {named}"
    return ReadGroup(label, hashlib.sha256(text.encode()).hexdigest(), values, (*said, summary, *notes))


def _check_texts(given: Mapping[str, Any]) -> None:
    for key in ("path", "context", *_WITH_CONTEXT, "resource", "live", "partition"):
        value = given.get(key)
        if value is not None and not (isinstance(value, str) and value):
            raise FormatError(f"{key}: a text is expected, not {shown(value)}", hint=f"{key}: NAME", code="FP6289")


def _check_keys(scheduler: str, given: Mapping[str, Any]) -> None:
    others = {"kubernetes": ("live", "partition"), "slurm": ("context", *_WITH_CONTEXT, "resource", "pods")}[scheduler]
    foreign = [key for key in others if given.get(key) is not None]
    if foreign:
        raise FormatError(
            f"{foreign[0]} does not go with from: {scheduler}", hint=f"leave {foreign[0]} out", code="FP6289"
        )


def _text(scheduler: str, given: Mapping[str, Any], directory: Path) -> tuple[str, str, tuple[str, ...]]:
    """The document, where it is from, and notes on that."""
    key = "context" if scheduler == "kubernetes" else "live"
    path, live = given.get("path"), given.get(key)
    path, live = None if path is None else str(path), None if live is None else str(live)
    with_live = {name: given.get(name) for name in (*_WITH_CONTEXT, "timeout", "pods")}
    check_one_source(scheduler, path, key, live, with_live)
    if path is not None:
        return read_beside(directory, path, "path"), path, ()
    try:
        timeout_s = parse_seconds(given["timeout"]) if "timeout" in given else TIMEOUT_S
    except ValueError as error:
        raise FormatError(f"timeout: {error}", code="FP6289") from None
    source: LiveSource = SlurmCluster(str(live), timeout_s)
    if scheduler == "kubernetes":
        config = None if given.get("kubeconfig") is None else str(directory / str(given["kubeconfig"]))
        source = KubernetesCluster(str(live), config, given.get("selector"), timeout_s, given.get("pods") is not False)
    answer = read_live(source)
    return answer.text, answer.label, answer.said


def _in_order(names: list[str]) -> list[str]:
    """By name, numbers as numbers: n2 before n10."""
    return sorted(names, key=lambda name: [(not part.isdigit(), int(part) if part.isdigit() else 0, part)
                                           for part in re.split(r"(\d+)", name)])  # fmt: skip


# ---- Kubernetes ----


def _of_kubernetes(text: str, label: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    resource = str(given.get("resource") or "nvidia.com/gpu")
    nodes, notes = read_kubernetes_nodes(text, label)
    without = given.get("gpus") == 0
    chosen = {node.name: node for node in nodes if without or node.gpus(resource)[1]}
    if not chosen:
        raise FormatError(
            f"none of its {len(nodes):,} nodes has {resource}", file=label,
            hint="resource: names what counts GPUs; gpus: 0 takes nodes without", code="FP6287",
        )  # fmt: skip
    names = _in_order(list(chosen))
    values: dict[str, Any] = {"names": names}
    said = [f"{label}: {text}" for text in notes]
    left_out = len(nodes) - len(chosen)
    if left_out:
        said.append(f"{label}: left out, as they have no {resource}: {counted(left_out, 'nodes')}")
    values |= _gpus({name: 0 if without else chosen[name].gpus(resource)[1] for name in names}, label, given)
    unusable = [name for name in names if chosen[name].deleted or any(taint.why for taint in chosen[name].taints)]
    if unusable:
        said.append(
            f"{label}: cordoned, not ready or under pressure, and hosts all the same: {listed(unusable)}; placement: "
            "{order: kubernetes}, and placements with requests, pass them over"
        )
    if given.get("resources") is None:
        values |= _resources([chosen[name] for name in names])
        if not without:
            free = {name: max(chosen[name].gpus(resource)[0] - chosen[name].taken(resource), 0) for name in names}
            free |= dict.fromkeys(unusable, 0)
            said += _with_free_gpus(values, free, [chosen[name].gpus(resource)[1] for name in names], label)
        if chosen[names[0]].held is None:
            said.append(f"{label}: what pods hold is not in it; resources count as free")
    return values, said


def _resources(nodes: list[KubernetesNode]) -> dict[str, Any]:
    """What pods leave of every node; kinds that a node does not report are left out for all."""
    found: dict[str, Any] = {}
    for ours, theirs in _RESOURCES.items():
        free = [node.free(theirs) for node in nodes]
        amounts = [max(amount, amount * 0) for amount in free if amount is not None]
        if len(amounts) == len(nodes):
            found[ours] = [f"{int(amount * 1000)}m" if ours == "cpu" else f"{int(amount)} B" for amount in amounts]
    return {"resources": found} if found else {}


def _with_free_gpus(values: dict[str, Any], free: Mapping[str, int], has: list[int], label: str) -> list[str]:
    """Put the GPUs that jobs leave beside the other resources; what to say of it."""
    held = [name for name, count in zip(free, has, strict=True) if free[name] < count]
    if not held:
        return []
    values["resources"] = {**values.get("resources", {}), "gpus": list(free.values())}
    return [
        f"{label}: {sum(free.values()):,} of {sum(has):,} GPUs are free for new jobs; not all are on {listed(held)}. "
        "Placements with requests, or by order: kubernetes or slurm, keep to the free ones; others use all"
    ]


def _gpus(has: Mapping[str, int], label: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """GPUs of a node, where the scenario does not say; nodes of several kinds are refused."""
    kinds: dict[int, list[str]] = {}
    for name, gpus in has.items():
        kinds.setdefault(gpus, []).append(name)
    if len(kinds) > 1:
        ways = "; ".join(f"{count} GPUs: {listed(names)}" for count, names in sorted(kinds.items()))
        raise FormatError(
            "a group is of nodes of one kind, and these have different numbers of GPUs", file=label, notes=(ways,),
            hint="a group for each, by selector or partition; or names: n[001-032]", code="FP6288",
        )  # fmt: skip
    gpus = next(iter(kinds))
    if given.get("gpus") is not None and given["gpus"] != gpus:
        raise FormatError(
            f"gpus is {given['gpus']}, and the nodes there have {gpus}", file=label, hint=f"gpus: {gpus}",
            code="FP6288",
        )  # fmt: skip
    return {"gpus": gpus}


# ---- Slurm ----


def _of_slurm(text: str, label: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    file = read_slurm_nodes(text, label)
    partition = given.get("partition")
    nodes = [node for node in file.nodes if partition is None or partition in node.names("Partitions")]
    nodes = [node for node in nodes if "FUTURE" not in node.state]
    counted = any(node.gpus is not None or node.sliced for node in nodes)
    without = given.get("gpus") == 0
    sliced = [node.name for node in nodes if node.sliced]
    mixed = next((node for node in nodes if len(node.gpu_types) > 1), None)
    if mixed is not None and not sliced and not without:
        raise FormatError(
            f"GPUs of {mixed.name} are of several types: {', '.join(mixed.gpu_types)}; a group is of nodes of one kind",
            file=label, hint="a partition of nodes with one; or names: and gpus: as the hardware is", code="FP6288",
        )  # fmt: skip
    if sliced and not without:
        raise FormatError(
            f"what {listed(sliced)} call GPUs are slices of them (MIG), which are no ranks of a job", file=label,
            hint="a partition of whole GPUs; or names: and gpus: as the hardware is", code="FP6288",
        )  # fmt: skip
    chosen = {node.name: node.gpus or 0 for node in nodes if without or not counted or node.gpus}
    if not chosen:
        of = f" of partition {partition}" if partition else ""
        raise FormatError(
            f"there are no nodes{of} with GPUs among {len(file.nodes):,}", file=label,
            hint="sinfo -o '%P %D %G' lists partitions and GPUs; gpus: 0 takes nodes without", code="FP6287",
        )  # fmt: skip
    names = _in_order(list(chosen))
    values: dict[str, Any] = {"names": names}
    said = [f"{label}: {note}" for note in file.notes()]
    if counted and not without:
        values |= _gpus(chosen, label, given)
    elif not without:
        said.append(f"{label}: GPUs are not counted (Gres); the node model or gpus says how many there are")
    if len(chosen) < len(file.nodes):
        said.append(f"{label}: left out of {len(file.nodes):,} nodes: {len(file.nodes) - len(chosen):,}")
    if given.get("resources") is None:
        by_name = {node.name: node for node in nodes}
        said += _slurm_resources(values, [by_name[name] for name in names], chosen, label)
    return values, said


def _slurm_resources(values: dict[str, Any], nodes: list[SlurmNode], has: Mapping[str, int], label: str) -> list[str]:
    """Put CPUs, memory and GPUs that jobs leave into the values; what to say of it."""
    found: dict[str, Any] = {}
    cpus, memory = [node.cpus_free for node in nodes], [node.memory_free_bytes for node in nodes]
    if None not in cpus:
        found["cpu"] = cpus
    if None not in memory:
        found["memory"] = [f"{amount} B" for amount in memory]
    values |= {"resources": found} if found else {}
    said = []
    if len(found) < 2:
        where = "(CPUTot, CPUAlloc, RealMemory, AllocMem)"
        said.append(f"{label}: no processors or no memory of nodes in it {where}; resources: says what they have")
    if any(has[node.name] for node in nodes):
        free = {
            node.name: 0 if node.used is None or node.unusable(None) else max(has[node.name] - node.used, 0)
            for node in nodes
        }
        said += _with_free_gpus(values, free, [has[node.name] for node in nodes], label)
    return said
