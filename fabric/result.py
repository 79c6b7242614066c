"""What every face reads: the routed phases, jobs and limits of a scenario, in values with units in their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, inf

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.packet_slowdown import time_stretch
from fabric.routing.router import Certificate, HashSpread, ObjectiveProof, PairTraffic, Routing, RoutingOptions
from fabric.routing.utilisation import SAME, over_capacity
from topologies.columns import Floats
from topologies.topology import Topology
from traffic.demands import TrafficClass
from traffic.workload import GpuMemory


def rank_of(part: float, count: int) -> int:
    """Position, of values in order, of the lowest that ``part`` of them do not exceed.

    >>> [rank_of(part, 100) for part in (0.05, 0.5, 0.95, 1)], rank_of(0.5, 9)
    ([4, 49, 94, 99], 4)
    """
    return max(ceil(round(part * count, 9)) - 1, 0)


_LINKS_AT_ONCE = 4096


@dataclass(frozen=True)
class Band:
    """A figure in every draw of the hash, in the order of the draws; infinite where a phase cannot finish.

    Percentiles are observed values that so many of the draws do not exceed; of fewer than 20 draws p5 and p95 are the
    lowest and the highest.
    """

    values: tuple[float, ...]

    @staticmethod
    def of(values: Iterable[float | None]) -> Band:
        """Of a figure per draw, None where there is none.

        >>> band = Band.of(range(1, 101))
        >>> band.median, band.p5, band.p95
        (50.0, 5.0, 95.0)
        """
        return Band(tuple(inf if value is None else float(value) for value in values))

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def _percentiles(self) -> tuple[float, float, float]:
        p5, p50, p95 = np.quantile(self.values, [0.05, 0.5, 0.95], method="inverted_cdf").tolist()
        return p5, p50, p95

    @property
    def median(self) -> float:
        """The lower one of an even number."""
        return self._percentiles[1]

    @property
    def p5(self) -> float:
        """What one draw in twenty does not exceed."""
        return self._percentiles[0]

    @property
    def p95(self) -> float:
        """What one draw in twenty exceeds."""
        return self._percentiles[2]

    @cached_property
    def mean(self) -> float:
        """Infinite where one of them is."""
        return float(np.mean(self.values))

    @property
    def is_sharp(self) -> bool:
        """Whether all draws agree, to nine digits."""
        low, high = min(self.values), max(self.values)
        return low == high or high - low <= SAME * abs(high)


@dataclass(frozen=True)
class PhaseDraws:
    """What a phase comes to in every draw of the hash; its links are those of the draw ``shown``, the middle one."""

    seed: int  # of the first draw
    shown: int  # position
    max_utilisation: Band
    links_over_capacity: Band

    def __len__(self) -> int:
        return len(self.max_utilisation)

    @property
    def shown_seed(self) -> int:
        """Seed that alone gives the loads shown."""
        return self.seed + self.shown

    @property
    def congested_part(self) -> float:
        """Part of the draws in which a link is over capacity."""
        return float(np.mean(np.array(self.links_over_capacity.values) > 0))


@dataclass(frozen=True, eq=False)
class EveryDraw:
    """A phase in every draw of the hash, draw by draw from the seed on."""

    seed: int  # of the first
    utilisation: Floats  # shape (R, L)
    # (job, of its steady traffic) -> highest utilisation that it meets, shape (R,)
    job_peak: dict[tuple[str, bool], Floats]

    @property
    def count(self) -> int:
        """Number of draws."""
        return len(self.utilisation)

    @cached_property
    def peak(self) -> Floats:
        """Utilisation of the fullest link, shape (R,)."""
        return np.asarray(self.utilisation.max(axis=1, initial=0.0))

    @cached_property
    def over(self) -> Floats:
        """Links over capacity, shape (R,)."""
        return np.asarray(over_capacity(self.utilisation).sum(axis=1), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class LinkBands:
    """What nine draws of the hash in ten leave every link between."""

    p5: Floats  # shape (L,)
    p95: Floats

    @staticmethod
    def of(every: EveryDraw) -> LinkBands | None:
        """Of all links; None of a single draw."""
        if every.count < 2:
            return None
        low, high = rank_of(0.05, every.count), rank_of(0.95, every.count)
        ends = [
            np.partition(every.utilisation[:, first : first + _LINKS_AT_ONCE], (low, high), axis=0)[[low, high]]
            for first in range(0, every.utilisation.shape[1], _LINKS_AT_ONCE)
        ]
        p5, p95 = np.concatenate([np.empty((2, 0)), *ends], axis=1)
        return LinkBands(p5, p95)


@dataclass(frozen=True)
class TierLoad:
    """Utilisation of one tier in one direction; quantiles are over its links that are up."""

    tier: str
    direction: str  # "up", "down" or "both" where the tier joins switches of one level
    links: int
    p50: float
    p99: float
    max: float
    over_capacity: int
    draws: Band | None = None  # of the fullest link of the tier, whatever draw the links are of


@dataclass(frozen=True)
class Share:
    """The part of a link's load that one collective of one job makes."""

    job: str
    phase: str
    collective: str
    offered_gbps: float
    share: float


