"""How the library carries out a test's messages: algorithm, protocol and connections by size, and what they send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from fabric.expect.ranks import TestRanks
from fabric.pipeline.network import Network
from topologies.errors import ScenarioError, TrafficError
from traffic.library.call import LibraryCall
from traffic.library.hosts import generation_of
from traffic.library.keys import LibrarySpec
from traffic.library.phase import Communicator, library_phase
from traffic.workload import Phase

PHASE = "test"


@dataclass(frozen=True, eq=False)
class CallPlan:
    """The messages of one operation among the ranks of a test."""

    operation: str
    communicator: Communicator
    _known: dict[float, tuple[Phase, LibraryCall]] = field(default_factory=dict, repr=False)

    def call(self, size_bytes: float) -> tuple[Phase, LibraryCall]:
        """What the library does with a message, and what that sends.

        Raises
        ------
        ScenarioError
            Where these hosts cannot run the algorithm or protocol that is asked for (FP4015).
        """
        if size_bytes not in self._known:
            try:
                self._known[size_bytes] = library_phase(self.operation, size_bytes, self.communicator, name=PHASE)
            except TrafficError as error:
                problem = error.problems[0]
                hint = problem.hint.replace("algorithm: ", "--algorithm ").replace("protocol: ", "--protocol ")
                raise ScenarioError(problem.message, hint=hint, code=problem.code) from None
        return self._known[size_bytes]


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
