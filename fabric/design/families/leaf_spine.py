"""Leaf-spine: every leaf of whole hosts has cables to every spine."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.design.counting.reach import two_tier_reach
from fabric.design.counting.shares import one_plane
from fabric.design.counting.two_tiers import leaf_spines
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue

SUMMARY = "two tiers: every leaf of whole hosts has cables to every spine"
ORDER = 20


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """Every leaf model and breakout under every spine model."""
    share = one_plane(need)
    if share is not None:
        yield from leaf_spines("leaf-spine", share, catalogue)


FAMILY = Family("leaf-spine", variants, two_tier_reach)
