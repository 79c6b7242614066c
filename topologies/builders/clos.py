"""Clos of two or three tiers, sized for a number of endpoints, with an oversubscription per tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES, Hosts, Oversubscription, even_spine_count
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.folded_clos import core_plane, down_ports, smallest_divisor, up_ports
from topologies.hang import hang_hosts
from topologies.hosts import block_starts, leaves_for
from topologies.registry import Spec
from topologies.topology import Topology
from topologies.units import Count, SpeedGbps


class TierOversubscription(Spec):
    """Oversubscription where leaves and spines point up."""

    leaf: Oversubscription = 1.0
    spine: Oversubscription = 1.0


@dataclass(frozen=True)
class ClosPlan:
    """Sizes of a Clos; ``cores`` is per plane and 0 with two tiers."""

    tiers: int
    leaves: int
    leaf_down: int
    leaf_up: int
    pods: int
    leaves_per_pod: int
    spines_per_pod: int
    leaf_parallel: int
    spine_up: int
    cores: int
    core_parallel: int

    @property
    def switches(self) -> int:
        """Switches of all tiers."""
        return self.leaves + self.pods * self.spines_per_pod + self.cores * self.spines_per_pod


def plan(radix: int, endpoints: int | None, tiers: int | None, oversubscription: TierOversubscription) -> ClosPlan:
    """Smallest legal design: a third tier only when two do not reach, every uplink spread evenly.

    Raises
    ------
    TopologyError
        When the endpoints exceed what the radix can reach; the hint says how many fit.
    """
    down = down_ports(radix, oversubscription.leaf)
    up = up_ports(down, oversubscription.leaf)
    spine_down = down_ports(radix, oversubscription.spine)
    largest = {2: radix * down, 3: radix * spine_down * down}
    if endpoints is None:
        tiers = tiers or 3
        endpoints = largest[tiers]
    if tiers is None:
        tiers = 2 if endpoints <= largest[2] else 3
    if endpoints > largest[tiers]:
        hint = f"radix {radix} reaches {largest[2]:,} endpoints with two tiers and {largest[3]:,} with three"
        raise TopologyError(
            f"{endpoints:,} endpoints do not fit {tiers} tiers of radix {radix}",
            where="endpoints",
            hint=hint,
            code="FP3027",
        )
    leaves = -(-endpoints // down)
    if tiers == 2:
        spines = even_spine_count(up, leaves, radix, where="radix")
        return ClosPlan(2, leaves, down, up, 1, leaves, spines, up // spines, 0, 0, 0)
    pods = -(-leaves // spine_down)
    per_pod = -(-leaves // pods)
    leaves = pods * per_pod
    spines = smallest_divisor(up, per_pod * up / spine_down) or up
    spine_up = up_ports(per_pod * up // spines, oversubscription.spine)
    plane = core_plane(pods, spine_up, radix, where="radix")
    return ClosPlan(3, leaves, down, up, pods, per_pod, spines, up // spines, spine_up, plane.cores, plane.parallel)


def facts(
    radix: int, speed: float, endpoints: int, tiers: int, oversubscription: dict[str, float] | None = None
) -> Facts:
    """Counts from the plan: Σ over tiers, each leaf with ``leaf_up`` cables and each spine with ``spine_up``."""
    sizes = plan(radix, endpoints, tiers, TierOversubscription(**(oversubscription or {})))
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
    radix: Annotated[Count, Field(description="Ports per switch", ge=4, examples=[64])],
    speed: Annotated[SpeedGbps, Field(description="Speed of every link", examples=["400G"])],
    endpoints: Annotated[Count | None, Field(description="NIC ports to attach; default: as many as fit")] = None,
    tiers: Annotated[int | None, Field(ge=2, le=3, description="2 or 3; default: the fewest that reach")] = None,
    oversubscription: Annotated[
        TierOversubscription, Field(description="Per tier, where leaves and spines point up")
    ] = TierOversubscription(),
    hosts: Hosts = (),
) -> Topology:
    """Folded Clos sized for its endpoints: even spread, a third tier only when two do not reach.

    In three tiers the leaves form pods; spine ``i`` of every pod meets the others in core plane ``i``.
    """
    attached = sum(len(group.hosts) * group.nics for group in hosts)
    if endpoints is not None and attached > endpoints:
        raise TopologyError(
            f"endpoints is {endpoints:,} but the attached nodes have {attached:,} NIC ports",
            where="endpoints",
            hint=f"set endpoints: {attached}, or leave it out",
            code="FP3027",
        )
    down = down_ports(radix, oversubscription.leaf)
    leaves = leaves_for(hosts, down) if hosts else None
    sizes = plan(radix, max(endpoints or 0, (leaves or 0) * down) or None, tiers, oversubscription)
    net = assemble(f"clos({sizes.tiers} tiers, radix {radix})", "clos")
    leaf_names = [_leaf_name(sizes, leaf) for leaf in range(sizes.leaves)]
    pod_of_leaf = np.arange(sizes.leaves) // sizes.leaves_per_pod if sizes.tiers == 3 else -1
    leaf = net.switches("leaf", leaf_names, level=1, radix=radix, pod=pod_of_leaf)
    spine_names, pod_of_spine = _spine_names(sizes)
    spine = net.switches("spine", spine_names, level=2, radix=radix, pod=pod_of_spine)
    if hosts or endpoints is None:
        hang_hosts(net, hosts, leaf, leaf_names, sizes.leaf_down, speed)
    else:
        starts = block_starts(endpoints, sizes.leaves)
        per_leaf = np.diff(starts)
        names = [f"{leaf_names[i]}/h{host}" for i, count in enumerate(per_leaf.tolist()) for host in range(count)]
        net.cables(net.hosts(names), np.repeat(leaf, per_leaf), speed)

    low = leaf.reshape(sizes.pods, sizes.leaves_per_pod)
    high = spine.reshape(sizes.pods, sizes.spines_per_pod)
    lower = np.repeat(low, sizes.spines_per_pod, axis=1).ravel()
    upper = np.tile(high, (1, sizes.leaves_per_pod)).ravel()
    net.cables(lower, upper, speed, parallel=sizes.leaf_parallel, tier="leaf-spine")
    if sizes.tiers == 3:
        planes = np.repeat(np.arange(sizes.spines_per_pod), sizes.cores)
        names = [f"core{plane}/{core}" for plane in range(sizes.spines_per_pod) for core in range(sizes.cores)]
        core = net.switches("core", names, level=3, radix=radix, plane=planes)
        lower = np.repeat(high, sizes.cores, axis=1).ravel()
        net.cables(lower, np.tile(core, sizes.pods), speed, parallel=sizes.core_parallel, tier="spine-core")
    return net.freeze()


def _leaf_name(sizes: ClosPlan, leaf: int) -> str:
    return f"pod{leaf // sizes.leaves_per_pod}/leaf{leaf % sizes.leaves_per_pod}" if sizes.tiers == 3 else f"leaf{leaf}"


def _spine_names(sizes: ClosPlan) -> tuple[list[str], object]:
    if sizes.tiers == 2:
        return [f"spine{spine}" for spine in range(sizes.spines_per_pod)], -1
    names = [f"pod{pod}/spine{spine}" for pod in range(sizes.pods) for spine in range(sizes.spines_per_pod)]
    return names, np.repeat(np.arange(sizes.pods), sizes.spines_per_pod)
