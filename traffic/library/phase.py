"""One collective over all ranks of a job as a phase: its bytes on the fabric, and what its calls cost beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from topologies.columns import column
from topologies.errors import TrafficError, nearest_hint
from traffic.bare_collective import OPERATIONS, operation_of
from traffic.formula import formula
from traffic.inventory import Inventory
from traffic.library.call import AUTO, LibraryCall
from traffic.library.hosts import machine_of
from traffic.library.keys import LibrarySpec
from traffic.library.machine import Machine
from traffic.seats import Seats, Share, algorithm_of, collective_phase
from traffic.workload import Phase

# Where the library has one way only: bytes of broadcast and reduce go down a chain, sends to the next rank.
_ONE_WAY = {"broadcast": "pipelined", "reduce": "pipelined", "send-recv": "ring"}
_TO_ALL = "pxn"  # all-to-all, as NCCL does it where hosts have a NIC per GPU


@dataclass(frozen=True, eq=False)
class Communicator:
    """All ranks of a job, where they sit, and how the library runs there."""

    inventory: Inventory
    group: str  # node group
    seats: Seats
    keys: LibrarySpec
    gpus_per_host: int

    @property
    def machine(self) -> Machine:
        """Its hosts as the library sees them."""
        ranks = column(np.arange(len(self.seats.hosts)), np.int32)
        return machine_of(self.inventory, self.seats, self.group, ranks, self.keys.generation, self.keys.cpu)


def checked_operation(name: str, *, where: str = "collective") -> str:
    """Our name of a collective, however nccl-tests or MPI spell it.

    Raises
    ------
    TrafficError
        When there is no such collective (FP4015).
    """
    operation = operation_of(name)
    if operation not in OPERATIONS:
        raise TrafficError(
            f"unknown collective {name!r}", where=where, hint=nearest_hint(operation, OPERATIONS), code="FP4015"
        )
    return operation


def library_call(operation: str, size_bytes: float, communicator: Communicator) -> LibraryCall:
    """How the library carries out one call; parameters and errors as of :func:`library_phase`."""
    keys, machine = communicator.keys, communicator.machine
    asked = keys.algorithm
    if operation in ("all-to-all", *_ONE_WAY):
        wired = _ONE_WAY.get(operation, _TO_ALL if keys.library != "plain" else "direct")
        wired = wired if asked in (AUTO, "ring") else asked
        call = keys.call(operation, size_bytes, machine, algorithm=_of_chains(operation, asked), where="collectives")
        return replace(call, wired=wired, algorithm=call.algorithm if operation != "all-to-all" else wired)
    return keys.call(operation, size_bytes, machine, where="collectives")


def library_phase(
    operation: str, size_bytes: float, communicator: Communicator, *, name: str, repeat: int = 1
) -> tuple[Phase, LibraryCall]:
    """Phase of ``repeat`` calls in a row, and how the library carries out one.

    Parameters
    ----------
    operation : str
        Such as ``all-reduce``.
    size_bytes : float
        Buffer of one call as nccl-tests counts it: the whole, of one rank; of all-gather the gathered one.
    name : str
        Of the phase.

    Returns
    -------
    Phase
        Bytes of all calls; with ``calls``, ``rounds`` and ``latency_s``.
    LibraryCall
        Algorithm, protocol, connections and latency of one.

    Raises
    ------
    TrafficError
        When the algorithm cannot run on these hosts (FP4015).
    """
    keys, call = communicator.keys, library_call(operation, size_bytes, communicator)
    buffer = formula(
        "S * r",
        "nccl-tests, doc/PERFORMANCE.md",
        S=(size_bytes, "buffer of one call, bytes"),
        r=(repeat, "calls in a row"),
    )
    ranks = column(np.arange(len(communicator.seats.hosts))[None, :], np.int32)
    called = algorithm_of(call.wired, operation)
    phase = collective_phase(name, called, communicator.seats, [Share(ranks, buffer)], by_rail=keys.library != "plain")
    return replace(
        phase,
        calls=float(repeat),
        rounds=call.rounds,
        latency_s=call.latency_s,
        flows_per_pair=keys.flows_per_pair(call, communicator.gpus_per_host),
    ), call


def _of_chains(operation: str, asked: str) -> str:
    """What the library is asked for where an operation has no algorithms of its own."""
    return AUTO if operation in ("all-to-all", "send-recv") or asked in ("pipelined", AUTO) else asked
