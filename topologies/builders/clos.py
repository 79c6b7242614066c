"""Folded Clos of two to four tiers: sized for its endpoints, or by counts, with any oversubscription in every tier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import AliasChoices, Field

from topologies.assemble import assemble
from topologies.attach import attach_hosts
from topologies.builder import TOPOLOGIES, Hosts
from topologies.clos_cabling import add_leaves, add_upper_tiers
from topologies.clos_counts import ClosCounts
from topologies.clos_keys import ClosKeys, LinkSpeeds, ParallelCables, TierCounts
from topologies.clos_plan import plan
from topologies.facts import Facts
from topologies.hosts import AttachOrder, HostGroup, attached_per_leaf
from topologies.node_names import names_inside
from topologies.oversubscription import TierOversubscription
from topologies.switches import Switch, SwitchPorts
from topologies.topology import Topology
from topologies.units import Count, SpeedGbps


def facts(
    radix: int | None,
    speed: float | None,
    endpoints: int | None,
    tiers: int | None,
    oversubscription: TierOversubscription = TierOversubscription(),
    uplinks: TierCounts = TierCounts(),
    parallel: TierCounts = TierCounts(),
    speeds: LinkSpeeds = LinkSpeeds(),
    hosts_per_leaf: int | None = None,
    leaves_per_pod: int | None = None,
    spines_per_pod: int | None = None,
    pods: int | None = None,
    superspines_per_zone: int | None = None,
    zones: int | None = None,
    cores: int | None = None,
    planes: int | None = None,
    switch: SwitchPorts | None = None,
    leaf: SwitchPorts | None = None,
    spine: SwitchPorts | None = None,
    superspine: SwitchPorts | None = None,
    core: SwitchPorts | None = None,
    attach_order: AttachOrder = "fill",
    hosts: Sequence[HostGroup] = (),
) -> Facts:
    """Counts from the plan: Σ over tiers, every switch with as many cables as uplinks; rates are one direction."""
    counts = ClosCounts(
        leaves_per_pod, spines_per_pod, pods, superspines_per_zone, zones, cores, planes, hosts_per_leaf
    )
    asked = ClosKeys(
        radix, speed, switch, endpoints, tiers, oversubscription, uplinks, parallel, speeds, counts, leaf, spine,
        superspine, core, hosts,
    )  # fmt: skip
    sizes = plan(asked.design, endpoints, tiers, hosts, order=attach_order)
    attached = sum(len(group.hosts) * group.nics for group in hosts)
    cables = {"host-leaf": endpoints or attached or sizes.leaves * sizes.host_ports, **sizes.cables_by_tier}
    gbps = asked.link_gbps(sizes.tiers)
    return Facts(
        endpoints=cables["host-leaf"],
        switches=sizes.switches,
        cables_by_tier=cables,
        tier_gbps={tier: count * gbps[tier.split("-")[0]] for tier, count in cables.items()},
    )


@TOPOLOGIES.register("clos", facts=facts, example={"radix": 8, "speed": "100G", "endpoints": 128, "tiers": 3})
def clos(
    radix: Annotated[Count | None, Field(description="Ports per switch", ge=4, examples=[64])] = None,
    speed: Annotated[SpeedGbps | None, Field(description="Speed of every link", examples=["400G"])] = None,
    switch: Switch = None,
    endpoints: Annotated[
        Count | None,
        Field(
            description="NIC ports to attach, also called hosts; default: as many as fit",
            validation_alias=AliasChoices("endpoints", "hosts"),
            json_schema_extra={"x-also": ["hosts"]},
        ),
    ] = None,
    tiers: Annotated[
        int | None, Field(ge=2, le=4, description="2, 3 or 4; default: 2 or 3, the fewest that reach")
    ] = None,
    oversubscription: Annotated[
        TierOversubscription,
        Field(description="By tier, above or below 1; default: 1:1 where no counts say otherwise"),
    ] = TierOversubscription(),
    uplinks: Annotated[
        TierCounts, Field(description="Ports up of a switch, by role; default: by its oversubscription")
    ] = TierCounts(),
    parallel: ParallelCables = TierCounts(),
    speeds: Annotated[
        LinkSpeeds, Field(description="Speeds of links by tier; default: the slower of both ports")
    ] = LinkSpeeds(),
    hosts_per_leaf: Annotated[
        Count | None, Field(description="Ports of a leaf for hosts; default: by its oversubscription", examples=[16])
    ] = None,
    leaves_per_pod: Annotated[
        Count | None,
        Field(
            description="Leaves (racks) of a pod; with two tiers all; default: by the size",
            validation_alias=AliasChoices("leaves_per_pod", "racks_per_pod"),
            json_schema_extra={"x-also": ["racks_per_pod"]},
        ),
    ] = None,
    spines_per_pod: Annotated[
        Count | None,
        Field(
            description="Spines (aggregation switches) of a pod; with two tiers all; default: the fewest",
            validation_alias=AliasChoices("spines_per_pod", "aggregation_per_pod"),
            json_schema_extra={"x-also": ["aggregation_per_pod"]},
        ),
    ] = None,
    pods: Annotated[Count | None, Field(description="Pods; with four tiers those of a zone")] = None,
    superspines_per_zone: Annotated[Count | None, Field(description="Super-spines of a zone, with four tiers")] = None,
    zones: Annotated[Count | None, Field(description="Zones: pods that share super-spines, with four tiers")] = None,
    cores: Annotated[Count | None, Field(description="Cores in all; default: the fewest")] = None,
    planes: Annotated[
        Count | None,
        Field(
            description="Planes of the cores, each above certain spines of every pod; 1: every spine meets every core"
        ),
    ] = None,
    leaf: Annotated[SwitchPorts | None, Field(description="Leaves, where they differ from the other switches")] = None,
    spine: Annotated[SwitchPorts | None, Field(description="Spines, where they differ")] = None,
    superspine: Annotated[SwitchPorts | None, Field(description="Super-spines, where they differ")] = None,
    core: Annotated[SwitchPorts | None, Field(description="Cores, where they differ")] = None,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """Folded Clos of two to four tiers, by size, by counts, or both, with any oversubscription in every tier.

    What is not counted follows from the size: as few switches as take the endpoints, a third tier only when two do not
    reach. Ratios are of bandwidth, above or below 1, and built exactly or refused with the nearest that can be;
    ``oversubscription.at_most`` takes the nearest below. In three tiers leaves form pods, which meet at cores; in four
    pods form zones, which meet at cores. Cores lie in planes, as many as a pod (or zone) has switches unless
    ``planes`` or the number of cores says otherwise. Listed hosts are attached whole, so that leaves of 4 host ports
    take one host of 3 NICs each; ``endpoints`` above their NIC ports leaves room.
    """
    counts = ClosCounts(
        leaves_per_pod, spines_per_pod, pods, superspines_per_zone, zones, cores, planes, hosts_per_leaf
    )
    asked = ClosKeys(
        radix, speed, switch, endpoints, tiers, oversubscription, uplinks, parallel, speeds, counts, leaf, spine,
        superspine, core, hosts,
    )  # fmt: skip
    sizes = plan(asked.design, endpoints, tiers, hosts, order=attach_order)
    notes = asked.check(sizes.tiers)
    radixes = {role: asked.ports(role)[0] for role in sizes.roles}
    gbps = asked.link_gbps(sizes.tiers)
    net = assemble(f"clos({sizes.tiers} tiers, radix {radixes['leaf']})", "clos")
    net.say(*notes, *sizes.notes)
    ids, names = add_leaves(net, sizes, radixes["leaf"])
    if hosts or endpoints is None:
        attach_hosts(net, hosts, ids, names, sizes.host_ports, gbps["host"], order=attach_order)
    else:
        per_leaf = attached_per_leaf(endpoints, sizes.leaves, sizes.host_ports, attach_order)
        ends = net.hosts(names_inside(names, "host", per_leaf.tolist()))
        net.cables(ends, np.repeat(ids, per_leaf), gbps["host"])
    add_upper_tiers(net, sizes, ids, radixes, gbps)
    return net.freeze()
