"""What a router is given and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph, SplitColumns
from fabric.routing.names import (
    DEFAULT_FLOWLET_BYTES,
    DEFAULT_OBJECTIVE,
    DEFAULT_SPRAY_EFFICIENCY,
    HASH_FIELDS,
    PACKETS,
    ROUTER_NAMES,
)
from fabric.routing.packet_slowdown import DEFAULT_PACKET_SLOWDOWN
from fabric.routing.progress import Reporter, silent
from fabric.routing.table_options import TableOptions
from fabric.routing.traits import PERFECT_SPLIT, RouterTraits
from fabric.routing.utilisation import SAME, highest
from topologies.columns import Bools, Floats, Ints, Longs
from topologies.registry import Registry
from traffic.demands import Flows


@dataclass(frozen=True, eq=False)
class Splits:
    """Explicit loop-free routing: per destination of the demand, edges of the graph in topological order of their
    sources, each with its part of what its source sends on to that destination."""

    start: Longs  # shape (D + 1,)
    edge: Ints  # shape (nnz,)
    fraction: Floats  # shape (nnz,), those of one destination and source sum to 1

    @property
    def columns(self) -> SplitColumns:
        """The same for compiled loops."""
        return SplitColumns(self.start, self.edge, self.fraction)


@dataclass(frozen=True, eq=False)
class DestinationFlows:
    """What every edge carries to every destination of the demand, conserved at every node.

    For routings that are neither splits by destination nor few enough paths to list.
    """

    start: Longs  # shape (D + 1,)
    edge: Ints  # shape (nnz,), each at most once per destination
    gbps: Floats  # shape (nnz,), all traffic classes together


@dataclass(frozen=True, eq=False)
class LevelStage:
    """A step of max-min fair filling: entries whose part rises no further, and the prices that stop them.

    Entries that rise in a stage are all routable ones that no earlier stage has stopped. With s = Σ capacity x price −
    Σ n x dist over the stopped before − level Σ n dist over the rising, entry e cannot get more than level + s / (n[e]
    dist[e]) while none that has less loses. Entries that no stage stops are admitted whole.
    """

    stopped: Longs  # rows of the demand
    price: Floats  # shape (E,), non-negative


@dataclass(frozen=True, eq=False)
class ObjectiveProof:
    """What a routing reaches of an objective other than least utilisation, and what no routing can pass.

    ``value`` is at most ``bound`` where more is better (throughput, smallest admitted part), at least it for cost. It
    is that of the loads and parts in the ``Routing``, not what a solver reports: the checker adds it up again.
    """

    name: str
    value: float
    bound: float
    unit: str
    witness: str
    price: Floats | None = None  # shape (E,), non-negative prices of the graph's edges that prove the bound
    most_utilisation: float | None = None  # of min-cost: the utilisation that no edge of any routing may pass
    stages: tuple[LevelStage, ...] = ()  # of max-min-fair, in order of level; none: only the lowest level is proven
    levels_gap: float | None = None  # of max-min-fair with stages: how much more, relative, an entry could get at most


@dataclass(frozen=True, eq=False)
class Certificate:
    """Proof of how good a routing can be: no routing has a lower maximum utilisation than ``lower_bound``.

    ``price`` are non-negative prices of the graph's edges; Σ demand x distance / Σ capacity x price is the bound.
    ``witness`` says it in words.
    """

    lower_bound: float
    witness: str
    price: Floats | None = None
    objective: ObjectiveProof | None = None  # of objectives other than least utilisation


@dataclass(frozen=True, eq=False)
class FlowPaths:
    """Explicit paths: path p carries ``gbps[p]`` of class ``code[p]`` over ``edge[start[p]:start[p + 1]]``, in order.

    Several paths may have the same ends; what they carry adds up.
    """

    src: Ints  # shape (P,), graph nodes where the traffic enters
    dst: Ints  # graph nodes where it leaves
    src_endpoint: Ints  # topology nodes, -1 where the path is for all endpoints behind the graph node
    dst_endpoint: Ints
    code: Ints  # traffic class
    gbps: Floats
    start: Ints  # shape (P + 1,)
    edge: Ints


@dataclass(frozen=True)
class Quantiles:
    """Of a figure over replicas; p5 and mean are None where only the bad end matters, and in older files."""

    p50: float
    p95: float
    p99: float
    p5: float | None = None
    mean: float | None = None


def quantiles(values: Floats, *, low_is_bad: bool = False) -> Quantiles:
    """Observed values that 50, 95 and 99 % of the replicas do not exceed, or with ``low_is_bad`` do not fall below.

    >>> quantiles(np.arange(1.0, 101.0))
    Quantiles(p50=50.0, p95=95.0, p99=99.0, p5=5.0, mean=50.5)
    >>> quantiles(np.arange(1.0, 101.0), low_is_bad=True).p95
    6.0
    """
    sign = -1.0 if low_is_bad else 1.0
    p5, p50, p95, p99 = (sign * np.quantile(sign * values, [0.05, 0.5, 0.95, 0.99], method="inverted_cdf")).tolist()
    return Quantiles(p50, p95, p99, p5, float(np.mean(values)))


@dataclass(frozen=True)
class HashSpread:
    """Hash imbalance: figures over replicas of the hash seeds."""

    replicas: int
    max_utilisation: Quantiles  # of the fullest link
    worst_rate: Quantiles | None  # of the worst-off flow, as a part of what it offers (p99: the bad end); None: unknown
    mean_rate: float | None = None  # of all flows, each counted once, over the draws of rates
    rate_draws: int = 0  # draws whose flows were shared max-min fairly, the first of them


class HashDraws(Protocol):
    """What else a hash may come to: the same flows with other source ports and switch seeds."""

    @property
    def whole_flows(self) -> bool:
        """Whether every flow stays on one path; else in pieces, a flow's rate is that of the fullest link at worst."""
        ...

    def loads_gbps(self, seeds: Sequence[int]) -> Floats:
        """Offered load of every edge and class in the draw of every seed, shape (R, E, C)."""
        ...

    def routing(self, seed: int) -> Routing:
        """The answer in the draw of a seed."""
        ...

    def rates(self, first: int, count: int) -> Floats:
        """Fullest link, and worst and mean rate of whole flows, in draws from a seed on, shape (3, count)."""
        ...


