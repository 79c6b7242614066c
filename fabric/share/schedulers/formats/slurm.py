"""``slurm``: topology.conf by tree or by block, or one topology.yaml with a topology of every fabric.

A switch of Slurm is a group of the tree: a leaf switch is a lowest group, whatever number of real leaves it has. Groups
with one group in them are left out, as they say nothing. Host ranges are folded by the number at the end of names.

Blocks are consecutive hosts that jobs take whole; Slurm joins neighbours in the order of the file, 2, 4, 8, ... at a
time, and does so here as far as the joined blocks stay inside one group of the tree.

References
----------
Slurm 22.05, topology.conf(5); Slurm 25.05, topology.yaml(5) and Topology Guide; src/plugins/topology/tree/
switch_record.c (a switch has nodes or switches, a name of 64 characters; switches are numbered by 16 bits).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from fabric.share.schedulers.blocks import HostBlocks
from fabric.share.schedulers.format import Facts, SchedulerFormat, SchedulerPlan, TextFile
from fabric.share.schedulers.names import SLURM, Mapped, fit_names, folded, mapped
from fabric.share.schedulers.switch_tree import SwitchTree
from fabric.share.schedulers.tree_sets import Branch, group_facts, tree_branches
from topologies.errors import FormatError, ScenarioError
from topologies.reading.json_value import JsonValue
from topologies.reading.text_input import read_text
from topologies.reading.yaml_value import read_yaml_value
from traffic.hostlist import expand_hosts

SUMMARY = "topology.conf of Slurm by tree or block, or topology.yaml with one topology a fabric"
ORDER = 10
TREE, BLOCK, YAML = STYLES = ("tree", "block", "yaml")
_MOST_SWITCHES = 65_534
_ENTRY = re.compile(r"(\w+)=(\S+)")


def _style(plan: SchedulerPlan) -> str:
    return plan.options.style or TREE


def _host_names(plan: SchedulerPlan) -> dict[str, str]:
    return fit_names((host for tree in plan.trees.values() for host in tree.hosts), SLURM)


def _group_names(tree: SwitchTree) -> dict[str, str]:
    return fit_names((name for level in tree.levels for name in level.names), SLURM)


def _blocks(plan: SchedulerPlan, fabric: str) -> HostBlocks:
    if fabric not in plan.blocks:
        raise ScenarioError(
            f"no scale-up domain joins hosts of {fabric}: there is nothing to take as a block",
            hint="--block-by unit takes the hosts of the same switches as a block",
            code="FP8070",
        )
    return plan.blocks[fabric]


# ---- writing ----------------------------------------------------------------------------------------------------


def _write(plan: SchedulerPlan) -> Iterator[TextFile]:
    hosts = _host_names(plan)
    if _style(plan) == YAML:
        yield TextFile("topology.yaml", "".join(_yaml(plan, hosts)))
        return
    for fabric, tree in plan.trees.items():
        lines = _tree_lines(tree, hosts) if _style(plan) == TREE else _block_lines(plan, tree, hosts)
        head = f"# {plan.scenario}, fabric {fabric}: {'tree' if _style(plan) == TREE else 'blocks'} of its hosts\n"
        yield TextFile(f"{plan.folder(fabric)}topology.conf", head + "".join(f"{line}\n" for line in lines))


def _switches(tree: SwitchTree, hosts: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Name, what is in it (Nodes or Switches), and those, folded; the lowest first."""
    names = _group_names(tree)
    branches = tree_branches(tree)
    if len(branches) > _MOST_SWITCHES:
        raise ScenarioError(
            f"{tree.fabric} has {len(branches):,} groups; Slurm numbers switches by 16 bits: "
            f"{_MOST_SWITCHES:,} at most",
            hint="--style block --block-by unit has no such limit",
            code="FP8073",
        )
    for branch in branches:
        inside = [names[name] for name in branch.groups] or [hosts[host] for host in branch.hosts]
        yield names[branch.name], "Switches" if branch.groups else "Nodes", ",".join(folded(inside))


def _tree_lines(tree: SwitchTree, hosts: Mapping[str, str]) -> Iterator[str]:
    for name, key, inside in _switches(tree, hosts):
        yield f"SwitchName={name} {key}={inside}"


def _block_rows(
    plan: SchedulerPlan, tree: SwitchTree, hosts: Mapping[str, str]
) -> tuple[list[tuple[str, str]], list[int]]:
    """Name and hosts of every block in the order of the tree, and the sizes."""
    blocks = _blocks(plan, tree.fabric)
    names = fit_names(blocks.names, SLURM)
    order, sizes = block_order(tree, blocks)
    members: list[list[str]] = [[] for _ in blocks.names]
    for host, block in enumerate(blocks.of_host.tolist()):
        if block >= 0:
            members[block].append(hosts[tree.hosts[host]])
    return [(names[blocks.names[block]], ",".join(folded(members[block]))) for block in order], sizes


