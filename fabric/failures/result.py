"""What ``fabric failures`` answers: cases with what they do, links with their worst, limits, and losses a month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fabric.failures.reaction import Reaction
from fabric.failures.request import FailureRequest
from fabric.result import Assumption, LimitVerdict

State = Literal["ok", "slowed", "stalled"]


@dataclass(frozen=True)
class JobState:
    """A job in a failure case.

    ``stretch`` is the step time over the intact one; both are None where the job stalls or has no step.
    """

    id: str
    state: State
    step_time_s: float | None
    stretch: float | None
    reaction: str = ""  # what it does about it, in words: restarts on spare hosts, loses a rail
    lost_gpu_hours: float | None = None  # of one such failure, from it to its repair; None without rates


@dataclass(frozen=True)
class Hit:
    """What a job loses in one phase between a failure and its detection."""

    job: str
    fabric: str
    phase: str
    lost_gbps: float  # while it sends
    lost_bytes: float  # on the wire, until detection or the end of the phase
    pairs: int | None  # pairs of endpoints that lose something; None: not known
    at_most: bool = False  # whether the figures are bounds from above


@dataclass(frozen=True)
class FailureCase:
    """One failure case, or equal ones of which it is the first."""

    id: str  # F00017: stable for the same scenario and set
    parts: tuple[str, ...]
    kinds: tuple[str, ...]
    count: int  # equal cases, itself included
    fabric: str  # of the fullest link
    max_utilisation: float | None
    hottest_link: str
    links_over_capacity: int
    unreachable_pairs: int
    gpus_cut_off: int
    jobs: tuple[JobState, ...]
    selectors: tuple[str, ...]  # what --down takes
    slowed: tuple[str, ...] = ()  # what --slow takes
    hits: tuple[Hit, ...] = ()  # of reaction blackhole: what is lost before the network converges
    best_utilisation: float | None = None  # no routing has a lower fullest link; None: not worked out
    per_month: float | None = None  # how often it is to be expected, all equal cases together
    lost_gpu_hours_per_month: float | None = None  # by all equal cases together
    roles: tuple[str, ...] = ()  # of the parts: leaf, leaf-spine; what causes are called by beside the kind

    @property
    def gap(self) -> float | None:
        """How far, relatively, the fullest link can be above the best there is; None: not worked out."""
        if not self.best_utilisation or self.max_utilisation is None:
            return None
        return max(self.max_utilisation / self.best_utilisation - 1, 0.0)

    @property
    def stretch(self) -> float | None:
        """Of the job that it slows most; None where one stalls."""
        if any(job.state == "stalled" for job in self.jobs):
            return None
        return max((job.stretch for job in self.jobs if job.stretch is not None), default=1.0)


@dataclass(frozen=True)
class Cause:
    """A case that makes a link as full as ``utilisation``."""

    case: str
    parts: tuple[str, ...]
    utilisation: float


@dataclass(frozen=True)
class WorstLink:
    """A link and the failures that fill it most."""

    fabric: str
    phase: str  # of the worst
    link: str
    tier: str
    capacity_gbps: float
    intact_utilisation: float
    worst_utilisation: float
    causes: tuple[Cause, ...]  # falling


@dataclass(frozen=True)
class FailureLimit:
    """A limit with ``when``: whether it holds in every case of its set."""

    verdict: LimitVerdict  # its value is that of the case that breaks it, or comes nearest
    when: str
    case: str  # that case; empty where there is none
    parts: tuple[str, ...]
    broken: int  # cases in which it does not hold
    cases: int


@dataclass(frozen=True)
class Estimate:
    """A figure with the interval that nine in ten simulated months fall into."""

    mean: float
    p5: float
    p95: float


@dataclass(frozen=True)
class CheckpointAdvice:
    """How often a job should write checkpoints, s."""

    job: str
    now_s: float | None  # what the scenario says
    young_s: float
    daly_s: float
    simulated_s: float
    write_s: float  # time of a checkpoint
    between_failures_s: float  # mean time between failures that stop the job


@dataclass(frozen=True)
class Expected:
    """What failures cost in the long run, from rates and repair times."""

    gpu_hours_lost_per_month: Estimate
    by_cause: Mapping[str, float]  # kind and role of part -> mean GPU-hours a month; they add up to the mean
    gpu_hours_per_month: float  # that there are
    availability: Mapping[str, float]  # limit -> part of the time that it holds
    months: int
    failures_per_month: float
    checkpoints: tuple[CheckpointAdvice, ...] = ()

    @property
    def goodput(self) -> float:
        """Part of the GPU-hours that is not lost."""
        return 1 - self.gpu_hours_lost_per_month.mean / self.gpu_hours_per_month if self.gpu_hours_per_month else 1.0


@dataclass(frozen=True)
class Remedy:
    """Something added under which every case of a set keeps the limits, as routed again."""

    text: str  # 2 more cables leaf-spine on every leaf (64)
    tier: str
    added: int  # cables, spares or links
    sets: tuple[str, ...]  # overrides that do it
    worst_utilisation: float
    holds: bool
    cost: float | None = None


@dataclass(frozen=True, eq=False)
class FailureResult:
    """A sweep: counts of all cases, and those of them that are kept with all their figures, worst first."""

    set: str  # N-1, N-2, or names of the scenario's sets
    kinds: tuple[str, ...]
    choose: int
    total: int  # cases that there are
    cases: int  # cases looked at, by themselves or as equal to one that was
    evaluated: int  # cases that were really routed
    reaction: Reaction
    failures: tuple[FailureCase, ...]  # worst first
    links: tuple[WorstLink, ...]  # worst first
    limits: tuple[FailureLimit, ...]
    intact: tuple[JobState, ...]
    intact_max_utilisation: float | None
    expected: Expected | None = None
    remedies: tuple[Remedy, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    warnings: tuple[str, ...] = ()
    by_state: Mapping[State, int] = field(default_factory=dict)  # cases by the worst state of a job
    cut_off: int = 0  # cases that cut GPUs off
    over_capacity: int = 0  # cases with a link over capacity
    partial: bool = False  # stopped before all cases were looked at
    seconds: float = 0.0
    detection_s: float | None = None  # of reaction blackhole: how long what meets a failure is lost
    dialect: str = ""  # of reaction exported
    request: FailureRequest | None = None  # what was asked
