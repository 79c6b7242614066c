"""Hosts that want to be cabled to a fabric, and how they are spread over its leaves.

Hosts fill leaves in contiguous blocks whose sizes differ by at most one, as racks are cabled: neighbours in the list
share a leaf. A host whose NICs are ``per-gpu`` becomes one endpoint per NIC (``n007.nic3``); a host whose NICs are
``shared`` is one endpoint with several links.
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

    def nic_name(self, host: str, nic: int) -> str:
        """Name of the endpoint that NIC ``nic`` of a host belongs to."""
        return f"{host}.nic{nic}" if self.rail == "per-gpu" and self.nics > 1 else host


@dataclass(frozen=True)
class Attachment:
    """A block of hosts of one group that hang on the same leaves."""

    group: HostGroup
    hosts: tuple[str, ...]
    leaves: tuple[int, ...]  # one leaf, or the pair of a dual-homed group


def block_starts(count: int, blocks: int) -> Ints:
    """Boundaries of ``blocks`` contiguous blocks of ``count`` things whose sizes differ by at most one.

    >>> block_starts(10, 4).tolist()
    [0, 3, 5, 8, 10]
    """
    return np.asarray([-(-count * block // blocks) for block in range(blocks + 1)], dtype=np.int32)


def spread_hosts(groups: Sequence[HostGroup], leaves: int, ports_per_leaf: int) -> Iterator[Attachment]:
    """Deal every group over the leaves, in blocks.

    Raises
    ------
    TopologyError
        When a leaf would need more host ports than it has, or dual-homing meets an odd number of leaves.
    """
    used = np.zeros(leaves, dtype=np.int64)
    placed: list[Attachment] = []
    for group in groups:
        width = 2 if group.dual_home else 1
        if leaves % width:
            raise TopologyError(
                f"{group.name} is dual-homed but there are {leaves} leaves, which do not pair up",
                where="dual_home",
                hint="use an even number of leaves",
                code="FP3021",
            )
        if group.nics % width:
            raise TopologyError(
                f"{group.name} is dual-homed but has {group.nics} NIC port(s) on this fabric",
                where="dual_home",
                hint="give it an even number of NIC ports",
                code="FP3021",
            )
        starts = block_starts(len(group.hosts), leaves // width)
        for block in range(leaves // width):
            hosts = group.hosts[starts[block] : starts[block + 1]]
            homes = tuple(range(block * width, (block + 1) * width))
            used[list(homes)] += len(hosts) * group.nics // width
            if hosts:
                placed.append(Attachment(group, hosts, homes))
    if used.max(initial=0) > ports_per_leaf:
        wanted = sum(len(group.hosts) * group.nics for group in groups)
        raise TopologyError(
            f"{wanted:,} NIC ports do not fit: a leaf would need {int(used.max())} host ports and has {ports_per_leaf}",
            where="leaf",
            hint=f"{leaves} leaves take {leaves * ports_per_leaf:,} NIC ports; "
            f"{-(-wanted // ports_per_leaf)} leaves would take them all",
            code="FP3022",
        )
    yield from placed
