"""Phases whose bytes are counted per second: they go on all the time."""

from __future__ import annotations

from dataclasses import replace

from traffic.scale import scaled_flows
from traffic.workload import Phase

_GBPS_OF_BYTE = 8e-9  # a byte per second


def per_second(phase: Phase) -> Phase:
    """The steady phase of which ``phase`` gives the bytes of one second."""
    return replace(
        phase,
        payload_bytes_per_rank=0.0,
        sent_bytes_per_rank=0.0,
        total_bytes=0.0,
        flows=scaled_flows(phase.flows, _GBPS_OF_BYTE),
        payloads=tuple(replace(part, formula=replace(part.formula, unit="bytes/s")) for part in phase.payloads),
        sent=None if phase.sent is None else replace(phase.sent, unit="bytes/s"),
        handed_on=None if phase.handed_on is None else replace(phase.handed_on, unit="bytes/s"),
        steady=True,
        rate_gbps=phase.total_bytes * _GBPS_OF_BYTE,
        after=(),
    )
