"""The library's own prediction of a call's time, by which it chooses algorithm and protocol.

Time is a latency of the steps, plus the buffer over a bandwidth; of all algorithms and protocols the one with the least
predicted time runs. The prediction decides what is *chosen*. What a call then takes here is told by the fabric:
:mod:`traffic.library.call`.

References
----------
NCCL 2.30, ``src/graph/tuning.cc`` (``ncclTopoTuneModel``, ``ncclTopoGetAlgoTime``), ``src/enqueue.cc``
(``updateCollCostTable``, ``topoGetAlgoInfo``).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log2

from traffic.library import constants as k
from traffic.library.constants import ALGORITHMS, PROTOCOLS, Algorithm, Protocol
from traffic.library.machine import Channels, Machine, nvls_channels, ring_channels, tree_channels

CHOSEN = ("all-reduce", "reduce-scatter", "all-gather", "broadcast", "reduce")  # operations that have a choice
_OF_OPERATION: dict[str, tuple[Algorithm, ...]] = {
    "all-reduce": ("tree", "ring", "collnet-direct", "collnet-chain", "nvls", "nvls-tree"),
    "reduce-scatter": ("ring", "nvls", "pat"),  # in-network reduction of these, which few switches do, is left out
    "all-gather": ("ring", "nvls", "pat"),
    "broadcast": ("ring",),
    "reduce": ("ring",),
}


@dataclass(frozen=True)
class Latency:
    """What of a call's latency is inside hosts and the library, and how many steps between hosts are in it."""

    seconds: float  # with the network that the constants were measured on
    rounds: float  # steps between hosts that wait for one another


@dataclass(frozen=True)
class Times:
    """Times of steps in place of the published ones, s; None keeps those."""

    base: float | None = None
    inside: float | None = None
    between: float | None = None
    measured_way: float | None = None

    @property
    def way_s(self) -> float:
        """One way through the network, as the steps between hosts hold it."""
        return k.MEASURED_WAY_S if self.measured_way is None else self.measured_way


@dataclass(frozen=True)
class Prediction:
    """One algorithm with one protocol, as the library sees it."""

    algorithm: Algorithm
    protocol: Protocol
    latency: Latency
    gbytes_per_s: float  # buffer over time; 0: cannot run
    time_s: float


def steps_of(operation: str, ranks: int) -> int:
    """Steps of a ring."""
    if operation == "all-reduce":
        return 2 * (ranks - 1)
    return ranks - 1 if operation in ("reduce-scatter", "all-gather") else ranks


def predictions(operation: str, size_bytes: float, machine: Machine, times: Times = Times()) -> list[Prediction]:
    """All that can run, in the library's order; the first of the fastest is chosen.

    Parameters
    ----------
    size_bytes : float
        Buffer as nccl-tests counts it: the whole, of one rank.
    """
    found = []
    for algorithm in ALGORITHMS:
        for protocol in PROTOCOLS:
            if algorithm in _OF_OPERATION[operation] and can_run(operation, algorithm, protocol, machine):
                speed = bandwidth(operation, algorithm, protocol, machine) * correction(
                    operation, algorithm, protocol, size_bytes, machine
                )
                if speed > 0:
                    delay = latency(operation, algorithm, protocol, size_bytes, machine, times)
                    time = delay.seconds + size_bytes / (speed * 1e9)
                    found.append(Prediction(algorithm, protocol, delay, speed, time))
    return found


def can_run(operation: str, algorithm: Algorithm, protocol: Protocol, machine: Machine) -> bool:
    """Whether the library has the algorithm for these hosts."""
    one, several = machine.hosts == 1, machine.ranks_per_host > 1
    if algorithm in ("ring", "tree"):
        return True
    if protocol != "simple":
        return False
    if algorithm == "pat":
        return machine.ranks == machine.hosts
    if algorithm.startswith("collnet"):
        fits = machine.ranks_per_host <= k.MOST_DIRECT
        heads = operation == "all-reduce" or machine.ranks_per_host <= machine.nics_per_host
        return machine.collnet and not one and fits and heads and (algorithm == "collnet-chain" or several)
    if not machine.reduces or not k.NVLS_EFFICIENCY[machine.generation] or not several:
        return False
    if operation != "all-reduce" and machine.ranks_per_host > k.MOST_NVLS:
        return False
    if algorithm == "nvls-tree":
        return not one
    return one or (machine.collnet and (operation == "all-reduce" or machine.ranks_per_host <= machine.nics_per_host))


