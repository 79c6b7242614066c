"""Phases whose bytes are counted per second: they go on all the time."""

from __future__ import annotations

from dataclasses import replace

from topologies.columns import column
from traffic.demands import Flows, UniformBlock
from traffic.workload import Phase

_GBPS_OF_BYTE = 8e-9  # a byte per second


def per_second(phase: Phase) -> Phase:
    """The steady phase of which ``phase`` gives the bytes of one second."""
    flows = phase.flows
    blocks = tuple(UniformBlock(block.members, block.amount * _GBPS_OF_BYTE) for block in flows.blocks)
    steady = Flows(flows.src, flows.dst, column(flows.amount * _GBPS_OF_BYTE, flows.amount.dtype), blocks)
    return replace(
        phase,
        payload_bytes_per_rank=0.0,
        sent_bytes_per_rank=0.0,
        total_bytes=0.0,
        flows=steady,
        steady=True,
        rate_gbps=phase.total_bytes * _GBPS_OF_BYTE,
        after=(),
    )
