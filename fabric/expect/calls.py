"""How the library carries out a test's messages: algorithm, protocol and connections by size, and what they send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from fabric.expect.ranks import TestRanks
from fabric.pipeline.network import Network
from topologies.columns import column
from topologies.errors import ScenarioError, TrafficError, nearest_hint
from traffic.formula import formula
from traffic.library.call import LibraryCall
from traffic.library.hosts import generation_of, machine_of
from traffic.library.keys import LibrarySpec
from traffic.library.machine import Machine
from traffic.seats import Share, algorithms, check_exchange, collective_phase
from traffic.workload import Phase

PHASE = "test"
_SENDS = {"all-to-all": "pxn", "send-recv": "ring"}  # operations of which the library has no choice
_PIPELINED = ("broadcast", "reduce")


@dataclass(frozen=True, eq=False)
class CallPlan:
    """The messages of one operation among the ranks of a test."""

    operation: str
    ranks: TestRanks
    machine: Machine
    library: LibrarySpec

    def call(self, size_bytes: float) -> LibraryCall:
        """What the library does with a message.

        Raises
        ------
        ScenarioError
            Where these hosts cannot run the algorithm or protocol that is asked for (FP4015).
        """
        try:
            return self.library.call(self.operation, size_bytes, self.machine, where="")
        except TrafficError as error:
            problem = error.problems[0]
            hint = problem.hint.replace("algorithm: ", "--algorithm ").replace("protocol: ", "--protocol ")
            raise ScenarioError(problem.message, hint=hint, code=problem.code) from None

    def flows_per_pair(self, call: LibraryCall) -> int:
        """Queue pairs between two NICs."""
        return self.library.flows_per_pair(call, self.machine.nics_per_host)

    def phase(self, call: LibraryCall, size_bytes: float) -> Phase:
        """The traffic of a message: who sends how much to whom over how many queue pairs."""
        name = self._collective(call)
        check_exchange(name, self.ranks.count, round(self.machine.ranks_per_host), where="--ranks")
        payload = formula("S", "the message", S=(size_bytes, "buffer of a rank, bytes"))
        groups = column(np.arange(self.ranks.count)[None, :], np.int32)
        return collective_phase(
            PHASE,
            name,
            self.ranks.seats,
            [Share(groups, payload)],
            by_rail=self.library.library != "plain",
            flows_per_pair=self.flows_per_pair(call),
        )

    def _collective(self, call: LibraryCall) -> str:
        """Name of the registered collective that carries the bytes."""
        if self.operation in _SENDS:
            return f"{_SENDS[self.operation]}-{self.operation}"
        wired = "pipelined" if self.operation in _PIPELINED else call.wired
        if wired not in algorithms(self.operation):
            raise ScenarioError(
                f"there is no {self.operation} by the algorithm {wired!r}",
                hint=nearest_hint(wired, ("auto", *algorithms(self.operation)), "--algorithm"),
                code="FP4015",
            )
        return f"{wired}-{self.operation}"


def library_of(keys: Mapping[str, Any], job: LibrarySpec | None) -> LibrarySpec:
    """How the library works: as a job says, and what is asked above it.

    Raises
    ------
    ScenarioError
        For a value that it does not have (FP2102).
    """
    given = {} if job is None else job.model_dump(include=set(LibrarySpec.model_fields), exclude_unset=True)
    try:
        return LibrarySpec.model_validate({**given, **keys})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        flag = "--qps" if name == "qps_per_connection" else f"--{name}"
        raise ScenarioError(f"{flag} {first['input']!r}: {first['msg']}", code="FP2102") from None


def plan_of(network: Network, ranks: TestRanks, operation: str, library: LibrarySpec) -> CallPlan:
    """The calls of an operation, with what the library finds out about the hosts."""
    everyone = column(np.arange(ranks.count), np.int32)
    machine = machine_of(network.inventory, ranks.seats, ranks.group, everyone, library.generation, library.cpu)
    return CallPlan(operation, ranks, machine, library)


def said_of(network: Network, ranks: TestRanks, library: LibrarySpec) -> list[tuple[str, str]]:
    """What is taken for granted of the library and the hosts, with what decides it."""
    generation, source = generation_of(network.inventory, ranks.group)
    said = []
    if library.generation is None:
        basis = f"as {source} are" if source else "as nothing says what GPUs these are"
        said.append((f"the library works as on GPUs of the {generation} generation, {basis}", "nodes[].model"))
    if library.library != "plain":
        said.append(("algorithm, protocol and latency are those of NCCL 2.30's tuning model", "--algorithm"))
    return said
