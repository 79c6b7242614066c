"""What prices prove about utilisation, throughput, levels and cost, whatever a solver reports: weak duality.

For any prices w ≥ 0 of the edges, with dist_w(e) the least price of an allowed path of entry e and n[e] its Gbps, every
routing that admits the parts x[e] and fills no edge above the part τ of its capacity c has

* Σ n x dist_w ≤ τ Σ c w: traffic pays at least the cheapest path, and no edge earns more than capacity · price;
* maximum utilisation of all demand: θ ≥ Σ n · dist_w / Σ c w;
* throughput: Σ n x ≤ Σ c w + Σ n · max(0, 1 − dist_w), as the second sum is the most that Σ n x (1 − dist_w) can be;
* level of the entries U that rise together: t ≤ (Σ c w − Σ_{e not in U} n x dist_w) / Σ_{e in U} n dist_w;
* cost of all demand: Σ length · Gbps ≥ Σ n · dist_{length + w} − τ Σ c w.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import parallel_rows, priced_distances, priced_shortest_distances
from fabric.routing.router import LevelStage, edge_utilisation
from topologies.columns import Bools, Floats
from topologies.units import percent

_FEW = 3  # links named
_WORTH = 1e-6  # price times capacity, beside the dearest, that counts


def entry_prices(graph: RoutingGraph, demand: PhaseDemand, price: Floats, *, shortest_only: bool = False) -> Floats:
    """Least price of a path per entry of the demand, shape (nnz,); ``inf`` without a path."""
    net, by_slot, rows = graph.inward, price[graph.into.edge], demand.rows
    least = np.zeros(len(demand.src))

    def work(first: int, last: int) -> None:
        if shortest_only:
            priced_shortest_distances(first, last, net, by_slot, rows, least)
        else:
            priced_distances(first, last, net.start, net.tail, by_slot, rows, least)

    parallel_rows(len(demand.dest), work)
    return least


def paid_gbps(demand: PhaseDemand, routable: Bools, found: Floats) -> Floats:
    """Gbps x price of every entry when all of it is admitted, shape (nnz,); 0 where it has no path."""
    return np.asarray(np.where(routable & np.isfinite(found), found, 0.0) * demand.total_gbps)


def theta_bound(graph: RoutingGraph, demand: PhaseDemand, routable: Bools, price: Floats, found: Floats) -> float:
    """Least maximum utilisation of all demand; 0 when nothing has a price."""
    earned = float((graph.capacity_gbps * price).sum())
    return float(paid_gbps(demand, routable, found).sum()) / earned if earned > 0 else 0.0


def throughput_bound(graph: RoutingGraph, demand: PhaseDemand, routable: Bools, price: Floats, found: Floats) -> float:
    """Most Gbps that can be admitted."""
    spare = np.where(routable, np.maximum(1.0 - np.where(np.isfinite(found), found, 1.0), 0.0), 0.0)
    return float((graph.capacity_gbps * price).sum()) + float((spare * demand.total_gbps).sum())


def level_bound(
    graph: RoutingGraph, demand: PhaseDemand, rising: Bools, level: Floats, price: Floats, found: Floats
) -> float:
    """Highest part, at most 1, that all ``rising`` entries can reach while the others stay at ``level``."""
    paid = paid_gbps(demand, np.ones(len(rising), dtype=np.bool_), found)
    worth = float(paid[rising].sum())
    if worth <= 0:
        return 1.0
    left = float((graph.capacity_gbps * price).sum()) - float((paid * level)[~rising].sum())
    return min(1.0, max(left, 0.0) / worth)


def levels_gap(
    graph: RoutingGraph,
    demand: PhaseDemand,
    routable: Bools,
    admitted: Floats,
    stages: Sequence[LevelStage],
    least_prices: Callable[[Floats], Floats],
) -> float:
    """How much more, relative to its part, any entry could get at most while none that has less loses.

    The prices of the stage that stopped entry e leave it level + s / (n[e] dist[e]); see ``LevelStage``.
    """
    ceiling, rising = np.where(routable, 1.0, 0.0), routable.copy()
    for stage in stages:
        paid = paid_gbps(demand, routable, least_prices(stage.price))
        before, level = routable & ~rising, float(admitted[rising].min(initial=1.0))
        left = float((graph.capacity_gbps * stage.price).sum())
        left -= float((paid * admitted)[before].sum()) + level * float(paid[rising].sum())
        own = paid[stage.stopped]
        spare = np.divide(max(left, 0.0), own, out=np.full(len(own), np.inf), where=own > 0)
        ceiling[stage.stopped] = np.minimum(level + spare, 1.0)
        rising[stage.stopped] = False
    cut = routable & (admitted < 1 - 1e-9)
    with np.errstate(divide="ignore"):
        return float(np.maximum(ceiling[cut] / admitted[cut] - 1, 0.0).max(initial=0.0))


def cost_bound(
    graph: RoutingGraph, demand: PhaseDemand, routable: Bools, price: Floats, found: Floats, most: float
) -> float:
    """Least Σ weight x Gbps with utilisation at most ``most``; ``found`` is by weight plus price."""
    return float(paid_gbps(demand, routable, found).sum()) - most * float((graph.capacity_gbps * price).sum())


def priced_names(graph: RoutingGraph, price: Floats) -> str:
    """The links that prices single out, the most valuable first."""
    worth = price * graph.capacity_gbps
    priced = np.flatnonzero(worth > _WORTH * worth.max(initial=0.0))
    if not len(priced):
        return "no link"
    top = priced[np.argsort(-worth[priced], kind="stable")][:_FEW]
    names = ", ".join(graph.edge_name(int(edge)) for edge in top)
    more = f" and {len(priced) - len(top)} more" if len(priced) > len(top) else ""
    return f"{len(priced)} link{'s' if len(priced) > 1 else ''} ({names}{more})"


def price_words(graph: RoutingGraph, price: Floats, bound: float) -> str:
    """What the links that prices single out have to carry."""
    worth = price * graph.capacity_gbps
    one = int((worth > _WORTH * worth.max(initial=0.0)).sum()) == 1
    return f"{priced_names(graph, price)} {'fills up' if one else 'fill up together'}: at least {percent(bound)}"


def highest(graph: RoutingGraph, edge_gbps: Floats) -> float:
    """Utilisation of the fullest edge."""
    return float(edge_utilisation(graph, edge_gbps).max(initial=0.0))