def bandwidth(operation: str, algorithm: Algorithm, protocol: Protocol, machine: Machine) -> float:
    """Buffer over time that the library reckons with for large buffers, GB/s."""
    rings = ring_channels(machine)
    channels = {"tree": tree_channels, "nvls": nvls_channels, "nvls-tree": nvls_channels}.get(
        algorithm, lambda _: rings
    )(machine)
    if not channels.count:
        return 0.0
    collnet = algorithm.startswith("collnet")
    each = channels.inside_gbytes_per_s if machine.hosts <= 2 or collnet else channels.between_gbytes_per_s
    if algorithm.startswith("nvls"):
        each = _nvls(operation, algorithm, machine, channels)
    bus = _limited(operation, algorithm, protocol, machine, channels.count, channels.count * each)
    if algorithm == "collnet-direct":
        bus = _collnet_direct(operation, machine, channels, bus)
    if algorithm != "ring" and operation in ("all-gather", "reduce-scatter"):
        return bus
    if algorithm in ("ring", "nvls", "nvls-tree"):
        return bus * machine.ranks / steps_of(operation, machine.ranks)
    return bus * 0.5


def _nvls(operation: str, algorithm: Algorithm, machine: Machine, channels: Channels) -> float:
    """GB/s of a channel: the slower of NVLink, network and the limit of the generation."""
    if channels.count < 2:
        return 0.0
    inside = channels.inside_gbytes_per_s * k.NVLS_EFFICIENCY[machine.generation]
    inside *= (channels.count - 1) / channels.count
    inside *= 2.0 if operation == "all-reduce" else (machine.ranks_per_host - 1) / machine.ranks_per_host
    if algorithm == "nvls":
        return min(inside, channels.between_gbytes_per_s) if machine.hosts > 1 else inside
    between = channels.between_gbytes_per_s * (2 if machine.hosts <= 2 else 1)
    return min(inside, between, k.NVLS_TREE[machine.generation][machine.hosts_index])


def _limited(
    operation: str, algorithm: Algorithm, protocol: Protocol, machine: Machine, count: int, bus: float
) -> float:
    """Bus bandwidth under the limits of protocols and generations."""
    index, generation = machine.hosts_index, machine.generation
    low = k.LL_ONE_HOST[generation] if index == 0 else k.LL_MORE_HOSTS[machine.cpu][index - 1]
    if algorithm == "ring":
        if protocol == "ll":
            return min(low, bus * 0.5)
        return min(bus * 0.92, count * k.RING_LL128[generation]) if protocol == "ll128" else bus
    if algorithm == "tree":
        bus = min(bus * 0.92, count * k.TREE[generation][index])
        if protocol == "ll":
            bus = min(bus / 3.8, low)
        elif protocol == "ll128":
            share = 7 / 9 if machine.hosts == 1 else 120 / 128
            bus = min(bus * share, count * k.TREE_LL128[generation][index])
        return bus * 0.85 if _plain_tree(machine) else bus
    return bus * 0.75 if algorithm == "pat" else bus


def _plain_tree(machine: Machine) -> bool:
    """Whether a host's part of a tree is a chain that begins at the NIC, not one balanced over two GPUs."""
    return machine.ranks_per_host == 1 or (
        machine.generation in ("hopper", "blackwell") and machine.nics_per_host < machine.ranks_per_host
    )


def _collnet_direct(operation: str, machine: Machine, channels: Channels, bus: float) -> float:
    if operation in ("all-gather", "reduce-scatter"):
        return machine.ranks_per_host * min(channels.inside_gbytes_per_s, channels.between_gbytes_per_s * 0.9)
    factor = machine.ranks_per_host / channels.count  # GPUs for each NIC
    factor -= (factor - 1) / 2
    return bus / factor * (0.85 if machine.generation in ("hopper", "blackwell") else 1.0)


