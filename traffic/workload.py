"""What a workload gives: its phases with their bytes and flows, and the registry of kinds of workload.

Payload is what the application moves; sent is what one rank's NIC (or NVLink) puts on the wire for it by the chosen
algorithm. All figures are per direction and per training step, or per second for steady traffic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from topologies.columns import Ints
from topologies.registry import Registry
from traffic.demands import Demands, Flows, TrafficClass
from traffic.formula import Formula
from traffic.inventory import Inventory
from traffic.occupancy import Occupancy


@dataclass(frozen=True)
class GroupShape:
    """One parallel dimension: ranks per communicator, and how many communicators there are."""

    size: int
    count: int


@dataclass(frozen=True)
class Payload:
    """What some of the ranks move, as a formula."""

    ranks: int
    formula: Formula


_DIMENSION_OF = {
    "tp": "tensor", "cp": "context", "ep": "expert", "etp": "expert", "pp": "pipeline",
    "dp": "data", "edp": "data", "embedding": "data",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Phase:
    """One phase of a workload: a collective, on a fabric or (``fabric`` None) inside the hosts."""

    name: str
    collective: str
    fabric: str | None
    group_size: int
    payload_bytes_per_rank: float  # 0 for steady traffic
    sent_bytes_per_rank: float  # the busiest of a group; the mean over groups whose bytes differ
    total_bytes: float  # summed over all pairs; 0 for steady traffic
    pairs: int  # ordered pairs of endpoints that exchange something
    flows: Flows  # empty where fabric is None
    steady: bool = False
    rate_gbps: float = 0.0  # summed over all pairs; steady traffic only
    overlaps_compute: bool = False
    room: float = 1.0  # share of the compute time that it may hide behind, when it overlaps
    after: tuple[str, ...] = ()  # what it waits for: phases of the workload, or forward and backward
    payloads: tuple[Payload, ...] = ()  # where payload_bytes_per_rank is from: one entry, or one per kind of stage
    sent: Formula | None = None  # where sent_bytes_per_rank is from, with the mean payload
    senders: int = 0  # ranks that take part; 0 where nothing is counted by rank
    flows_per_pair: int = 1  # queue pairs of a connection; what switches hash
    every_step: bool = True  # False: now and then, such as a checkpoint; no part of the step time
    sent_bytes_inside_per_rank: float = 0.0  # what stays inside hosts and scale-up domains, the mean over ranks
    inside_s: float = 0.0  # time in a step that its busiest rank needs on scale-up links, beside those of the fabric
    handed_on: Formula | None = None  # of those bytes, what is passed on between a rank and another's way out
    inside: Formula | None = None  # where inside_s is from; None where no links are described, or nothing stays inside
    calls: float = 0.0  # collectives of it that a rank runs one after another in a step; 0 where that is not known
    rounds: float = 0.0  # of one call: messages between hosts that wait for each other
    latency_s: float = 0.0  # of one call: what the library and scale-up links add, whatever the bytes
    least_exposed: float = 0.0  # share of its time that cannot hide: sends that the schedule itself waits for
    uneven: float = (
        1.0  # its time over that of its bytes together: layers that each wait for a busiest rank of their own
    )

    @property
    def dimension(self) -> str:
        """Kind of parallelism that it is for: tensor, context, expert, pipeline, data; empty for others."""
        return _DIMENSION_OF.get(self.name.partition(".")[0], "")

    @property
    def handed_on_bytes_per_rank(self) -> float:
        """What a rank passes on inside its host or domain, to or from another's way out; the mean over ranks."""
        return self.handed_on.value if self.handed_on and not self.steady else 0.0

    @property
    def sent_bytes_on_fabric_per_rank(self) -> float:
        """What of the bytes leaves the hosts, the mean over ranks."""
        return self.flows.total / self.senders if self.senders and not self.steady else 0.0

    @property
    def transport_flows(self) -> int:
        """Queue pairs that carry the phase."""
        return self.pairs * self.flows_per_pair


@dataclass(frozen=True)
class Spread:
    """Least, mean and most of a figure over ranks."""

    min: float
    mean: float
    max: float


@dataclass(frozen=True)
class GpuMemory:
    """Bytes that one GPU of a pipeline stage needs; all GPUs of a stage need the same."""

    stage: int
    weights: float
    gradients: float
    optimizer: float
    activations: float
    buffers: float = 0.0  # layers gathered for a pass, and gradients of one on their way to be scattered
    reserved: float = 0.0  # kept free for what is not counted
    capacity: float | None = None  # of the GPU; None where nobody says

    @property
    def total(self) -> float:
        """All that is counted, without what is reserved."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.buffers

    @property
    def fits(self) -> bool | None:
        """Whether it fits beside what is reserved; None where the GPU's memory is not known."""
        return None if self.capacity is None else self.total <= self.capacity - self.reserved


@dataclass(frozen=True)
class ModelFigures:
    """What a model and its layout come to."""

    parameters: int
    parameters_active: int  # that one token meets
    parameters_per_rank: Spread
    kv_bytes_per_token: float
    tokens_per_step: float | None = None
    flops: Formula | None = None  # per step
    bubble: float | None = None  # idle over useful time of a pipeline stage
    schedule: str = ""  # of the pipeline; empty where there is none
    bubble_formula: Formula | None = None
    micro_batches: int | None = None
    expert_imbalance: float | None = None  # busiest of the ranks that share experts over their mean, the mean of layers
    expert_work: float | None = None  # part of the FLOPs that routed experts do
    origin: str = "inline"  # inline, hf-config or megatron
    recognised: Mapping[str, str] = field(default_factory=dict)  # in the file or line that describes the model
    ignored: tuple[str, ...] = ()  # what an argument line says that changes no traffic


