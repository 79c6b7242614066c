"""Telling a requirement from other files; loads nothing of what reads one."""

from __future__ import annotations

from collections.abc import Mapping

from fabric.scenario.tree import Tree


def is_requirement(tree: Tree) -> bool:
    """Whether a document is a requirement rather than a scenario."""
    return isinstance(tree.value, Mapping) and "require" in tree.value and "fabrics" not in tree.value
