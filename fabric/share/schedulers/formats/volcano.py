"""``volcano``: a HyperNode of Volcano for every group of the tree, named after its fabric and itself.

Tier 1 is the lowest. Members are named one by one (``exactMatch``), hosts of lowest groups and HyperNodes of higher
ones, so that a node that joins later is in none until it is exported again.

References
----------
Volcano 1.12, "Network Topology Aware Scheduling", and API topology.volcano.sh/v1alpha1: ``spec.tier``, ``spec.members``
of type Node or HyperNode, one selector each; names are DNS subdomains of 253 characters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from fabric.share.schedulers.format import Facts, SchedulerFormat, SchedulerPlan, TextFile
from fabric.share.schedulers.names import NODE, Mapped, fit_names, mapped
from fabric.share.schedulers.node_labels import node_names, renamed_notes
from fabric.share.schedulers.switch_tree import SwitchTree
from topologies.errors import FormatError
from topologies.reading.json_value import read_json

SUMMARY = "HyperNodes of Volcano, one for every group of the tree"
ORDER = 30
_FILE = "hypernodes.json"


def _group_names(tree: SwitchTree) -> dict[str, str]:
    """Names of groups in the cluster: with their fabric, as HyperNodes of all fabrics would share their names."""
    full = {
        name: name if name == tree.fabric else f"{tree.fabric}/{name}" for level in tree.levels for name in level.names
    }
    written = fit_names(full.values(), NODE)
    return {name: written[other] for name, other in full.items()}


def _write(plan: SchedulerPlan) -> Iterator[TextFile]:
    hosts = node_names(plan)
    for fabric, tree in plan.trees.items():
        rows = ",\n  ".join(json.dumps(item) for item in _items(tree, hosts))
        yield TextFile(
            f"{plan.folder(fabric)}{_FILE}", f'{{"apiVersion": "v1", "kind": "List", "items": [\n  {rows}\n]}}\n'
        )


def _items(tree: SwitchTree, hosts: dict[str, str]) -> Iterator[dict[str, object]]:
    names = _group_names(tree)
    for number, level in enumerate(tree.levels):
        kind = "HyperNode" if number else "Node"
        below = [names[name] for name in tree.levels[number - 1].names] if number else [hosts[h] for h in tree.hosts]
        members = tree.children(number) if number else tree.members(0)
        for name, inside in zip(level.names, members, strict=True):
            yield {
                "apiVersion": "topology.volcano.sh/v1alpha1",
                "kind": "HyperNode",
                "metadata": {"name": names[name]},
                "spec": {
                    "tier": number + 1,
                    "tierName": level.word,
                    "members": [
                        {"type": kind, "selector": {"exactMatch": {"name": below[member]}}}
                        for member in inside.tolist()
                    ],
                },
            }


def _facts(plan: SchedulerPlan) -> Facts:
    hosts, found = node_names(plan), {}
    for fabric, tree in plan.trees.items():
        names = _group_names(tree)
        for number, level in enumerate(tree.levels):
            for name, rows in zip(level.names, tree.members(number), strict=True):
                inside = sorted(hosts[tree.hosts[host]] for host in rows.tolist())
                found[f"{fabric} HyperNode {names[name]}"] = (f"tier {number + 1}", *inside)
    return found


def _read(plan: SchedulerPlan, folder: Path) -> Facts:
    found: dict[str, tuple[str, ...]] = {}
    for fabric in plan.trees:
        path = folder / f"{plan.folder(fabric)}{_FILE}"
        tier: dict[str, int] = {}
        members: dict[str, list[tuple[str, str]]] = {}
        for item in read_json(path, code="FP8075", hint="export again").need("items").each():
            name = item.need("metadata").need("name").text()
            tier[name] = item.need("spec").need("tier").whole()
            members[name] = [
                (member.need("type").text(), member.need("selector").need("exactMatch").need("name").text())
                for member in item.get("spec").get("members").each()
            ]
        hosts: dict[str, list[str]] = {}
        for name in sorted(members, key=lambda name: tier[name]):
            own: list[str] = []
            for kind, member in members[name]:
                if kind == "HyperNode" and member not in hosts:
                    raise FormatError(
                        f"HyperNode {name} has {member} in it, which is of no lower tier", file=str(path), code="FP8075"
                    )
                own += hosts[member] if kind == "HyperNode" else [member]
            hosts[name] = own
        found |= {f"{fabric} HyperNode {name}": (f"tier {tier[name]}", *sorted(own)) for name, own in hosts.items()}
    return found


def _names(plan: SchedulerPlan) -> Iterator[Mapped]:
    yield from mapped("host", "", node_names(plan))
    for fabric, tree in plan.trees.items():
        yield from mapped("group", fabric, _group_names(tree))


def _notes(plan: SchedulerPlan) -> Iterator[str]:
    if len(plan.trees) > 1:
        yield (
            "HyperNodes of two fabrics hold the same nodes, and Volcano knows one tree: apply those of one "
            f"({plan.primary} carries the collectives)"
        )
    yield from renamed_notes(plan)


FORMAT = SchedulerFormat(
    write=_write,
    facts=_facts,
    read=_read,
    names=_names,
    read_by="Volcano 1.12 and later (topology.volcano.sh/v1alpha1)",
    notes=_notes,
)