@dataclass(frozen=True)
class HotLink:
    """A link and who loads it."""

    fabric: str
    phase: str
    link: str
    a: str
    a_port: str
    b: str
    b_port: str
    tier: str
    capacity_gbps: float
    offered_gbps: float
    utilisation: float | None  # None: offered on a link without capacity
    shares: tuple[Share, ...]
    p5: float | None = None  # of its utilisation over draws of the hash; None where there is one at most
    p95: float | None = None

    @property
    def carried_gbps(self) -> float:
        """What the link can carry of what is offered."""
        return min(self.offered_gbps, self.capacity_gbps)


@dataclass(frozen=True)
class LinkGroup:
    """Links of one tier and direction that are equally loaded, by the same causes."""

    example: HotLink  # the first of them
    count: int
    of: int  # links of the tier and direction that are up
    direction: str  # "up", "down", or empty between switches of one level

    @property
    def name(self) -> str:
        """The link itself where it is alone, else how many there are: ``64 links, all leaf-spine down``."""
        if self.count == 1:
            return self.example.link
        place = f"{self.example.tier} {self.direction}".rstrip()
        return (
            f"{self.count:,} links, all {place}" if self.count == self.of else f"{self.count:,} of {self.of:,} {place}"
        )


@dataclass(frozen=True)
class UnreachablePair:
    """Demand without a path."""

    job: str
    src: str
    dst: str


@dataclass(frozen=True, eq=False)
class Routed:
    """What a phase was routed on and how: all that a certificate file has to say."""

    graph: RoutingGraph
    demand: PhaseDemand
    pairs: tuple[PairTraffic, ...]  # demand of the endpoints, per traffic class
    routing: Routing
    options: RoutingOptions


@dataclass(frozen=True, eq=False)
class PhaseRoute:
    """One phase on one fabric, routed."""

    fabric: str
    phase: str
    router: str
    topology: Topology
    classes: tuple[TrafficClass, ...]
    link_gbps: Floats  # shape (L, C), offered
    utilisation: Floats  # shape (L,)
    max_utilisation: float
    hottest_link: str
    best_possible: Certificate  # the tightest proof at hand, whatever the router
    certificate: Certificate | None  # the router's own proof
    links_over_capacity: int
    unreachable_pairs: int
    unreachable: tuple[UnreachablePair, ...]  # the first of them
    jobs_cut: tuple[str, ...]  # jobs with demand that has no path
    tiers: tuple[TierLoad, ...]
    window_s: dict[str, float]  # per job: time its busiest endpoint needs at line rate, the ideal of the phase
    solver: str
    solve_time_s: float | None  # measured; None of a saved result, where nothing is solved
    partial: bool
    notes: tuple[str, ...] = ()  # what else the router has to say, in words
    way_s: dict[str, float] = field(default_factory=dict)  # per job: a short message from NIC to NIC
    spread: HashSpread | None = None  # over the draws of the hash seeds, access links in it
    draws: PhaseDraws | None = None  # of a router that hashes; None: nothing is drawn
    link_bands: LinkBands | None = None  # None where there is one draw at most
    every_draw: EveryDraw | None = None  # until jobs and limits are judged
    routed: Routed | None = None  # what certificate files are written from
    packet_slowdown: float = 1.0  # of flows that collide; see routing/packet_slowdown.py

    def stretch_at(self, utilisation: float) -> float:
        """How many times longer than its window a transfer takes whose fullest link is offered ``utilisation``."""
        return time_stretch(utilisation, self.packet_slowdown)

    @property
    def throughput(self) -> float | None:
        """λ = 1/θ: by how much all demand could grow; None when nothing is offered."""
        return 1 / self.max_utilisation if self.max_utilisation > 0 else None

    @property
    def gap(self) -> float | None:
        """Relative distance to the router's own bound; None when it proves nothing."""
        if self.certificate is None or not self.certificate.lower_bound:
            return None if self.certificate is None else 0.0
        return max(self.max_utilisation / self.certificate.lower_bound - 1, 0.0)

    @property
    def is_cut(self) -> bool:
        """Whether an objective lets demand in only in part."""
        admitted = self.routed.routing.admitted if self.routed is not None else None
        return admitted is not None and bool((admitted < 1 - 1e-9).any())

    @property
    def objective(self) -> ObjectiveProof | None:
        """What an objective other than least utilisation reached."""
        return self.certificate.objective if self.certificate is not None else None

    @property
    def bottleneck(self) -> str:
        """What holds the phase back, in words."""
        best = self.best_possible
        if best.lower_bound > 0 and self.max_utilisation <= best.lower_bound * (1 + 1e-6):
            return f"no routing is better: {best.witness}"
        return f"hottest {self.hottest_link}; at best: {best.witness}" if self.hottest_link else "nothing is offered"


