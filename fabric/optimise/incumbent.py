"""The best routing and the best proof found so far; loads are always propagated from the split fractions."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import parallel_loads, split_slice
from fabric.routing.progress import Progress
from fabric.routing.router import Certificate, RoutingOptions, Splits, edge_utilisation
from topologies.columns import Bools, Floats


def split_loads(arcs: Arcs, demand: PhaseDemand, splits: Splits, routable: Bools) -> Floats:
    """Offered Gbps per arc and class when demand follows splits over arcs, shape (A, C)."""
    gbps = np.where(routable[:, None], demand.gbps, 0.0)
    stranded = np.zeros((len(demand.dest), arcs.nodes), dtype=np.bool_)

    def work(first: int, last: int, loads: Floats) -> None:
        split_slice(first, last, arcs.src, arcs.dst, splits.columns, demand.rows, gbps, loads, stranded)

    return parallel_loads(len(demand.dest), (len(arcs.src), demand.gbps.shape[1]), work)


@dataclass
class Incumbent:
    """The best so far of one problem; ``splits`` are over arcs, None for equal splitting over shortest paths."""

    graph: RoutingGraph
    demand: PhaseDemand
    routable: Bools  # shape (nnz,)
    arcs: Arcs
    access: float  # utilisation of the fullest access link, which no routing changes
    theta: float
    edge_gbps: Floats
    certificate: Certificate
    options: RoutingOptions
    splits: Splits | None = None
    solver: str = ""
    began: float = field(default_factory=time.monotonic)

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
        return self.gap <= self.options.gap

    def prove(self, candidate: Certificate) -> None:
        """Keep a better proof."""
        if candidate.lower_bound > self.certificate.lower_bound:
            self.certificate = candidate

    def take(self, splits: Splits, *, room: float = 0.0) -> bool:
        """Keep splits over arcs when their utilisation is at most ``room`` above the best; says whether."""
        edge_gbps = self.arcs.edge_loads(split_loads(self.arcs, self.demand, splits, self.routable))
        theta = max(float(edge_utilisation(self.graph, edge_gbps).max(initial=0.0)), self.access)
        if theta > self.theta * (1 + room):
            return False
        self.theta, self.edge_gbps, self.splits = theta, edge_gbps, splits
        return True

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
