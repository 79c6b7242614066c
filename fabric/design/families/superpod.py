"""SuperPOD: scalable units of equal switches with as many uplinks as nodes, in two or three tiers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import inf

from fabric.design.counting.layout import Layout, Sizes, host_link, link_between
from fabric.design.counting.port_options import PortOption, equal_options
from fabric.design.counting.reach import equal_switch_reach
from fabric.design.counting.shares import Share, one_plane
from fabric.design.counting.tables import listed_variant
from fabric.design.family import Family, Variant
from fabric.design.need import FabricNeed
from topologies.builder import even_spine_count
from topologies.catalogue import Catalogue
from topologies.errors import TopologyError
from topologies.rail_tiers import plan_upper, spine_ports
from topologies.switches import SwitchSpec

SUMMARY = "NVIDIA SuperPOD: rail-optimised units of equal switches, without oversubscription"
ORDER = 40


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """Every model and breakout with two and with three tiers; units of as many nodes as half the ports."""
    share = one_plane(need)
    if share is None or not share.leaf_may_die(share.nics if need.rail == "shared" else 1):
        return
    for option in equal_options(need, catalogue, share.gbps):
        for tiers in range(2, min(need.max_tiers, 3) + 1):
            above = link_between(option, option, "leaf-spine"), link_between(option, option, "spine-core")
            wires = (host_link(share, option), *above[: tiers - 1])
            roles = ("leaf", "spine", "core")[:tiers]
            layout = Layout("superpod", share, roles, (option,) * tiers, wires, "superpod")
            units = -(-share.room // (option.ports // 2))
            if tiers > 2 or units * share.nics <= option.ports:
                rows = partial(_all_sizes, share, option, tiers)
                yield listed_variant(layout, _least(share, option, tiers), rows, f"{tiers} tiers")


def _least(share: Share, option: PortOption, tiers: int) -> list[int]:
    """Switches by role and cables by tier that no design is below: as many cables as NICs in every tier."""
    leaves = -(-share.room // (option.ports // 2)) * share.nics
    cables = share.room * share.nics
    spines, cores = -(-cables * (tiers - 1) // option.ports), -(-cables // option.ports)
    return [leaves, spines, *[cores][: tiers - 2], *[cables] * (tiers - 1)]


def _all_sizes(share: Share, option: PortOption, tiers: int) -> list[Sizes]:
    """Designs of all numbers of nodes in a unit."""
    sizes = (_sizes(share, option, nodes, tiers) for nodes in range(1, option.ports // 2 + 1))
    return [row for row in sizes if row is not None]


def _sizes(share: Share, option: PortOption, nodes: int, tiers: int) -> Sizes | None:
    """The design with so many nodes in a unit; None where it cannot be built, or is not as asked for."""
    need, rails = share.need, share.nics
    units = -(-share.room // nodes)
    leaves, on_leaf = units * rails, min(need.hosts, nodes)
    ratios = {"leaf": on_leaf * share.gbps / (nodes * option.gbps)}
    switches, cables, ports = [leaves], [leaves * nodes], [on_leaf + nodes]
    try:
        if tiers == 2:
            spines = even_spine_count(nodes, leaves, option.ports, where="")
            switches, ports, each = [leaves, spines], [*ports, leaves * nodes // spines], spines
        else:
            radix = SwitchSpec(radix=option.ports)
            spine = spine_ports(radix, None, None, at_most=False, down_gbps=1.0, up_gbps=1.0)
            upper = plan_upper(units, rails, nodes, spine, radix)
            each, cores = upper.spines, upper.spines * upper.plane.cores
            down = min(upper.pods.units, units) * upper.parallel
            switches, cables = [leaves, upper.groups * each, cores], [leaves * nodes, upper.cables]
            ports = [*ports, down + upper.spine_up, upper.cables // cores]
            ratios["spine"] = down / upper.spine_up
    except TopologyError:
        return None
    too_much = need.oversubscription < inf and max(ratios.values()) > need.oversubscription * (1 + 1e-9)
    too_few = each < share.fewest("spine") or (tiers == 3 and switches[2] < share.fewest("core"))
    if too_much or too_few or nodes < share.fewest_uplinks:
        return None
    topology = {
        "scalable_units": units,
        "nodes_per_unit": nodes,
        "gpus_per_node": rails,
        "tiers": tiers,
        "switch": option.spec(),
    }
    return Sizes(topology, switches, cables, ports, ratios)


FAMILY = Family("superpod", variants, equal_switch_reach)
