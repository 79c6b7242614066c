"""Plans of exports for schedulers, for tests: of every builder's example, or of some topology."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from fabric.share.schedulers.export import differences, scheduler_files
from fabric.share.schedulers.format import ExportOptions, SchedulerPlan
from fabric.share.schedulers.label_keys import OWN, label_keys
from fabric.share.schedulers.switch_tree import switch_tree
from topologies.builder import TOPOLOGIES
from topologies.topology import Topology
from traffic.inventory import Inventory

KINDS = [entry.name for entry in TOPOLOGIES]


def built(kind: str, **keys: Any) -> Topology:
    """A topology by its builder, its example where no keys are given; called ``net``."""
    entry = TOPOLOGIES[kind]
    spec = entry.model.model_validate({"kind": kind, **(keys or entry.example)})
    return replace(entry(spec, hosts=()), name="net")


def plan_of(
    *topologies: Topology, options: ExportOptions = ExportOptions(), inventory: Inventory | None = None
) -> SchedulerPlan:
    """A plan of some fabrics, without jobs; the first is that of collectives."""
    inventory = inventory or Inventory({}, {topology.name: topology for topology in topologies})
    trees = {name: switch_tree(inventory, name) for name in inventory.topologies}
    blocks = {}
    if options.block_by is not None:
        from fabric.share.schedulers.blocks import host_blocks

        blocks = {name: host_blocks(inventory, tree, options.block_by) for name, tree in trees.items()}
    labels = label_keys(options.labels or OWN)
    return SchedulerPlan("test", inventory, trees, blocks, next(iter(trees)), options, labels)


def written(folder: Path, plan: SchedulerPlan, form: str) -> Path:
    """The folder with all files of an export."""
    for file in scheduler_files(plan, form, {}):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    return folder


def words_of_differences(folder: Path, plan: SchedulerPlan, form: str) -> list[str]:
    """What a folder says otherwise than the plan."""
    return [one.words for one in differences(folder, plan, form)]
