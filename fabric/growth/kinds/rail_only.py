"""Rail-only: every rail grows as a Clos of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fabric.growth.rule import BuiltFabric, GrowthRule, Keys, without
from topologies.hosts import HostGroup

SUMMARY = "every rail grows by itself: one switch, then two tiers, then three"


def larger(present: BuiltFabric, _hosts: Sequence[HostGroup]) -> Iterator[Keys]:
    """As small as the nodes allow."""
    yield without(present.keys, "gpus")


RULE = GrowthRule(
    larger, None, "a rail is as small as its GPUs allow, three tiers at most; take switches with more ports"
)
