"""A YAML value that remembers where each of its parts was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from topologies.errors import Where

Scalar = str | int | float | bool | None

# Items of these top-level lists are known by a key of their own; the others are kept in order.
NAMED_LISTS = {"nodes": "group", "workloads": "id", "tenants": "name", "risk_groups": "name", "failures": "name"}
_ADDED_LISTS = ("limits", "measured")
_NAME_KEYS = ("group", "id", "name")


@dataclass(frozen=True)
class Place:
    """A stretch of one line; line and column count from 1, and are None for what no file holds."""

    file: str
    line: int | None = None
    column: int | None = None
    length: int = 0


@dataclass(frozen=True, eq=False)
class Tree:
    """One YAML value, its place, and the place of the key it stands under."""

    value: Scalar | Mapping[str, Tree] | Sequence[Tree]
    place: Place
    key: Place | None = None

    def plain(self) -> Any:
        """The value without places: dicts, lists and scalars."""
        if isinstance(self.value, Mapping):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, Sequence) and not isinstance(self.value, str):
            return [child.plain() for child in self.value]
        return self.value

    def child(self, part: str | int) -> Tree | None:
        """The value under a key, at an index, or (in a list) with that name."""
        if isinstance(self.value, Mapping):
            return self.value.get(str(part))
        index = self.index(part)
        return None if index is None else self.items[index]

    def index(self, part: str | int) -> int | None:
        """Position of a list item given by number or by its ``group``, ``id`` or ``name``."""
        if isinstance(part, str) and part in self.item_names():
            return self.item_names().index(part)
        number = int(part) if str(part).isdecimal() and len(str(part)) < 10 else -1
        return number if 0 <= number < len(self.items) else None

    @property
    def items(self) -> Sequence[Tree]:
        """Items of a list; empty for anything else."""
        return self.value if isinstance(self.value, Sequence) and not isinstance(self.value, str) else ()

    def item_names(self) -> list[str]:
        """Names of the items of a list, "" for those that have none."""
        return [next((name for key in _NAME_KEYS if (name := item.text(key))), "") for item in self.items]

    def text(self, key: str) -> str | None:
        """The text under ``key``, or None."""
        child = self.value.get(key) if isinstance(self.value, Mapping) else None
        return child.value if child is not None and isinstance(child.value, str) else None

    def find(self, where: Where) -> tuple[Tree, int]:
        """The deepest existing value on a path, and how many parts of the path led to it."""
        here = self
        for depth, part in enumerate(where):
            below = here.child(part)
            if below is None:
                return here, depth
            here = below
        return here, len(where)

    def without(self, key: str) -> Tree:
        """The same mapping, less one key."""
        if not isinstance(self.value, Mapping):
            return self
        return replace(self, value={name: child for name, child in self.value.items() if name != key})

    def with_child(self, part: str | int, child: Tree) -> Tree:
        """The same mapping or list with one value replaced or (in a mapping) added."""
        if isinstance(self.value, Mapping):
            return replace(self, value={**self.value, str(part): child})
        items = list(self.items)
        items[int(part)] = child
        return replace(self, value=items)


def with_nodes_listed(tree: Tree) -> Tree:
    """The same scenario; a mapping under ``nodes`` with a ``from`` is one node group, written without a list."""
    nodes = tree.child("nodes") if isinstance(tree.value, Mapping) else None
    if nodes is None or not isinstance(nodes.value, Mapping) or "from" not in nodes.value:
        return tree
    return tree.with_child("nodes", Tree([replace(nodes, key=None)], nodes.place, nodes.key))


def merge(base: Tree, over: Tree, where: Where = ()) -> Tree:
    """Lay one scenario over another; what is written in ``over`` wins.

    Mappings merge key by key. Nodes merge by ``group``, workloads by ``id``, risk groups and failures by ``name``;
    limits and measured are added up; every other list is replaced.
    """
    if isinstance(base.value, Mapping) and isinstance(over.value, Mapping):
        merged = dict(base.value)
        for key, child in over.value.items():
            merged[key] = merge(merged[key], child, (*where, key)) if key in merged else child
        return replace(over, value=merged)
    if base.items and over.items and len(where) == 1:
        if where[0] in NAMED_LISTS:
            return replace(over, value=_merge_named(base.items, over.items, NAMED_LISTS[str(where[0])], where))
        if where[0] in _ADDED_LISTS:
            return replace(over, value=[*base.items, *over.items])
    return over


def _merge_named(base: Iterable[Tree], over: Iterable[Tree], key: str, where: Where) -> list[Tree]:
    merged = list(base)
    for item in over:
        name = item.text(key)
        same = [i for i, known in enumerate(merged) if name is not None and known.text(key) == name]
        if same:
            merged[same[0]] = merge(merged[same[0]], item, (*where, same[0]))
        else:
            merged.append(item)
    return merged
