"""Fat tree: the k-ary one of equal switches, as large as their ports make it."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.design.counting.layout import Layout, Sizes, host_link, link_between
from fabric.design.counting.port_options import PortOption, equal_options
from fabric.design.counting.reach import equal_switch_reach
from fabric.design.counting.shares import Share, one_plane
from fabric.design.counting.tables import single_variant
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue

SUMMARY = "k pods of k-port switches in three tiers, without oversubscription; clos has any size"
ORDER = 27
_ROLES = ("edge", "aggregation", "core")


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """Every model and breakout whose fat tree has the ports."""
    share = one_plane(need)
    if share is None or need.max_tiers < 3 or not share.leaf_may_die() or need.oversubscription < 1:
        return
    for option in equal_options(need, catalogue, share.gbps):
        half, odd = divmod(option.ports, 2)
        room = option.ports * half * (half // share.nics)
        if not odd and room >= share.room and (half >= 2 or not need.single_failures):
            above = (link_between(option, option, tier) for tier in ("edge-aggregation", "aggregation-core"))
            tiers = (host_link(share, option, tier="host-edge"), *above)
            layout = Layout("fat-tree", share, _ROLES, (option,) * 3, tiers, "fat-tree")
            yield single_variant(layout, _sizes(share, option, half))


def _sizes(share: Share, option: PortOption, half: int) -> Sizes:
    """Al-Fares, SIGCOMM 2008, section 3: k pods of k/2 edge and k/2 aggregation switches under k²/4 cores."""
    k = option.ports
    links = min(share.need.hosts, half // share.nics) * share.nics
    return Sizes(
        {"switch": option.spec()},
        (k * half, k * half, half * half),
        (k * half * half, k * half * half),
        (links + half, k, k),
        {"edge": links * share.gbps / (half * option.gbps), "aggregation": 1.0},
    )


FAMILY = Family("fat-tree", variants, equal_switch_reach)
