"""Rail-optimised: NIC i of the nodes of a unit on leaf i of the unit; leaves meet at spines, and spines at cores."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.design.counting.rails import rail_variants
from fabric.design.counting.reach import three_tier_reach
from fabric.design.counting.shares import one_plane
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue

SUMMARY = "NIC i of the nodes of a unit on leaf i of that unit; two tiers, or three with spines by rail"
ORDER = 30


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """Two and three tiers, with every number of rails that may share a leaf."""
    share = one_plane(need)
    if share is not None:
        both = not need.kinds or "leaf-spine" in need.kinds
        yield from rail_variants("rail-optimised", share, catalogue, leaf_spines_too=both)


FAMILY = Family("rail-optimised", variants, three_tier_reach)
