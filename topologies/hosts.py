"""Hosts that want to be cabled to a fabric, and which leaves they are attached to.

Groups are attached in the order written, hosts in the order of their group, each to the first leaf that has room:
leaves fill one after another. With the order ``spread`` every group goes over all leaves instead, in contiguous blocks
whose sizes differ by at most one, the larger where leaves are emptiest. A host is whole: all its NICs attach to one
leaf, or half of them on each of a pair where it is dual-homed. A host whose NICs are ``per-gpu`` becomes one endpoint
per NIC (``n007.nic3``); a host whose NICs are ``shared`` is one endpoint with several links.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from topologies.columns import Ints
from topologies.errors import TopologyError

AttachOrder = Annotated[
    Literal["fill", "spread"],
    Field(
        description="How listed hosts are attached: `fill` fills one switch after another, group by group; "
        "`spread` distributes every group evenly over all"
    ),
]


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

    def endpoint_names(self) -> list[str]:
        """Names of all endpoints of the group: host by host, NIC by NIC where every NIC is one of its own.

        >>> HostGroup("g", ("a", "b"), nics=2, nic_gbps=100.0, rail="per-gpu").endpoint_names()
        ['a.nic0', 'a.nic1', 'b.nic0', 'b.nic1']
        """
        if self.rail != "per-gpu" or self.nics == 1:
            return list(self.hosts)
        suffixes = [f".nic{nic}" for nic in range(self.nics)]
        return [host + suffix for host in self.hosts for suffix in suffixes]


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


def filled(count: int, room: Ints) -> Ints:
    """How many of ``count`` things each place takes, shape (B,), when places fill one after another.

    Parameters
    ----------
    room : ndarray, shape (B,)
        Things each place has room for; what fits none is in no place.

    >>> filled(10, np.array([4, 0, 4, 4])).tolist()
    [4, 0, 4, 2]
    """
    ends = np.minimum(np.cumsum(np.maximum(room, 0), dtype=np.int64), count)
    return np.diff(ends, prepend=0).astype(np.int32)


def attached_per_leaf(count: int, leaves: int, ports_per_leaf: int, order: AttachOrder = "fill") -> Ints:
    """How many of ``count`` hosts of one NIC port each leaf gets, shape (leaves,).

    >>> attached_per_leaf(10, 4, 3).tolist(), attached_per_leaf(10, 4, 3, "spread").tolist()
    ([3, 3, 3, 1], [3, 2, 3, 2])
    """
    if order == "fill":
        return filled(count, np.full(leaves, ports_per_leaf))
    return np.diff(block_starts(count, leaves))


def distribute(
    groups: Sequence[HostGroup], leaves: int, ports_per_leaf: int, order: AttachOrder
) -> tuple[list[Ints], Ints]:
    """Hosts of every group by leaf or pair of leaves, and host ports used on every leaf, shape (leaves,).

    What does not fit is on no leaf in the order ``fill``, and exceeds the ports in the order ``spread``.
    """
    used = np.zeros(leaves, dtype=np.int32)
    group_sizes: list[Ints] = []
    for group in groups:
        taken = used.reshape(-1, group.homes).max(axis=1)
        if order == "fill":
            sizes = filled(len(group.hosts), (ports_per_leaf - taken) // max(group.leaf_ports, 1))
        else:
            sizes = block_sizes(len(group.hosts), taken)
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


def hosts_fit(groups: Sequence[HostGroup], leaves: int, ports_per_leaf: int, order: AttachOrder = "fill") -> bool:
    """Whether `place_hosts` finds room for every group on ``leaves`` leaves."""
    if not groups:
        return True
    if any(leaves % group.homes for group in groups):
        return False
    sizes, used = distribute(groups, leaves, ports_per_leaf, order)
    return not left_over(groups, sizes) and bool(used.max(initial=0) <= ports_per_leaf)


def left_over(groups: Sequence[HostGroup], group_sizes: Sequence[Ints]) -> list[tuple[HostGroup, int]]:
    """Groups that are not attached whole, and how many of their hosts are not."""
    missing = [(group, len(group.hosts) - int(sizes.sum())) for group, sizes in zip(groups, group_sizes, strict=True)]
    return [(group, count) for group, count in missing if count]


def fewest_leaves(
    groups: Sequence[HostGroup], ports_per_leaf: int, *, at_least: int = 1, order: AttachOrder = "fill"
) -> int | None:
    """Fewest leaves that take all groups whole; even with a dual-homed group, None when a host exceeds a leaf.

    >>> fewest_leaves([HostGroup("g", ("g0", "g1", "g2", "g3"), nics=3, nic_gbps=100.0)], ports_per_leaf=4)
    4
    """
    check_dual_homing(groups)
    if any(group.leaf_ports > ports_per_leaf for group in groups if group.hosts):
        return None
    step = max((group.homes for group in groups), default=1)
    ports = sum(len(group.hosts) * group.nics for group in groups)
    alone = [
        group.homes * -(-len(group.hosts) // (ports_per_leaf // group.leaf_ports)) for group in groups if group.hosts
    ]
    leaves = max(at_least, -(-ports // ports_per_leaf), *alone, 1)
    leaves += leaves % step
    while not hosts_fit(groups, leaves, ports_per_leaf, order):
        leaves += step
    return leaves
