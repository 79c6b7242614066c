"""Keys about the collective library that all jobs with collectives share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from topologies.registry import Spec
from topologies.units import Count, TimeS
from traffic.library.call import AUTO, LibraryCall, call_of
from traffic.library.constants import Generation
from traffic.library.machine import Machine
from traffic.library.tuner import Times


class LibraryLatency(Spec):
    """Times of a call that do not depend on its bytes, in place of the library's published constants."""

    base: TimeS | None = Field(default=None, description="Starting a collective, once a call", examples=["8.4 us"])
    inside: TimeS | None = Field(default=None, description="A step inside a host, over NVLink or PCIe")
    between: TimeS | None = Field(
        default=None, description="A step between hosts, with the network it was measured on", examples=["14 us"]
    )
    measured_way: TimeS | None = Field(
        default=None,
        description="One way through that network, which the fabric's own takes the place of; 1.4 us if absent",
    )


class LibrarySpec(Spec):
    """How the collective library works."""

    library: Literal["nccl", "rccl", "plain"] = Field(
        default="nccl",
        description="nccl, rccl: rings and trees keep to rails, steps cost what NCCL's tuning model says; plain: they "
        "follow the rank numbers, and cost the fabric's latency alone",
    )
    algorithm: str = Field(
        default=AUTO,
        description="Algorithm of all-reduce, reduce-scatter and all-gather: auto, what NCCL's tuning model predicts "
        "to be fastest; or ring, tree, nvls-tree, in-network, ...",
    )
    protocol: Literal["auto", "simple", "ll", "ll128"] = Field(
        default="auto", description="Protocol of the library: simple for large buffers, ll and ll128 for small ones"
    )
    channels: Count | None = Field(
        default=None,
        description="Channels of a host, spread over its GPUs; each has its own connections. As NCCL makes them if "
        "absent",
    )
    qps_per_connection: Count | None = Field(
        default=None, description="Queue pairs per connection, each hashed on its own; default 1, as NCCL's"
    )
    generation: Generation | None = Field(
        default=None, description="Generation of the GPUs, by which constants differ; the node model's if absent"
    )
    cpu: Literal["intel", "amd"] = Field(
        default="intel", description="Processor of the hosts, by which NCCL's constants differ"
    )
    latency: LibraryLatency = Field(default=LibraryLatency(), description="Times in place of the published ones")

    @property
    def times(self) -> Times:
        """Times in place of the published ones."""
        own = self.latency
        return Times(own.base, own.inside, own.between, own.measured_way)

    def call(
        self,
        operation: str,
        size_bytes: float,
        machine: Machine,
        *,
        algorithm: str | None = None,
        where: str,
        strict: bool = True,
    ) -> LibraryCall:
        """One call, as :func:`traffic.library.call.call_of` has it; of a plain library nothing but its ways."""
        wanted = self.algorithm if algorithm is None else algorithm
        keys: dict[str, Any] = {"times": self.times, "where": where, "strict": strict}
        if self.library == "plain":
            ring = "ring" if wanted == AUTO else wanted
            call = call_of(operation, size_bytes, machine, algorithm=ring, protocol="simple", **keys)
            return replace(call, latency_s=0.0, predicted_s=None)
        return call_of(operation, size_bytes, machine, algorithm=wanted, protocol=self.protocol, **keys)

    def flows_per_pair(self, call: LibraryCall, gpus_per_host: int) -> int:
        """Flows between two NICs: connections, times the queue pairs of each."""
        if self.channels is not None:
            joined = -(-self.channels // max(gpus_per_host, 1))
        else:
            joined = 1 if self.library == "plain" else call.connections
        return joined * (self.qps_per_connection or 1)
