"""Routing one phase of one fabric and measuring its links.

Volumes become rates by the phase's ideal window: the time the job's busiest endpoint needs at line rate, so that its
NIC is at 100 % and everything else relative to it. Offered load above capacity is congestion and stretches the phase.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from fabric.evaluation.draws import draw_phase, figures, middle
from fabric.evaluation.latency import way_s
from fabric.optimise.cuts import best_cut
from fabric.optimise.objective import OBJECTIVES
from fabric.result import Band, EveryDraw, LinkBands, PhaseRoute, Routed, TierLoad, UnreachablePair
from fabric.routing.access import admitted_ends, overloaded_endpoints
from fabric.routing.graph import PhaseDemand, RoutingGraph, build_graph, phase_demand
from fabric.routing.packet_slowdown import slowed_rate
from fabric.routing.reach import Unreachable, split_reachable
from fabric.routing.router import (
    ROUTERS,
    Certificate,
    DrawnBefore,
    HashSpread,
    PairTraffic,
    Quantiles,
    Routing,
    RoutingOptions,
    access_bound,
    places_flows,
    quantiles,
    traits_of,
)
from fabric.routing.utilisation import fullest, highest, over_capacity
from fabric.scenario.latency_schema import FabricLatency
from topologies.columns import Bools, Floats, column
from topologies.topology import Topology
from topologies.units import percent
from traffic.demands import Demands, Flows, TrafficClass, UniformBlock, merge_flows

STEADY = "steady"


def phase_names(demands: Demands) -> list[str]:
    """Phases to route apart: those with volumes, and the steady traffic alone, by its name when it has only one."""
    names = list(dict.fromkeys(entry.phase for entry in demands.classes if not entry.steady))
    steady = {entry.phase for entry in demands.classes if entry.steady}
    return [*names, steady.pop() if len(steady) == 1 else STEADY] if steady else names


def phase_codes(demands: Demands, phase: str) -> list[int]:
    """Classes on the wire in a phase: its own, and everything steady."""
    return [code for code, entry in enumerate(demands.classes) if entry.steady or entry.phase == phase]


def nominal_gbps(topology: Topology) -> Floats:
    """What every node could send with all its links up, shape (N,); encrypted ones carry less."""
    return column(np.bincount(topology.links.src, topology.nominal_gbps, len(topology.nodes)), np.float64)


def ideal_window_s(topology: Topology, parts: Sequence[Flows], efficiency: float) -> float:
    """Time the busiest endpoint needs for a phase's bytes at line rate, in either direction.

    As if all its links were up and whole: what is down or degraded is offered what it would carry intact.
    """
    nodes = len(topology.nodes)
    sent, received = np.zeros(nodes), np.zeros(nodes)
    for part in parts:
        sent += part.sent(nodes)
        received += part.received(nodes)
    busiest = np.maximum(sent, received)
    gbps = nominal_gbps(topology) * efficiency
    used = busiest > 0
    if not used.any() or (gbps[used] <= 0).any():
        return 0.0
    return float((busiest[used] * 8 / (gbps[used] * 1e9)).max())


@dataclass(frozen=True, eq=False)
class PreparedPhase:
    """The classes of one phase on one fabric as a graph and its demand, for every router that sees endpoints alike."""

    fabric: str
    phase: str
    classes: tuple[TrafficClass, ...]
    window_s: dict[str, float]  # per job
    way_s: dict[str, float]  # per job: a short message between its endpoints
    graph: RoutingGraph
    demand: PhaseDemand
    pairs: tuple[PairTraffic, ...]
    lost: Unreachable

    @cached_property
    def best_bound(self) -> Certificate:
        """The tightest proof that needs no solver: the fullest access link, or a cut."""
        return _bound_without_solver(self.graph, self.demand, np.ones(len(self.demand.src), dtype=np.bool_))


def all_pairs(topology: Topology) -> Flows:
    """One unit between every two endpoints."""
    none, ends = np.empty(0, dtype=np.int32), topology.endpoint_nodes
    return Flows(none, none, np.empty(0), (UniformBlock(ends, 1.0),) if len(ends) > 1 else ())


def prepare_phase(
    topology: Topology,
    demands: Demands,
    phase: str,
    *,
    efficiency: float,
    per_endpoint: bool = False,
    admission: bool = False,
    all_endpoints: bool = False,
    latency: FabricLatency = FabricLatency(),
) -> PreparedPhase:
    """Graph and demand of a phase; ``per_endpoint`` as ``places_flows`` of the router says.

    With ``all_endpoints`` endpoints without traffic have their place in the graph, for tables that reach all.
    With ``admission``, for objectives that admit demand only in part, endpoints that offer more than their links carry
    are inside the graph.
    """
    codes = phase_codes(demands, phase)
    classes = tuple(demands.classes[code] for code in codes)
    flows = [demands.flows[code] for code in codes]
    volumes = _volumes(classes, flows)
    windows = {job: ideal_window_s(topology, parts, efficiency) for job, parts in volumes.items()}
    ways = {
        job: way_s(topology, parts[0] if len(parts) == 1 else merge_flows(parts), latency)
        for job, parts in volumes.items()
    }
    scale = [1.0 if entry.steady else _gbps_per_byte(windows[entry.job], efficiency) for entry in classes]
    access_in_graph = overloaded_endpoints(topology, flows, scale) if admission else None
    seen = [*flows, all_pairs(topology)] if all_endpoints else flows
    if per_endpoint and access_in_graph is None:
        graph = _graph_of_endpoints(topology)
    else:
        graph = build_graph(topology, seen, per_endpoint=per_endpoint, access_in_graph=access_in_graph)
    flows, lost = split_reachable(graph, flows)
    pairs = tuple(
        PairTraffic(part, unit, entry.flows_per_pair, entry.steady)
        for part, unit, entry in zip(flows, scale, classes, strict=True)
    )
    demand = phase_demand(graph, flows, scale)
    return PreparedPhase(demands.fabric, phase, classes, windows, ways, graph, demand, pairs, lost)


def _graph_of_endpoints(topology: Topology) -> RoutingGraph:
    """The graph in which every endpoint is apart, which no demand changes: built once, and gone with the topology."""
    kept: dict[str, Any] = vars(topology)
    if "_graph_of_endpoints" not in kept:
        kept["_graph_of_endpoints"] = build_graph(topology, (), per_endpoint=True)
    graph: RoutingGraph = kept["_graph_of_endpoints"]
    return graph


def route_phase(
    topology: Topology,
    demands: Demands,
    phase: str,
    *,
    router: str,
    options: RoutingOptions,
    efficiency: float,
    latency: FabricLatency = FabricLatency(),
) -> PhaseRoute:
    """Route the classes of one phase together."""
    prepared = prepare_for(topology, demands, phase, router, options, efficiency=efficiency, latency=latency)
    return route_prepared(prepared, router=router, options=options)


def prepare_for(
    topology: Topology,
    demands: Demands,
    phase: str,
    router: str,
    options: RoutingOptions,
    *,
    efficiency: float,
    latency: FabricLatency = FabricLatency(),
) -> PreparedPhase:
    """Graph and demand of a phase as one router sees them."""
    return prepare_phase(
        topology,
        demands,
        phase,
        efficiency=efficiency,
        per_endpoint=places_flows(router),
        admission=traits_of(router).takes_objective and OBJECTIVES[options.objective].traits.admits_in_part,
        latency=latency,
    )


def route_prepared(prepared: PreparedPhase, *, router: str, options: RoutingOptions) -> PhaseRoute:
    """Route a prepared phase and measure every link of the topology."""
    graph, demand, topology = prepared.graph, prepared.demand, prepared.graph.topology
    began = time.perf_counter()
    routing = ROUTERS[router]({}, graph=graph, demand=demand, pairs=prepared.pairs, options=options)
    every = _every_draw(prepared, routing, options)
    shown = middle(every) if every is not None else 0
    if every is not None and shown:
        options = replace(options, seed=options.seed + shown)
        routing = _in_draw(routing, options.seed)
    seconds = time.perf_counter() - began
    loads = graph.link_loads(routing.edge_gbps, *_ends(prepared, routing))
    utilisation = utilisation_of(topology, loads.sum(axis=1), usable_part(graph, routing))
    hottest = fullest(utilisation)
    return PhaseRoute(
        fabric=prepared.fabric,
        phase=prepared.phase,
        router=router,
        topology=topology,
        classes=prepared.classes,
        link_gbps=loads,
        utilisation=utilisation,
        max_utilisation=float(utilisation.max(initial=0.0)),
        hottest_link="" if hottest is None else topology.link_name(hottest),
        best_possible=_best_possible(prepared, routing),
        certificate=routing.certificate,
        links_over_capacity=int(over_capacity(utilisation).sum()),
        unreachable_pairs=prepared.lost.pairs,
        unreachable=_named(topology, prepared.lost, prepared.classes),
        jobs_cut=tuple(sorted({prepared.classes[code].job for code in prepared.lost.classes})),
        tiers=tier_loads(topology, utilisation, every),
        window_s=prepared.window_s,
        way_s=prepared.way_s,
        solver=routing.solver,
        solve_time_s=seconds,
        partial=routing.partial,
        notes=routing.notes,
        spread=_whole_spread(prepared, routing, every, options),
        draws=None if every is None else figures(every, shown),
        link_bands=None if every is None else LinkBands.of(every),
        every_draw=every,
        routed=Routed(graph, demand, prepared.pairs, routing, options),
        packet_slowdown=routing.packet_slowdown,
    )


def drawn_phase(prepared: PreparedPhase, routing: Routing, options: RoutingOptions, rated: int) -> DrawnBefore:
    """The draws of a routed phase that the options ask for, the first ``rated`` of them with the rates of flows.

    There may be none, or more that are rated than drawn link by link.
    """
    links = len(prepared.graph.topology.links)
    every = _every_draw(prepared, routing, options) if options.draws else None
    flows = routing.draws
    rates = flows.rates(options.seed, rated) if rated and flows is not None and flows.whole_flows else np.empty((3, 0))
    if every is None:
        return DrawnBefore(np.empty((0, links)), {}, rates)
    return DrawnBefore(every.utilisation, every.job_peak, rates)


def _in_draw(routing: Routing, seed: int) -> Routing:
    """The same answer in the draw of another seed."""
    assert routing.draws is not None
    other = routing.draws.routing(seed)
    return replace(other, spread=routing.spread, partial=routing.partial, notes=routing.notes)


def _every_draw(prepared: PreparedPhase, routing: Routing, options: RoutingOptions) -> EveryDraw | None:
    """The phase in every draw of the hash; None of a router that draws nothing."""
    if routing.draws is None:
        return None
    if options.drawn is not None:
        return EveryDraw(options.seed, options.drawn.utilisation, options.drawn.job_peak)
    graph, topology = prepared.graph, prepared.graph.topology
    ends, usable = _ends(prepared, routing), usable_part(graph, routing)
    columns = {(job, False): _columns_of(prepared.classes, job) for job in prepared.window_s}
    columns |= {
        (job, True): _columns_of(prepared.classes, job, steady=True) for job in jobs_with_steady(prepared.classes)
    }

    def measure(edge_gbps: Floats) -> tuple[Floats, dict[tuple[str, bool], float]]:
        loads = graph.link_loads(edge_gbps, *ends)
        utilisation = utilisation_of(topology, loads.sum(axis=1), usable)
        return utilisation, {job: _carried_peak(loads, utilisation, mine) for job, mine in columns.items()}

    return draw_phase(
        routing.draws.loads_gbps, measure, seed=options.seed, count=options.draws, cells=routing.edge_gbps.size
    )


def in_draw(route: PhaseRoute, seed: int) -> PhaseRoute:
    """A phase with the loads of the draw of another seed; as it is where nothing is drawn or was read from a file."""
    routed = route.routed
    if routed is None or routed.routing.draws is None or route.draws is None or route.draws.shown_seed == seed:
        return route
    loads = routed.graph.link_loads(
        routed.routing.draws.loads_gbps((seed,))[0], routed.demand.sent_gbps, routed.demand.received_gbps
    )
    return replace(
        route,
        link_gbps=loads,
        utilisation=utilisation_of(route.topology, loads.sum(axis=1), usable_part(routed.graph, routed.routing)),
        draws=replace(route.draws, shown=seed - route.draws.seed),
    )


def _ends(prepared: PreparedPhase, routing: Routing) -> tuple[Floats, Floats]:
    """What endpoints send and receive of what is admitted, shape (N, C) each."""
    demand, pairs = prepared.demand, prepared.pairs
    if routing.admitted is None:
        return demand.sent_gbps, demand.received_gbps
    flows, units = [pair.flows for pair in pairs], [pair.gbps_per_unit for pair in pairs]
    return admitted_ends(prepared.graph, demand, flows, units, routing.admitted)


def _volumes(classes: Sequence[TrafficClass], flows: Sequence[Flows]) -> dict[str, list[Flows]]:
    """Flows with a volume, by job."""
    jobs: dict[str, list[Flows]] = {}
    for entry, part in zip(classes, flows, strict=True):
        if not entry.steady:
            jobs.setdefault(entry.job, []).append(part)
    return jobs


def _gbps_per_byte(window_s: float, efficiency: float) -> float:
    """Rate on the wire of one byte of payload sent evenly over the window."""
    return 8 / (window_s * 1e9 * efficiency) if window_s > 0 else 0.0


def usable_part(graph: RoutingGraph, routing: Routing) -> Floats:
    """Part of every link's capacity that the routing can fill, shape (L,)."""
    part, core = np.ones(len(graph.topology.links)), graph.link_of >= 0
    if routing.usable is not None:
        part[graph.link_of[core]] = routing.usable[core]
    return part


