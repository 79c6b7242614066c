"""Multi-plane: equal planes, with the NIC ports of a host on one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fabric.design.counting.rails import rail_variants
from fabric.design.counting.reach import three_tier_reach
from fabric.design.counting.shares import shares
from fabric.design.counting.single_switches import single_switches
from fabric.design.counting.three_tiers import three_tier_clos
from fabric.design.counting.two_tiers import leaf_spines
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue

SUMMARY = "equal planes of two or three tiers, the ports of a NIC on one after the other"
ORDER = 60


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """Every number of planes over which the NIC ports of a host spread evenly, each plane a Clos or rails."""
    for share in shares(need):
        yield from single_switches("multi-plane", share, catalogue)
        yield from leaf_spines("multi-plane", share, catalogue)
        yield from three_tier_clos("multi-plane", share, catalogue)
        if share.nics > 1:
            yield from rail_variants("multi-plane", share, catalogue, leaf_spines_too=True)


def most_endpoints(need: FabricNeed, catalogue: Catalogue) -> int:
    """Of the plane that reaches furthest, for all its NICs."""
    each = [
        three_tier_reach(replace(need, nic_gbps=share.gbps), catalogue) * share.planes // share.nic_ports
        for share in shares(need)
    ]
    return max(each, default=0)


FAMILY = Family("multi-plane", variants, most_endpoints)
