"""How the library carries out a test's messages: algorithm, protocol and connections by size, and what they send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from fabric.expect.ranks import TestRanks
from fabric.pipeline.network import Network
from topologies.errors import ScenarioError, TrafficError
from traffic.library.call import LibraryCall
from traffic.library.hosts import generation_of
from traffic.library.keys import LibrarySpec
from traffic.library.phase import Communicator, library_call, library_phase
from traffic.workload import Phase

PHASE = "test"


@dataclass(frozen=True, eq=False)
class CallPlan:
    """The messages of one operation among the ranks of a test."""

    operation: str
    communicator: Communicator
    _phases: dict[tuple[str, int], tuple[float, Phase]] = field(default_factory=dict, repr=False)

    def call(self, size_bytes: float) -> tuple[Phase, LibraryCall]:
        """What the library does with a message, and what that sends.

        What a phase sends grows with its message: it is made once for each algorithm and number of connections. Its
        flows are those of the first such message; ``inside_s``, ``rounds`` and ``latency_s`` are this one's.

        Raises
        ------
        ScenarioError
            Where these hosts cannot run the algorithm or protocol that is asked for (FP4015).
        """
        try:
            call = library_call(self.operation, size_bytes, self.communicator)
            flows = self.communicator.keys.flows_per_pair(call, self.communicator.gpus_per_host)
            if (call.wired, flows) not in self._phases:
                phase, _ = library_phase(self.operation, size_bytes, self.communicator, name=PHASE)
                self._phases[call.wired, flows] = (size_bytes, phase)
        except TrafficError as error:
            problem = error.problems[0]
            hint = problem.hint.replace("algorithm: ", "--algorithm ").replace("protocol: ", "--protocol ")
            raise ScenarioError(problem.message, hint=hint, code=problem.code) from None
        of, phase = self._phases[call.wired, flows]
        inside = phase.inside_s * size_bytes / of
        return replace(phase, inside_s=inside, rounds=call.rounds, latency_s=call.latency_s), call


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
    """The calls of an operation among the ranks of a test."""
    per_host = network.inventory.gpus_per_host(ranks.group)
    return CallPlan(operation, Communicator(network.inventory, ranks.group, ranks.seats, library, per_host))


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
