"""SuperPOD: more scalable units; with room it is the rail-optimised fabric of the same cables, whose spines are counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fabric.growth.rule import BuiltFabric, GrowthRule, Keys, without
from topologies.hosts import HostGroup

SUMMARY = "more scalable units; spines follow from their number, so that full ones re-wire"


def larger(present: BuiltFabric, _hosts: Sequence[HostGroup]) -> Iterator[Keys]:
    """Units as the nodes need, with as many tiers as they reach."""
    keys = without(present.keys, "scalable_units", "tiers")
    if present.tiers == 3:
        yield {**keys, "tiers": 3}
        return
    yield {**keys, "tiers": 2}
    yield {**keys, "tiers": 3}


def with_room(last: BuiltFabric, _hosts: Sequence[HostGroup]) -> Keys | None:
    """The same leaves, spines and cores with counts of their own; None where management hosts follow the last unit."""
    if last.keys.get("management_links"):
        return None
    switch = dict(last.keys.get("switch") or {})
    radix, speed = last.keys.get("radix", 64), last.keys.get("speed", "400G")
    switch = switch or {"radix": radix, "speed": speed}
    per_unit = int(last.keys.get("nodes_per_unit", 32))
    keys: dict[str, object] = {
        "kind": "rail-optimised",
        "tiers": last.tiers,
        "nodes_per_unit": per_unit,
        "leaf": {**switch, "down": per_unit, "up": per_unit},
    }
    if "cabling" in last.keys:
        keys["cabling"] = last.keys["cabling"]
    if last.tiers == 2:
        return {**keys, "spine": {**switch, "count": last.switches(2)}}
    nodes = last.topology.nodes
    leaf = last.topology.is_switch & (nodes.level == 1)
    rails = len(set(nodes.rail[leaf].tolist()))
    units = {(pod, unit) for pod, unit in zip(nodes.pod[leaf].tolist(), nodes.unit[leaf].tolist(), strict=True)}
    per_pod = max(sum(pod == one for one, _ in units) for pod, _ in units)
    spine = {**switch, "count": last.switches(2) // (last.pods() * rails), "up": last.uplinks(2)}
    return {**keys, "units_per_pod": per_pod, "spine": spine, "core": {**switch, "count": last.switches(3)}}


RULE = GrowthRule(larger, with_room, "three tiers are the most; take switches with more ports")
