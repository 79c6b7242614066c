"""Rail-only: every rail, or neighbouring rails together, is the smallest Clos at full bandwidth, or one switch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from fabric.design.counting.layout import Layout, Sizes, Wire, host_link
from fabric.design.counting.port_options import PortOption, equal_options
from fabric.design.counting.reach import equal_switch_reach
from fabric.design.counting.shares import Share, one_plane
from fabric.design.counting.tables import single_variant
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue
from topologies.clos_counts import ClosPlan
from topologies.clos_keys import ClosKeys
from topologies.clos_plan import plan
from topologies.divisors import divisors
from topologies.errors import TopologyError

SUMMARY = "a network per rail, which never meet; GPUs of different rails talk inside their domain"
ORDER = 50


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """Every model and breakout, with every number of rails together; rails apart where the need allows it.

    All rails together are a Clos like others, which is left out unless this family is asked for.
    """
    share = one_plane(need)
    if share is None or (need.rail != "per-gpu" and need.nics > 1) or "leaf" in need.single_failures:
        return
    named = "rail-only" in need.kinds
    for together in divisors(need.nics):
        if not (need.parts if together < need.nics else named):
            continue
        for option in equal_options(need, catalogue, share.gbps):
            if (variant := _variant(share, option, together)) is not None:
                yield variant


def _variant(share: Share, option: PortOption, together: int) -> Variant | None:
    """The variant of ``together`` rails on switches of one model; None where it cannot be built."""
    need = share.need
    rails, ends = need.nics // together, need.hosts * together
    topology = {
        "domain_size": need.nics,
        "speed": f"{share.gbps:g}G",
        "switch": option.spec(),
        **({"rails_per_switch": together} if together > 1 else {}),
    }
    try:
        sizes = _network(share.room * together, option.ports)
        built = _network(ends, option.ports)
    except TopologyError:
        return None
    if sizes != built or need.oversubscription < 1:  # the builder leaves no room for hosts in reserve
        return None
    if built is None:
        if need.single_failures:
            return None
        row = Sizes(topology, (rails,), (), (ends,), {}, parts=rails)
        return single_variant(_layout(share, option, 1), row, f"rails x{together}")
    if built.tiers > need.max_tiers or _too_few(share, built):
        return None
    row = _row(topology, built, rails, ends)
    return single_variant(_layout(share, option, built.tiers), row, f"rails x{together}")


def _network(ends: int, radix: int) -> ClosPlan | None:
    """The Clos of rails that are together; None where one switch has the ports."""
    return None if ends <= radix else plan(ClosKeys(radix, speed=1.0).design, ends, None)


def _too_few(share: Share, built: ClosPlan) -> bool:
    """Whether a switch or a cable that may have to die is the only one."""
    cores = built.levels[-1].width if built.tiers > 2 else share.fewest("core")
    return (
        built.levels[0].width < share.fewest("spine")
        or cores < share.fewest("core")
        or built.leaf_up < share.fewest_uplinks
    )


def _layout(share: Share, option: PortOption, tiers: int) -> Layout:
    """Links of one speed in every tier."""
    roles = ("leaf", "spine", "core")[:tiers]
    above = [Wire(f"{lower}-{upper}", share.gbps, option.end(), option.end()) for lower, upper in pairwise(roles)]
    return Layout("rail-only", share, roles, (option,) * tiers, (host_link(share, option), *above), "rail-only")


def _row(topology: dict[str, object], built: ClosPlan, rails: int, ends: int) -> Sizes:
    """Counts of all rails, each of which is the Clos of the plan."""
    above = [built.blocks(tier) * level.width for tier, level in enumerate(built.levels, 2)]
    on_leaf = min(built.host_ports, ends)
    ratios = {"leaf": on_leaf / built.leaf_up}
    ratios |= {
        role: level.down / level.up for role, level in zip(built.roles[1:], built.levels, strict=True) if level.up
    }
    return Sizes(
        topology,
        [rails * count for count in (built.leaves, *above)],
        [rails * count for count in built.cables_by_tier.values()],
        [on_leaf + built.leaf_up, *(level.down + level.up for level in built.levels)],
        ratios,
        parts=rails,
    )


FAMILY = Family("rail-only", variants, equal_switch_reach)
