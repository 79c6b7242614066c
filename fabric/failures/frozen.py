"""Frozen groups, every case on its own: the measure for the engine that follows only what a case changes.

Nothing is routed again. Every node leaves out next hops that are dead and divides over the others as before; where none
is left, its traffic is lost there. Endpoints without a link send nothing; what others send them goes as far as it can.
A pair is unreachable when any of its traffic is lost, and its job is cut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fabric.evaluation.phases import PreparedPhase
from fabric.failures.cases import Damage, joined
from fabric.failures.engine import LinkWorst, Outcomes, SweepPhase
from fabric.failures.frozen_splits import efficiency_of, frozen_splits, link_of_edge, prepared_of
from fabric.failures.plain import damaged_topology
from fabric.routing.compiled import compiled
from fabric.routing.graph import phase_demand
from fabric.routing.router import Splits
from fabric.routing.utilisation import SAME, fullest, over_capacity
from topologies.columns import Bools, Floats, Ints, Longs, column
from traffic.demands import Flows


@compiled
def _walk_frozen(
    src: Ints, dst: Ints, start: Longs, edge: Ints, part: Floats, dead: Bools, dest: int, amount: Floats, loads: Floats,
    arrives: Floats, lost: Bools,
) -> None:  # fmt: skip
    """One destination: ``amount`` (V, C + 1) enters, ``loads`` (E, C + 1) grow; what arrives from every node."""
    total = np.zeros(len(arrives))
    alive = np.zeros(len(arrives))
    for place in range(start[0], start[1]):
        total[src[edge[place]]] += part[place]
        if not dead[edge[place]]:
            alive[src[edge[place]]] += part[place]
    last = amount.shape[1] - 1
    for place in range(start[0], start[1]):
        one = edge[place]
        if dead[one]:
            continue
        share = part[place] / alive[src[one]]
        for code in range(last + 1):
            if code == last and share < 1.0:
                continue
            loads[one, code] += amount[src[one], code] * share
            amount[dst[one], code] += amount[src[one], code] * share
    arrives[:] = 0.0
    lost[:] = True
    arrives[dest], lost[dest] = 1.0, False
    for place in range(start[1] - 1, start[0] - 1, -1):
        one = edge[place]
        if not dead[one]:
            share = part[place] / alive[src[one]]
            if arrives[src[one]] == 0.0 and lost[src[one]]:
                lost[src[one]] = False
            arrives[src[one]] += share * arrives[dst[one]]
    for place in range(start[1] - 1, start[0] - 1, -1):
        if not dead[edge[place]] and lost[dst[edge[place]]]:
            lost[src[edge[place]]] = True


@dataclass(frozen=True, eq=False)
class _Answer:
    """One case: offered load of every link and class, its utilisation, and pairs that lose something, by class."""

    link_gbps: Floats
    utilisation: Floats
    up: Bools
    pairs: Longs


@dataclass(frozen=True, eq=False)
class FrozenEngine:
    """Every case walked anew along the intact splits."""

    phase: SweepPhase
    prepared: PreparedPhase  # every endpoint of several links a node of its own
    splits: Splits
    before: Damage | None = None

    @staticmethod
    def of(phase: SweepPhase) -> FrozenEngine:
        """Of a phase whose router splits by destination; others are refused."""
        prepared = prepared_of(phase)
        return FrozenEngine(phase, prepared, frozen_splits(phase, prepared))

    def outcomes(self, damage: Damage, worst: LinkWorst, first: int = 0) -> Outcomes:
        """Every case of ``damage``; ``worst`` takes them in, numbered from ``first`` on."""
        jobs, intact = self.phase.jobs, self.phase.intact
        whole = Outcomes.empty(len(damage), len(jobs))
        for case in range(len(damage)):
            answer = self._case(damage, case)
            hottest = fullest(answer.utilisation)
            whole.max_utilisation[case] = answer.utilisation.max(initial=0.0)
            whole.hottest[case] = -1 if hottest is None else hottest
            whole.links_over_capacity[case] = over_capacity(answer.utilisation).sum()
            whole.unreachable_pairs[case] = intact.unreachable_pairs + answer.pairs.sum()
            hurt = {entry.job for entry, pairs in zip(intact.classes, answer.pairs, strict=True) if pairs}
            for at, (job, steady) in enumerate(jobs):
                mine = [entry.job == job and entry.steady == steady for entry in intact.classes]
                carried = (answer.link_gbps[:, mine] > 0).any(axis=1)
                whole.peak[case, at] = answer.utilisation[carried].max(initial=0.0)
                whole.cut[case, at] = job in intact.jobs_cut or job in hurt
            same = np.isclose(answer.utilisation, intact.utilisation, rtol=SAME, atol=0.0)
            changed = np.flatnonzero(answer.up & ~same)
            worst.add(first + case, changed.astype(np.int32), answer.utilisation[changed])
        return whole

    def utilisation(self, damage: Damage, case: int) -> Floats:
        """Offered over capacity of every link in one case, shape (L,)."""
        return self._case(damage, case).utilisation

    def damaged(self, damage: Damage, case: int) -> FrozenEngine:
        """The same phase with a case's damage already done."""
        more = damage.slice(case, case + 1)
        return replace(self, before=more if self.before is None else joined(more, self.before))

    def _case(self, damage: Damage, case: int) -> _Answer:
        """Walk one case."""
        one = damage.slice(case, case + 1)
        topology = damaged_topology(self.phase.topology, one if self.before is None else joined(one, self.before), 0)
        graph, pairs = self.prepared.graph, self.prepared.pairs
        dead = ~topology.up[link_of_edge(graph)]
        cut = _cut_off(topology.links.src, topology.links.dst, topology.up, topology.nodes.forwards)
        flows = [_without(pair.flows, cut) for pair in pairs]
        demand = phase_demand(graph, flows, [pair.gbps_per_unit for pair in pairs])
        loads, arrives, lost = self._walk(dead, demand.dest, demand.start, demand.src, demand.gbps)
        received = np.zeros_like(demand.received_gbps)
        hurt = np.zeros(len(pairs), np.int64)
        row_of = np.full(graph.nodes, -1)
        row_of[demand.dest] = np.arange(len(demand.dest))
        for code, pair in enumerate(pairs):
            src, dst, amount = pair.flows.rows()
            row, node = row_of[graph.sink[dst]], graph.source[src]
            local = graph.sink[dst] == node
            part = np.where(local, 1.0, np.where(row >= 0, arrives[row, node], 0.0))
            gone = cut[src] | cut[dst] | (~local & ((row < 0) | lost[row, node]))
            part = np.where(cut[src] | cut[dst], 0.0, part)
            hurt[code] = gone.sum()
            received[:, code] = np.bincount(dst, amount * part * pair.gbps_per_unit, len(cut))
        link_gbps = graph.link_loads(loads, _with_last(demand.sent_gbps), _with_last(received))
        link_gbps[~topology.up] = 0.0
        room = link_gbps[:, :-1].sum(axis=1)
        core = np.zeros(len(room), np.bool_)
        core[graph.link_of[graph.link_of >= 0]] = True
        extra = 1 / efficiency_of(self.phase) - 1
        room = room + np.where(core, np.maximum(room - link_gbps[:, -1], 0.0) * extra, 0.0)
        ratio = np.divide(room, topology.capacity_gbps, out=np.zeros(len(room)), where=room > 0)
        return _Answer(link_gbps[:, :-1], ratio, topology.up, hurt)

    def _walk(self, dead: Bools, dest: Ints, start: Ints, src: Ints, gbps: Floats) -> tuple[Floats, Floats, Bools]:
        """Loads of edges with what never had a choice last, and what arrives and is lost by row and node."""
        graph, splits = self.prepared.graph, self.splits
        at = np.searchsorted(self.prepared.demand.dest, dest)
        loads = np.zeros((len(graph.src), gbps.shape[1] + 1))
        arrives, lost = np.zeros((len(dest), graph.nodes)), np.ones((len(dest), graph.nodes), np.bool_)
        for row in range(len(dest)):
            amount = np.zeros((graph.nodes, gbps.shape[1] + 1))
            entered = slice(int(start[row]), int(start[row + 1]))
            amount[src[entered], :-1] = gbps[entered]
            amount[src[entered], -1] = gbps[entered].sum(axis=1)
            ends = splits.start[at[row] : at[row] + 2]
            _walk_frozen(
                graph.src, graph.dst, ends, splits.edge, splits.fraction, dead, int(dest[row]), amount, loads,
                arrives[row], lost[row],
            )  # fmt: skip
        return loads, arrives, lost


def _cut_off(src: Ints, dst: Ints, up: Bools, forwards: Bools) -> Bools:
    """Nodes with no link to a switch or from one, shape (N,)."""
    out = np.bincount(src[up & forwards[dst]], minlength=len(forwards))
    into = np.bincount(dst[up & forwards[src]], minlength=len(forwards))
    return column((out == 0) | (into == 0), np.bool_)


def _without(flows: Flows, cut: Bools) -> Flows:
    """What endpoints that still have a link send."""
    if not cut[flows.src].any() and not any(cut[block.members].any() for block in flows.blocks):
        return flows
    src, dst, amount = flows.rows()
    keep = ~cut[src]
    return Flows.of(src[keep], dst[keep], amount[keep])


def _with_last(gbps: Floats) -> Floats:
    """With one more column, of nothing."""
    return np.column_stack([gbps, np.zeros(len(gbps))])