@dataclass(frozen=True, eq=False)
class Routing:
    """What a router answers for one phase."""

    router: str
    edge_gbps: Floats  # shape (E, C), offered; what is admitted where an objective cuts demands
    unreachable: Bools  # shape (nnz,), entries of the demand without a path
    splits: Splits | None = None  # explicit per destination; None: equal split over shortest paths, or see paths
    paths: FlowPaths | None = None  # explicit per flow
    certificate: Certificate | None = None
    solver: str = ""
    partial: bool = False  # a limit stopped the solve
    notes: tuple[str, ...] = ()
    spread: HashSpread | None = None
    admitted: Floats | None = None  # shape (nnz,), part of each demand that an objective admits; None: all of it
    usable: Floats | None = None  # shape (E,), part of each edge's capacity that this routing can fill; None: all of it
    via: Ints | None = None  # switches, one of which all traffic turns at; equal splits to it and from it
    # Worked out when asked, where neither splits nor paths are; None comes back where they would be too many rows.
    flows: Callable[[], DestinationFlows | None] | None = None
    draws: HashDraws | None = None  # of a router that hashes
    packet_slowdown: float = 1.0  # of flows that collide; see packet_slowdown.py


@dataclass(frozen=True, eq=False)
class PairTraffic:
    """The pairs of one traffic class, for routers that place single flows.

    A router that takes ``pairs`` gets a graph in which every multi-homed endpoint is a terminal of its own.
    """

    flows: Flows
    gbps_per_unit: float
    flows_per_pair: int
    steady: bool = False  # without end; amounts are Gbps, else bytes


@dataclass(frozen=True)
class HashOptions:
    """How switches hash flows onto next hops."""

    fields: tuple[str, ...] = HASH_FIELDS
    function: str = "random"
    per_switch_seed: bool = True  # False: the same everywhere, which polarises
    replicas: int = 1
    packet_slowdown: float = DEFAULT_PACKET_SLOWDOWN
    resilient: bool = True  # flows on links that are left stay; False: the whole group is hashed again


@dataclass(frozen=True)
class AdaptiveOptions:
    """What adaptive routing chooses a next hop for."""

    granularity: str = PACKETS
    flowlet_bytes: float = DEFAULT_FLOWLET_BYTES


@dataclass(frozen=True, eq=False)
class DrawnBefore:
    """Draws of a phase from the seed of the options on, made elsewhere: what they come to is not worked out again.

    Attributes
    ----------
    utilisation : ndarray, shape (R, L)
    job_peak : dict
        (job, of its steady traffic) -> highest utilisation that it meets, shape (R,).
    rates : ndarray, shape (3, W)
        Fullest link, and worst and mean rate of the flows; W is 0 where flows are in pieces.
    """

    utilisation: Floats
    job_peak: dict[tuple[str, bool], Floats]
    rates: Floats