def utilisation_of(topology: Topology, offered: Floats, usable: Floats) -> Floats:
    """Offered over capacity of every link, shape (L,); ``usable`` is the part of its capacity that routing can fill."""
    capacity = topology.capacity_gbps * usable
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = offered / capacity
    return np.where(offered == 0, 0.0, ratio)


def _best_possible(prepared: PreparedPhase, routing: Routing) -> Certificate:
    if routing.certificate is not None:
        return routing.certificate
    if routing.admitted is not None:
        return _bound_without_solver(prepared.graph, _carried_demand(prepared, routing), ~routing.unreachable)
    if not routing.unreachable.any():
        return prepared.best_bound
    return _bound_without_solver(prepared.graph, prepared.demand, ~routing.unreachable)


def _carried_demand(prepared: PreparedPhase, routing: Routing) -> PhaseDemand:
    """What is admitted of the demand, endpoints' own included."""
    sent, received = _ends(prepared, routing)
    demand, part = prepared.demand, routing.admitted
    gbps = demand.gbps if part is None else column(demand.gbps * part[:, None], np.float64)
    return replace(demand, gbps=gbps, sent_gbps=sent, received_gbps=received)


def _bound_without_solver(graph: RoutingGraph, demand: PhaseDemand, routable: Bools) -> Certificate:
    bound, words = access_bound(graph, demand)
    access = Certificate(bound, f"{words} carries at least {percent(bound)}")
    cut = best_cut(graph, demand, routable)
    return access if access.lower_bound >= cut.lower_bound * (1 - 1e-12) and bound > 0 else cut


