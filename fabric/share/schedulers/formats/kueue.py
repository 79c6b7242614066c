"""``kueue``: a Topology of Kueue for every fabric, and the node labels that it reads.

Levels go from the top down, the host last. Where scale-up domains lie inside of lowest groups they are a level of their
own between the two; where they lie across (rail-only networks of racks), they are a Topology beside the tree.

References
----------
Kueue 0.14, "Topology Aware Scheduling" and CRD topologies.kueue.x-k8s.io: 1 to 8 levels (16 from 0.15 on), keys unique
and of 316 characters, ``kubernetes.io/hostname`` only as the last. Version v1beta1 is taken by 0.14 and later.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fabric.share.schedulers.format import Facts, SchedulerFormat, SchedulerPlan, TextFile
from fabric.share.schedulers.names import NODE, Mapped, fit_names, mapped
from fabric.share.schedulers.node_labels import (
    label_facts,
    label_files,
    label_names,
    label_notes,
    level_keys,
    read_labels,
)
from fabric.share.schedulers.switch_tree import SwitchTree
from topologies.errors import ScenarioError
from topologies.reading.yaml_value import read_yaml_value

SUMMARY = "Topology of Kueue for every fabric, with the node labels it reads"
ORDER = 20
HOSTNAME = "kubernetes.io/hostname"
MOST_LEVELS = 8


def _write(plan: SchedulerPlan) -> Iterator[TextFile]:
    for fabric in plan.trees:
        for name, (file, keys) in _topologies(plan, fabric).items():
            lines = [
                f"# {plan.scenario}, fabric {fabric}: kubectl apply -f {file}".replace("\n", " "),
                "apiVersion: kueue.x-k8s.io/v1beta1",
                "kind: Topology",
                "metadata:",
                f"  name: {json.dumps(name)}",
                "spec:",
                "  levels:",
                *(f"  - nodeLabel: {json.dumps(key)}" for key in keys),
            ]
            yield TextFile(f"{plan.folder(fabric)}{file}", "\n".join(lines) + "\n")
        yield from label_files(plan, fabric)


def _topologies(plan: SchedulerPlan, fabric: str) -> dict[str, tuple[str, list[str]]]:
    """File and keys of every Topology, the highest key first, by its name."""
    assert plan.labels is not None
    tree = plan.trees[fabric]
    by_level = level_keys(tree, plan.labels)
    keys = [by_level[level] for level in sorted(by_level, reverse=True)]
    domain = plan.labels.domain_key(fabric) if fabric in plan.blocks else None
    name = fit_names(plan.trees, NODE)[fabric]
    found = {}
    inner = domain is not None and _nested(plan, tree)
    whole = [*keys, *([domain] if domain is not None and inner else []), HOSTNAME]
    if len(whole) > MOST_LEVELS and tree.roots == 1 and keys:
        whole = whole[1:]  # a top that holds every host tells Kueue nothing
    if len(whole) > MOST_LEVELS:
        raise ScenarioError(
            f"the tree of {fabric} has {len(whole)} levels with the host; Kueue takes {MOST_LEVELS}",
            hint="export labels has no such limit",
            code="FP8071",
        )
    found[name] = ("topology.yaml", whole)
    if domain is not None and not inner:
        found[f"{name}-domains"] = ("domains.yaml", [domain, HOSTNAME])
    return found


def _nested(plan: SchedulerPlan, tree: SwitchTree) -> bool:
    """Whether every block lies inside of one lowest group."""
    blocks = plan.blocks[tree.fabric]
    known = (blocks.of_host >= 0) & (tree.group >= 0)
    pairs = np.unique(np.stack([blocks.of_host[known], tree.group[known]], axis=1), axis=0)
    return len(pairs) == len(np.unique(pairs[:, 0]))


def _facts(plan: SchedulerPlan) -> Facts:
    topologies = {
        f"{fabric} Topology {name}": tuple(keys)
        for fabric in plan.trees
        for name, (_, keys) in _topologies(plan, fabric).items()
    }
    return {**topologies, **label_facts(plan)}


def _read(plan: SchedulerPlan, folder: Path) -> Facts:
    found: dict[str, tuple[str, ...]] = {}
    for fabric in plan.trees:
        for file in ("topology.yaml", "domains.yaml"):
            path = folder / f"{plan.folder(fabric)}{file}"
            if file == "topology.yaml" or path.exists():
                document = read_yaml_value(path, syntax_code="FP8075")
                name = document.need("metadata").need("name").text()
                levels = document.need("spec").need("levels").each()
                found[f"{fabric} Topology {name}"] = tuple(level.need("nodeLabel").text() for level in levels)
    return {**found, **read_labels(plan, folder)}


def _names(plan: SchedulerPlan) -> Iterator[Mapped]:
    yield from mapped("fabric", "", fit_names(plan.trees, NODE))
    yield from label_names(plan)


def _notes(plan: SchedulerPlan) -> Iterator[str]:
    yield from label_notes(plan)
    for fabric in plan.trees:
        if len(_topologies(plan, fabric)) > 1:
            yield (
                f"scale-up domains of {fabric} lie across the groups of its switches: domains.yaml is a Topology of "
                "their own, and a ResourceFlavor takes one of the two"
            )


FORMAT = SchedulerFormat(
    write=_write,
    facts=_facts,
    read=_read,
    names=_names,
    read_by="Kueue 0.14 and later (kueue.x-k8s.io/v1beta1)",
    takes=("labels",),
    notes=_notes,
)
