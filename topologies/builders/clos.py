"""Clos of two or three tiers, sized for a number of endpoints, with an oversubscription per tier."""

from __future__ import annotations

from collections.abc import Sequence
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
from topologies.hosts import HostGroup, block_starts, fewest_leaves, hosts_fit
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


@dataclass(frozen=True)
class _Tree:
    """Ports of the switches of a Clos, and how many leaves it may have."""

    radix: int
    down: int  # leaf ports to hosts
    up: int  # leaf ports to spines
    spine_down: int  # leaves of a pod
    oversubscription: TierOversubscription

    @property
    def most_leaves(self) -> dict[int, int]:
        """Most leaves by number of tiers."""
        return {2: self.radix, 3: self.radix * self.spine_down}

    def arrange(self, leaves: int, tiers: int, width: int) -> ClosPlan:
        """Smallest design of at least ``leaves`` leaves; pods of equal size, a multiple of ``width``."""
        if tiers == 2:
            spines = even_spine_count(self.up, leaves, self.radix, where="radix")
            return ClosPlan(2, leaves, self.down, self.up, 1, leaves, spines, self.up // spines, 0, 0, 0)
        pods = -(-leaves // self.spine_down)
        per_pod = -(-leaves // (pods * width)) * width
        spines = smallest_divisor(self.up, per_pod * self.up / self.spine_down) or self.up
        spine_up = up_ports(per_pod * self.up // spines, self.oversubscription.spine)
        plane = core_plane(pods, spine_up, self.radix, where="radix")
        parallel = self.up // spines
        leaves = pods * per_pod
        return ClosPlan(
            3, leaves, self.down, self.up, pods, per_pod, spines, parallel, spine_up, plane.cores, plane.parallel
        )

    def refuse(self, endpoints: int, leaves: int, tiers: int) -> TopologyError:
        """The error of a size beyond reach."""
        most = {count: number * self.down for count, number in self.most_leaves.items()}
        message = f"{endpoints:,} endpoints do not fit {tiers} tiers of radix {self.radix}"
        if endpoints <= most[tiers]:
            message += f": hosts are whole, and need {leaves:,} leaves of {self.down} host ports"
        hint = f"radix {self.radix} reaches {most[2]:,} endpoints with two tiers and {most[3]:,} with three"
        return TopologyError(message, where="endpoints", hint=hint, code="FP3027")


def _tree(radix: int, oversubscription: TierOversubscription, width: int) -> _Tree:
    """Ports by the oversubscription; a pod holds a multiple of ``width`` leaves, so that pairs stay in one pod."""
    down = down_ports(radix, oversubscription.leaf)
    spine_down = down_ports(radix, oversubscription.spine) // width * width
    return _Tree(radix, down, up_ports(down, oversubscription.leaf), spine_down, oversubscription)


def _leaves_for(groups: Sequence[HostGroup], down: int, at_least: int) -> int:
    """Fewest leaves that take the groups whole."""
    leaves = fewest_leaves(groups, down, at_least=at_least)
    if leaves is None:
        widest = max(groups, key=lambda group: group.leaf_ports)
        raise TopologyError(
            f"a host of {widest.name} needs {widest.leaf_ports} ports on one leaf, which has {down} for hosts",
            where="radix",
            hint="use a larger radix, or fewer NICs per host on this fabric",
            code="FP3022",
        )
    return leaves


def plan(
    radix: int,
    endpoints: int | None,
    tiers: int | None,
    oversubscription: TierOversubscription,
    groups: Sequence[HostGroup] = (),
) -> ClosPlan:
    """Smallest legal design: a third tier only when two do not reach, every uplink spread evenly.

    Listed groups are attached whole: a host's NICs go to one leaf, or to a pair of leaves of one pod.

    Raises
    ------
    TopologyError
        When the endpoints exceed what the radix can reach (FP3027; the hint says how many fit), are fewer than the NIC
        ports of the groups (FP3032), or a host exceeds a leaf (FP3022).
    """
    attached = sum(len(group.hosts) * group.nics for group in groups)
    if endpoints is not None and endpoints < attached:
        raise TopologyError(
            f"endpoints is {endpoints:,} but the hosts attached have {attached:,} NIC ports",
            where="endpoints",
            hint=f"set endpoints: {attached} or more, or leave it out to follow the hosts",
            code="FP3032",
        )
    width = max((group.homes for group in groups), default=1)
    tree = _tree(radix, oversubscription, width)
    wanted = endpoints or attached or tree.most_leaves[tiers or 3] * tree.down
    leaves = _leaves_for(groups, tree.down, -(-wanted // tree.down))
    while True:
        count = tiers or (2 if leaves <= radix else 3)
        if leaves > tree.most_leaves[count]:
            raise tree.refuse(wanted, leaves, count)
        sizes = tree.arrange(leaves, count, width)
        if hosts_fit(groups, sizes.leaves, tree.down):
            return sizes
        leaves = _leaves_for(groups, tree.down, sizes.leaves + 1)


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

    In three tiers the leaves form pods; spine ``i`` of every pod meets the others in core plane ``i``. Listed hosts are
    attached whole, so that leaves of 4 host ports take one host of 3 NICs each; ``endpoints`` above their NIC ports
    leaves room.
    """
    sizes = plan(radix, endpoints, tiers, oversubscription, hosts)
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
