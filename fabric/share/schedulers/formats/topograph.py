"""``topograph``: a model of NVIDIA topograph for every fabric, as its simulated providers and kwok-nodes load it.

Switches are the groups of the tree, blocks the hosts of one lowest group and one scale-up domain.

References
----------
NVIDIA topograph 1.1, "Modeling and API Simulation" (docs/modeling.md): ``switches`` by name with their ``switches``,
``blocks`` with ``switch``, ``nodes`` (ranges ``n[001-032]``) and the annotation of the accelerator domain. Models of
0.x, with capacity_blocks, have another form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fabric.share.schedulers.format import Facts, SchedulerFormat, SchedulerPlan, TextFile
from fabric.share.schedulers.names import LABEL, Mapped, fit_names, folded, mapped
from fabric.share.schedulers.node_labels import node_names, renamed_notes
from fabric.share.schedulers.switch_tree import SwitchTree
from fabric.share.schedulers.tree_sets import group_facts, tree_branches
from topologies.errors import FormatError
from topologies.reading.yaml_value import read_yaml_value
from traffic.hostlist import expand_hosts

SUMMARY = "model of NVIDIA topograph 1.x: switches, and blocks of hosts with their scale-up domain"
ORDER = 40
DOMAIN = "accelerator.topology.test/domain"
_FILE = "model.yaml"


def _group_names(tree: SwitchTree) -> dict[str, str]:
    return fit_names((name for level in tree.levels for name in level.names), LABEL)


def _domains(plan: SchedulerPlan, fabric: str) -> list[str]:
    """Scale-up domain of every host of a fabric, empty for none."""
    if fabric not in plan.blocks:
        return [""] * len(plan.trees[fabric].hosts)
    blocks = plan.blocks[fabric]
    names = fit_names(blocks.names, LABEL)
    return [names[blocks.names[block]] if block >= 0 else "" for block in blocks.of_host.tolist()]


def _write(plan: SchedulerPlan) -> Iterator[TextFile]:
    hosts = node_names(plan)
    for fabric, tree in plan.trees.items():
        yield TextFile(f"{plan.folder(fabric)}{_FILE}", "".join(_model(plan, fabric, tree, hosts)))


def _model(plan: SchedulerPlan, fabric: str, tree: SwitchTree, hosts: dict[str, str]) -> Iterator[str]:
    names, domains = _group_names(tree), _domains(plan, fabric)
    yield f"# {plan.scenario}, fabric {fabric}\n".replace("\n", " ").rstrip() + "\nswitches:\n"
    for branch in reversed(tree_branches(tree)):
        inside = ", ".join(json.dumps(names[group]) for group in branch.groups)
        yield f"  {json.dumps(names[branch.name])}: " + (f"{{switches: [{inside}]}}\n" if inside else "{}\n")
    yield "blocks:\n"
    for name, rows in zip(tree.levels[0].names if tree.levels else (), tree.members(0), strict=True):
        by_domain: dict[str, list[str]] = {}
        for host in rows.tolist():
            by_domain.setdefault(domains[host], []).append(hosts[tree.hosts[host]])
        for domain, inside_domain in by_domain.items():
            nodes = ", ".join(json.dumps(part) for part in folded(inside_domain))
            yield f"- switch: {json.dumps(names[name])}\n  nodes: [{nodes}]\n"
            if domain:
                yield f"  annotations: {{{json.dumps(DOMAIN)}: {json.dumps(domain)}}}\n"


def _facts(plan: SchedulerPlan) -> Facts:
    hosts, found = node_names(plan), dict[str, tuple[str, ...]]()
    for fabric, tree in plan.trees.items():
        found |= group_facts(f"{fabric} switch", tree, _group_names(tree), hosts)
        if fabric in plan.blocks:
            blocks = plan.blocks[fabric]
            names = fit_names(blocks.names, LABEL)
            for number, name in enumerate(blocks.names):
                inside = np.flatnonzero((blocks.of_host == number) & (tree.group >= 0)).tolist()
                if inside:
                    found[f"{fabric} domain {names[name]}"] = tuple(sorted(hosts[tree.hosts[host]] for host in inside))
    return found


def _read(plan: SchedulerPlan, folder: Path) -> Facts:
    found: dict[str, tuple[str, ...]] = {}
    for fabric in plan.trees:
        path = folder / f"{plan.folder(fabric)}{_FILE}"
        document = read_yaml_value(path, syntax_code="FP8075")
        inner = {
            name: [child.text() for child in value.get("switches").each()]
            for name, value in document.get("switches").items()
        }
        own: dict[str, list[str]] = {name: [] for name in inner}
        domains: dict[str, list[str]] = {}
        for block in document.get("blocks").each():
            switch = block.need("switch").text()
            try:
                nodes = [name for part in block.need("nodes").each() for name in expand_hosts(part.text())]
            except ValueError as error:
                raise block.wrong(str(error), code="FP8075") from None
            if switch not in own:
                raise block.get("switch").wrong(f"{switch!r} is not a switch of the model", code="FP8075")
            own[switch] += nodes
            domain = block.get("annotations").get(DOMAIN)
            if not domain.absent:
                domains.setdefault(domain.text(), []).extend(nodes)
        for name in inner:
            found[f"{fabric} switch {name}"] = tuple(sorted(_below(name, inner, own, str(path), ())))
        found |= {f"{fabric} domain {name}": tuple(sorted(nodes)) for name, nodes in domains.items()}
    return found


def _below(
    name: str, inner: dict[str, list[str]], own: dict[str, list[str]], path: str, above: tuple[str, ...]
) -> list[str]:
    if name in above:
        raise FormatError(f"switch {name} is inside of itself", file=path, code="FP8075")
    nodes = list(own.get(name, ()))
    for child in inner.get(name, ()):
        nodes += _below(child, inner, own, path, (*above, name))
    return nodes


def _names(plan: SchedulerPlan) -> Iterator[Mapped]:
    yield from mapped("host", "", node_names(plan))
    for fabric, tree in plan.trees.items():
        yield from mapped("group", fabric, _group_names(tree))
        if fabric in plan.blocks:
            yield from mapped("block", fabric, fit_names(plan.blocks[fabric].names, LABEL))


FORMAT = SchedulerFormat(
    write=_write,
    facts=_facts,
    read=_read,
    names=_names,
    read_by="NVIDIA topograph 1.0 and 1.1",
    notes=renamed_notes,
)
