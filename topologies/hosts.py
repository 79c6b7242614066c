"""Hosts that want to be cabled to a fabric, and how they are spread over its leaves.

Hosts fill leaves in contiguous blocks whose sizes differ by at most one, as racks are cabled: neighbours in the list
share a leaf. The larger blocks of the next group go where leaves are emptiest. A host is whole: all its NICs attach to
one leaf, or half of them on each of a pair where it is dual-homed. A host whose NICs are ``per-gpu`` becomes one
endpoint per NIC (``n007.nic3``); a host whose NICs are ``shared`` is one endpoint with several links.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from topologies.columns import Ints
from topologies.errors import TopologyError


@dataclass(frozen=True)
class HostGroup:
    """Hosts of one kind and their NICs on one fabric."""

    name: str
    hosts: tuple[str, ...]
    nics: int
    nic_gbps: float
    rail: Literal["per-gpu", "shared"] = "shared"
    dual_home: bool = False
    ports: int = 1  # of a NIC, each with a cable to another plane

    @property
    def homes(self) -> int:
        """Leaves each host is attached to."""
        return 2 if self.dual_home else 1

    @property
    def leaf_ports(self) -> int:
        """Ports one host takes on each of its leaves."""
        return self.nics // self.homes

    def nic_name(self, host: str, nic: int) -> str:
        """Name of the endpoint that NIC ``nic`` of a host belongs to."""
        return f"{host}.nic{nic}" if self.rail == "per-gpu" and self.nics > 1 else host


@dataclass(frozen=True)
class Attachment:
    """A block of hosts of one group that are attached to the same leaves."""

    group: HostGroup
    hosts: tuple[str, ...]
    leaves: tuple[int, ...]  # one leaf, or the pair of a dual-homed group


def block_starts(count: int, blocks: int) -> Ints:
    """Boundaries of ``blocks`` contiguous blocks of ``count`` things whose sizes differ by at most one.

    >>> block_starts(10, 4).tolist()
    [0, 3, 5, 8, 10]
    """
    return (-(-count * np.arange(blocks + 1, dtype=np.int64) // blocks)).astype(np.int32)


def block_sizes(count: int, used: Ints) -> Ints:
    """Sizes of contiguous blocks of ``count`` things that differ by at most one, the larger where least is used.

    Parameters
    ----------
    count : int
        Things to distribute.
    used : ndarray, shape (B,)
        What each block's place holds already. Among equals the larger blocks lie as in `block_starts`.

    >>> block_sizes(10, np.array([0, 0, 0, 0])).tolist(), block_sizes(10, np.array([3, 2, 3, 2])).tolist()
    ([3, 2, 3, 2], [2, 3, 2, 3])
    """
    usual = np.diff(block_starts(count, len(used)))
    sizes = np.full(len(used), count // len(used), dtype=np.int32)
    sizes[np.lexsort((-usual, used))[: count % len(used)]] += 1
    return sizes


def _distribute(groups: Sequence[HostGroup], leaves: int) -> tuple[list[Ints], Ints]:
    """Block sizes of every group, and host ports used on every leaf, shape (leaves,)."""
    used = np.zeros(leaves, dtype=np.int32)
    group_sizes: list[Ints] = []
    for group in groups:
        sizes = block_sizes(len(group.hosts), used.reshape(-1, group.homes).max(axis=1))
        used += np.repeat(sizes * group.leaf_ports, group.homes)
        group_sizes.append(sizes)
    return group_sizes, used


def check_dual_homing(groups: Sequence[HostGroup]) -> None:
    """Dual-homed hosts are one endpoint each, with an even number of NIC ports.

    Raises
    ------
    TopologyError
        When a dual-homed group has a NIC per GPU, or an odd number of NIC ports (FP3021).
    """
    for group in groups:
        if group.nics % group.homes:
            raise TopologyError(
                f"{group.name} is dual-homed but has {group.nics} NIC port(s) on this fabric",
                where="dual_home",
                hint="give it an even number of NIC ports",
                code="FP3021",
            )
        if group.dual_home and group.rail == "per-gpu":
            raise TopologyError(
                f"{group.name} is dual-homed but its {group.nics} NICs are per-gpu: "
                "each is an endpoint of its own, with one cable to one leaf",
                where="dual_home",
                hint=f"set rail: shared for the NICs of {group.name}, or take it out of dual_home",
                code="FP3021",
            )


def hosts_fit(groups: Sequence[HostGroup], leaves: int, ports_per_leaf: int) -> bool:
    """Whether `spread_hosts` finds room for every group on ``leaves`` leaves."""
    if not groups:
        return True
    pairs_up = all(leaves % group.homes == 0 for group in groups)
    return pairs_up and bool(_distribute(groups, leaves)[1].max(initial=0) <= ports_per_leaf)


def fewest_leaves(groups: Sequence[HostGroup], ports_per_leaf: int, *, at_least: int = 1) -> int | None:
    """Fewest leaves that take all groups whole; even with a dual-homed group, None when a host exceeds a leaf.

    >>> fewest_leaves([HostGroup("g", ("g0", "g1", "g2", "g3"), nics=3, nic_gbps=100.0)], ports_per_leaf=4)
    4
    """
    check_dual_homing(groups)
    if any(group.leaf_ports > ports_per_leaf for group in groups):
        return None
    step = max((group.homes for group in groups), default=1)
    ports = sum(len(group.hosts) * group.nics for group in groups)
    alone = [group.homes * -(-len(group.hosts) // (ports_per_leaf // group.leaf_ports)) for group in groups]
    leaves = max(at_least, -(-ports // ports_per_leaf), *alone, 1)
    leaves += leaves % step
    while not hosts_fit(groups, leaves, ports_per_leaf):
        leaves += step
    return leaves


def _room_hint(groups: Sequence[HostGroup], leaves: int, ports_per_leaf: int) -> str:
    """What the leaves take, and how many would take everything."""
    enough = fewest_leaves(groups, ports_per_leaf)
    if enough is None:
        widest = max(groups, key=lambda group: group.leaf_ports)
        return f"a host of {widest.name} needs {widest.leaf_ports} ports on one leaf; use leaves with more host ports"
    return f"{leaves} leaves take {leaves * ports_per_leaf:,} NIC ports; {enough} leaves would take all hosts whole"


def spread_hosts(groups: Sequence[HostGroup], leaves: int, ports_per_leaf: int) -> Iterator[Attachment]:
    """Distribute every group over the leaves in blocks, so that the leaves fill evenly.

    Raises
    ------
    TopologyError
        When a leaf would need more host ports than it has (FP3022), or dual-homing meets an odd number of leaves,
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
    group_sizes, used = _distribute(groups, leaves)
    if used.max(initial=0) > ports_per_leaf:
        wanted = sum(len(group.hosts) * group.nics for group in groups)
        raise TopologyError(
            f"{wanted:,} NIC ports do not fit: a leaf would need {int(used.max())} host ports and has {ports_per_leaf}",
            where="leaf",
            hint=_room_hint(groups, leaves, ports_per_leaf),
            code="FP3022",
        )
    for group, sizes in zip(groups, group_sizes, strict=True):
        ends = np.cumsum(sizes).tolist()
        for block, (size, end) in enumerate(zip(sizes.tolist(), ends, strict=True)):
            if size:
                homes = tuple(range(block * group.homes, (block + 1) * group.homes))
                yield Attachment(group, group.hosts[end - size : end], homes)
