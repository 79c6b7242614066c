"""The best routing and the best proof so far of the least maximum utilisation under a path policy.

Loads follow from splits or paths, never from a solver's flows. Bounds hold for all paths that the policy allows,
whether the programme had a column for them or not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fabric.optimise.certify import best_cut, price_words
from fabric.optimise.proofs import highest, theta_bound
from fabric.optimise.route_space import Carried, RouteSpace
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Certificate, access_bound
from topologies.columns import Floats
from topologies.units import percent


@dataclass
class PolicyIncumbent:
    """What is known so far; ``theta`` is the utilisation of ``carried`` with its access links."""

    graph: RoutingGraph
    demand: PhaseDemand
    space: RouteSpace
    over_paths: str  # appended to words about bounds that hold for some paths only
    access: float  # utilisation of the fullest access link, which no routing changes
    carried: Carried
    theta: float
    certificate: Certificate

    @staticmethod
    def first(graph: RoutingGraph, demand: PhaseDemand, space: RouteSpace, over_paths: str) -> PolicyIncumbent:
        """Every pair on one allowed path, and the bounds that need no solver."""
        access, words = access_bound(graph, demand)
        carried = space.carry(np.zeros(len(space.blocks.cost)), space.routable.astype(np.float64))
        proof = best_cut(graph, demand, space.routable)
        if access >= proof.lower_bound * (1 - 1e-12):
            proof = Certificate(access, f"{words} carries at least {percent(access)}")
        if not proof.lower_bound:
            proof = Certificate(0.0, "nothing to route")
        theta = max(highest(graph, carried.edge_gbps), access)
        return PolicyIncumbent(graph, demand, space, over_paths, access, carried, theta, proof)

    @property
    def gap(self) -> float:
        """Relative distance of the routing to the proof."""
        bound = self.certificate.lower_bound
        return max(self.theta / bound - 1, 0.0) if bound > 0 else 0.0

    def take(self, carried: Carried, *, room: float = 0.0) -> bool:
        """Keep a routing when its utilisation is at most ``room`` above the best; says whether."""
        theta = max(highest(self.graph, carried.edge_gbps), self.access)
        if theta > self.theta * (1 + room):
            return False
        self.theta, self.carried = theta, carried
        return True

    def prove(self, price: Floats) -> None:
        """Keep what prices of the edges prove, shape (E,), when it is more."""
        found = self.space.least_prices(price)
        bound = theta_bound(self.graph, self.demand, self.space.routable, price, found)
        if bound > self.certificate.lower_bound:
            words = price_words(self.graph, price, bound) + self.over_paths
            self.certificate = replace(self.certificate, lower_bound=bound, witness=words, price=price)
