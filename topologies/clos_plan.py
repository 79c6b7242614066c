"""Sizing and cabling of a folded Clos of two or three tiers: the smallest legal design, spread evenly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from topologies.assemble import Assembler
from topologies.builder import Oversubscription, even_spine_count
from topologies.columns import Ints
from topologies.divisors import divisors
from topologies.errors import TopologyError
from topologies.folded_clos import core_plane, down_ports, smallest_divisor, up_ports
from topologies.hosts import AttachOrder, HostGroup, fewest_leaves, hosts_fit
from topologies.node_names import node_names
from topologies.registry import Spec


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

    def arrange(self, leaves: int, tiers: int, width: int, parallel: int | None = None) -> ClosPlan:
        """Smallest design of at least ``leaves`` leaves; pods of equal size, a multiple of ``width``."""
        if tiers == 2:
            spines = even_spine_count(self.up, leaves, self.radix, where="radix")
            spines = self._spines(parallel, spines)
            return ClosPlan(2, leaves, self.down, self.up, 1, leaves, spines, self.up // spines, 0, 0, 0)
        pods = -(-leaves // self.spine_down)
        per_pod = -(-leaves // (pods * width)) * width
        spines = smallest_divisor(self.up, per_pod * self.up / self.spine_down) or self.up
        spines = self._spines(parallel, spines)
        spine_up = up_ports(per_pod * self.up // spines, self.oversubscription.spine)
        plane = core_plane(pods, spine_up, self.radix, where="radix")
        leaves = pods * per_pod
        each = self.up // spines
        return ClosPlan(
            3, leaves, self.down, self.up, pods, per_pod, spines, each, spine_up, plane.cores, plane.parallel
        )

    def _spines(self, parallel: int | None, fewest: int) -> int:
        """Spines that ``parallel`` cables each lead to, at least ``fewest``."""
        if parallel is None:
            return fewest
        if self.up % parallel or self.up // parallel < fewest:
            options = [count for count in divisors(self.up) if count <= self.up // fewest]
            raise TopologyError(
                f"{parallel} parallel cables do not spread {self.up} uplinks over {fewest} spines or more",
                where="parallel",
                hint=f"parallel: {', '.join(map(str, options))} would",
                code="FP3024",
            )
        return self.up // parallel

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


def _leaves_for(groups: Sequence[HostGroup], down: int, at_least: int, order: AttachOrder) -> int:
    """Fewest leaves that take the groups whole."""
    leaves = fewest_leaves(groups, down, at_least=at_least, order=order)
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
    *,
    parallel: int | None = None,
    order: AttachOrder = "fill",
) -> ClosPlan:
    """Smallest legal design: a third tier only when two do not reach, every uplink spread evenly.

    ``parallel`` sets the cables between a leaf and each spine; without it spines are as few as can be. Listed groups
    are attached whole: a host's NICs go to one leaf, or to a pair of leaves of one pod.

    Raises
    ------
    TopologyError
        When switches have one port (FP3011), ``parallel`` does not
        divide the uplinks or gives too few spines (FP3024), the endpoints exceed what the
        radix can reach (FP3027; the hint says how many fit), are fewer than the NIC
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
    if radix < 2:
        raise TopologyError(
            "a leaf of one port cannot have a host and an uplink", where="radix", hint="radix: 2 or more", code="FP3011"
        )
    width = max((group.homes for group in groups), default=1)
    tree = _tree(radix, oversubscription, width)
    wanted = endpoints or attached or tree.most_leaves[tiers or 3] * tree.down
    leaves = _leaves_for(groups, tree.down, -(-wanted // tree.down), order)
    while True:
        count = tiers or (2 if leaves <= radix else 3)
        if leaves > tree.most_leaves[count]:
            raise tree.refuse(wanted, leaves, count)
        sizes = tree.arrange(leaves, count, width, parallel)
        if hosts_fit(groups, sizes.leaves, tree.down, order):
            return sizes
        leaves = _leaves_for(groups, tree.down, sizes.leaves + 1, order)


# ---- cabling ---------------------------------------------------------------------------------------------------------


def add_leaves(
    net: Assembler, sizes: ClosPlan, radix: int, *, prefix: str = "", rail: int = -1
) -> tuple[Ints, list[str]]:
    """The leaves of a Clos and their names; pods are those of three tiers."""
    names, pod = _pod_names(sizes, "leaf", sizes.leaves_per_pod, prefix)
    return net.switches("leaf", names, level=1, radix=radix, pod=pod, rail=rail), names


def add_upper_tiers(
    net: Assembler, sizes: ClosPlan, leaf: Ints, radix: int, speed: float, *, prefix: str = "", rail: int = -1
) -> None:
    """Spines, and cores where there are three tiers, above the leaves."""
    names, pod = _pod_names(sizes, "spine", sizes.spines_per_pod, prefix)
    spine = net.switches("spine", names, level=2, radix=radix, pod=pod, rail=rail)
    low = leaf.reshape(sizes.pods, sizes.leaves_per_pod)
    high = spine.reshape(sizes.pods, sizes.spines_per_pod)
    lower = np.repeat(low, sizes.spines_per_pod, axis=1).ravel()
    upper = np.tile(high, (1, sizes.leaves_per_pod)).ravel()
    net.cables(lower, upper, speed, parallel=sizes.leaf_parallel, tier="leaf-spine")
    if sizes.tiers == 3:
        planes, position = np.divmod(np.arange(sizes.spines_per_pod * sizes.cores), sizes.cores)
        names = node_names("core", position, prefix=prefix, plane=planes)
        core = net.switches("core", names, level=3, radix=radix, plane=planes, rail=rail)
        lower = np.repeat(high, sizes.cores, axis=1).ravel()
        net.cables(lower, np.tile(core, sizes.pods), speed, parallel=sizes.core_parallel, tier="spine-core")


def _pod_names(sizes: ClosPlan, role: str, per_pod: int, prefix: str) -> tuple[list[str], Any]:
    """Names of leaves or spines, and the pod of each; two tiers have no pods."""
    if sizes.tiers == 2:
        return node_names(role, np.arange(per_pod), prefix=prefix), -1
    pod, position = np.divmod(np.arange(sizes.pods * per_pod), per_pod)
    return node_names(role, position, prefix=prefix, pod=pod), pod
