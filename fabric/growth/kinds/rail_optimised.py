"""Rail-optimised: more scalable units; more spines when theirs are full; then pods of units below cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fabric.growth.rule import BuiltFabric, GrowthRule, Keys, nested, without
from topologies.divisors import divisors
from topologies.hosts import HostGroup

SUMMARY = "more units; more spines when theirs are full, which re-wires; then pods below cores"


def larger(present: BuiltFabric, _hosts: Sequence[HostGroup]) -> Iterator[Keys]:
    """Units as the nodes need; spines that divide the uplinks, then three tiers with pods as large as can be."""
    keys = nested(without(present.keys, "units"), "leaf", count=None, up=present.uplinks(1))
    up = present.uplinks(1)
    if present.tiers == 2:
        for count in divisors(up):
            if count >= present.switches(2):
                yield nested(keys, "spine", count=count)
        keys = without(nested(keys, "spine", count=None), "oversubscription")
        yield from (_in_pods(keys, size) for size in _pod_sizes(present))
        return
    per_pod = _units_of_pod(present)
    yield nested({**keys, "units_per_pod": per_pod}, "core", count=present.switches(3))
    yield nested({**keys, "units_per_pod": per_pod}, "core", count=None)
    yield nested(without(keys, "units_per_pod"), "core", count=None)


def with_room(last: BuiltFabric, _hosts: Sequence[HostGroup]) -> Keys:
    """The last stage's spines, pods and cores below which fewer units stand."""
    keys = nested(without(last.keys, "units"), "leaf", count=None, up=last.uplinks(1))
    if last.tiers == 2:
        return nested(keys, "spine", count=last.switches(2))
    columns = last.switches(1) // max(len({*last.topology.nodes.unit[last.topology.nodes.level == 1].tolist()}), 1)
    keys = nested(keys, "spine", count=last.switches(2) // (last.pods() * columns), up=last.uplinks(2))
    return nested({**keys, "units_per_pod": _units_of_pod(last)}, "core", count=last.switches(3))


def _in_pods(keys: Keys, size: int) -> Keys:
    """Three tiers with pods of so many units."""
    return {**keys, "tiers": 3, "units_per_pod": size}


def _pod_sizes(present: BuiltFabric) -> list[int]:
    """Units of a pod that half the ports of a spine take, the most first."""
    ports, up = present.radix(2), present.uplinks(1)
    most = [ports // 2 // (up // count) for count in divisors(up)] if ports else [1]
    return sorted({size for size in most if size >= 1}, reverse=True)


def _units_of_pod(present: BuiltFabric) -> int:
    """Units of the largest pod."""
    nodes = present.topology.nodes
    leaf = present.topology.is_switch & (nodes.level == 1)
    pairs = {(pod, unit) for pod, unit in zip(nodes.pod[leaf].tolist(), nodes.unit[leaf].tolist(), strict=True)}
    return max(sum(pod == one for one, _ in pairs) for pod, _ in pairs)


RULE = GrowthRule(larger, with_room, "three tiers are the most; take switches with more ports")
