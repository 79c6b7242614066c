"""Hosts that a job may have, in groups inside groups: the switch tree of a fabric, cut down to one node group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.share.schedulers.switch_tree import SwitchTree
from topologies.columns import Ints, column


@dataclass(frozen=True, eq=False)
class HostGroups:
    """Groups of the hosts of one node group, lowest level first; a host without a cable is in none."""

    of_host: tuple[Ints, ...]  # by level, each of shape (H,): group of every host, -1 for none
    parents: tuple[Ints, ...]  # by level, each of shape (G,): group of the next level that each is in, -1 for none
    names: tuple[tuple[str, ...], ...]  # by level
    words: tuple[str, ...]  # what a group of each level is: leaf, pod

    @staticmethod
    def of(tree: SwitchTree, hosts: Sequence[str]) -> HostGroups:
        """Groups of some hosts of a tree; groups that have none of them are left out."""
        rows = {name: row for row, name in enumerate(tree.hosts)}
        at = np.array([rows.get(name, -1) for name in hosts], dtype=np.int64)
        found: list[Ints] = []
        kept: list[Ints] = []
        for group_at in tree.group_at:
            group = np.where(at >= 0, group_at[np.maximum(at, 0)], -1)
            used, number = np.unique(group[group >= 0], return_inverse=True)
            mine = np.full(len(hosts), -1, dtype=np.int64)
            mine[group >= 0] = number
            found.append(column(mine, np.int32))
            kept.append(column(used, np.int32))
        parents = [_parents(one, above, len(used)) for one, above, used in zip(found, found[1:], kept, strict=False)]
        parents += [column(np.full(len(kept[-1]), -1), np.int32)] if kept else []
        names = tuple(
            tuple(level.names[group] for group in used.tolist()) for level, used in zip(tree.levels, kept, strict=True)
        )
        return HostGroups(tuple(found), tuple(parents), names, tuple(level.word for level in tree.levels))

    @staticmethod
    def of_sizes(sizes: Sequence[Sequence[int]]) -> HostGroups:
        """Groups by the hosts of the lowest, then by the groups of each level in those of the next.

        Examples
        --------
        >>> HostGroups.of_sizes([[2, 2, 1], [2, 1]]).of_host[1].tolist()
        [0, 0, 0, 0, 1]
        """
        host = np.repeat(np.arange(len(sizes[0])), sizes[0])
        rows, parents = [column(host, np.int32)], []
        for above in sizes[1:]:
            parent = column(np.repeat(np.arange(len(above)), above), np.int32)
            parents.append(parent)
            rows.append(column(parent[rows[-1]], np.int32))
        parents.append(column(np.full(len(sizes[-1]), -1), np.int32))
        names = tuple(tuple(f"s{level}_{group}" for group in range(len(row))) for level, row in enumerate(parents))
        return HostGroups(tuple(rows), tuple(parents), names, tuple(f"level {level}" for level in range(len(rows))))

    @property
    def hosts(self) -> int:
        """Hosts, attached or not."""
        return len(self.of_host[0]) if self.of_host else 0

    @property
    def tree_order(self) -> Ints:
        """Hosts by top group, then by the groups below, then in the order of the scenario, shape (H,)."""
        return column(np.lexsort(np.stack([np.arange(self.hosts), *self.of_host])), np.int32)

    def spanned(self, hosts: Ints) -> int:
        """Lowest groups that some hosts lie in."""
        return len(np.unique(self.of_host[0][hosts])) if self.of_host else 0


def _parents(one: Ints, above: Ints, groups: int) -> Ints:
    """Group of the next level of every group, by its hosts."""
    parent = np.full(groups, -1, dtype=np.int64)
    inside = one >= 0
    parent[one[inside]] = above[inside]
    return column(parent, np.int32)
