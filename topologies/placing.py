"""Which leaves the hosts of every group are attached to, or why they do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from topologies.columns import Ints
from topologies.errors import TopologyError
from topologies.hosts import AttachOrder, HostGroup, check_dual_homing, distribute, fewest_leaves, left_over


@dataclass(frozen=True)
class Attachment:
    """A block of hosts of one group that are attached to the same leaves."""

    group: HostGroup
    hosts: tuple[str, ...]
    leaves: tuple[int, ...]  # one leaf, or the pair of a dual-homed group


def _room_hint(groups: Sequence[HostGroup], leaves: int, ports_per_leaf: int, order: AttachOrder) -> str:
    """What the leaves take, and how many would take everything."""
    enough = fewest_leaves(groups, ports_per_leaf, order=order)
    if enough is None:
        widest = max(groups, key=lambda group: group.leaf_ports)
        return f"a host of {widest.name} needs {widest.leaf_ports} ports on one leaf; use leaves with more host ports"
    return f"{leaves} leaves take {leaves * ports_per_leaf:,} NIC ports; {enough} leaves would take all hosts whole"


def placed_sizes(
    groups: Sequence[HostGroup], leaves: int, ports_per_leaf: int, order: AttachOrder = "fill"
) -> list[Ints]:
    """Hosts of every group by leaf, or by pair of leaves where it is dual-homed: attached in the order written.

    Raises
    ------
    TopologyError
        When the leaves have too few host ports (FP3022), or dual-homing meets an odd number of leaves,
        an odd number of NIC ports, or NICs per GPU (FP3021).
    """
    check_dual_homing(groups)
    for group in groups:
        if leaves % group.homes:
            raise TopologyError(
                f"{group.name} is dual-homed but there are {leaves} leaves, which do not pair up",
                where="dual_home",
                hint="use an even number of leaves",
                code="FP3021",
            )
    group_sizes, used = distribute(groups, leaves, ports_per_leaf, order)
    missing = left_over(groups, group_sizes)
    if missing or used.max(initial=0) > ports_per_leaf:
        wanted = sum(len(group.hosts) * group.nics for group in groups)
        why = f"a leaf would need {int(used.max())} host ports and has {ports_per_leaf}"
        if missing:
            group, count = missing[0]
            hosts = f"{count:,} host{'s' if count > 1 else ''} of {group.name}"
            why = f"{leaves} leaves of {ports_per_leaf} host ports leave out {hosts}"
        raise TopologyError(
            f"{wanted:,} NIC ports do not fit: {why}",
            where="leaf",
            hint=_room_hint(groups, leaves, ports_per_leaf, order),
            code="FP3022",
        )
    return group_sizes


def homes_of_hosts(
    groups: Sequence[HostGroup], leaves: int, ports_per_leaf: int, order: AttachOrder = "fill"
) -> list[Ints]:
    """Leaves of the hosts of every group, each of shape (hosts, homes): numbers from 0, two where dual-homed.

    Raises
    ------
    TopologyError
        As `placed_sizes`.

    >>> homes_of_hosts([HostGroup("g", ("g0", "g1", "g2"), nics=2, nic_gbps=100.0)], 2, 4)[0].ravel().tolist()
    [0, 0, 1]
    """
    sizes = placed_sizes(groups, leaves, ports_per_leaf, order)
    return [
        np.repeat(np.arange(leaves, dtype=np.int32).reshape(-1, group.homes), count, axis=0)
        for group, count in zip(groups, sizes, strict=True)
    ]


def place_hosts(
    groups: Sequence[HostGroup], leaves: int, ports_per_leaf: int, order: AttachOrder = "fill"
) -> Iterator[Attachment]:
    """Attach every group, in the order written, in blocks of hosts that share their leaves.

    Raises
    ------
    TopologyError
        As `placed_sizes`.
    """
    group_sizes = placed_sizes(groups, leaves, ports_per_leaf, order)
    for group, sizes in zip(groups, group_sizes, strict=True):
        ends = np.cumsum(sizes).tolist()
        for block, (size, end) in enumerate(zip(sizes.tolist(), ends, strict=True)):
            if size:
                homes = tuple(range(block * group.homes, (block + 1) * group.homes))
                yield Attachment(group, group.hosts[end - size : end], homes)
