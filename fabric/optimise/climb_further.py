"""Valley-free routings that climb higher than needed, where that lowers the maximum utilisation.

The programme over walkers with a state (see ``valley_free``) knows all valley-free paths, but a switch forwards by
destination alone: where its flows have a node send traffic up, or across, that it also receives in a later state, the
splits of that node would make valleys. Such a node then loses one of the two, whichever moves less traffic, and the
programme is solved again. The first programme proves a bound over all valley-free paths; the last gives splits.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from fabric.optimise.arc_pairs import ArcPairs
from fabric.optimise.flow_blocks import FlowBlocks, step_blocks
from fabric.optimise.flow_programmes import arc_prices, least_cost, least_utilisation
from fabric.optimise.incumbent import Incumbent
from fabric.optimise.route_space import ArcSpace
from fabric.optimise.solve import solve_programme
from fabric.optimise.valley_free import Mixture, StateSteps, arc_kinds, is_valley_free, mixtures
from fabric.routing.graph import PhaseDemand
from fabric.routing.router import Splits
from topologies.columns import Bools, Floats, Ints, column

MOST_COLUMNS = 50_000  # flow variables of walkers with a state
LOOKED_AT = 1_000_000  # destinations x steps, of which only some can be used
MAX_REPAIRS = 12
SLACK = 1e-9  # relative room the second step gets above the optimum
DUST = 1e-9  # flow below this part of a destination's demand is the solver's noise


@dataclass(frozen=True, eq=False)
class _Walks:
    """Columns of the programme: pairs (destination index, step), and the state-less arc of each."""

    space: ArcSpace
    states: StateSteps
    kind: Ints  # of every arc
    rows: Ints
    used: Ints

    @property
    def blocks(self) -> FlowBlocks:
        space = self.space
        steps, dest = self.states.steps, self.states.dest
        return step_blocks(steps, space.arcs, space.demand, dest, space.routable, self.rows, self.used)

    def without(self, found: list[Mixture]) -> _Walks:
        """The walks without what makes valleys at some nodes: their early steps out, or their late steps in."""
        arc = self.states.steps.arc[self.used]
        src, dst, kind = self.space.arcs.src[arc], self.space.arcs.dst[arc], self.kind[arc]
        keep = np.ones(len(self.used), dtype=np.bool_)
        for mix in found:
            mine = (self.rows == mix.row) & (arc >= 0)
            if mix.early_gbps <= mix.late_gbps:
                keep &= ~(mine & (src == mix.node) & (kind < mix.latest))
            else:
                keep &= ~(mine & (dst == mix.node) & (kind > mix.earliest))
        return replace(self, rows=self.rows[keep], used=self.used[keep])

    def merged(self, values: Floats, gbps_of_unit: Floats) -> tuple[Ints, Ints, Floats]:
        """Pairs (destination index, arc) with flow, and their Gbps over all states."""
        arc = self.states.steps.arc[self.used]
        real = (arc >= 0) & (values > DUST)
        key = self.rows[real].astype(np.int64) * len(self.space.arcs.src) + arc[real]
        pairs, code = np.unique(key, return_inverse=True)
        gbps = np.bincount(code, (values * gbps_of_unit)[real], len(pairs)).astype(np.float64)
        count = len(self.space.arcs.src)
        return column(pairs // count, np.int32), column(pairs % count, np.int32), gbps


def climb_further(best: Incumbent, space: ArcSpace) -> None:
    """Look for better splits and bounds than those that climb only as far as needed; small programmes only."""
    if space.states is None or len(space.demand.dest) * len(space.states.steps.src) > LOOKED_AT:
        return
    kind = arc_kinds(space.graph, space.arcs)
    walks = _all_walks(space, space.states, kind)
    for attempt in range(MAX_REPAIRS):
        if len(walks.used) > MOST_COLUMNS:
            return
        flows = _solve(best, walks, prove=attempt == 0)
        if flows is None:
            return
        rows, used, gbps = flows
        found = mixtures(space.arcs, kind, rows, used, gbps, space.demand.dest)
        if not found:
            _take(best, space, kind, rows, used, gbps)
            return
        walks = walks.without(found)


def _solve(best: Incumbent, walks: _Walks, *, prove: bool) -> tuple[Ints, Ints, Floats] | None:
    """Merged flows of least utilisation and then least cost; None when they are no better than the best routing."""
    everyone, blocks = walks.space.routable, walks.blocks
    programme = least_utilisation(blocks, everyone, scale=best.theta, least=best.access)
    solution = solve_programme(programme, time_limit_s=best.deadline - time.monotonic(), solver="highs")
    if solution.values is None:
        return None
    arcs = walks.space.arcs
    if prove:
        best.prove_prices(np.asarray(arc_prices(programme, solution, arcs.capacity_gbps)[arcs.of_edge]))
    theta = float(solution.values[-1]) * best.theta
    if theta >= best.theta * (1 - 1e-7):
        return None
    # Least cost leaves out cycles and detours, most of which would be mixtures.
    shorter = solve_programme(
        least_cost(blocks, everyone, most=theta * (1 + SLACK)),
        time_limit_s=best.deadline - time.monotonic(),
        solver="highs",
    )
    values = solution.values[: programme.flow_columns] if shorter.values is None else shorter.values
    return walks.merged(values, blocks.gbps_of_unit)


def _take(best: Incumbent, space: ArcSpace, kind: Ints, rows: Ints, used: Ints, gbps: Floats) -> None:
    """Keep the splits of merged flows if they are better, whole and without valleys."""
    narrow = space.over(ArcPairs(rows, used), complete=True)
    carried = narrow.carry(gbps / narrow.blocks.gbps_of_unit, space.routable.astype(np.float64))
    splits, graph = carried.splits, space.graph
    if splits is None or not is_valley_free(splits, graph.src, graph.dst, kind[space.arcs.of_edge]):
        return
    if is_whole(splits, graph.src, graph.dst, space.demand, space.routable, graph.nodes):
        best.take(carried)


def is_whole(splits: Splits, src: Ints, dst: Ints, demand: PhaseDemand, routable: Bools, nodes: int) -> bool:
    """Whether every node that sends or receives traffic to a destination has a way on."""
    row = np.repeat(np.arange(len(demand.dest), dtype=np.int64), np.diff(splits.start))
    sends = demand.row_of_entry[routable] * nodes + demand.src[routable]
    inner = dst[splits.edge] != demand.dest[row]
    receives = row[inner] * nodes + dst[splits.edge[inner]]
    return bool(np.isin(np.append(sends, receives), row * nodes + src[splits.edge]).all())


def _all_walks(space: ArcSpace, states: StateSteps, kind: Ints) -> _Walks:
    """All pairs (destination index, step) that a walker to the destination can use."""
    graph, arcs, demand, steps = space.graph, space.arcs, space.demand, states.steps
    dests, count = len(demand.dest), len(steps.src)
    rows, used = np.repeat(np.arange(dests), count), np.tile(np.arange(count), dests)
    arc, dest = steps.arc[used], demand.dest[rows]
    tail, head = arcs.src[arc], arcs.dst[arc]
    sends = np.zeros((dests, arcs.nodes), dtype=np.bool_)
    sends[np.repeat(np.arange(dests), np.diff(demand.start)), demand.src] = True
    inside = (tail != dest) & (~graph.is_terminal[head] | (head == dest))
    inside &= ~graph.is_terminal[tail] | sends[rows, tail]
    keep = np.where(arc >= 0, inside, steps.dst[used] == states.dest[rows])
    return _Walks(space, states, kind, column(rows[keep], np.int32), column(used[keep], np.int32))