def _whole_spread(
    prepared: PreparedPhase, routing: Routing, every: EveryDraw | None, options: RoutingOptions
) -> HashSpread | None:
    """The spread over all draws at hand, the worst flow slowed as packets are; None where nobody asked for rates."""
    spread = routing.spread
    if every is None or routing.draws is None or (spread is None and options.rate_draws is None):
        return spread
    full, worst = quantiles(every.peak), spread.worst_rate if spread is not None else None
    if not routing.draws.whole_flows:
        worst = quantiles(1 / np.maximum(every.peak, 1.0), low_is_bad=True)
    slowed = None if worst is None else _each(worst, lambda rate: slowed_rate(rate, routing.packet_slowdown))
    if spread is None:
        return HashSpread(every.count, full, slowed)
    if spread.replicas > every.count:  # more than are kept link by link
        access, _ = access_bound(prepared.graph, prepared.demand)
        full = _each(spread.max_utilisation, lambda peak: max(peak, access))
    return replace(spread, replicas=max(spread.replicas, every.count), max_utilisation=full, worst_rate=slowed)


def _each(figures: Quantiles, change: Callable[[float], float]) -> Quantiles:
    """All quantiles and the mean, changed."""
    p50, p95, p99, p5, mean = (figures.p50, figures.p95, figures.p99, figures.p5, figures.mean)
    return Quantiles(change(p50), change(p95), change(p99), *(None if v is None else change(v) for v in (p5, mean)))


