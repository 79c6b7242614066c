"""ZCube: two groups of switches, fully meshed, without a spine; every NIC has a port on each.

The uniform load of a cable between the groups, ``c`` for every two switches that ``m`` NICs share: ``m / c``. Half of
what a NIC sends leaves by each port and crosses one cable to the switch of the other group that its destination is on
(Yan et al., SIGCOMM 2025, section 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from fabric.design.counting.flat import Ground, flat_variant, load_allowed, within_tiers
from fabric.design.counting.layout import Sizes
from fabric.design.counting.port_options import host_options
from fabric.design.counting.shares import Share
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue
from topologies.oversubscription import gbps_fraction

SUMMARY = "Two groups of switches, fully meshed, without a spine; every NIC has a port on each"
ORDER = 95

_GROUPS = 2
_SWITCHES = 2  # on the longest of the shortest paths


def _shares(need: FabricNeed) -> Iterator[Share]:
    """Ports of a host: those of NICs that are split in two, or those of an even number of shared NICs."""
    if _GROUPS in need.nic_ports:
        yield Share(need, 1, _GROUPS, need.nics * _GROUPS, need.nic_gbps / _GROUPS)
    if 1 in need.nic_ports and need.rail == "shared" and need.nics % _GROUPS == 0:
        yield Share(need, 1, 1, need.nics, need.nic_gbps)


def _grounds(need: FabricNeed, catalogue: Catalogue) -> Iterator[Ground]:
    if not within_tiers(need, _SWITCHES):
        return
    for share in _shares(need):
        for option in host_options(need, catalogue, share.gbps):
            yield Ground(share, option, gbps_fraction(share.gbps) / gbps_fraction(option.gbps))


def _slots(ground: Ground) -> int:
    """Places that a host takes of its switch of group 0, each with a port on every group."""
    return ground.nics // _GROUPS


def _sizes(ground: Ground) -> Iterator[Sizes]:
    slots = _slots(ground)
    for each in range(1, ground.ports // 2 + 1):
        for parallel in sorted({ground.fewest_links(each, 1, aim) for aim in ground.aims}):
            largest = ground.ports // (each + parallel)
            for first in range(2, largest + 1):
                hosts = first * each // slots
                second = max(-(-ground.hosts // hosts), 2) if hosts else largest + 1
                if second <= largest:
                    yield _size(ground, (first, second), each, parallel)


def _size(ground: Ground, dims: tuple[int, int], each: int, parallel: int) -> Sizes:
    first, second = dims
    need, slots = ground.share.need, _slots(ground)
    used = (-(-need.hosts // second) * slots + first * parallel, -(-need.hosts * slots // first) + second * parallel)
    return Sizes(
        {"dims": list(dims)}
        | ({"hosts_per_place": each} if each > 1 else {})
        | ({"parallel": parallel} if parallel > 1 else {})
        | ground.keys()
        | {"attach_order": "spread"},
        (first + second,),
        (first * second * parallel,),
        (max(used),),
        {},
        uniform_load=float(ground.link_ratio * Fraction(each, parallel)),
    )


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """A variant for every way of using a model."""
    for ground in _grounds(need, catalogue):
        variant = flat_variant("zcube", ground, ("switch",), ("host-switch", "switch-switch"), _sizes(ground))
        if variant is not None:
            yield variant


def reach(need: FabricNeed, catalogue: Catalogue) -> int:
    """NICs of the largest whose uniform load is allowed."""
    allowed = load_allowed(need)
    most = 0
    for ground in _grounds(need, catalogue):
        slots = _slots(ground)
        for each in range(1, ground.ports):
            parallel = 1 if allowed is None else ground.fewest_links(each, 1, allowed)
            size = ground.ports // (each + parallel)
            if size > 1:
                most = max(most, size * (size * each // slots) * need.nics)
    return most


FAMILY = Family("zcube", variants, reach, any_traffic=False)
