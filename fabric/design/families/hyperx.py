"""HyperX: a grid of switches, all cabled to all along every dimension.

The uniform load of a link along a dimension of ``s`` switches, with ``K`` cables for each and ``T`` NIC ports a
switch: ``T / (s K)``, for one of ``s`` parts of what a switch sends goes to each of its places (Ahn et al., SC 2009,
section 3, where the relative bisection is ``K s / (2 T)``). A load of 1/2 is full bisection.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import prod

from fabric.design.counting.flat import Ground, flat_variant, grounds, load_allowed
from fabric.design.counting.layout import Sizes
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue

SUMMARY = "A grid of switches, all cabled to all along every dimension; all have hosts"
ORDER = 90

_MOST_DIMENSIONS = 3  # of which designs are counted


def _grids(switches: int, dimensions: int, largest: int) -> Iterator[tuple[int, ...]]:
    """Grids of at least so many switches, none of whose largest dimension could be less; the largest first."""
    if dimensions == 1:
        if switches <= largest:
            yield (max(switches, 2),)
        return
    for least in range(2, _root(switches, dimensions) + 1):
        for rest in _grids(-(-switches // least), dimensions - 1, largest):
            if rest[-1] >= least:
                yield (*rest, least)


def _root(switches: int, dimensions: int) -> int:
    """The least dimension that a grid of so many switches can have, at most: the root, rounded up."""
    root = 1
    while root**dimensions < switches:
        root += 1
    return root


def _most_dimensions(need: FabricNeed) -> int:
    return min(2 * need.max_tiers - 2, _MOST_DIMENSIONS)


def _sizes(ground: Ground, dimensions: int) -> Iterator[Sizes]:
    for hosts in range(1, min(ground.most_hosts, ground.hosts) + 1):
        links = hosts * ground.nics
        needed = -(-ground.hosts // hosts)
        if needed < 2:
            return
        for dims in _grids(needed, dimensions, ground.ports - links + 1):
            yield from _wired(ground, dims, hosts)


def _wired(ground: Ground, dims: tuple[int, ...], hosts: int) -> Iterator[Sizes]:
    """The designs of a grid: with the cables for each that every load aimed at needs."""
    switches, degree = prod(dims), sum(size - 1 for size in dims)
    if ground.hosts_on(switches) != hosts:
        return  # fewer hosts on a switch would do
    links, least = hosts * ground.nics, min(dims)
    fewest = -(-ground.share.fewest_uplinks // degree)
    for parallel in sorted({max(ground.fewest_links(links, least, aim), fewest) for aim in ground.aims}):
        if links + degree * parallel > ground.ports:
            return
        yield Sizes(
            {
                "dims": list(dims),
                "endpoints_per_switch": links,
                **ground.keys(),
                "attach_order": "spread",
            }
            | ({"parallel": parallel} if parallel > 1 else {}),
            (switches,),
            (switches * degree // 2 * parallel,),
            (ground.links_used(switches) + degree * parallel,),
            {},
            uniform_load=float(ground.link_ratio * Fraction(links, least * parallel)),
        )


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """A variant for every way of using a model."""
    for ground in grounds(need, catalogue):
        sizes = (each for dimensions in range(1, _most_dimensions(need) + 1) for each in _sizes(ground, dimensions))
        variant = flat_variant("hyperx", ground, ("switch",), ("host-switch", "switch-switch"), sizes)
        if variant is not None:
            yield variant


def reach(need: FabricNeed, catalogue: Catalogue) -> int:
    """NICs of the largest, of up to three dimensions, whose uniform load is allowed."""
    return max(
        (
            _most(ground, dimensions, load_allowed(need))
            for ground in grounds(need, catalogue)
            for dimensions in range(1, _most_dimensions(need) + 1)
        ),
        default=0,
    )


def _most(ground: Ground, dimensions: int, allowed: Fraction | None) -> int:
    """NICs on the grid of the dimensions that are as equal as the ports allow."""
    most = 0
    for hosts in range(1, ground.most_hosts + 1):
        links = hosts * ground.nics
        spare = ground.ports - links
        for parallel in range(1, spare // dimensions + 1):
            each, more = divmod(spare // parallel, dimensions)
            if allowed is not None and ground.fewest_links(links, each + 1, allowed) > parallel:
                continue
            most = max(most, (each + 2) ** more * (each + 1) ** (dimensions - more) * links)
    return most


FAMILY = Family("hyperx", variants, reach, any_traffic=False)