def correction(operation: str, algorithm: Algorithm, protocol: Protocol, size_bytes: float, machine: Machine) -> float:
    """What trees of middle sizes fall short of."""
    which = int(log2(size_bytes / 64)) if size_bytes >= 64 else -1
    corrected = algorithm == "tree" or (
        algorithm == "nvls-tree" and machine.generation == "blackwell" and machine.cpu in ("intel", "amd")
    )
    if operation != "all-reduce" or not corrected or not 0 <= which < (23 if algorithm == "tree" else 24):
        return 1.0
    return k.TREE_CORRECTION[protocol][which]


def latency(
    operation: str, algorithm: Algorithm, protocol: Protocol, size_bytes: float, machine: Machine, times: Times
) -> Latency:
    """Latency of one call with the network that the constants were measured on, and its steps between hosts."""
    base = k.BASE_US[algorithm][protocol] * 1e-6 if times.base is None else times.base
    hardware: k.Hardware = "nvlink" if machine.scale_up_gbytes_per_s else "pci"
    inside = k.STEP_US[hardware][algorithm][protocol] * 1e-6 if times.inside is None else times.inside
    exposed: Algorithm = "tree" if machine.ranks_per_host == 1 and protocol in k.STEP_US["net"]["tree"] else algorithm
    between = k.STEP_US["net"][exposed][protocol] * 1e-6 if times.between is None else times.between
    hosts, local = machine.hosts, machine.ranks_per_host - 1
    depth = int(log2(hosts))
    if algorithm == "ring":
        return _ring(operation, protocol, size_bytes, machine, times, base, inside, between)
    if algorithm == "tree":
        return Latency(base + 2 * (local * inside + depth * between), 2 * depth)
    if algorithm == "collnet-direct":
        return Latency(base + 2 * (min(1, local) * inside + local * k.ARITY_US * 1e-6) + between, 1)
    if algorithm == "collnet-chain":
        return Latency(base + 2 * local * inside + between, 1)
    if algorithm == "nvls":
        return Latency(inside + (between if hosts > 1 else 0.0), 1 if hosts > 1 else 0)
    if algorithm == "nvls-tree":
        return Latency(base + inside + 2 * depth * between, 2 * depth)
    return Latency(base + depth * between / k.PAT_SHARE + machine.ranks * k.PAT_RANK_US * 1e-6, depth / k.PAT_SHARE)


def _ring(
    operation: str,
    protocol: Protocol,
    size_bytes: float,
    machine: Machine,
    times: Times,
    base: float,
    inside: float,
    between: float,
) -> Latency:
    steps, hosts = steps_of(operation, machine.ranks), machine.hosts
    if operation in ("broadcast", "reduce"):
        one = inside if hosts == 1 else between
        if ring_channels(machine).same:
            return Latency(base + one, 0 if hosts == 1 else 1)
        return Latency(base + steps * one, 0 if hosts == 1 else hosts - 1)
    if hosts > 1 and times.inside is None:
        posts = k.POSTS_OF_SIMPLE if protocol == "simple" else 1
        inside = max(inside, k.POST_US[machine.cpu] * 1e-6 * posts)
    crossing = 0 if hosts == 1 else (2 if operation == "all-reduce" else 1) * (hosts - 1)
    total = base + (steps - crossing) * inside + crossing * between
    pieces = 2 * ring_channels(machine).count * machine.ranks
    if protocol == "simple" and hosts > 1 and operation == "all-reduce" and size_bytes / pieces >= k.PLATEAU_BYTES:
        total *= k.PLATEAU[machine.generation]
    return Latency(total, crossing)


def fastest(found: list[Prediction]) -> Prediction:
    """The one that the library runs."""
    best, least = found[0], inf
    for entry in found:
        if entry.time_s < least:
            best, least = entry, entry.time_s
    return best
