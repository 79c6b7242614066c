"""Dragonfly+: more groups; every one is joined with all others, so that global cables are re-wired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fabric.growth.rule import BuiltFabric, GrowthRule, Keys
from topologies.hosts import HostGroup

SUMMARY = "more groups; global cables are re-wired, for every group meets all others"

_TRIED = 64  # numbers of groups above the fewest


def larger(present: BuiltFabric, hosts: Sequence[HostGroup]) -> Iterator[Keys]:
    """Groups as the nodes need, or a few more where these cannot be joined evenly."""
    per_group = int(present.keys["p"]) * int(present.keys["leaves"])
    ports = sum(len(group.hosts) * group.nics * group.ports for group in hosts)
    fewest = max(present.pods(), -(-ports // per_group))
    for count in range(fewest, fewest + _TRIED):
        yield {**present.keys, "groups": count}


RULE = GrowthRule(
    larger, None, "global ports of a group are the most groups that it meets; take more global_links or spines"
)