def _block_lines(plan: SchedulerPlan, tree: SwitchTree, hosts: Mapping[str, str]) -> Iterator[str]:
    rows, sizes = _block_rows(plan, tree, hosts)
    for name, nodes in rows:
        yield f"BlockName={name} Nodes={nodes}"
    yield f"BlockSizes={','.join(map(str, sizes))}"


def block_order(tree: SwitchTree, blocks: HostBlocks) -> tuple[list[int], list[int]]:
    """Blocks in the order of the tree, and the sizes of blocks and of joined blocks, hosts each.

    The base is the smallest block. A larger size is a power of two times the base, such that blocks that Slurm joins in
    this order lie in one group of a level, of whose groups every one has a multiple of so many blocks.
    """
    inside = [host for host in range(len(tree.hosts)) if blocks.of_host[host] >= 0]
    count = len(blocks.names)
    rows = np.stack([tree.group_at[level] for level in reversed(range(len(tree.levels)))], axis=1)
    keys: list[tuple[int, ...]] = [() for _ in range(count)]
    for host in reversed(inside):
        keys[int(blocks.of_host[host])] = (*rows[host].tolist(), host)
    order = sorted((block for block in range(count) if keys[block]), key=lambda block: keys[block])
    base = int(blocks.sizes[order].min())
    factors = set()
    for level in range(len(tree.levels)):
        groups = tree.group_at[level]
        whole = np.full(count, -2, dtype=np.int64)
        split = False
        for host in inside:
            block, group = int(blocks.of_host[host]), int(groups[host])
            split |= whole[block] not in (-2, group)
            whole[block] = group
        if not split:
            per_group = np.unique(whole[order], return_counts=True)[1]
            factors.add(int(np.gcd.reduce(per_group & -per_group)))
    return order, [base * factor for factor in sorted({1, *factors})]


def _yaml(plan: SchedulerPlan, hosts: Mapping[str, str]) -> Iterator[str]:
    """One topology a fabric, and one of its blocks where it has any."""
    yield f"# {plan.scenario}: a partition chooses one by Topology=NAME\n"
    names = fit_names(plan.trees, SLURM)
    for fabric, tree in plan.trees.items():
        default = "true" if fabric == plan.primary else "false"
        yield f"- topology: {json.dumps(names[fabric])}\n  cluster_default: {default}\n  tree:\n    switches:\n"
        for name, key, inside in _switches(tree, hosts):
            child = "children" if key == "Switches" else "nodes"
            yield f"      - switch: {json.dumps(name)}\n        {child}: {json.dumps(inside)}\n"
        if fabric in plan.blocks:
            rows, sizes = _block_rows(plan, tree, hosts)
            yield f"- topology: {json.dumps(f'{names[fabric]}-blocks')}\n  cluster_default: false\n  block:\n"
            yield f"    block_sizes: [{', '.join(map(str, sizes))}]\n    blocks:\n"
            for name, nodes in rows:
                yield f"      - block: {json.dumps(name)}\n        nodes: {json.dumps(nodes)}\n"


# ---- what is to be found, and what is -------------------------------------------------------------------------------


def _facts(plan: SchedulerPlan) -> Facts:
    hosts = _host_names(plan)
    found: dict[str, tuple[str, ...]] = {}
    for fabric, tree in plan.trees.items():
        if _style(plan) != BLOCK:
            found |= group_facts(f"{fabric} switch", tree, _group_names(tree), hosts)
        if _style(plan) == BLOCK or (_style(plan) == YAML and fabric in plan.blocks):
            blocks = _blocks(plan, fabric)
            names = fit_names(blocks.names, SLURM)
            for number, name in enumerate(blocks.names):
                inside = np.flatnonzero(blocks.of_host == number).tolist()
                if inside:
                    found[f"{fabric} block {names[name]}"] = tuple(sorted(hosts[tree.hosts[host]] for host in inside))
    return found


def _read(plan: SchedulerPlan, folder: Path) -> Facts:
    if _style(plan) == YAML:
        return _read_yaml(plan, folder / "topology.yaml")
    found: dict[str, tuple[str, ...]] = {}
    for fabric in plan.trees:
        branches: dict[str, Branch] = {}
        for name, kind, branch in _conf_entries(folder / f"{plan.folder(fabric)}topology.conf"):
            if kind == "block":
                found[f"{fabric} block {name}"] = tuple(sorted(branch.hosts))
            else:
                branches[name] = branch
        found |= _resolved(f"{fabric} switch", branches)
    return found


