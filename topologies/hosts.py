"""Hosts that want to be cabled to a fabric, and how they are spread over its leaves.

Hosts fill leaves in contiguous blocks whose sizes differ by at most one, as racks are cabled: neighbours in the list
share a leaf. A host whose NICs are ``per-gpu`` becomes one endpoint per NIC (``n007.nic3``); a host whose NICs are
``shared`` is one endpoint with several links.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def spread_hosts(groups: Sequence[HostGroup], leaves: int, ports_per_leaf: int) -> list[Attachment]:
    """Deal every group over the leaves in contiguous blocks, a group's odd hosts to the leaves that are emptiest.

    Raises
    ------
    TopologyError
        When a leaf would need more host ports than it has, or dual-homing meets an odd number of leaves or ports.
    """
    for group in groups:
        _check_dual_homing(group, leaves)
    placed, fullest = _deal(groups, leaves)
    if fullest > ports_per_leaf:
        wanted = sum(len(group.hosts) * group.nics for group in groups)
        enough = leaves_for(groups, ports_per_leaf)
        more = f"{enough} leaves would take them all" if enough else "a host has more NIC ports than a leaf"
        raise TopologyError(
            f"{wanted:,} NIC ports do not fit: a leaf would need {fullest} host ports and has {ports_per_leaf}",
            where="leaf",
            hint=f"{leaves} leaves take {leaves * ports_per_leaf:,} NIC ports; {more}",
            code="FP3022",
        )
    return placed


def leaves_for(groups: Sequence[HostGroup], ports_per_leaf: int) -> int | None:
    """Fewest leaves that take all groups, even when one is dual-homed; None when no number does.

    Hosts are whole: the NICs of one go to one leaf, or half to each of a pair.
    """
    step = 2 if any(group.dual_home for group in groups) else 1
    if any(group.nics // (2 if group.dual_home else 1) > ports_per_leaf for group in groups):
        return None
    ports = sum(len(group.hosts) * group.nics for group in groups)
    count = max(-(-ports // ports_per_leaf), 1)
    count += -count % step
    while _deal(groups, count)[1] > ports_per_leaf:
        count += step
    return count


def _check_dual_homing(group: HostGroup, leaves: int) -> None:
    if not group.dual_home:
        return
    problem, hint = "", ""
    if leaves % 2:
        problem = f"{group.name} is dual-homed but there are {leaves} leaves, which do not pair up"
        hint = "use an even number of leaves"
    elif group.nics % 2:
        problem = f"{group.name} is dual-homed but has {group.nics} NIC port(s) on this fabric"
        hint = "give it an even number of NIC ports"
    elif group.rail == "per-gpu":
        problem = f"{group.name} is dual-homed, but each of its NICs belongs to a GPU and has one port"
        hint = "set rail: shared for its NICs, or take it out of dual_home"
    if problem:
        raise TopologyError(problem, where="dual_home", hint=hint, code="FP3021")


def _deal(groups: Sequence[HostGroup], leaves: int) -> tuple[list[Attachment], int]:
    """Blocks of every group, and the host ports of the fullest leaf."""
    used = np.zeros(leaves, dtype=np.int64)
    placed: list[Attachment] = []
    for group in groups:
        width = 2 if group.dual_home else 1
        blocks = leaves // width
        each, odd = divmod(len(group.hosts), blocks)
        size = np.full(blocks, each)
        size[np.argsort(used.reshape(blocks, width).sum(axis=1), kind="stable")[:odd]] += 1
        used += np.repeat(size * (group.nics // width), width)
        start = np.append(0, np.cumsum(size))
        for block in np.flatnonzero(size).tolist():
            hosts = group.hosts[int(start[block]) : int(start[block + 1])]
            placed.append(Attachment(group, hosts, tuple(range(block * width, (block + 1) * width))))
    return placed, int(used.max(initial=0))
