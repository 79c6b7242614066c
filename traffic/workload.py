"""What a workload gives: its phases with their bytes and flows, and the registry of kinds of workload.

Payload is what the application moves; sent is what one rank's NIC (or NVLink) puts on the wire for it by the chosen
algorithm. All figures are per direction and per training step, or per second for steady traffic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from topologies.registry import Registry
from traffic.demands import Demands, Flows, TrafficClass
from traffic.inventory import Inventory


@dataclass(frozen=True)
class GroupShape:
    """One parallel dimension: ranks per communicator, and how many communicators there are."""

    size: int
    count: int


@dataclass(frozen=True, eq=False)
class Phase:
    """One phase of a workload: a collective, on a fabric or (``fabric`` None) inside the hosts."""

    name: str
    collective: str
    fabric: str | None
    group_size: int
    payload_bytes_per_rank: float  # 0 for steady traffic
    sent_bytes_per_rank: float  # the busiest rank
    total_bytes: float  # summed over all pairs; 0 for steady traffic
    pairs: int  # ordered pairs of endpoints that exchange something
    flows: Flows  # empty where fabric is None
    steady: bool = False
    rate_gbps: float = 0.0  # summed over all pairs; steady traffic only
    overlaps_compute: bool = False
    flows_per_pair: int = 1  # queue pairs of a connection; what switches hash
    every_step: bool = True  # False: now and then, such as a checkpoint; no part of the step time


@dataclass(frozen=True, eq=False)
class WorkloadTraffic:
    """Everything one workload sends."""

    id: str
    kind: str
    phases: tuple[Phase, ...]
    groups: Mapping[str, GroupShape] = field(default_factory=dict)
    ranks: int = 0
    parameters: float | None = None
    parameters_per_rank: float | None = None
    tokens_per_step: float | None = None
    flops_per_step: float | None = None
    checkpoint_bytes: float | None = None
    compute_s: float | None = None  # per step, all GPUs busy at the stated efficiency
    checkpoint_every_s: float | None = None
    checkpoint_deadline_s: float | None = None
    not_modelled: tuple[str, ...] = ()  # keys, dotted from the workload, that were given and change nothing yet
    assumptions: tuple[str, ...] = ()  # what was assumed, in words, with the key that overrides it
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class WorkloadContext:
    """What a workload may use besides its own keys."""

    id: str
    inventory: Inventory
    rng: np.random.Generator
    directory: Path  # files named in the workload are relative to it


WORKLOADS: Registry[WorkloadTraffic] = Registry("kind of workload", "traffic.workloads")
PLACEMENTS: Registry[np.ndarray] = Registry("placement", "traffic.placements")
PATTERNS: Registry[Flows] = Registry("traffic pattern", "traffic.patterns")


@dataclass(frozen=True, eq=False)
class CollectiveTraffic:
    """One collective among ranks 0..n-1: who sends how many bytes to whom."""

    src: np.ndarray  # shape (P,), rank inside the group
    dst: np.ndarray
    sent_bytes: np.ndarray  # shape (P,)
    sent_bytes_per_rank: float  # closed form, the busiest rank
    dense: bool = False  # every rank sends the same to every other; then src, dst, sent_bytes may be left empty


COLLECTIVES: Registry[CollectiveTraffic] = Registry("collective", "traffic.collectives")


@dataclass(frozen=True, eq=False)
class DemandRows:
    """A demand file as read: endpoints by node id, rates in Gbps."""

    src: np.ndarray  # shape (M,), node ids
    dst: np.ndarray
    rate_gbps: np.ndarray
    warnings: tuple[str, ...] = ()


DEMAND_FORMATS: Registry[DemandRows] = Registry("demand format", "traffic.formats")


def demands_of(workloads: Sequence[WorkloadTraffic], fabric: str) -> Demands:
    """Gather the flows of all workloads that cross one fabric."""
    classes: list[TrafficClass] = []
    flows: list[Flows] = []
    for workload in workloads:
        for phase in workload.phases:
            if phase.fabric == fabric and phase.flows.pairs:
                labels = (workload.id, phase.name, phase.collective)
                classes.append(TrafficClass(*labels, phase.steady, phase.flows_per_pair))
                flows.append(phase.flows)
    return Demands(fabric, tuple(classes), tuple(flows))