def _conf_entries(path: Path) -> Iterator[tuple[str, str, Branch]]:
    for number, line in enumerate(read_text(path).splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        entry = {key.lower(): value for key, value in _ENTRY.findall(text)}
        if "blocksizes" in entry:
            continue
        kind = "switch" if "switchname" in entry else "block"
        if f"{kind}name" not in entry or bool(entry.get("nodes")) == bool(entry.get("switches")):
            raise FormatError(
                "a line of topology.conf names a switch or a block and what is in it, nodes or switches",
                file=str(path), line=number, code="FP8075",
            )  # fmt: skip
        try:
            inside = expand_hosts(entry.get("nodes") or entry["switches"])
        except ValueError as error:
            raise FormatError(str(error), file=str(path), line=number, code="FP8075") from None
        nodes = "nodes" in entry
        name = entry[f"{kind}name"]
        yield name, kind, Branch(name, () if nodes else tuple(inside), tuple(inside) if nodes else ())


def _resolved(prefix: str, branches: Mapping[str, Branch]) -> Facts:
    """Hosts of every switch, through those in it."""
    known: dict[str, tuple[str, ...]] = {}

    def hosts_of(name: str, above: tuple[str, ...] = ()) -> tuple[str, ...]:
        if name in above:
            raise FormatError(f"switch {name} is inside of itself", code="FP8075")
        if name not in branches:
            return (f"?{name}",)
        if name not in known:
            branch = branches[name]
            inner = [host for group in branch.groups for host in hosts_of(group, (*above, name))]
            known[name] = tuple(sorted([*branch.hosts, *inner]))
        return known[name]

    return {f"{prefix} {name}": hosts_of(name) for name in branches}


def _read_yaml(plan: SchedulerPlan, path: Path) -> Facts:
    found: dict[str, tuple[str, ...]] = {}
    by_name = {written: name for name, written in fit_names(plan.trees, SLURM).items()}
    for topology in read_yaml_value(path, syntax_code="FP8075").each():
        name = topology.need("topology").text()
        if not topology.get("tree").absent:
            branches = {}
            for entry in topology.get("tree").need("switches").each():
                switch = entry.need("switch").text()
                branches[switch] = Branch(switch, _list(entry.get("children")), _list(entry.get("nodes")))
            found |= _resolved(f"{by_name.get(name, name)} switch", branches)
        if not topology.get("block").absent:
            fabric = name.removesuffix("-blocks")
            for entry in topology.get("block").need("blocks").each():
                nodes = tuple(sorted(_list(entry.need("nodes"))))
                found[f"{by_name.get(fabric, fabric)} block {entry.need('block').text()}"] = nodes
    return found


def _list(value: JsonValue) -> tuple[str, ...]:
    if value.absent:
        return ()
    try:
        return tuple(expand_hosts(value.text()))
    except ValueError as error:
        raise value.wrong(str(error), code="FP8075") from None


def _names(plan: SchedulerPlan) -> Iterable[Mapped]:
    yield from mapped("host", "", _host_names(plan))
    for fabric, tree in plan.trees.items():
        if _style(plan) != BLOCK:
            yield from mapped("group", fabric, _group_names(tree))
        if fabric in plan.blocks:
            yield from mapped("block", fabric, fit_names(plan.blocks[fabric].names, SLURM))


def _notes(plan: SchedulerPlan) -> Iterator[str]:
    if len(plan.trees) > 1 and _style(plan) != YAML:
        yield (
            "topology.conf holds one topology, so every fabric has a folder of its own: copy one beside slurm.conf "
            f"({plan.primary} carries the collectives); --style yaml has all, from Slurm 25.05 on"
        )
    if any(name != written for name, written in _host_names(plan).items()):
        yield "hosts are renamed for Slurm (names.csv): NodeHostname= or NodeAddr= of slurm.conf keeps their own names"
    for fabric in plan.trees:
        if _style(plan) == TREE or fabric not in plan.blocks:
            continue
        blocks = plan.blocks[fabric]
        sizes = blocks.sizes[blocks.sizes > 0]
        if len(np.unique(sizes)) > 1:
            yield (
                f"blocks of {fabric} have {int(sizes.min())} to {int(sizes.max())} hosts; Slurm plans with the smallest"
            )
        outside = int((blocks.of_host < 0).sum())
        if outside:
            yield f"{outside:,} hosts of {fabric} are in no block, and jobs by block never get them"


FORMAT = SchedulerFormat(
    write=_write,
    facts=_facts,
    read=_read,
    names=_names,
    read_by="slurmctld 22.05 (tree), 23.11 (block), 25.05 (yaml)",
    takes=("style", "block_by"),
    notes=_notes,
)
