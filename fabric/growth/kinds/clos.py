"""Folded Clos: more leaves, more pods, more cores; a further tier when those below are full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fabric.growth.rule import BuiltFabric, GrowthRule, Keys, without
from topologies.hosts import HostGroup

SUMMARY = "more leaves, then pods, then tiers; cores are added, and re-wired, as pods need them"

_COUNTS = (
    "endpoints", "hosts", "leaves_per_pod", "racks_per_pod", "spines_per_pod", "aggregation_per_pod", "pods", "zones",
    "superspines_per_zone", "cores", "planes",
)  # fmt: skip


def larger(present: BuiltFabric, _hosts: Sequence[HostGroup]) -> Iterator[Keys]:
    """Pods like those that stand, then pods of any size, with as many tiers and then more."""
    free = without(present.keys, *_COUNTS, "tiers")
    kept = _kept(present)
    if present.tiers == 2:
        yield {**free, **kept, "tiers": 2, "spines_per_pod": present.switches(2)}
        yield {**free, **kept, "tiers": 2}
    if present.tiers <= 3:
        pods = _pods(present) if present.tiers == 3 else {}
        cores = {"cores": present.switches(3), "planes": present.planes(3)} if present.tiers == 3 else {}
        yield {**free, **kept, "tiers": 3, **pods, **cores}
        yield {**free, **kept, "tiers": 3, **pods}
        yield {**free, **kept, "tiers": 3}
    yield {**free, **kept, "tiers": 4}


def with_room(last: BuiltFabric, hosts: Sequence[HostGroup]) -> Keys | None:
    """The last stage's pods, spines and cores with fewer leaves, or with fewer pods."""
    free = {**without(last.keys, *_COUNTS, "tiers"), **_kept(last), "tiers": last.tiers}
    if last.tiers == 2:
        return {**free, "spines_per_pod": last.switches(2)}
    if last.tiers > 3:
        return None
    pods = _pods(last)
    needed = -(-sum(len(group.hosts) for group in hosts) * last.pods() // sum(len(group.hosts) for group in last.hosts))
    return {**free, **pods, "pods": max(needed, 1), "cores": last.switches(3), "planes": last.planes(3)}


def _kept(present: BuiltFabric) -> dict[str, Any]:
    """Host ports and uplinks of the switches that stand."""
    links, level = present.topology.links, present.topology.nodes.level
    below = (level[links.dst] == 1) & (level[links.src] == 0)
    most = int(max((links.dst[below] == leaf).sum() for leaf in set(links.dst[below].tolist())))
    uplinks = {"leaf": present.uplinks(1)}
    if present.tiers == 3:
        uplinks["spine"] = present.uplinks(2)
    ratios = {name: value for name, value in (present.keys.get("oversubscription") or {}).items() if name == "at_most"}
    kept: dict[str, Any] = {"hosts_per_leaf": present.keys.get("hosts_per_leaf") or most, "uplinks": uplinks}
    return {**kept, "oversubscription": ratios}


def _pods(present: BuiltFabric) -> dict[str, int]:
    """Leaves and spines of a pod."""
    pods = present.pods()
    return {"leaves_per_pod": present.switches(1) // pods, "spines_per_pod": present.switches(2) // pods}


RULE = GrowthRule(larger, with_room, "four tiers are the most; take switches with more ports")
