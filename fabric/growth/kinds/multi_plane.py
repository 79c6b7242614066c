"""Multi-plane: every plane grows as its own kind does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fabric.growth.plane import as_plane
from fabric.growth.rule import RULES, BuiltFabric, GrowthRule, Keys
from topologies.hosts import HostGroup

SUMMARY = "every plane grows as its own kind does"


def larger(present: BuiltFabric, hosts: Sequence[HostGroup]) -> Iterator[Keys]:
    """The same change in every plane."""
    plane = as_plane(present)
    if plane.keys["kind"] in RULES:
        for keys in RULES[plane.keys["kind"]].larger(plane, hosts):
            yield {**present.keys, "plane": dict(keys)}


def with_room(last: BuiltFabric, hosts: Sequence[HostGroup]) -> Keys | None:
    """The same room in every plane."""
    plane = as_plane(last)
    rule = RULES.get(plane.keys["kind"])
    keys = rule.with_room(plane, hosts) if rule and rule.with_room else None
    return None if keys is None else {**last.keys, "plane": dict(keys)}


RULE = GrowthRule(larger, with_room, "a plane grows as its own kind does")