@dataclass(frozen=True)
class ComputeTime:
    """What a step needs of a job's GPUs, beside what they wait for.

    Said by an MFU, ``step_s`` is given, and ``compute_s`` follows once the ideal times of its phases are known.
    """

    flops_s: float  # all FLOPs at the peak of all GPUs: no step is shorter
    compute_s: float | None = None  # of the busiest pipeline stage
    step_s: float | None = None  # the ideal step by MFU; None where kernels are added up
    optimizer_s: float = 0.0
    kernels_s: float | None = None  # compute_s where step_s leaves no time for it, and the key may mean either
    key: str = "mfu"  # that says how fast it computes


@dataclass(frozen=True)
class TimeLimit:
    """The time that a key of a workload allows one of its phases; judged beside the scenario's limits."""

    key: str  # dotted from the workload: checkpoint.deadline
    phase: str
    fabric: str
    max_s: float
    never: str = ""  # why the phase does not end at all, in words

    @property
    def word(self) -> str:
        """The key itself, without what it stands under."""
        return self.key.rsplit(".", 1)[-1]


@dataclass(frozen=True, eq=False)
class JobOnFailure:
    """What a job on GPUs does when something that it needs fails, and where it runs."""

    reaction: str  # stall, restart, shrink or lose-rail
    given: bool  # whether the scenario says so
    spares: int | None  # hosts that stand by; None: those of its group that no job uses
    restart_s: float  # from a failure until the job computes again, without reading its checkpoint
    restart_given: bool
    checkpoint_every_s: float | None  # None: nothing is written
    groups: tuple[str, ...]  # of nodes
    hosts: tuple[str, ...]
    gpus: Ints  # of the job on each, shape (hosts,)
    replica_gpus: int  # that stop with any one of them where the job shrinks
    fabric: str  # of its collectives
    nics: int  # of a host on it


@dataclass(frozen=True)
class KeptData:
    """How evenly servers keep data, before and after the loss that recovery is about."""

    balance: float  # what the fullest server keeps over the mean
    after: float  # of the mean before, what the fullest keeps when all is rebuilt; balance where nothing is lost
    lost: tuple[str, ...] = ()  # servers that are taken to be lost
    lost_bytes: float | None = None  # None where nothing says how much that is
    never: str = ""  # why it is not rebuilt, in words


@dataclass(frozen=True, eq=False)
class WorkloadTraffic:
    """Everything one workload sends."""

    id: str
    kind: str
    phases: tuple[Phase, ...]
    groups: Mapping[str, GroupShape] = field(default_factory=dict)
    ranks: int = 0
    model: ModelFigures | None = None
    checkpoint_bytes: float | None = None
    memory: tuple[GpuMemory, ...] = ()  # of every pipeline stage
    compute: ComputeTime | None = None  # None where nothing says how fast it computes
    time_limits: tuple[TimeLimit, ...] = ()
    on_failure: JobOnFailure | None = None  # None of what runs on no GPUs
    kept: KeptData | None = None  # of what keeps data
    unfit: str = ""  # what does not fit in its GPUs, in words; one of the warnings too
    assumptions: tuple[str, ...] = ()  # what was assumed, in words, with the key that overrides it
    warnings: tuple[str, ...] = ()
    said: tuple[str, ...] = ()  # what its files hold that the answer leaves out or takes as something

    @property
    def worst_memory(self) -> GpuMemory | None:
        """Memory of a GPU of the stage that needs most; None for workloads without a model."""
        return max(self.memory, key=lambda stage: stage.total, default=None)


@dataclass(frozen=True)
class WorkloadContext:
    """What a workload may use besides its own keys."""

    id: str
    inventory: Inventory
    rng: np.random.Generator
    directory: Path  # files named in the workload are relative to it
    occupancy: Occupancy = field(default_factory=Occupancy)  # shared by the workloads of a scenario
    said: list[str] = field(default_factory=list)  # its readers add what their files hold beyond the answer

    def say(self, *texts: str) -> None:
        """Note what a file of the workload holds that the answer leaves out, or takes as something."""
        self.said.extend(text for text in texts if text not in self.said)


WORKLOADS: Registry[WorkloadTraffic] = Registry("kind of workload", "traffic.workloads")
PLACEMENTS: Registry[np.ndarray] = Registry("placement", "traffic.placements")
PATTERNS: Registry[Flows] = Registry("traffic pattern", "traffic.patterns")


@dataclass(frozen=True, eq=False)
class DemandRows:
    """A demand file as read: endpoints by node id, rates in Gbps."""

    src: np.ndarray  # shape (M,), node ids
    dst: np.ndarray
    rate_gbps: np.ndarray
    warnings: tuple[str, ...] = ()
    queue_pairs: int | None = None  # mean of a pair of nodes, where the source tells
    notes: tuple[str, ...] = ()  # what the file was taken for, and what of it is left out


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
