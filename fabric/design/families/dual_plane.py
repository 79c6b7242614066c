"""Dual-plane: the ports of every NIC on ToRs of their own, whose planes meet in the core only (Alibaba HPN)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fabric.design.counting.dual_planes import dual_plane_variants
from fabric.design.counting.reach import three_tier_reach
from fabric.design.counting.shares import Share
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue

SUMMARY = "the ports of a NIC on ToRs of their own, in planes that meet in the core only (HPN)"
ORDER = 55


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """Every way of splitting NICs into ports, one or several pods."""
    for ports in sorted(set(need.nic_ports)):
        share = Share(need, ports, ports, need.nics, need.nic_gbps / ports)
        yield from dual_plane_variants(share, catalogue)


def most_endpoints(need: FabricNeed, catalogue: Catalogue) -> int:
    """Of the ports that NICs are split into, on equal planes."""
    splits = [ports for ports in need.nic_ports if ports > 1]
    return max(
        (three_tier_reach(replace(need, nic_gbps=need.nic_gbps / ports), catalogue) for ports in splits), default=0
    )


FAMILY = Family("dual-plane", variants, most_endpoints)
