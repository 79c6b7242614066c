"""Dual-plane: more segments on free ports of the aggregation switches, then more pods below the core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fabric.growth.rule import BuiltFabric, GrowthRule, Keys
from topologies.hosts import HostGroup

SUMMARY = "more segments on free ports of the aggregation switches, then pods, which re-wire the core"


def larger(present: BuiltFabric, hosts: Sequence[HostGroup]) -> Iterator[Keys]:
    """As many segments as the nodes need, in the pods that stand, then in more."""
    per_segment = int(present.keys["hosts_per_segment"])
    needed = -(-sum(len(group.hosts) for group in hosts) // per_segment)
    pods, segments = int(present.keys.get("pods", 1)), int(present.keys["segments"])
    yield {**present.keys, "segments": max(segments, -(-needed // pods))}
    if present.keys.get("agg_uplinks"):
        for size in range(segments, 0, -1):
            yield {**present.keys, "segments": size, "pods": max(pods, -(-needed // size))}


RULE = GrowthRule(
    larger,
    None,
    "the ports of the aggregation switches are the most segments of a pod; further pods need agg_uplinks",
)
