"""One call of a collective as the library carries it out: algorithm, protocol, connections, and what bytes do not cost.

The library's model holds a network of its own in every step between hosts. Here a fabric is known: each step gives up
the way that the constants were measured with, and takes the fabric's own (``rounds`` times
:func:`fabric.evaluation.latency.way_s`), so that no hop counts twice. On a fabric like the one measured, both agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log2

from topologies.errors import TrafficError
from traffic.library import constants as k
from traffic.library.constants import Algorithm, Protocol
from traffic.library.machine import Machine, collective_channels, peer_channels, send_channels
from traffic.library.tuner import CHOSEN, Latency, Prediction, Times, bandwidth, fastest, predictions

AUTO = "auto"
ALIASES: dict[str, tuple[Algorithm, ...]] = {
    "ring": ("ring",),
    "pipelined": ("ring",),
    "tree": ("tree",),
    "double-binary-tree": ("tree",),
    "nvls": ("nvls",),
    "nvls-tree": ("nvls-tree",),
    "collnet-direct": ("collnet-direct",),
    "collnet-chain": ("collnet-chain",),
    "in-network": ("collnet-direct", "collnet-chain"),
    "sharp": ("collnet-direct", "collnet-chain"),
    "pat": ("pat",),
}  # names of algorithms that the library has
_WIRED: dict[Algorithm, str] = {
    "ring": "ring",
    "tree": "tree",
    "nvls": "nvls",
    "nvls-tree": "nvls-tree",
    "collnet-direct": "in-network",
    "collnet-chain": "in-network",
    "pat": "ring",
}  # what carries the bytes; PAT moves those of a ring over NICs and NVLink
P2P_LL_BYTES = 16384  # per message, up to which sends use LL (NCCL_P2P_LL_THRESHOLD)


@dataclass(frozen=True)
class LibraryCall:
    """What one call comes to. Its time is that of its bytes over the fabric, plus ``latency_s`` + ``rounds`` x way."""

    operation: str
    algorithm: str  # as the library names it; of others than the library's, as the scenario does
    protocol: str  # simple, ll or ll128
    wired: str  # algorithm of the registered collective that carries the bytes, such as ring of ring-all-reduce
    wire: float  # bytes on links for each byte of payload; what they take longer is in latency_s
    connections: int  # between two NICs that exchange something, before queue pairs
    rounds: float  # messages between hosts that wait for one another
    latency_s: float  # beside the fabric's ways: starting, steps inside hosts and of the library, limits of protocols
    predicted_s: float | None  # the library's own prediction, by which it chose; None where it has no choice


def call_of(
    operation: str,
    size_bytes: float,
    machine: Machine,
    *,
    algorithm: str = AUTO,
    protocol: str = AUTO,
    times: Times = Times(),
    where: str = "collectives",
) -> LibraryCall:
    """Algorithm, protocol and costs of one call.

    Parameters
    ----------
    operation : str
        ``all-reduce``, ``reduce-scatter``, ``all-gather``, ``broadcast``, ``reduce``, ``all-to-all``, ``send-recv``.
    size_bytes : float
        Buffer as nccl-tests counts it: of all-gather the gathered one, of reduce-scatter the one that is reduced.
    machine : Machine
        Hosts, GPUs and NICs of the communicator.
    algorithm, protocol : str
        ``auto``, or what the job sets (``NCCL_ALGO``, ``NCCL_PROTO``).
    times : Times, optional
        Times of steps in place of the published ones.

    Raises
    ------
    TrafficError
        When these hosts cannot run the algorithm, or it has no such protocol (FP4015).
    """
    if machine.ranks < 2:
        return LibraryCall(operation, "ring", "simple", "ring", 1.0, 1, 0.0, 0.0, None)
    if operation not in CHOSEN:
        return _sends(operation, size_bytes, machine, protocol, times)
    chosen = _chosen(operation, size_bytes, machine, algorithm, protocol, times, where)
    if chosen is None:
        return _foreign(operation, size_bytes, machine, algorithm, protocol, times)
    delay, name = chosen.latency, chosen.algorithm
    full = bandwidth(operation, name, "simple", machine)
    short = size_bytes * (1 / chosen.gbytes_per_s - 1 / full) / 1e9
    return LibraryCall(
        operation,
        name,
        chosen.protocol,
        _WIRED[name],
        k.WIRE[chosen.protocol],
        connections(operation, name, machine, size_bytes, chosen.protocol),
        delay.rounds,
        max(delay.seconds - delay.rounds * times.way_s, 0.0) + max(short, 0.0),
        chosen.time_s,
    )


def _chosen(
    operation: str, size_bytes: float, machine: Machine, algorithm: str, protocol: str, times: Times, where: str
) -> Prediction | None:
    """What the library runs; None for an algorithm that it does not have."""
    wanted = ALIASES.get(algorithm)
    if algorithm != AUTO and wanted is None:
        return None
    if wanted and wanted[0].startswith("collnet"):
        machine = replace(machine, collnet=True)
    every = predictions(operation, size_bytes, machine, times)
    found = [entry for entry in every if wanted is None or entry.algorithm in wanted]
    if not found and operation != "all-reduce" and algorithm in ("tree", "double-binary-tree", "nvls-tree", "nvls"):
        found = [entry for entry in every if entry.algorithm == "ring"]  # trees are for all-reduce alone
    if not found:
        raise TrafficError(
            f"{algorithm} does not do {operation} on {machine.hosts:,} hosts of {machine.ranks_per_host:g} ranks: "
            f"{_needs(wanted or ())}",
            where=f"{where}.algorithm",
            hint=f"algorithm: {' or '.join(dict.fromkeys(entry.algorithm for entry in every))}, or auto",
            code="FP4015",
        )
    fitting = [entry for entry in found if protocol in (AUTO, entry.protocol)]
    if not fitting:
        raise TrafficError(
            f"{found[0].algorithm} has no protocol {protocol}",
            where=f"{where}.protocol",
            hint=f"protocol: {' or '.join(entry.protocol for entry in found)}, or auto",
            code="FP4015",
        )
    return fastest(fitting)


def _needs(wanted: tuple[Algorithm, ...]) -> str:
    """What an algorithm cannot do without."""
    if any(name.startswith("nvls") for name in wanted):
        return "it takes GPUs of the Hopper generation or later, two or more a host, whose scale-up network reduces"
    if any(name.startswith("collnet") for name in wanted):
        return f"it takes several hosts of at most {k.MOST_DIRECT} ranks"
    return "it takes one rank a host"


def _foreign(
    operation: str, size_bytes: float, machine: Machine, algorithm: str, protocol: str, times: Times
) -> LibraryCall:
    """An algorithm that the library does not have, with the times of its ring: two levels, or halving and doubling."""
    used: Protocol = "simple" if protocol == AUTO else protocol  # type: ignore[assignment]
    base, inside, between = _ring_times(used, machine, times)
    trips = 2 if operation == "all-reduce" else 1
    local = round(machine.ranks_per_host) - 1
    rounds = trips * (ceil(log2(machine.hosts)) if algorithm == "halving-doubling" else machine.hosts - 1)
    steps = trips * (ceil(log2(local + 1)) if algorithm == "halving-doubling" else local)
    spent = base + steps * inside + rounds * max(between - times.way_s, 0.0)
    joined = connections(operation, "ring", machine, size_bytes, used)
    return LibraryCall(operation, algorithm, used, algorithm, k.WIRE[used], joined, rounds, spent, None)


def _ring_times(protocol: Protocol, machine: Machine, times: Times) -> tuple[float, float, float]:
    """Starting, a step inside a host, and one between hosts, of a ring, s."""
    hardware: k.Hardware = "nvlink" if machine.scale_up_gbytes_per_s else "pci"
    published = (k.BASE_US["ring"], k.STEP_US[hardware]["ring"], k.STEP_US["net"]["ring"])
    given = (times.base, times.inside, times.between)
    base, inside, between = (
        table[protocol] * 1e-6 if own is None else own for table, own in zip(published, given, strict=True)
    )
    return base, inside, between


def _sends(operation: str, size_bytes: float, machine: Machine, protocol: str, times: Times) -> LibraryCall:
    """All-to-all and sends: each message to a host is one step; 8 peers at a time share the channels."""
    peers = machine.ranks - 1 if operation == "all-to-all" else 1
    message = size_bytes / machine.ranks if operation == "all-to-all" else size_bytes
    small = message <= P2P_LL_BYTES and protocol == AUTO
    used: Protocol = "ll" if small or protocol == "ll" else "simple"
    base, inside, between = _ring_times(used, machine, times)
    each = peer_channels(machine)
    turns = ceil(peers * each / (k.P2P_BATCH * send_channels(machine)))
    outside = machine.hosts > 1
    delay = Latency(base + turns * (between if outside else inside), turns if outside else 0)
    joined = each
    if operation == "all-to-all":
        joined = min(send_channels(machine), each * max(1, round(machine.ranks_per_host)))
    spent = max(delay.seconds - delay.rounds * times.way_s, 0.0)
    return LibraryCall(operation, "direct", used, "", k.WIRE[used], joined, delay.rounds, spent, None)


def connections(operation: str, algorithm: str, machine: Machine, size_bytes: float, protocol: str) -> int:
    """Connections from one NIC to another that it sends to: one for each channel that runs over both.

    Small buffers take fewer channels: each has a share that keeps its threads busy. Two neighbours of a double tree are
    joined in one of the trees, which has half of the channels; every GPU is in all channels of an NVLS tree.

    >>> h100 = Machine("hopper", 16, 8, 8, 50.0, 450.0, True)
    >>> connections("all-reduce", "ring", h100, 1e9, "simple"), connections("all-reduce", "ring", h100, 1e3, "ll")
    (2, 1)
    """
    nics = max(machine.nics_per_host, 1)
    if algorithm == "nvls-tree":
        channels = k.NVLS_TREE_CHANNELS[machine.generation] * round(machine.ranks_per_host)
        return max(1, channels // 2 // nics)
    if algorithm not in ("ring", "tree"):
        return 1
    used: Protocol = protocol  # type: ignore[assignment]
    threshold = k.BYTES_PER_THREAD[used] * k.THREADS[used]
    threshold *= machine.ranks if (algorithm, used) == ("ring", "ll") else 1
    channels = max(1, min(collective_channels(machine), int(size_bytes // threshold)))
    return max(1, ceil(channels / nics / (2 if algorithm == "tree" else 1)))
