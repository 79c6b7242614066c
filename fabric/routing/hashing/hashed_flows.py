"""The flows of a phase as switches hash them: their loads, paths and fair rates in the draw of any seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from fabric.routing.destination_flows import flows_by_destination
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.hashing.flows import FlowTable
from fabric.routing.hashing.headers import Draws, draw
from fabric.routing.hashing.replicas import Room, flow_paths, rates, spread
from fabric.routing.hashing.walk import Walker
from fabric.routing.router import DestinationFlows, PairTraffic, Routing, RoutingOptions
from topologies.columns import Bools, Floats, Ints
from topologies.units import format_seconds

_MOST_KEPT = 2_000_000  # hashes of flows kept for the next who asks, 8 bytes each


class _Drawn(NamedTuple):
    """Draws by their seeds."""

    numbers: tuple[int, ...]
    draws: Draws


@dataclass(frozen=True, eq=False)
class HashedFlows:
    """The flows of a phase, to be hashed by any seed."""

    walker: Walker
    room: Room
    dest: Ints  # shape (D,), destinations of the demand
    unreachable: Bools  # shape (nnz,)
    classes: int
    options: RoutingOptions
    most_listed: int  # edges; paths longer than this in all are not listed
    _drawn: _Drawn | None = field(
        default=None, init=False, repr=False
    )  # the last that were many: rates and loads share

    @staticmethod
    def of(
        graph: RoutingGraph,
        demand: PhaseDemand,
        pairs: Sequence[PairTraffic],
        options: RoutingOptions,
        *,
        most_listed: int,
    ) -> HashedFlows:
        """Of all pairs; FP5002 when their flows are too many to hash."""
        table = FlowTable.of(graph, pairs, options.hash.replicas)
        walker = Walker.of(graph, table, resilient=options.hash.resilient)
        length, unreachable = walker.lengths(demand)
        return HashedFlows(
            walker, Room(graph, table, length), demand.dest, unreachable, len(pairs), options, most_listed
        )

    @property
    def whole_flows(self) -> bool:
        """Every flow stays on one path."""
        return True

    def draw(self, seeds: Sequence[int]) -> Draws:
        """Hashes of all flows in the draws of ``seeds``; few that were asked for before are kept."""
        table, known = self.walker.table, self._drawn
        row_of = {seed: row for row, seed in enumerate(known.numbers)} if known is not None else {}
        if known is not None and all(seed in row_of for seed in seeds):
            return known.draws.of_rows([row_of[seed] for seed in seeds])
        ends = (table.src_endpoint, table.dst_endpoint)
        drawn = draw(self.walker.graph, ends, table.name, self.options.hash, seeds)
        if len(seeds) * table.flows <= _MOST_KEPT and len(seeds) >= len(row_of):
            object.__setattr__(self, "_drawn", _Drawn(tuple(seeds), drawn))
        return drawn

    def loads_gbps(self, seeds: Sequence[int]) -> Floats:
        """Offered load of every edge and class in every draw, shape (R, E, C)."""
        return self.walker.loads_gbps(self.draw(seeds), self.classes)

    def adder(self, seed: int) -> Callable[[int, Floats], None]:
        """What adds the flows of one draw to a destination of the demand, by its row, to loads of shape (E, C)."""
        return self.walker.adder(self.draw((seed,)), self.dest)

    def by_destination(self, seed: int) -> DestinationFlows | None:
        """Loads of one draw by destination; None where they would be too many rows."""
        return flows_by_destination(len(self.dest), len(self.walker.graph.src), self.classes, self.adder(seed))

    def routing(self, seed: int) -> Routing:
        """Loads and paths of one draw."""
        drawn = self.draw((seed,))
        listed = int(self.room.length.sum()) <= self.most_listed
        if listed:
            loads, links = self.room.loads_and_paths(self.walker, drawn, self.classes)
        else:
            loads, links = self.walker.loads_gbps(drawn, self.classes), None
        return Routing(
            "ecmp-hash",
            loads[0],
            self.unreachable,
            paths=None if links is None else flow_paths(self.room, links[0]),
            flows=None if listed else partial(self.by_destination, seed),
            draws=self,
            packet_slowdown=self.options.hash.packet_slowdown,
        )

    def rates(self, first: int, count: int) -> Floats:
        """Fullest link, and worst and mean rate of the flows, in draws from the seed ``first`` on, shape (3, count)."""
        return rates(self.room, self.walker, self.draw, replace(self.options, seed=first), count)[0]

    def routed(self) -> Routing:
        """The draw of the options' seed, with the fair rates of so many draws as the options say."""
        options = self.options
        asked = options.hash.replicas
        wanted = asked if asked > 1 else options.rate_draws or 0
        fair, stopped = spread(self.room, self.walker, self.draw, options, wanted) if wanted else (None, False)
        note = f"the time limit of {format_seconds(options.time_limit_s)} left out the last of {wanted:,} replicas"
        return replace(self.routing(options.seed), spread=fair, partial=stopped, notes=(note,) if stopped else ())
