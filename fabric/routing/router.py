"""What a router is given and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from topologies.columns import Bools, Floats, Ints
from topologies.registry import Registry
from traffic.demands import Flows


@dataclass(frozen=True, eq=False)
class Splits:
    """Explicit loop-free routing: per destination, edges in topological order with parts of the source's traffic."""

    start: Ints  # shape (D + 1,)
    edge: Ints  # shape (nnz,)
    fraction: Floats  # shape (nnz,), those of one destination and source sum to 1


@dataclass(frozen=True, eq=False)
class Certificate:
    """Proof of how good a routing can be: no routing has a lower maximum utilisation than ``lower_bound``.

    ``price`` are non-negative prices of the graph's edges; Σ demand x distance / Σ capacity x price is the bound.
    ``witness`` says it in words.
    """

    lower_bound: float
    witness: str
    price: Floats | None = None


@dataclass(frozen=True, eq=False)
class Routing:
    """What a router answers for one phase."""

    router: str
    edge_gbps: Floats  # shape (E, C), offered
    unreachable: Bools  # shape (nnz,), entries of the demand without a path
    splits: Splits | None = None  # None: implicit (equal split over shortest paths)
    certificate: Certificate | None = None
    solver: str = ""
    partial: bool = False  # a limit stopped the solve
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PairTraffic:
    """The pairs of one traffic class, for routers that place single flows."""

    flows: Flows
    gbps_per_unit: float
    flows_per_pair: int


@dataclass(frozen=True)
class RoutingOptions:
    """What the scenario or the command line says about routing."""

    paths: str = "any"
    time_limit_s: float = 600.0
    gap: float = 1e-4
    seed: int = 0


RouterFunction = Callable[..., Routing]
ROUTERS: Registry[Routing] = Registry("router", "fabric.routing.routers")


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
            worst = int(np.argmax(ratio))
            if ratio[worst] > best:
                best = float(ratio[worst])
                words = f"the access link {graph.topology.link_name(int(link[worst]))}"
    return best, words
