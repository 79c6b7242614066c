"""Slim Fly: switches of which any two are at most two hops apart.

The uniform load of a link, of ``S`` switches of ``k`` network ports with ``T`` NIC ports each: ``T (2 S - k - 2) / (k
S)``, for ``k`` of the other switches are one hop away and the rest two (Besta and Hoefler, SC 2014, section 2.2,
where a load of 1 gives the balanced ``T``, about ``k / 2``).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import count

from fabric.design.counting.flat import Ground, flat_variant, grounds, load_allowed, within_tiers
from fabric.design.counting.layout import Sizes
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue
from topologies.finite_field import prime_power

SUMMARY = "Switches of which any two are at most two hops apart; all have hosts"
ORDER = 80

_SWITCHES = 3  # on the longest of the shortest paths


def _shapes(ports: int) -> Iterator[tuple[int, int, int]]:
    """Order of the field, switches and network ports of every Slim Fly of switches with so many ports."""
    for q in count(3):
        if 3 * q // 2 > ports:
            return
        if prime_power(q) is not None:
            yield q, 2 * q * q, (3 * q - {1: 1, 3: -1}.get(q % 4, 0)) // 2


def _share(links: int, switches: int, degree: int) -> tuple[int, int]:
    """What a link carries with one cable for each: NIC ports, as numerator and denominator."""
    return links * (2 * switches - degree - 2), degree * switches


def _sizes(ground: Ground) -> Iterator[Sizes]:
    for q, switches, degree in _shapes(ground.ports):
        hosts = ground.hosts_on(switches)
        sent, among = _share(hosts * ground.nics, switches, degree)
        for parallel in sorted({ground.fewest_links(sent, among, aim) for aim in ground.aims}):
            if hosts * ground.nics + degree * parallel > ground.ports:
                continue
            yield Sizes(
                {"q": q, "p": hosts * ground.nics, **ground.keys(), "attach_order": "spread"}
                | ({"parallel": parallel} if parallel > 1 else {}),
                (switches,),
                (switches * degree // 2 * parallel,),
                (ground.links_used(switches) + degree * parallel,),
                {},
                uniform_load=float(ground.link_ratio * Fraction(sent, among * parallel)),
            )
        if switches >= ground.hosts:
            return  # larger ones would only have more switches without hosts


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """A variant for every way of using a model."""
    if not within_tiers(need, _SWITCHES):
        return
    for ground in grounds(need, catalogue):
        variant = flat_variant("slim-fly", ground, ("switch",), ("host-switch", "switch-switch"), _sizes(ground))
        if variant is not None:
            yield variant


def reach(need: FabricNeed, catalogue: Catalogue) -> int:
    """NICs of the largest whose uniform load is allowed."""
    allowed = load_allowed(need)
    return max(
        (
            switches * hosts * ground.nics
            for ground in grounds(need, catalogue)
            if within_tiers(need, _SWITCHES)
            for q, switches, degree in _shapes(ground.ports)
            for hosts in range(1, (ground.ports - degree) // ground.nics + 1)
            if allowed is None or ground.fewest_links(*_share(hosts * ground.nics, switches, degree), allowed) == 1
        ),
        default=0,
    )


FAMILY = Family("slim-fly", variants, reach, any_traffic=False)
