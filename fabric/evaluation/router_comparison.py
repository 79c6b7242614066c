"""The same phases under several routers, and what the difference between them is due to.

Every router answers the same question, the utilisation θ of the fullest link. Four of the answers build on each other:

- *access*: what hosts send and receive over what their own links carry, as in a fabric without limits inside;
- *optimal*: the least θ of any routing in this fabric, proven or with a gap;
- *ecmp*: an equal split over shortest paths;
- *ecmp-hash*: whole flows hashed onto those paths; over many draws of the seeds the median and the 99th percentile.

Each step is a factor: access · (1 + topology) · (1 + uneven links) · (1 + hashing) = hashed θ. One is unknown where
a router is not compared or refuses the phase, and where demand is between switches, which have no access links.

Job times and limits of hashed routing are medians over the draws, as ``fabric route`` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabric.evaluation.judged import judge, peaks_of
from fabric.evaluation.phases import PreparedPhase, job_peak, prepare_phase, route_prepared
from fabric.evaluation.severity import severity_order, total_load
from fabric.result import Assumption, Band, JobTime, LimitVerdict, PhaseRoute
from fabric.routing.hashing.flows import MOST_FLOWS_REPLICATED
from fabric.routing.progress import Progress
from fabric.routing.router import ROUTERS, Certificate, HashSpread, RoutingOptions, is_drawn, places_flows, traits_of
from fabric.routing.traits import Stage
from fabric.scenario.latency_schema import FabricLatency
from fabric.scenario.limit_schema import LimitSpec
from topologies.errors import FabricError
from topologies.topology import Topology
from traffic.demands import Demands
from traffic.workload import WorkloadTraffic

_SAME = 1e-6  # relative difference below which two routings are equally good


@dataclass(frozen=True)
class RouterFigure:
    """One router on one phase of one fabric; ``refused`` says why there are no figures."""

    fabric: str
    phase: str
    router: str
    max_utilisation: float | None = None  # θ; hashed over several draws: the median
    spread: HashSpread | None = None
    above_best: float | None = None  # over the tightest proof any of the routers gave for this phase
    stretch: float | None = None  # of the job that suffers most; None: no volume in the phase, or it cannot finish
    lower_bound: float | None = None  # the router's own proof
    gap: float | None = None
    links_over_capacity: int = 0
    unreachable_pairs: int = 0
    hottest_link: str = ""
    solver: str = ""
    solve_time_s: float | None = None
    partial: bool = False
    notes: tuple[str, ...] = ()
    refused: str = ""

    @property
    def throughput(self) -> float | None:
        """λ = 1/θ."""
        return 1 / self.max_utilisation if self.max_utilisation else None

    @property
    def worst(self) -> float:
        """θ, of hashed routing the 99th percentile; 0 when refused."""
        return self.spread.max_utilisation.p99 if self.spread else self.max_utilisation or 0.0


@dataclass(frozen=True)
class LossSplit:
    """What θ of a phase is due to: factors minus 1, each on top of the one before; None where unknown."""

    access_utilisation: float | None
    topology: float | None
    uneven_links: float | None
    wcmp_recovers: float | None  # part of uneven_links that weights take back; negative: they make it worse
    hashing: float | None  # the median draw; the only one without replicas
    hashing_p99: float | None


@dataclass(frozen=True, eq=False)
class PhaseComparison:
    """One phase of one fabric under every router."""

    fabric: str
    phase: str
    figures: tuple[RouterFigure, ...]
    split: LossSplit
    best_possible: Certificate  # the tightest proof any of the routers gave
    total_load: float = 0.0  # utilisation of all links together, under the router that loads them most

    def figure(self, router: str) -> RouterFigure | None:
        """Figures of a router; None when it is not compared or refused."""
        return next((row for row in self.figures if row.router == router and not row.refused), None)

    def stage(self, stage: Stage) -> RouterFigure | None:
        """Figures of the router that stands for a stage of the loss; None when none is compared or it refused."""
        return figure_of(self.figures, stage)

    @property
    def worst(self) -> float:
        """Highest utilisation under any of the routers."""
        return max((row.worst for row in self.figures), default=0.0)


@dataclass(frozen=True, eq=False)
class RouterOutcome:
    """Jobs and limits under one router."""

    router: str
    jobs: tuple[JobTime, ...]
    limits: tuple[LimitVerdict, ...]


@dataclass(frozen=True, eq=False)
class RouterComparison:
    """Everything ``fabric route --router all`` answers."""

    routers: tuple[str, ...]
    phases: tuple[PhaseComparison, ...]
    outcomes: tuple[RouterOutcome, ...]
    own: RouterOutcome | None = None  # under the scenario's routers, each on its fabric; None: not all compared
    assumptions: tuple[Assumption, ...] = ()
    warnings: tuple[str, ...] = ()
    not_modelled: tuple[str, ...] = ()

    @property
    def figures(self) -> tuple[RouterFigure, ...]:
        """All rows, phase by phase."""
        return tuple(row for phase in self.phases for row in phase.figures)

    @property
    def worst(self) -> PhaseComparison | None:
        """The worst phase, every figure of it under the router where it is highest."""
        over = [max((row.links_over_capacity for row in phase.figures), default=0) for phase in self.phases]
        total = [phase.total_load for phase in self.phases]
        order = severity_order([phase.worst for phase in self.phases], over, total)
        return self.phases[order[0]] if self.phases else None

    @property
    def unreachable_pairs(self) -> int:
        """Pairs without a path, over all phases; the same for every router."""
        return sum(max((row.unreachable_pairs for row in phase.figures), default=0) for phase in self.phases)

    @property
    def partial(self) -> bool:
        """Whether a limit stopped a solve."""
        return any(row.partial for row in self.figures)

    @property
    def deciding(self) -> tuple[RouterOutcome, ...]:
        """Whose limits decide: the scenario's own routers; where one is not compared, every router that is."""
        return self.outcomes if self.own is None else (self.own,)

    @property
    def limits_ok(self) -> bool:
        """Whether no limit is missed under the routers that decide."""
        return all(limit.ok is not False for outcome in self.deciding for limit in outcome.limits)


