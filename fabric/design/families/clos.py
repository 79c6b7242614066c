"""Clos: pods of leaves and spines under cores; two tiers too, where no leaf-spine may be chosen."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.design.counting.reach import three_tier_reach
from fabric.design.counting.shares import one_plane
from fabric.design.counting.three_tiers import three_tier_clos
from fabric.design.counting.two_tiers import leaf_spines
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue

SUMMARY = "three tiers: pods of leaves and spines under planes of cores; two where those reach"
ORDER = 25


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """Every model in every tier."""
    share = one_plane(need)
    if share is None:
        return
    if need.kinds and "leaf-spine" not in need.kinds:
        yield from leaf_spines("clos", share, catalogue)
    yield from three_tier_clos("clos", share, catalogue)


FAMILY = Family("clos", variants, three_tier_reach)
