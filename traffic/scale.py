"""All traffic of a workload times a factor: volumes and rates alike, compute as it is."""

from __future__ import annotations

from dataclasses import replace

from topologies.columns import column
from traffic.demands import Flows, UniformBlock
from traffic.workload import Phase, WorkloadTraffic


def scaled_workload(workload: WorkloadTraffic, factor: float) -> WorkloadTraffic:
    """The workload with every byte and every rate times ``factor`` (> 0).

    A phase with a volume keeps its utilisation and takes ``factor`` times as long; steady traffic loads links more.
    """
    return replace(workload, phases=tuple(_phase(phase, factor) for phase in workload.phases))


def _phase(phase: Phase, factor: float) -> Phase:
    return replace(
        phase,
        payload_bytes_per_rank=phase.payload_bytes_per_rank * factor,
        sent_bytes_per_rank=phase.sent_bytes_per_rank * factor,
        total_bytes=phase.total_bytes * factor,
        rate_gbps=phase.rate_gbps * factor,
        flows=scaled_flows(phase.flows, factor),
        sent_bytes_inside_per_rank=phase.sent_bytes_inside_per_rank * factor,
        inside_s=phase.inside_s * factor,
    )


def scaled_flows(flows: Flows, factor: float) -> Flows:
    """Every amount times ``factor``."""
    blocks = tuple(UniformBlock(block.members, block.amount * factor) for block in flows.blocks)
    return Flows(flows.src, flows.dst, column(flows.amount * factor, flows.amount.dtype), blocks)
