"""What the library finds out about the hosts of a job, and the channels it makes of that.

NCCL searches for rings of equal speed through the GPUs and NICs of a host. Where hosts are alike and GPUs reach each
other at full speed, as over NVSwitch, the outcome is a matter of arithmetic: the fastest of its fixed speeds at which
the NICs and the NVLink of every GPU carry most. A channel is a ring or tree of its own, with connections of its own.

References
----------
NCCL 2.30, ``src/graph/search.cc`` (``ncclTopoCompute``, ``ncclTopoDupChannels``), ``src/graph/connect.cc``
(``ncclTopoPostset``), ``src/graph/paths.cc`` (``ncclTopoComputeP2pChannels``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor, log2

from traffic.library.constants import (
    MOST_CHANNELS,
    NVLINK_LINK,
    NVLINK_SHARE,
    P2P_BATCH,
    P2P_CHANNEL_GBYTES,
    PCI_GBYTES,
    SPEEDS_MORE_HOSTS,
    SPEEDS_ONE_HOST,
    Generation,
)


@dataclass(frozen=True)
class Machine:
    """Hosts of one communicator; a scale-up domain of several nodes is one host."""

    generation: Generation
    hosts: int
    ranks_per_host: float
    nics_per_host: int  # that its ranks use
    nic_gbytes_per_s: float  # of one NIC, line rate, one direction
    scale_up_gbytes_per_s: float = 0.0  # of one GPU, one direction; 0: PCIe
    reduces: bool = False  # NVLS: switches of the scale-up network add up
    collnet: bool = False  # switches of the fabric add up, as SHARP does
    cpu: str = "intel"  # of the hosts: intel or amd

    @property
    def ranks(self) -> int:
        """Ranks of the communicator."""
        return round(self.hosts * self.ranks_per_host)

    @property
    def nvlink_gbytes_per_s(self) -> float:
        """What the library takes the scale-up links of a GPU for."""
        return self.scale_up_gbytes_per_s * NVLINK_SHARE[self.generation] or PCI_GBYTES

    @property
    def hosts_index(self) -> int:
        """Row of constants that are for 1, 2 and more hosts."""
        return min(self.hosts, 3) - 1


@dataclass(frozen=True)
class Channels:
    """Rings or trees that run side by side."""

    count: int  # that the search finds
    inside_gbytes_per_s: float  # of one
    between_gbytes_per_s: float
    same: bool = True  # all are the same ring

    @property
    def total(self) -> int:
        """Channels that collectives use: the search's, doubled."""
        return min(MOST_CHANNELS, 2 * self.count)


def ring_channels(machine: Machine) -> Channels:
    """Rings of a host.

    >>> h100 = Machine("hopper", 16, 8, 8, 50.0, 450.0)
    >>> ring_channels(h100), ring_channels(replace(h100, hosts=1)).count
    (Channels(count=8, inside_gbytes_per_s=45, between_gbytes_per_s=45, same=False), 12)
    """
    return _doubled(_searched(machine, machine.nvlink_gbytes_per_s), machine)


def tree_channels(machine: Machine) -> Channels:
    """Trees of a host: as many as rings, and faster where NVLink held rings back, since they need not close."""
    rings, each = ring_channels(machine), machine.nvlink_gbytes_per_s
    if machine.ranks_per_host > 1:
        each *= machine.ranks_per_host / (machine.ranks_per_host - 1)
    speed = _fastest(machine, each, rings.count)
    return Channels(rings.count, max(speed, rings.inside_gbytes_per_s), max(speed, rings.between_gbytes_per_s))


def nvls_channels(machine: Machine) -> Channels:
    """Heads of NVLS: one per GPU of a host, as far as NICs go round."""
    heads = round(machine.ranks_per_host)
    if machine.hosts > 1:
        heads = min(heads, machine.nics_per_host)
    if not heads:
        return Channels(0, 0.0, 0.0)
    each = machine.nvlink_gbytes_per_s * machine.ranks_per_host / max(machine.ranks_per_host - 1, 1)
    inside = max((s for s in SPEEDS_ONE_HOST[machine.generation] if s * heads <= each), default=0.0)
    between = _fastest(machine, each, heads) if machine.hosts > 1 else inside
    return Channels(heads, max(inside, between), between)


