"""Single switch: all hosts on one switch."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.design.counting.reach import one_switch_reach
from fabric.design.counting.shares import one_plane
from fabric.design.counting.single_switches import single_switches
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue

SUMMARY = "one switch that has a port for every NIC"
ORDER = 10


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """Every model and breakout."""
    share = one_plane(need)
    if share is not None:
        yield from single_switches("single-switch", share, catalogue)


FAMILY = Family("single-switch", variants, one_switch_reach)
