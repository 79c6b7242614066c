"""Dragonfly+: groups of leaves and spines, whose spines are cabled to all other groups.

The uniform load, of ``g`` groups of ``l`` leaves with ``T`` NIC ports each, and ``s`` spines with ``G`` global ports
each: of a cable up from a leaf, ``c`` to each spine, ``T / (s c)``; of a global link ``l T (g - 1) / (g s G)``, for
that part of what a group sends leaves it (Shpiner et al., HiPINEB 2017, section II).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from fabric.design.counting.flat import Ground, flat_variant, grounds, load_allowed, within_tiers
from fabric.design.counting.layout import Sizes
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue

SUMMARY = "Groups of leaves and spines, and spines cabled to all other groups"
ORDER = 70

_SWITCHES = 4  # leaf, spine, spine, leaf
_MOST_PARALLEL = 4  # cables between a leaf and a spine


def _loads(ground: Ground, links: int, leaves: int, up: int, reach: int, groups: int) -> tuple[Fraction, Fraction]:
    """Uniform load of the ``up`` cables of a leaf, and of the ``reach`` global cables of a group."""
    sent = ground.link_ratio * links
    return sent / up, sent * Fraction(leaves * (groups - 1), groups * reach)


def _sizes(ground: Ground) -> Iterator[Sizes]:
    for hosts in range(1, min(ground.most_hosts, ground.hosts) + 1):
        needed = -(-ground.hosts // hosts)
        for leaves in range(2, ground.ports):
            groups = max(-(-needed // leaves), 2)
            if max(-(-needed // groups), 2) != leaves or ground.hosts_on(leaves * groups) != hosts:
                continue  # fewer leaves would do, or fewer hosts on each
            for aim in ground.aims:
                for parallel in range(1, _MOST_PARALLEL + 1):
                    size = _size(ground, hosts * ground.nics, leaves, parallel, groups, aim)
                    if size is not None:
                        yield size


def _size(ground: Ground, links: int, leaves: int, parallel: int, groups: int, aim: Fraction) -> Sizes | None:
    """The design with the fewest spines, and then global ports, for the load aimed at; None where ports are missing."""
    share, room = ground.share, ground.ports - leaves * parallel
    if room < 1:
        return None
    up = max(ground.fewest_links(links, 1, aim), share.fewest_uplinks)
    across = max(ground.fewest_links(links * leaves * (groups - 1), groups, aim), groups - 1)
    spines = max(-(-up // parallel), -(-across // room), share.fewest("spine"))
    up, ports, used = spines * parallel, -(-across // spines), ground.links_used(groups * leaves)
    if links + up > ground.ports:
        return None
    return Sizes(
        {"groups": groups, "leaves": leaves, "spines": spines, "p": links, "global_links": ports}
        | ground.keys()
        | {"attach_order": "spread"}
        | ({"parallel": parallel} if parallel > 1 else {}),
        (groups * leaves, groups * spines),
        (groups * leaves * up, groups * spines * ports // 2),
        (used + up, leaves * parallel + ports),
        {"leaf": float(ground.link_ratio * used / up)},
        uniform_load=float(max(_loads(ground, links, leaves, up, spines * ports, groups))),
    )


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """A variant for every way of using a model."""
    if not within_tiers(need, _SWITCHES):
        return
    for ground in grounds(need, catalogue):
        variant = flat_variant(
            "dragonfly-plus", ground, ("leaf", "spine"), ("host-leaf", "leaf-spine", "global"), _sizes(ground)
        )
        if variant is not None:
            yield variant


def reach(need: FabricNeed, catalogue: Catalogue) -> int:
    """NICs of the largest whose uniform load is allowed: with one cable between any two groups."""
    if not within_tiers(need, _SWITCHES):
        return 0
    return max((_most(ground, load_allowed(need)) for ground in grounds(need, catalogue)), default=0)


def _most(ground: Ground, allowed: Fraction | None) -> int:
    most = 0
    for hosts in range(1, ground.most_hosts + 1):
        links = hosts * ground.nics
        spines = ground.ports - links
        for leaves in range(1, ground.ports if spines else 0):
            reach = spines * (ground.ports - leaves)
            if allowed is None or max(_loads(ground, links, leaves, spines, reach, reach + 1)) <= allowed:
                most = max(most, links * leaves * (reach + 1))
    return most


FAMILY = Family("dragonfly-plus", variants, reach, any_traffic=False)
