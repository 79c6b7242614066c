"""Dragonfly: groups of routers, all cabled to all inside, and groups cabled to all other groups.

The uniform load, of ``g`` groups of ``a`` routers with ``T`` NIC ports and ``h`` global ports each: of a global link
``T (g - 1) / (g h)``, for that part of the traffic leaves its group; of a local link ``(T / a) (2 - 1 / g)``, for
what leaves a group crosses one at each end (Kim et al., ISCA 2008, section 3.1: balanced is ``a = 2 T = 2 h``).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from fabric.design.counting.flat import Ground, flat_variant, grounds, load_allowed, within_tiers
from fabric.design.counting.layout import Sizes
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue

SUMMARY = "Groups of routers, all cabled to all inside, and every two groups cabled to each other; all have hosts"
ORDER = 60

_SWITCHES = 4  # on the longest of the shortest paths


def _loads(ground: Ground, links: int, a: int, h: int, groups: int) -> tuple[Fraction, Fraction]:
    """Uniform load of local and of global links."""
    local = ground.link_ratio * Fraction(links * (2 * groups - 1), a * groups)
    return local, ground.link_ratio * Fraction(links * (groups - 1), groups * h)


def _sizes(ground: Ground) -> Iterator[Sizes]:
    for hosts in range(1, min(ground.most_hosts, ground.hosts) + 1):
        links = hosts * ground.nics
        routers = -(-ground.hosts // hosts)
        for a in range(2, ground.ports - links + 1):
            groups = max(-(-routers // a), 2)
            if ground.hosts_on(a * groups) != hosts:
                continue  # with fewer hosts on a router it is looked at too
            reaching, room = -(-(groups - 1) // a), ground.ports - links - a + 1
            aims = [aim for aim in ground.aims if ground.fewest_links(links * (2 * groups - 1), a * groups, aim) == 1]
            for h in sorted({ground.fewest_links(links * (groups - 1), groups, aim) for aim in aims}):
                if max(h, reaching) <= room:
                    yield _size(ground, links, a, max(h, reaching), groups)


def _size(ground: Ground, links: int, a: int, h: int, groups: int) -> Sizes:
    return Sizes(
        {"p": links, "a": a, "h": h, "groups": groups, **ground.keys(), "attach_order": "spread"},
        (a * groups,),
        (groups * a * (a - 1) // 2, groups * a * h // 2),
        (ground.links_used(a * groups) + a - 1 + h,),
        {},
        uniform_load=float(max(_loads(ground, links, a, h, groups))),
    )


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """A variant for every way of using a model."""
    if not within_tiers(need, _SWITCHES):
        return
    for ground in grounds(need, catalogue):
        variant = flat_variant("dragonfly", ground, ("router",), ("host-router", "local", "global"), _sizes(ground))
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
        for a in range(2, ground.ports - links + 1):
            h = ground.ports - links - a + 1
            groups = a * h + 1
            if allowed is None or max(_loads(ground, links, a, h, groups)) <= allowed:
                most = max(most, links * a * groups)
    return most


FAMILY = Family("dragonfly", variants, reach, any_traffic=False)
