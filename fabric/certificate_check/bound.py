"""Lower bounds from prices: shortest paths, one sum over the demand and one over the links.

For prices w ≥ 0 of the edges, traffic pays at least demand x distance, and no edge earns more than utilisation x
capacity x price. So every routing has a highest utilisation of at least Σ demand x dist_w / Σ capacity x w.
"""

from __future__ import annotations

import numpy as np

from fabric.certificate_check.columns import Floats
from fabric.certificate_check.demand import PointDemand
from fabric.certificate_check.network import Network
from fabric.certificate_check.walk import cheapest_on, distances_to, on_shortest


def priced_bound(network: Network, demand: PointDemand, price: Floats, *, shortest_only: bool) -> float:
    """What prices prove; with ``shortest_only`` of routings over paths of least weight, else of all.

    Parameters
    ----------
    price : ndarray, shape (E,)
        Per Gbps of an edge; any unit.

    Returns
    -------
    float
        Utilisation; 0 when no edge with capacity has a price.
    """
    earned = float((network.capacity_gbps * price).sum())
    if earned <= 0:
        return 0.0
    paid = 0.0
    for number, distance in distances_to(network, network.weight if shortest_only else price, demand.dest):
        if shortest_only:
            edges = np.flatnonzero(on_shortest(network, distance))
            distance = cheapest_on(network, edges, price, int(demand.dest[number]))
        entries = slice(int(demand.start[number]), int(demand.start[number + 1]))
        far = distance[demand.src[entries]]
        # Demand without a path is refuted elsewhere; here it proves nothing.
        paid += float((demand.gbps[entries] * np.where(np.isfinite(far), far, 0.0)).sum())
    return paid / earned
