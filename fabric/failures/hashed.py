"""Failure cases of flows that switches hash, by what each case moves; equal to routing every case anew.

Flows keep the draw that the run shows. What they do on a damaged fabric is what ``fabric route --down`` does: with
resilient hashing only flows on dead links move. With ``frozen`` nothing is routed again: a flow whose pick is dead
picks again in the group that its switch has, and is lost where no member is left.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from fabric.evaluation.phases import PreparedPhase, prepare_phase
from fabric.failures.cases import Damage
from fabric.failures.engine import LinkWorst, Outcomes, SweepPhase
from fabric.failures.hashed_cases import sweep_cases
from fabric.failures.hashed_columns import Answers, FlowColumns, Harm, HashRule, Routes, Scratch, Wires
from fabric.failures.hashed_routes import flow_columns, routes_of
from fabric.failures.reaction import CONVERGED, FROZEN, Reaction
from fabric.failures.worst_links import merge_worst
from fabric.routing.names import WHOLE_FLOWS
from fabric.routing.router import traits_of
from topologies.columns import Floats


def hashes_whole_flows(phase: SweepPhase) -> bool:
    """Whether the router of a phase hashes flows that stay whole."""
    traits = traits_of(phase.router)
    pieces = traits.takes_granularity and phase.options.adaptive.granularity != WHOLE_FLOWS
    return traits.placement == "hashed" or (traits.takes_granularity and not pieces)


@dataclass(frozen=True, eq=False)
class HashedEngine:
    """Cases of one phase whose flows are hashed."""

    phase: SweepPhase
    prepared: PreparedPhase  # with everything up
    wires: Wires
    flows: FlowColumns
    rule: HashRule
    part_gbps: float  # that one part of an amount is
    routes: Routes
    before: tuple[Damage, int] | None = None  # a case that is done before every other, on top of ``routes``

    @staticmethod
    def of(phase: SweepPhase, reaction: Reaction = CONVERGED) -> HashedEngine:
        """Of a phase whose router hashes whole flows, as it is before any case."""
        topology = phase.topology
        prepared = prepare_phase(
            topology.whole,
            phase.demands,
            phase.phase,
            efficiency=phase.efficiency,
            per_endpoint=True,
            latency=phase.latency,
        )
        flows, rule, part_gbps = flow_columns(phase, prepared, frozen=reaction == FROZEN)
        wires, up = Wires.of(prepared.graph), np.array(topology.capacity_gbps > 0)
        capacity = np.array(topology.capacity_gbps / part_gbps)
        routes = routes_of(phase, prepared, wires, flows, rule, known=up, up=up, capacity=capacity)
        return HashedEngine(phase, prepared, wires, flows, rule, part_gbps, routes)

    def outcomes(self, damage: Damage, worst: LinkWorst, first: int = 0) -> Outcomes:
        """Every case of ``damage``; ``worst`` takes them in, numbered from ``first`` on."""
        answers, harm = Outcomes.empty(len(damage), len(self.phase.jobs)), _harm(damage, self.before)
        before = -1 if self.before is None else len(damage)

        def work(low: int, high: int, now: Scratch, into: Answers) -> None:
            sweep_cases(
                low, high, 0, first, False, before, self.wires, self.flows, self.rule, self.routes, harm, now, into
            )

        self._on_threads(_bounds(np.arange(len(damage) + 1)), work, answers, worst)
        return answers

    def pairs(self, damage: Damage, first: int, last: int, worst: LinkWorst, number: int = 0) -> Outcomes:
        """Cases ``first`` to ``last`` of ``damage``, each together with every later one, in that order.

        ``worst`` takes them in, numbered from ``number`` on.
        """
        if self.before is not None:
            return self.settled().pairs(damage, first, last, worst, number)
        later = len(damage) - 1 - np.arange(first, last)
        done = np.concatenate([[0], np.cumsum(later)])
        answers, harm = Outcomes.empty(int(done[-1]), len(self.phase.jobs)), _harm(damage)

        def work(low: int, high: int, now: Scratch, into: Answers) -> None:
            low, high = first + low, first + high
            sweep_cases(
                low, high, first, number, True, -1, self.wires, self.flows, self.rule, self.routes, harm, now, into
            )

        self._on_threads(_bounds(done), work, answers, worst)
        return answers

    def utilisation(self, damage: Damage, case: int) -> Floats:
        """Offered over capacity of every link in one case, shape (L,); 0 on links that are down."""
        return self.damaged(damage, case).settled().routes.utilisation

    def damaged(self, damage: Damage, case: int) -> HashedEngine:
        """The same phase with a case's damage already done.

        Cheap: flows go there only with the cases that follow.
        """
        return replace(self.settled(), before=(damage, case))

    def settled(self) -> HashedEngine:
        """The same, its flows on the paths that they have after the case before."""
        if self.before is None:
            return self
        dead, slow, left = self.before[0].of(self.before[1])
        gone = np.concatenate([dead, self.wires.reverse[dead]])
        up, capacity = self.routes.up.copy(), self.routes.capacity.copy()
        up[gone[gone >= 0]] = False
        np.multiply.at(capacity, slow, left)
        capacity[~up] = 0.0
        routes = routes_of(
            self.phase,
            self.prepared,
            self.wires,
            self.flows,
            self.rule,
            known=self.routes.known if self.rule.frozen else up,
            up=up,
            capacity=capacity,
        )
        return replace(self, routes=routes, before=None)

    def _on_threads(
        self,
        bounds: list[tuple[int, int]],
        work: Callable[[int, int, Scratch, Answers], None],
        outcomes: Outcomes,
        worst: LinkWorst,
    ) -> None:
        """Run ``work`` over slices of cases, each with room and worst cases of its own, which are then joined."""
        parts = [LinkWorst.empty(len(self.routes.up)) for _ in bounds]
        floor = worst.utilisation[:, -1].copy()

        def run(at: int) -> None:
            into = Answers(
                outcomes.max_utilisation,
                outcomes.hottest,
                outcomes.links_over_capacity,
                outcomes.unreachable_pairs,
                outcomes.peak,
                outcomes.cut,
                parts[at].utilisation,
                parts[at].case,
                floor,
            )
            work(*bounds[at], self._scratch(), into)

        with ThreadPoolExecutor(max_workers=max(len(bounds), 1)) as pool:
            list(pool.map(run, range(len(bounds))))
        for part in parts:
            merge_worst(worst.utilisation, worst.case, part.utilisation, part.case)

    def _scratch(self) -> Scratch:
        routes, links, flows = self.routes, len(self.routes.up), len(self.flows.src)
        rows, nodes = routes.hops.shape

        def never(size: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
            return np.full(size, -1, dtype=np.int64)

        def room(size: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
            return np.empty(size, dtype=np.int32)

        return Scratch(
            epoch=np.zeros(1, dtype=np.int64),
            hops=routes.hops.copy(),
            row_seen=never(rows),
            flow_seen=never(flows),
            link_seen=never(links),
            dead_in=never(links),
            dead=room(links),
            touched=room(links),
            value=np.empty(links),
            affected=room(flows),
            load=routes.load.copy(),
            carried=routes.carried.copy(),
            capacity=routes.capacity.copy(),
            lost_of_pair=routes.lost_of_pair.copy(),
            lost_of_job=routes.lost_of_job.copy(),
            slots=room(int(np.diff(self.wires.out_start).max(initial=0))),
            queue=np.empty(2 * nodes, dtype=np.int64),
            fresh=np.empty(nodes),
            fresh_of=never(2),
            counts=np.zeros(6, dtype=np.int64),
            trail=room(nodes + 2),
            rows=room(rows),
        )


def _harm(damage: Damage, further: tuple[Damage, int] | None = None) -> Harm:
    """The damage, and one further case, in arrays of one kind, whoever made them."""
    start, slow_start = damage.start, damage.slow_start
    dead, slow, left = damage.dead, damage.slow, damage.left
    if further is not None:
        more, slower, part = further[0].of(further[1])
        start, slow_start = (
            np.append(start, start[-1] + len(more)),
            np.append(slow_start, slow_start[-1] + len(slower)),
        )
        dead, slow = np.append(dead, more), np.append(slow, slower)
        left = np.append(left, part)
    return Harm(
        np.array(start, dtype=np.int64),
        np.array(dead, dtype=np.int32),
        np.array(slow_start, dtype=np.int64),
        np.array(slow, dtype=np.int32),
        np.array(left, dtype=np.float64),
    )


def _bounds(done: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[tuple[int, int]]:
    """Slices of equal work, one per core; ``done[i]`` is the work before row ``i``."""
    cores = min(os.cpu_count() or 1, len(done) - 1)
    cuts = [int(np.searchsorted(done, done[-1] * part / max(cores, 1))) for part in range(cores)] + [len(done) - 1]
    return [(low, high) for low, high in itertools.pairwise(cuts) if low < high]