def _named(topology: Topology, lost: Unreachable, classes: Sequence[TrafficClass]) -> tuple[UnreachablePair, ...]:
    name = topology.nodes.name
    return tuple(UnreachablePair(classes[code].job, name[src], name[dst]) for code, src, dst in lost.shown)


def tier_loads(topology: Topology, utilisation: Floats, every: EveryDraw | None = None) -> tuple[TierLoad, ...]:
    """Quantiles of utilisation per tier and direction; with the fullest link of each in every draw."""
    rows: list[TierLoad] = []
    for code, tier in enumerate(topology.tiers):
        for direction, sign in (("up", 1), ("down", -1), ("both", 0)):
            chosen = (topology.links.tier == code) & (topology.direction == sign) & topology.up
            mine = utilisation[chosen]
            if len(mine):
                p50, p99 = np.quantile(mine, [0.5, 0.99], method="inverted_cdf")
                over = int(over_capacity(mine).sum())
                drawn = None if every is None else Band.of(every.utilisation[:, chosen].max(axis=1))
                figures = (float(p50), float(p99), float(mine.max()), over)
                rows.append(TierLoad(tier, direction, len(mine), *figures, draws=drawn))
    return tuple(rows)


def job_peak(route: PhaseRoute, job: str, *, steady: bool = False) -> tuple[float, str]:
    """Highest utilisation among the links that carry a job's traffic in a phase, and that link's name.

    Where demand is admitted only in part, the job waits for its worst-off flow: no less than 1 / its part. With
    ``steady``, the job's steady traffic is looked at instead of its volumes.
    """
    mine = _columns_of(route.classes, job, steady=steady)
    carried = route.link_gbps[:, mine].sum(axis=1) > 0
    if not carried.any():
        return (0.0 if _waiting(route, mine) <= 1 else float("inf")), ""
    hottest = highest(np.where(carried, route.utilisation, -1.0))
    peak = float(route.utilisation[carried].max())
    return max(peak, _waiting(route, mine)), route.topology.link_name(hottest)


def _columns_of(classes: Sequence[TrafficClass], job: str, *, steady: bool = False) -> list[int]:
    """Classes of a job: those of volumes, which its phase waits for, or those of steady traffic."""
    return [code for code, entry in enumerate(classes) if entry.job == job and entry.steady == steady]


def jobs_with_steady(classes: Sequence[TrafficClass]) -> list[str]:
    """Jobs that have steady traffic among the classes, each once."""
    return list(dict.fromkeys(entry.job for entry in classes if entry.steady))


def _carried_peak(loads: Floats, utilisation: Floats, mine: list[int]) -> float:
    """Highest utilisation among the links that carry one of the classes."""
    carried = (loads[:, mine] > 0).any(axis=1)
    return float(utilisation[carried].max(initial=0.0))


def _waiting(route: PhaseRoute, classes: list[int]) -> float:
    """1 / the least part of a class's flows that an objective admits, infinite where that is none; 0 without such."""
    if route.routed is None or route.routed.routing.admitted is None:
        return 0.0
    sent = route.routed.demand.gbps[:, classes].sum(axis=1) > 0
    least = float(route.routed.routing.admitted[sent].min(initial=1.0))
    return 1 / least if least > 0 else float("inf")
