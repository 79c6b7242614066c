"""A routing of what is admitted, and the loads that splits make: demand propagated, never a solver's flows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.routing.graph import PhaseDemand
from fabric.routing.kernels import parallel_loads, split_slice
from fabric.routing.router import FlowPaths, Splits
from topologies.columns import Bools, Floats


@dataclass(frozen=True, eq=False)
class Carried:
    """Loads of the graph's edges, with the splits or the paths that make them; neither for equal splitting."""

    edge_gbps: Floats  # shape (E, C)
    splits: Splits | None
    paths: FlowPaths | None = None

    @staticmethod
    def by_splits(arcs: Arcs, demand: PhaseDemand, routable: Bools, splits: Splits) -> Carried:
        """What demand makes when it follows splits over arcs."""
        loads = split_loads(arcs, demand, splits, routable)
        return Carried(arcs.edge_loads(loads), arcs.edge_splits(splits))


def split_loads(arcs: Arcs, demand: PhaseDemand, splits: Splits, routable: Bools) -> Floats:
    """Offered Gbps per arc and class when demand follows splits over arcs, shape (A, C)."""
    gbps = np.where(routable[:, None], demand.gbps, 0.0)
    stranded = np.zeros((len(demand.dest), arcs.nodes), dtype=np.bool_)

    def work(first: int, last: int, loads: Floats) -> None:
        split_slice(first, last, arcs.src, arcs.dst, splits.columns, demand.rows, gbps, loads, stranded)

    return parallel_loads(len(demand.dest), (len(arcs.src), demand.gbps.shape[1]), work)
