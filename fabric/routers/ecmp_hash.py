"""ECMP as switches do it: every flow follows one path, each switch picking a next hop by a hash of the flow's header.

A pair's traffic is spread evenly over its transport flows (queue pairs). With few large flows some links draw several
and others none, which the fluid ``ecmp`` does not show. Loads are those of the options' seed; the answer's ``draws``
have those of any other. With ``replicas`` above 1, more draws of source ports and switch seeds say how badly single
flows fare: percentiles of the fullest link and of the worst flow's max-min fair rate.

``random`` hashes are ideal; ``crc16``, ``crc32`` and ``xor`` are computed over the header's bytes. With
``per_switch_seed`` off, all switches hash alike: the flows a switch receives are those that chose it, so that they
choose alike again and most of its next hops stay empty (polarisation). The choice is the hash modulo the number of
next hops, all weighing the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, PairTraffic, Routing, RoutingOptions
from fabric.routing.traits import RouterTraits
from topologies.columns import Bools, Floats
from topologies.registry import Injected
from topologies.units import format_seconds

if TYPE_CHECKING:
    from fabric.routing.hashing.headers import Draws
    from fabric.routing.hashing.replicas import Room
    from fabric.routing.hashing.walk import Walker

MOST_PATH_EDGES = 5_000_000  # paths longer than this in all are not listed


@ROUTERS.register(
    "ecmp-hash",
    example={},
    traits=RouterTraits(
        placement="hashed",
        rule="equal",
        ties="number",
        compared=5,
        stage="hashing",
        mean_router="ecmp",
        options=("hash",),
    ),
)
def ecmp_hash(
    graph: Injected[RoutingGraph],
    demand: Injected[PhaseDemand],
    pairs: Injected[Sequence[PairTraffic]],
    options: Injected[RoutingOptions],
) -> Routing:
    """One path per flow: every switch hashes it over its shortest next hops, with a seed of its own or the same."""
    from fabric.routing.hashing.flows import FlowTable
    from fabric.routing.hashing.replicas import Room, spread
    from fabric.routing.hashing.walk import Walker

    table = FlowTable.of(graph, pairs, options.hash.replicas)
    walker = Walker(graph, table)
    length, unreachable = walker.lengths(demand)
    room = Room(graph, table, length)
    hashed = HashedFlows(walker, room, unreachable, len(pairs), options)
    replicas = options.hash.replicas
    found, stopped = spread(room, walker, hashed.draw, options) if replicas > 1 else (None, False)
    note = f"the time limit of {format_seconds(options.time_limit_s)} left out the last of {replicas:,} replicas"
    return replace(hashed.routing(options.seed), spread=found, partial=stopped, notes=(note,) if stopped else ())


@dataclass(frozen=True, eq=False)
class HashedFlows:
    """The flows of a phase, to be hashed by any seed."""

    walker: Walker
    room: Room
    unreachable: Bools  # shape (nnz,)
    classes: int
    options: RoutingOptions

    def draw(self, seeds: Sequence[int]) -> Draws:
        """Hashes of all flows in the draws of ``seeds``."""
        from fabric.routing.hashing.headers import draw

        table = self.walker.table
        ends = (table.src_endpoint, table.dst_endpoint)
        return draw(self.walker.graph, ends, table.name, self.options.hash, seeds)

    def loads_gbps(self, seeds: Sequence[int]) -> Floats:
        """Offered load of every edge and class in every draw, shape (R, E, C)."""
        return self.walker.loads_gbps(self.draw(seeds), self.classes)

    def routing(self, seed: int) -> Routing:
        """Loads and paths of one draw."""
        from fabric.routing.hashing.replicas import flow_paths

        drawn = self.draw((seed,))
        listed = int(self.room.length.sum()) <= MOST_PATH_EDGES
        return Routing(
            "ecmp-hash",
            self.walker.loads_gbps(drawn, self.classes)[0],
            self.unreachable,
            paths=flow_paths(self.room, self.walker, drawn) if listed else None,
            draws=self,
            packet_slowdown=self.options.hash.packet_slowdown,
        )