def compared_routers() -> tuple[str, ...]:
    """What ``--router all`` compares, in the order that routers give themselves.

    >>> compared_routers()
    ('optimal', 'wcmp', 'ecmp', 'spray', 'ecmp-hash')
    """
    positions = [(entry.traits.compared, entry.name) for entry in ROUTERS if entry.traits.compared is not None]
    return tuple(name for _, name in sorted(positions))


def figure_of(rows: Sequence[RouterFigure], stage: Stage) -> RouterFigure | None:
    """The first row of a router that stands for a stage of the loss and did not refuse."""
    return next((row for row in rows if traits_of(row.router).stage == stage and not row.refused), None)


# (router, phase, job, whether of steady traffic) -> highest utilisation, its link
Peaks = dict[tuple[str, str, str, bool], tuple[float, str]]


@dataclass(frozen=True, eq=False)
class RoutedPhase:
    """A compared phase, and its routes without the loads by class, which would fill the memory of a large fabric."""

    comparison: PhaseComparison
    routes: tuple[PhaseRoute, ...]
    peaks: Peaks


def compare_phase(
    topology: Topology,
    demands: Demands,
    phase: str,
    *,
    routers: Sequence[str],
    options: RoutingOptions,
    efficiency: float,
    latency: FabricLatency = FabricLatency(),
) -> RoutedPhase:
    """Route one phase by each of ``routers``; graph and demand are built once for those that see endpoints alike."""
    prepared: dict[bool, PreparedPhase] = {}
    rows: list[RouterFigure] = []
    routes: list[PhaseRoute] = []
    peaks: Peaks = {}
    for router in routers:
        options.report(Progress(router))
        per_endpoint = places_flows(router)
        if per_endpoint not in prepared:
            prepared[per_endpoint] = prepare_phase(
                topology, demands, phase, efficiency=efficiency, per_endpoint=per_endpoint, latency=latency
            )
        try:
            route = _route(prepared[per_endpoint], router, options)
        except FabricError as error:
            why = error.problems[0].message
            rows.append(RouterFigure(demands.fabric, phase, router, refused=why))
            continue
        mine = peaks_of(route)
        peaks.update({(router, phase, job, steady): peak for (_, _, job, steady), peak in mine.items()})
        rows.append(_figure(route))
        routes.append(replace(route, link_gbps=np.empty((0, len(route.classes))), link_bands=None, routed=None))
    one = next(iter(prepared.values()))
    # What holds for whole flows only, such as cuts counted in flows, is not a bound for those who split them.
    bounds = [route.best_possible for route in routes if not places_flows(route.router)]
    best = max([*bounds, one.best_bound], key=lambda proof: proof.lower_bound)
    shown = tuple(replace(row, above_best=_over(row.max_utilisation, best.lower_bound)) for row in rows)
    split = loss_split(access_utilisation(one), shown)
    total = max((total_load(route) for route in routes), default=0.0)
    return RoutedPhase(PhaseComparison(demands.fabric, phase, shown, split, best, total), tuple(routes), peaks)


def _route(prepared: PreparedPhase, router: str, options: RoutingOptions) -> PhaseRoute:
    """Route; where the flows are too many to draw hashes often, once."""
    often = options.hash.replicas > 1 and is_drawn(router, options.adaptive.granularity)
    flows = sum(pair.flows.pairs * pair.flows_per_pair for pair in prepared.pairs)
    if often and flows > MOST_FLOWS_REPLICATED:
        return _once(prepared, router, options, f"{flows:,} flows to hash; {MOST_FLOWS_REPLICATED:,} are drawn often")
    try:
        return route_prepared(prepared, router=router, options=options)
    except FabricError as error:
        if not often:
            raise
        return _once(prepared, router, options, error.problems[0].message)


def _once(prepared: PreparedPhase, router: str, options: RoutingOptions, why: str) -> PhaseRoute:
    once = replace(options, hash=replace(options.hash, replicas=1), draws=1)
    route = route_prepared(prepared, router=router, options=once)
    return replace(route, notes=(*route.notes, f"one draw only: {why}"))