@dataclass(frozen=True)
class JobPhase:
    """One phase of a job in time."""

    name: str
    collective: str
    fabric: str | None
    bytes_per_rank: float
    ideal_s: float
    predicted_s: float | None  # None: it cannot finish, demand has no path
    exposed_s: float | None  # what the step waits for
    stretch: float | None
    hottest_link: str
    in_step: bool
    draws: Band | None = None  # of predicted_s, which is their median


@dataclass(frozen=True)
class StepParts:
    """What a step is made of, s. The parts add up to the step."""

    compute_s: float  # of the busiest pipeline stage
    bubble_s: float  # pipeline stages wait for each other
    optimizer_s: float
    exposed_tensor_s: float = 0.0  # communication that the step waits for, by what it is for
    exposed_context_s: float = 0.0
    exposed_expert_s: float = 0.0
    exposed_pipeline_s: float = 0.0
    exposed_data_s: float = 0.0
    exposed_other_s: float = 0.0

    @property
    def exposed_s(self) -> float:
        """All communication that the step waits for."""
        return float(sum(value for name, value in self.__dict__.items() if name.startswith("exposed")))

    @property
    def step_s(self) -> float:
        """The step."""
        return self.compute_s + self.bubble_s + self.optimizer_s + self.exposed_s


@dataclass(frozen=True)
class JobTime:
    """What congestion costs one job."""

    id: str
    kind: str
    ranks: int
    phases: tuple[JobPhase, ...]
    compute_s: float | None
    step_time_ideal_s: float | None
    step_time_s: float | None
    checkpoint_time_s: float | None
    draws: Band | None = None  # of step_time_s, which is their median
    parts_ideal: StepParts | None = None  # of step_time_ideal_s; None where the compute time is not known
    parts: StepParts | None = None  # of step_time_s
    memory: GpuMemory | None = None  # of a GPU of the stage that needs most

    @property
    def stretch(self) -> float | None:
        """Predicted over ideal step time."""
        if self.step_time_s is None or not self.step_time_ideal_s:
            return None
        return self.step_time_s / self.step_time_ideal_s


@dataclass(frozen=True)
class LimitVerdict:
    """One limit: what was measured, and whether it holds."""

    id: str
    text: str
    metric: str
    value: float | None
    max: float
    unit: str
    ok: bool | None  # None: not decided
    detail: str = ""
    draws: Band | None = None  # of value, which is what ``at`` says of them
    failed_part: float | None = None  # of the draws in which it does not hold
    at: str = "p50"  # percentile of the draws that is judged, or mean


@dataclass(frozen=True)
class Assumption:
    """Something the scenario did not say, and the key that overrides it."""

    id: str
    text: str
    override: str


@dataclass(frozen=True, eq=False)
class RouteResult:
    """Everything `fabric route` answers."""

    routes: tuple[PhaseRoute, ...]
    jobs: tuple[JobTime, ...]
    limits: tuple[LimitVerdict, ...]
    items: tuple[HotLink, ...]
    assumptions: tuple[Assumption, ...]
    warnings: tuple[str, ...] = field(default=())
    not_modelled: tuple[str, ...] = field(default=())  # keys that were given and change nothing yet
    folded: tuple[LinkGroup, ...] = field(default=())  # hottest links, equal ones as one

    @property
    def max_utilisation(self) -> float | None:
        """Utilisation of the fullest link in any phase; None where nothing was routed."""
        return max((route.max_utilisation for route in self.routes), default=None)

    @property
    def draws(self) -> PhaseDraws | None:
        """Draws of the worst phase that a hash places; None where nothing is drawn."""
        drawn = [route for route in self.routes if route.draws is not None]
        return max(drawn, key=lambda route: route.max_utilisation).draws if drawn else None

    @property
    def limits_ok(self) -> bool:
        """Whether no limit is missed."""
        return all(limit.ok is not False for limit in self.limits)

    @property
    def unreachable_pairs(self) -> int:
        """Pairs without a path, over all phases."""
        return sum(route.unreachable_pairs for route in self.routes)

    @property
    def partial(self) -> bool:
        """Whether a limit stopped a solve."""
        return any(route.partial for route in self.routes)
