"""The best routing and the best proof found so far, whatever the paths that traffic may take.

Loads follow from splits or paths, never from a solver's flows. Bounds hold for all paths that the policy allows,
whether a programme had a column for them or not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from fabric.optimise.arcs import Arcs
from fabric.optimise.carried import Carried
from fabric.optimise.cuts import best_cut
from fabric.optimise.proofs import highest, price_words, theta_bound
from fabric.optimise.route_space import OVER_PATHS, RouteSpace
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.progress import Progress
from fabric.routing.router import Certificate, RoutingOptions, Splits, access_bound
from topologies.columns import Bools, Floats
from topologies.units import percent

EXACT = 1e-9  # relative gap at which a bound counts as met


@dataclass
class Incumbent:
    """The best so far of one problem; ``theta`` is the utilisation of ``carried`` with its access links."""

    space: RouteSpace
    options: RoutingOptions
    access: float  # utilisation of the fullest access link, which no routing changes
    carried: Carried
    theta: float
    certificate: Certificate
    solver: str = ""
    notes: list[str] = field(default_factory=list)  # what else people must know
    began: float = field(default_factory=time.monotonic)

    @staticmethod
    def first(space: RouteSpace, options: RoutingOptions) -> Incumbent:
        """The routing to begin with, and the bounds that need no solver."""
        began = time.monotonic()
        access, words = access_bound(space.graph, space.demand)
        carried = space.first()
        theta = max(highest(space.graph, carried.edge_gbps), access)
        proof = Certificate(access, f"{words} carries at least {percent(access)}")
        best = Incumbent(space, options, access, carried, theta, proof, began=began)
        best.prove(best_cut(space.graph, space.demand, space.routable))
        if not best.certificate.lower_bound:
            best.certificate = Certificate(0.0, "nothing to route")
        return best

    @property
    def graph(self) -> RoutingGraph:
        """Where traffic goes."""
        return self.space.graph

    @property
    def demand(self) -> PhaseDemand:
        """What is sent."""
        return self.space.demand

    @property
    def arcs(self) -> Arcs:
        """Arcs whose capacity the paths use."""
        return self.space.arcs

    @property
    def routable(self) -> Bools:
        """Entries of the demand with an allowed path, shape (nnz,)."""
        return self.space.routable

    @property
    def gap(self) -> float:
        """Relative distance of the routing to the proof."""
        bound = self.certificate.lower_bound
        return max(self.theta / bound - 1, 0.0) if bound > 0 else 0.0

    @property
    def deadline(self) -> float:
        """When the time is used up, by ``time.monotonic()``."""
        return self.began + self.options.time_limit_s

    @property
    def done(self) -> bool:
        """Whether the gap asked for is reached."""
        return self.gap <= self.aim

    @property
    def aim(self) -> float:
        """Relative gap asked for, rounding aside."""
        return max(self.options.gap, EXACT)

    def prove(self, candidate: Certificate) -> None:
        """Keep a better proof."""
        if candidate.lower_bound > self.certificate.lower_bound:
            self.certificate = candidate

    def prove_prices(self, price: Floats) -> None:
        """Keep what prices of the edges prove, shape (E,), when it is more."""
        if not price.any():
            return
        bound = theta_bound(self.graph, self.demand, self.routable, price, self.space.least_prices(price))
        if bound > self.certificate.lower_bound:
            words = price_words(self.graph, price, bound) + OVER_PATHS[self.space.policy]
            self.certificate = Certificate(bound, words, price)

    def take(self, carried: Carried, *, room: float = 0.0) -> bool:
        """Keep a routing when its utilisation is at most ``room`` above the best; says whether."""
        theta = max(highest(self.graph, carried.edge_gbps), self.access)
        if theta > self.theta * (1 + room):
            return False
        self.theta, self.carried = theta, carried
        return True

    def take_splits(self, splits: Splits, *, room: float = 0.0) -> bool:
        """The same with splits over arcs."""
        return self.take(Carried.by_splits(self.arcs, self.demand, self.routable, splits), room=room)

    def report(self, text: str, theta: float | None = None, bound: float | None = None) -> None:
        """Tell who waits; better values than the incumbent's may be on their way."""
        self.options.report(
            Progress(
                text,
                theta=min(self.theta, theta) if theta is not None else self.theta,
                bound=max(self.certificate.lower_bound, bound or 0.0),
                seconds=time.monotonic() - self.began,
                limit_s=self.options.time_limit_s,
            )
        )
