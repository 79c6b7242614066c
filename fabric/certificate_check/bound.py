"""Bounds from prices: shortest paths, one sum over the demand and one over the links.

For prices w ≥ 0 of the edges, traffic pays at least demand x distance, and no edge earns more than utilisation x
capacity x price. With n the Gbps offered, x the parts admitted and c the capacities, every routing has

* a highest utilisation of at least Σ n dist_w / Σ c w;
* within capacity, Σ n x ≤ Σ c w + Σ n max(0, 1 - dist_w) Gbps admitted;
* parts t of all entries alike of at most Σ c w / Σ n dist_w;
* with no edge above τ, a cost Σ weight x Gbps of at least Σ n dist_{weight + w} - τ Σ c w.

Distances are ``far``, over the paths that the policy allows; entries without one are refuted elsewhere, or cannot be
admitted, and prove nothing. Prices whose sums overflow prove nothing either, and where sums cancel, what rounding may
have added is taken off: no choice of prices proves more than is true.
"""

from __future__ import annotations

import numpy as np

from fabric.certificate_check.columns import Floats
from fabric.certificate_check.demand import PointDemand
from fabric.certificate_check.network import Network


def paid_gbps(demand: PointDemand, far: Floats) -> Floats:
    """Gbps offered x distance of every entry, shape (nnz,); 0 without a path."""
    return demand.offered_gbps * np.where(np.isfinite(far), far, 0.0)


def earned_gbps(network: Network, price: Floats) -> float:
    """Σ capacity x price."""
    return float((network.capacity_gbps * price).sum())


def rounding(network: Network) -> float:
    """Relative error of a sum of prices along a path of any number of edges, and of such sums over the demand."""
    return float(np.finfo(np.float64).eps) * (network.points + 64)


def utilisation_bound(network: Network, demand: PointDemand, price: Floats, far: Floats) -> float:
    """Least highest utilisation; 0 when no edge with capacity has a price."""
    earned, paid = earned_gbps(network, price), float(paid_gbps(demand, far).sum())
    return paid / earned if earned > 0 and np.isfinite(paid) else 0.0


def throughput_bound(network: Network, demand: PointDemand, price: Floats, far: Floats) -> float:
    """Most Gbps that can be admitted."""
    spare = np.where(np.isfinite(far), np.maximum(1.0 - far, 0.0), 0.0)
    offered = float(demand.offered_gbps[np.isfinite(far)].sum())
    found = earned_gbps(network, price) + float((demand.offered_gbps * spare).sum())
    return min(offered, found + rounding(network) * offered)


def level_bound(network: Network, demand: PointDemand, price: Floats, far: Floats) -> float:
    """Highest part that all entries with a path can have at once."""
    worth = float(paid_gbps(demand, far).sum())
    return min(1.0, earned_gbps(network, price) / worth) if worth > 0 and np.isfinite(worth) else 1.0


def cost_bound(network: Network, demand: PointDemand, price: Floats, far: Floats, most: float) -> float:
    """Least Σ weight x Gbps with no edge above ``most``; ``far`` is by weight plus price."""
    paid, earned = float(paid_gbps(demand, far).sum()), earned_gbps(network, price)
    spent = most * earned if earned > 0 else 0.0
    found = paid - spent - rounding(network) * (paid + spent)
    return max(found, 0.0) if np.isfinite(found) else 0.0
