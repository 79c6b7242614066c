"""Reaction ``blackhole``: what is lost between a failure and its detection, before the network converges.

Until then every switch and host sends as it did when all was intact: what meets a dead link is lost, whole flows where
flows are hashed, of a fluid the part that is divided onto it. Degraded links lose nothing by this. Figures of links and
times of jobs are those after convergence; a job that loses anything waits at least for the time of detection once: its
collectives need every byte, and its NICs send again.

Of routers whose paths no table says (``valiant``, ``adaptive`` by flowlets) the loss is bounded from above: by what
enters dead links from nodes that are not wholly cut off, which counts what crosses two of them twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabric.failures.cases import Damage
from fabric.failures.engine import SweepPhase
from fabric.failures.hashed import HashedEngine, hashes_whole_flows
from fabric.failures.result import Hit
from fabric.routing.router import Routing, traits_of
from topologies.columns import Bools, Floats, Ints, Longs, column

if TYPE_CHECKING:
    from fabric.failures.table_walk import TableWalk

DETECTION_S = 0.9
DETECTION_SAID = "until a failure is noticed 0.9 s go by: BFD as FRR has it by default, 3 packets 300 ms apart"

# Dead links -> Gbps lost by traffic class, shape (C,), and pairs hit, shape (C,), -1 where they are not known.
LostBy = Callable[[Ints], tuple[Floats, Longs]]


@dataclass(frozen=True, eq=False)
class Losses:
    """What a phase loses while nobody knows of a failure."""

    phase: SweepPhase
    by_class: LostBy
    at_most: bool  # whether figures are bounds from above

    @staticmethod
    def of(phase: SweepPhase) -> Losses:
        """Of a phase as it is routed intact."""
        if hashes_whole_flows(phase):
            return Losses(phase, _of_flows(phase), at_most=False)
        walk = _as_tables(phase)
        if walk is not None:
            return Losses(phase, _of_tables(phase, walk), at_most=False)
        return Losses(phase, lambda dead: _bound(phase, dead), at_most=True)

    def hits(self, damage: Damage, case: int, detection_s: float) -> tuple[Hit, ...]:
        """Jobs that lose something in one case, in the order of the phase's classes."""
        dead = damage.of(case)[0]
        intact = self.phase.intact
        if not len(dead) or not intact.link_gbps[dead].any():
            return ()
        gbps, pairs = self.by_class(dead)
        hits: list[Hit] = []
        for job in dict.fromkeys(entry.job for entry in intact.classes):
            mine = [code for code, entry in enumerate(intact.classes) if entry.job == job]
            if gbps[mine].sum() > 0:
                lost = sum(float(gbps[code]) * self._seconds(code, detection_s) for code in mine)
                count = None if (pairs[mine] < 0).any() else int(pairs[mine].sum())
                hits.append(
                    Hit(
                        job,
                        self.phase.fabric,
                        self.phase.phase,
                        float(gbps[mine].sum()),
                        lost * 1e9 / 8,
                        count,
                        self.at_most,
                    )
                )
        return tuple(hits)

    def _seconds(self, code: int, detection_s: float) -> float:
        """How long a class loses at its offered rate: of a phase that ends before detection, no longer than it takes.

        A phase whose fullest link is offered more than it carries takes longer, and offers less at a time.
        """
        entry, intact = self.phase.intact.classes[code], self.phase.intact
        if entry.steady:
            return detection_s
        window_s = intact.window_s.get(entry.job, 0.0)
        return min(window_s, detection_s / max(intact.max_utilisation, 1.0))


def _of_flows(phase: SweepPhase) -> LostBy:
    """Whole flows whose paths cross a dead link, in the draw of the hash that is shown."""
    engine = HashedEngine.of(phase)
    flows, routes = engine.flows, engine.routes
    codes = _class_of_flows(phase, engine)
    count = len(phase.intact.classes)

    def lost(dead: Ints) -> tuple[Floats, Longs]:
        lists = [routes.listed[routes.list_start[link] : routes.list_start[link + 1]] for link in dead.tolist()]
        hit = np.unique(np.concatenate(lists))
        gbps = np.bincount(codes[hit], flows.amount[hit] * engine.part_gbps, count)
        pair, first = np.unique(flows.pair[hit], return_index=True)
        assert len(pair) == len(first)
        return column(gbps, np.float64), column(np.bincount(codes[hit][first], minlength=count), np.int64)

    return lost


def _class_of_flows(phase: SweepPhase, engine: HashedEngine) -> Ints:
    """Traffic class of every flow, shape (F,)."""
    from fabric.routing.hashing.flows import FlowTable

    return column(FlowTable.of(engine.prepared.graph, engine.prepared.pairs).code, np.int32)


def _as_tables(phase: SweepPhase) -> TableWalk | None:
    """The routing of a phase as decisions of nodes, undivided by what groups could hold; None where it is none."""
    from fabric.failures.table_columns import table_columns
    from fabric.failures.table_walk import TableWalk
    from fabric.routing.table_options import TableOptions
    from fabric.routing.tables.programme import programme
    from fabric.routing.tables.table_decisions import table_decisions

    traits, routed = traits_of(phase.router), phase.intact.routed
    if routed is None or not traits.programmable or traits.placement == "placed" or traits.takes_granularity:
        return None
    routing: Routing = routed.routing
    if routing.admitted is not None:
        return None
    decisions = table_decisions(phase.router, routed.graph, routed.demand, routing)
    made = programme(decisions, TableOptions(carrier="exact"))
    columns = table_columns(made, routed.pairs, parts=decisions.fraction)
    if traits.endpoint_ports is not None and columns.is_host.any():
        return None
    return TableWalk(columns, routed.pairs, "lost", "exact", frozen=True)


def _of_tables(phase: SweepPhase, walk: TableWalk) -> LostBy:
    def lost(dead: Ints) -> tuple[Floats, Longs]:
        carried = walk.carry(dead)
        return column(carried.lost_gbps + carried.unsent_gbps, np.float64), carried.hit

    return lost


def _bound(phase: SweepPhase, dead: Ints) -> tuple[Floats, Longs]:
    """What enters dead links from nodes that traffic still reaches or starts at."""
    topology, loads = phase.topology, phase.intact.link_gbps
    links, gone = topology.links, np.zeros(len(topology.links), dtype=np.bool_)
    gone[dead] = True
    reached: Bools = np.zeros(len(topology.nodes), dtype=np.bool_)
    reached[links.dst[topology.up & ~gone]] = True
    reached |= topology.nodes.nics > 0
    first = dead[reached[links.src[dead]]]
    return column(loads[first].sum(axis=0), np.float64), column(np.full(loads.shape[1], -1), np.int64)


def hits_of(losses: tuple[Losses, ...], damage: dict[str, Damage], case: int, detection_s: float) -> tuple[Hit, ...]:
    """What every job loses in one case, phase by phase."""
    return tuple(hit for each in losses for hit in each.hits(damage[each.phase.fabric], case, detection_s))
