"""Clos of two or three tiers, sized for a number of endpoints, with an oversubscription per tier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import AliasChoices, Field

from topologies.assemble import assemble
from topologies.attach import attach_hosts
from topologies.builder import TOPOLOGIES, Hosts
from topologies.clos_plan import TierOversubscription, add_leaves, add_upper_tiers, plan
from topologies.facts import Facts
from topologies.hosts import AttachOrder, HostGroup, attached_per_leaf
from topologies.node_names import names_inside
from topologies.switches import Switch, SwitchSpec, switch_ports
from topologies.topology import Topology
from topologies.units import Count, SpeedGbps


def facts(
    radix: int | None,
    speed: float | None,
    endpoints: int | None,
    tiers: int | None,
    oversubscription: TierOversubscription = TierOversubscription(),
    parallel: int | None = None,
    switch: SwitchSpec | None = None,
    hosts: Sequence[HostGroup] = (),
) -> Facts:
    """Counts from the plan: Σ over tiers, each leaf with ``leaf_up`` cables and each spine with ``spine_up``."""
    ports, speed = switch_ports(switch, radix, speed)
    wanted = endpoints or sum(len(group.hosts) * group.nics for group in hosts) or None
    sizes = plan(ports, wanted, tiers, oversubscription, parallel=parallel)
    endpoints = wanted or sizes.leaves * sizes.leaf_down
    cables = {"host-leaf": endpoints, "leaf-spine": sizes.leaves * sizes.leaf_up}
    if sizes.tiers == 3:
        cables["spine-core"] = sizes.pods * sizes.spines_per_pod * sizes.spine_up
    return Facts(
        endpoints=endpoints,
        switches=sizes.switches,
        cables_by_tier=cables,
        tier_gbps={tier: count * speed for tier, count in cables.items()},
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
    tiers: Annotated[int | None, Field(ge=2, le=3, description="2 or 3; default: the fewest that reach")] = None,
    oversubscription: Annotated[
        TierOversubscription, Field(description="Per tier, where leaves and spines point up")
    ] = TierOversubscription(),
    parallel: Annotated[
        Count | None, Field(description="Cables between a leaf and each spine; default: as many as keep spines few")
    ] = None,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """Folded Clos sized for its endpoints: uplinks spread evenly, a third tier only when two do not reach.

    In three tiers the leaves form pods; spine ``i`` of every pod meets the others in core plane ``i``. Listed hosts are
    attached whole, so that leaves of 4 host ports take one host of 3 NICs each; ``endpoints`` above their NIC ports
    leaves room.
    """
    ports, gbps = switch_ports(switch, radix, speed)
    sizes = plan(ports, endpoints, tiers, oversubscription, hosts, parallel=parallel, order=attach_order)
    net = assemble(f"clos({sizes.tiers} tiers, radix {ports})", "clos")
    leaf, leaf_names = add_leaves(net, sizes, ports)
    if hosts or endpoints is None:
        attach_hosts(net, hosts, leaf, leaf_names, sizes.leaf_down, gbps, order=attach_order)
    else:
        per_leaf = attached_per_leaf(endpoints, sizes.leaves, sizes.leaf_down, attach_order)
        net.cables(net.hosts(names_inside(leaf_names, "host", per_leaf.tolist())), np.repeat(leaf, per_leaf), gbps)
    add_upper_tiers(net, sizes, leaf, ports, gbps)
    return net.freeze()