def judge_routers(
    phases: Sequence[RoutedPhase],
    routers: Sequence[str],
    workloads: Sequence[WorkloadTraffic],
    limits: Sequence[LimitSpec],
    *,
    own: Mapping[str, str],
    fabric: str | None = None,
) -> tuple[tuple[RouterOutcome, ...], RouterOutcome | None]:
    """Job times and limits under every router, and under the scenario's own.

    Parameters
    ----------
    own : mapping of str to str
        Router that the scenario has on each fabric; there is no outcome of theirs where one of them is not compared, or
        refuses a phase.
    fabric : str, optional
        The only fabric that is routed.
    """
    peaks = {(one.comparison.fabric, *key): peak for one in phases for key, peak in one.peaks.items()}

    def outcome(name: str, router_on: Callable[[str], str | None]) -> RouterOutcome:
        mine = [route for one in phases for route in one.routes if route.router == router_on(route.fabric)]
        met = {
            (on, phase, job, steady): peak
            for (on, router, phase, job, steady), peak in peaks.items()
            if router == router_on(on)
        }
        return RouterOutcome(name, *judge(workloads, mine, limits, met, fabric=fabric))

    named = " and ".join(dict.fromkeys(own[one.comparison.fabric] for one in phases))
    compared = all(one.comparison.figure(own[one.comparison.fabric]) is not None for one in phases)
    outcomes = tuple(outcome(router, lambda _, router=router: router) for router in routers)  # type: ignore[misc]
    return outcomes, outcome(named, own.get) if compared else None


def _figure(route: PhaseRoute) -> RouterFigure:
    jobs = list(route.window_s)
    finish = jobs and not set(jobs) & set(route.jobs_cut)
    return RouterFigure(
        fabric=route.fabric,
        phase=route.phase,
        router=route.router,
        max_utilisation=route.max_utilisation,
        spread=route.spread,
        stretch=max(route.stretch_at(_peak(route, job)) for job in jobs) if finish else None,
        lower_bound=route.certificate.lower_bound if route.certificate else None,
        gap=route.gap,
        links_over_capacity=route.links_over_capacity,
        unreachable_pairs=route.unreachable_pairs,
        hottest_link=route.hottest_link,
        solver=route.solver,
        solve_time_s=route.solve_time_s,
        partial=route.partial,
        notes=route.notes,
    )


def _peak(route: PhaseRoute, job: str) -> float:
    """Highest utilisation a job meets; of hashed routing the median over the draws."""
    if route.every_draw is not None:
        return Band.of(route.every_draw.job_peak[job, False]).median
    return job_peak(route, job)[0]


def access_utilisation(prepared: PreparedPhase) -> float | None:
    """θ in a fabric without limits inside: what the busiest host sends or receives over all its own links.

    None when nothing is sent between hosts.
    """
    topology, demand = prepared.graph.topology, prepared.demand
    nodes, links, capacity = topology.nodes, topology.links, topology.capacity_gbps
    best = None
    for end, gbps in ((links.src, demand.sent_gbps), (links.dst, demand.received_gbps)):
        own = np.bincount(end, capacity, len(nodes))
        used = ~nodes.forwards & (own > 0) & (gbps.sum(axis=1) > 0)
        if used.any():
            best = max(best or 0.0, float((gbps.sum(axis=1)[used] / own[used]).max()))
    return best


def loss_split(access: float | None, rows: Sequence[RouterFigure]) -> LossSplit:
    """The factors between what access, the optimum, equal splits and hashed flows ask of the fullest link.

    Examples
    --------
    Hosts need half of their links, the best routing fills a link, equal splits overload it by 20 %, hashing by 50 %:

    >>> theta = {"optimal": 1.0, "wcmp": 1.1, "ecmp": 1.25, "ecmp-hash": 1.5}
    >>> rows = [RouterFigure("main", "dp", name, max_utilisation=value) for name, value in theta.items()]
    >>> split = loss_split(0.5, rows)
    >>> [round(part, 3) for part in (split.topology, split.uneven_links, split.hashing, split.wcmp_recovers)]
    [1.0, 0.25, 0.2, 0.6]
    """
    hashing = figure_of(rows, "hashing")
    optimum, weights, equal = (_theta(figure_of(rows, stage)) for stage in ("optimum", "weights", "equal-split"))
    p99 = hashing.spread.max_utilisation.p99 if hashing is not None and hashing.spread else None
    uneven = _over(equal, optimum)
    recovers = None
    if uneven is not None and weights is not None and uneven > _SAME:
        recovers = (equal - weights) / (equal - optimum)  # type: ignore[operator]
    return LossSplit(access, _over(optimum, access), uneven, recovers, _over(_theta(hashing), equal), _over(p99, equal))


def _theta(row: RouterFigure | None) -> float | None:
    return row.max_utilisation if row is not None else None


def _over(value: float | None, reference: float | None) -> float | None:
    """Relative excess; 0 for what is only rounding."""
    if value is None or not reference:
        return None
    excess = value / reference - 1
    return 0.0 if abs(excess) < _SAME / 1000 else excess
