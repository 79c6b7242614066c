"""Flows in pieces, each of which switches send over a next hop of its own: flowlets.

A flow of b bytes is b / flowlet pieces (one at least), each hashed as a flow would be: random choice per flowlet, as
LetFlow has it (Vanini et al., "Let It Flow: Resilient Asymmetric Load Balancing with Flowlet Switching", NSDI 2017).
Their elasticity, by which slow paths see fewer of them, is left out, so that loads are rather too uneven than too even.

Up to ``MOST_PIECES`` pieces of a flow are walked one by one. More even out further: the load of a link then keeps the
mean of an equal split, and its distance from it shrinks with the root of the pieces, as that of a sum of independent
choices does. Steady traffic has no end and so no number of pieces: it is even.

With 1/k of a flow in each of k pieces, collisions cost the 1/k-th part of what those of whole flows do
(``packet_slowdown``), and 1 − 1/k of the packets meet uneven queues as sprayed ones do (``spray_efficiency``): one
piece is a hashed flow, pieces without end are sprayed packets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from fabric.routing.destination_flows import flows_by_destination
from fabric.routing.equal_split import ecmp_adder, ecmp_loads
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.hashing.flows import MOST_PIECES
from fabric.routing.hashing.hashed_flows import HashedFlows
from fabric.routing.router import DestinationFlows, PairTraffic, Routing, RoutingOptions
from fabric.routing.spraying import usable_part
from topologies.columns import Bools, Floats, column


def flow_bytes(traffic: PairTraffic) -> float:
    """Mean size of a class's flows, each weighted by its size as the unevenness of sums is; 0 without flows."""
    flows = traffic.flows
    total = float(flows.amount.sum()) + sum(block.pairs * block.amount for block in flows.blocks)
    squares = float((flows.amount**2).sum()) + sum(block.pairs * block.amount**2 for block in flows.blocks)
    return squares / total / traffic.flows_per_pair if total else 0.0


def pieces_per_flow(pairs: Sequence[PairTraffic], flowlet_bytes: float) -> Floats:
    """Pieces of a flow of every class, shape (C,), 1 at least; infinite of steady traffic."""
    return np.array([np.inf if one.steady else max(flow_bytes(one) / flowlet_bytes, 1.0) for one in pairs])


@dataclass(frozen=True, eq=False)
class FlowPieces:
    """The flows of a phase in pieces, to be hashed by any seed."""

    walked: HashedFlows
    demand: PhaseDemand
    unreachable: Bools  # shape (nnz,)
    even_gbps: Floats  # shape (E, C), of an equal split
    unevenness: Floats  # shape (C,), of all pieces over that of those walked
    usable: Floats  # shape (E,)
    packet_slowdown: float
    note: str

    @staticmethod
    def of(
        graph: RoutingGraph, demand: PhaseDemand, pairs: Sequence[PairTraffic], options: RoutingOptions
    ) -> FlowPieces:
        """Of all pairs; FP5002 when their pieces are too many to hash."""
        pieces = pieces_per_flow(pairs, options.adaptive.flowlet_bytes)
        count = np.minimum(np.ceil(pieces), MOST_PIECES).astype(int)
        parts = [replace(one, flows_per_pair=one.flows_per_pair * int(n)) for one, n in zip(pairs, count, strict=True)]
        walked = HashedFlows.of(graph, demand, parts, replace(options, rate_draws=None), most_listed=0)
        loads, unreachable = ecmp_loads(graph, demand)
        offered = demand.gbps.sum(axis=0)
        whole = float((offered / pieces).sum() / offered.sum()) if offered.sum() else 0.0
        efficiency = 1 - (1 - options.spray_efficiency) * (1 - whole)
        usable = usable_part(graph, demand, loads.sum(axis=1), efficiency, "equal")
        slowdown = 1 + (options.hash.packet_slowdown - 1) * float((1 / pieces).max(initial=0.0))
        finite = pieces[np.isfinite(pieces)]
        note = (
            f"flows in {float(finite.min()):,.0f} or more pieces, each hashed"
            if len(finite)
            else "even: flows without end"
        )
        return FlowPieces(
            walked,
            demand,
            unreachable,
            loads,
            np.sqrt(np.minimum(count / pieces, 1.0)),
            column(usable, np.float64),
            slowdown,
            note,
        )

    @property
    def whole_flows(self) -> bool:
        """A flow is on several paths."""
        return False

    def loads_gbps(self, seeds: Sequence[int]) -> Floats:
        """Offered load of every edge and class in every draw, shape (R, E, C)."""
        return np.asarray(self.even_gbps + (self.walked.loads_gbps(seeds) - self.even_gbps) * self.unevenness)

    def by_destination(self, seed: int) -> DestinationFlows | None:
        """Loads of one draw by destination; None where they would be too many rows."""
        graph, classes = self.walked.walker.graph, len(self.unevenness)
        even, hashed = ecmp_adder(graph, self.demand), self.walked.adder(seed)
        drawn = np.zeros((len(graph.src), classes))

        def add(row: int, loads: Floats) -> None:
            even(row, loads)
            drawn[:] = 0.0
            hashed(row, drawn)
            loads[:] = loads * (1 - self.unevenness) + drawn * self.unevenness

        return flows_by_destination(len(self.demand.dest), len(graph.src), classes, add)

    def routing(self, seed: int) -> Routing:
        """Loads of one draw; pieces have no paths that could be listed."""
        return Routing(
            "adaptive",
            self.loads_gbps((seed,))[0],
            self.unreachable,
            notes=(self.note,),
            usable=self.usable,
            flows=partial(self.by_destination, seed),
            draws=self,
            packet_slowdown=self.packet_slowdown,
        )

    def rates(self, first: int, count: int) -> Floats:
        """None: the rate of a flow in pieces is that of the fullest link at worst."""
        return np.empty((3, 0))