def _fastest(machine: Machine, nvlink: float, count: int) -> float:
    """Fastest speed at which ``count`` channels fit the NICs and the NVLink of each GPU."""
    if machine.hosts == 1:
        return max((s for s in SPEEDS_ONE_HOST[machine.generation] if s * count <= nvlink), default=0.0)
    per_nic = ceil(count / max(machine.nics_per_host, 1))
    limit = nvlink if machine.ranks_per_host > 1 else float("inf")
    speeds = SPEEDS_MORE_HOSTS[machine.generation]
    return max((s for s in speeds if s * per_nic <= machine.nic_gbytes_per_s and s * count <= limit), default=0.0)


def _searched(machine: Machine, nvlink: float) -> Channels:
    """The first speed whose channels carry most, tried from the fastest down to about half the best one."""
    one = machine.hosts == 1
    speeds = (SPEEDS_ONE_HOST if one else SPEEDS_MORE_HOSTS)[machine.generation]
    limit = nvlink if machine.ranks_per_host > 1 else float("inf")
    best = Channels(0, 0.0, 0.0)
    for speed in speeds:
        if best.count and speed / best.between_gbytes_per_s <= 0.49:
            break
        count = MOST_CHANNELS // 2
        if limit < float("inf"):
            count = min(count, floor(limit / speed))
        if not one:
            count = min(count, floor(machine.nic_gbytes_per_s / speed) * machine.nics_per_host)
        elif limit == float("inf"):
            count = 1
        if count * speed > best.count * best.between_gbytes_per_s:
            best = Channels(count, speed, speed)
    if best.count:
        return replace(best, same=one or machine.nics_per_host == 1)
    slow = nvlink if one else min(nvlink, machine.nic_gbytes_per_s)
    return Channels(1, slow, slow)


def _doubled(found: Channels, machine: Machine) -> Channels:
    """Fast channels are split in two of half the speed."""
    speed = found.inside_gbytes_per_s
    recent = machine.generation in ("hopper", "blackwell")
    if speed < 25 or (recent and speed < 50 and found.count > 4):
        return found
    twice = min(2 * found.count, MOST_CHANNELS // 2)
    parts = ceil(twice / found.count)
    return replace(found, count=twice, inside_gbytes_per_s=speed / parts, between_gbytes_per_s=speed / parts)


def peer_channels(machine: Machine) -> int:
    """Channels of the sends between two ranks on different hosts.

    One for every 14 GB/s of a GPU's NICs, a power of two, halved until all peers fit in one round of the channels.

    >>> peer_channels(Machine("hopper", 2, 8, 8, 50.0, 450.0)), peer_channels(Machine("hopper", 16, 8, 8, 50.0, 450.0))
    (4, 1)
    """
    nics = max(round(machine.nics_per_host / machine.ranks_per_host), 1)
    wanted = max(nics, ceil(int(nics * machine.nic_gbytes_per_s) / P2P_CHANNEL_GBYTES))
    if machine.ranks_per_host > 1:
        links = machine.nvlink_gbytes_per_s / NVLINK_LINK[machine.generation]
        wanted = min(wanted, 2 * max(1, int(links)))
    count, channels = _power_of_two(wanted), send_channels(machine)
    while count * ceil(machine.ranks / P2P_BATCH) > channels and count > 1:
        count //= 2
    return count


def send_channels(machine: Machine) -> int:
    """Channels that sends are spread over, a power of two."""
    return _power_of_two(collective_channels(machine))


def collective_channels(machine: Machine) -> int:
    """Channels of a collective over all ranks.

    >>> collective_channels(Machine("hopper", 16, 8, 8, 50.0, 450.0))
    16
    """
    rings = ring_channels(machine)
    total = rings.total
    recent = machine.generation in ("hopper", "blackwell")
    if recent and machine.hosts > 1 and rings.inside_gbytes_per_s > 45.0 and total < 16:
        total *= 2
    return total


def _power_of_two(count: int) -> int:
    return 1 << max(0, ceil(log2(max(count, 1))))
