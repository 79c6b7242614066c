"""A switch tree as branches, and as sets of hosts, for formats that name groups and what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.share.schedulers.switch_tree import SwitchTree


@dataclass(frozen=True)
class Branch:
    """A group: the groups in it, or its hosts."""

    name: str
    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    level: int = 0


def tree_branches(tree: SwitchTree) -> list[Branch]:
    """Groups of a tree, the lowest first; those with a single group in them are left out, and stand for that one."""
    if not tree.levels:
        return []
    names = list(tree.levels[0].names)
    branches = [
        Branch(name, hosts=tuple(tree.hosts[host] for host in rows.tolist()))
        for name, rows in zip(names, tree.members(0), strict=True)
    ]
    for level in range(1, len(tree.levels)):
        above = []
        for name, rows in zip(tree.levels[level].names, tree.children(level), strict=True):
            inside = tuple(names[child] for child in rows.tolist())
            if len(inside) > 1:
                branches.append(Branch(name, groups=inside, level=level))
            above.append(name if len(inside) > 1 else inside[0])
        names = above
    return branches


def group_facts(
    prefix: str, tree: SwitchTree, names: Mapping[str, str], hosts: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Hosts of every group that a tree of branches has, from its columns: ``{"prefix unit0": ("n0", "n1")}``."""
    found = {}
    for level in range(len(tree.levels)):
        inner = [1] * len(tree.levels[0]) if level == 0 else [len(rows) for rows in tree.children(level)]
        for name, rows, count in zip(tree.levels[level].names, tree.members(level), inner, strict=True):
            if level == 0 or count > 1:
                found[f"{prefix} {names[name]}"] = tuple(sorted(hosts[tree.hosts[host]] for host in rows.tolist()))
    return found
