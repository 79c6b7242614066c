"""Flows too many to be kept: hashed and walked a stretch at a time, all of them, and forgotten.

Loads are those that ``HashedFlows`` has, to rounding: a flow's header, its source port and the seeds of switches do not
depend on which other flows are at hand. Nothing is sampled. What needs all flows at once is not known: the paths of
single flows, and their max-min fair rates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fabric.routing.destination_flows import flows_by_destination
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.hashing.flow_entries import FlowEntries
from fabric.routing.hashing.flows import MOST_FLOWS, MOST_FLOWS_REPLICATED, check_draws
from fabric.routing.hashing.hashed_flows import HashedFlows
from fabric.routing.hashing.headers import Hashes, addresses, hashed_flows, node_seeds
from fabric.routing.hashing.walk import Walker
from fabric.routing.kernels import parallel_loads
from fabric.routing.router import DestinationFlows, PairTraffic, Routing, RoutingOptions
from topologies.columns import Bools, Floats, Ints

STRETCH = 1_000_000  # flows written out at once by each thread, some 50 bytes each


@dataclass(frozen=True, eq=False)
class StreamedFlows:
    """The flows of a phase, to be hashed by any seed without ever being written out together."""

    entries: FlowEntries
    walker: Walker
    dest: Ints  # shape (D,), destinations of the demand
    unreachable: Bools  # shape (nnz,)
    classes: int
    options: RoutingOptions

    @staticmethod
    def of(
        graph: RoutingGraph,
        demand: PhaseDemand,
        pairs: Sequence[PairTraffic],
        options: RoutingOptions,
    ) -> StreamedFlows:
        """Of all pairs; FP5002 when so many draws of their flows would take hours."""
        entries = FlowEntries.of(graph, pairs)
        check_draws(entries.flows, max(options.hash.replicas, options.draws))
        walker = Walker.of(graph, entries.table(0, 0), resilient=options.hash.resilient, destinations=len(demand.dest))
        unreachable = walker.entry_lengths(demand) < 0
        return StreamedFlows(entries, walker, demand.dest, unreachable, len(pairs), options)

    @property
    def whole_flows(self) -> bool:
        """Every flow stays on one path."""
        return True

    @cached_property
    def _addresses(self) -> NDArray[np.uint32]:
        return addresses(self.walker.graph.topology)

    def _add(self, stretch: tuple[int, int], seeds: Sequence[int], own: Hashes, loads: Floats) -> None:
        table = self.entries.table(*stretch)
        ends = (table.src_endpoint, table.dst_endpoint)
        drawn = hashed_flows(self._addresses, ends, table.name, self.options.hash, seeds, own)
        self.walker.add_flows(table, drawn, loads)

    def loads_gbps(self, seeds: Sequence[int]) -> Floats:
        """Offered load of every edge and class in every draw, shape (R, E, C)."""
        graph, stretches = self.walker.graph, self.entries.stretches(STRETCH)
        own, edges = node_seeds(graph, self.options.hash, seeds), len(graph.src)

        def work(first: int, last: int, loads: Floats) -> None:
            for stretch in stretches[first:last]:
                self._add(stretch, seeds, own, loads)

        loads = parallel_loads(len(stretches), (len(seeds) * edges, self.classes), work)
        return loads.reshape(len(seeds), edges, self.classes)

    def adder(self, seed: int) -> Callable[[int, Floats], None]:
        """What adds the flows of one draw to a destination of the demand, by its row, to loads of shape (E, C)."""
        own = node_seeds(self.walker.graph, self.options.hash, (seed,))
        return lambda row, loads: self._add(self.entries.to(int(self.dest[row])), (seed,), own, loads)

    def by_destination(self, seed: int) -> DestinationFlows | None:
        """Loads of one draw by destination; None where they would be too many rows."""
        return flows_by_destination(len(self.dest), len(self.walker.graph.src), self.classes, self.adder(seed))

    @property
    def _notes(self) -> tuple[str, ...]:
        """What is known of all flows, and how many of the draws asked for there are."""
        flows, asked, drawn = self.entries.flows, self.options.hash.replicas, self.options.draws
        notes = [f"{flows:,} flows hashed, every one of them; fair rates of single flows are not worked out"]
        if asked > drawn:
            notes.append(f"{drawn:,} of {asked:,} replicas drawn: the links of more do not fit in memory")
        return tuple(notes)

    def routing(self, seed: int) -> Routing:
        """Loads of one draw."""
        return Routing(
            "ecmp-hash",
            self.loads_gbps((seed,))[0],
            self.unreachable,
            flows=lambda: self.by_destination(seed),
            draws=self,
            packet_slowdown=self.options.hash.packet_slowdown,
            notes=self._notes,
        )

    def rates(self, first: int, count: int) -> Floats:
        """None: sharing links needs the paths of all flows at once."""
        return np.empty((3, 0))


def hashed_routing(
    graph: RoutingGraph,
    demand: PhaseDemand,
    pairs: Sequence[PairTraffic],
    options: RoutingOptions,
    *,
    most_listed: int,
) -> Routing:
    """The draw of the options' seed; flows are kept where they fit, and paths of ``most_listed`` edges listed."""
    flows, asked = sum(pair.flows.pairs * pair.flows_per_pair for pair in pairs), options.hash.replicas
    if flows > MOST_FLOWS or (asked > 1 and flows > MOST_FLOWS_REPLICATED):
        return StreamedFlows.of(graph, demand, pairs, options).routing(options.seed)
    return HashedFlows.of(graph, demand, pairs, options, most_listed=most_listed).routed()