@dataclass(frozen=True, eq=False)
class LikeRouting:
    """Splits and prices of a network whose switches and links are numbered alike: what a solve may start from."""

    graph: RoutingGraph
    dest: Ints  # shape (D,), graph nodes, as in its demand
    splits: Splits
    price: Floats  # shape (E,), of the graph's edges


@dataclass(frozen=True)
class RoutingOptions:
    """What the scenario or the command line says about routing."""

    paths: str = "any"  # one of PATH_POLICIES
    time_limit_s: float = 600.0
    gap: float = 1e-4
    seed: int = 0
    objective: str = DEFAULT_OBJECTIVE
    target_utilisation: float = 1.0  # of min-cost
    k_paths: int = 8  # of k-shortest paths
    spray_efficiency: float = (
        DEFAULT_SPRAY_EFFICIENCY  # part of a link that spraying fills before reordering and uneven queues cost
    )
    adaptive: AdaptiveOptions = AdaptiveOptions()
    hash: HashOptions = HashOptions()
    draws: int = 1  # of the hash, that medians and bands are taken over
    rate_draws: int | None = (
        None  # those whose flows are shared max-min fairly where ``replicas`` is 1; None: not asked
    )
    drawn: DrawnBefore | None = None  # all draws that are wanted; None: they are drawn here
    tables: TableOptions = field(default_factory=TableOptions)  # of as-programmed
    like: LikeRouting | None = None  # of optimal: where to start, such as the intact network; None: from nothing
    report: Reporter = silent


ROUTERS: Registry[Routing, RouterTraits] = Registry(
    "router", "fabric.routers", traits=RouterTraits, announce=ROUTER_NAMES
)


def traits_of(router: str) -> RouterTraits:
    """What a router says about itself."""
    return ROUTERS[router].traits


def is_drawn(router: str, granularity: str) -> bool:
    """Whether a hash decides some of a router's loads; ``granularity`` is what adaptive routing has."""
    traits = traits_of(router)
    return traits.placement == "hashed" or (traits.takes_granularity and granularity != PACKETS)


def places_flows(router: str) -> bool:
    """Whether a router is given pairs of endpoints, and so needs every multi-homed endpoint apart."""
    return "pairs" in ROUTERS[router].injected


def router_label(router: str, *, drawn: bool = False) -> str:
    """A router as people are shown it: those that divide perfectly are marked, as no hash of flows does.

    With ``drawn``, a hash decided, whatever the router does otherwise.

    >>> router_label("ecmp"), router_label("ecmp-hash")
    ('ecmp (if split perfectly)', 'ecmp-hash')
    """
    bound = ROUTERS.known(router) and ROUTERS[router].traits.is_bound and not drawn
    return f"{router} ({PERFECT_SPLIT})" if bound else router


def routing_basis(router: str, *, drawn: bool = False) -> str | None:
    """What a router's figures rest on, for records; None of a saved result whose router is not registered here."""
    if not ROUTERS.known(router):
        return None
    traits = ROUTERS[router].traits
    return "flows or pieces of them, hashed" if drawn and traits.takes_granularity else traits.basis


def edge_utilisation(graph: RoutingGraph, edge_gbps: Floats) -> Floats:
    """Offered over capacity per edge, shape (E,)."""
    return np.asarray(edge_gbps.sum(axis=1) / graph.capacity_gbps)


def access_bound(graph: RoutingGraph, demand: PhaseDemand) -> tuple[float, str]:
    """Utilisation of the fullest single-homed access link, which no routing can change, and its name."""
    node, up, down = graph.single_homed
    capacity = graph.topology.capacity_gbps
    best, words = 0.0, ""
    both = down >= 0
    for link, load in (
        (up, demand.sent_gbps[node].sum(axis=1)),
        (down[both], demand.received_gbps[node[both]].sum(axis=1)),
    ):
        if len(link):
            ratio = np.divide(load, capacity[link], out=np.zeros(len(link)), where=capacity[link] > 0)
            if ratio.max() * (1 - SAME) > best:
                words = f"the access link {graph.topology.link_name(int(link[highest(ratio)]))}"
            best = max(best, float(ratio.max()))
    return best, words
