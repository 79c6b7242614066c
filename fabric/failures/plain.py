"""Every case routed anew on the damaged fabric: any router, the measure of all other engines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fabric.evaluation.phases import job_peak, route_phase
from fabric.failures.cases import Damage
from fabric.failures.engine import LinkWorst, Outcomes, SweepPhase
from fabric.failures.reaction import CONVERGED, REOPTIMISED, Reaction
from fabric.result import PhaseRoute
from fabric.routing.router import ROUTERS
from fabric.routing.utilisation import SAME, fullest
from topologies.columns import Bools, Floats
from topologies.topology import Topology


def damaged_topology(topology: Topology, damage: Damage, case: int) -> Topology:
    """The fabric with the damage of one case done."""
    dead, slow, left = damage.of(case)
    after = topology.with_down(links=dead.tolist()) if len(dead) else topology
    return after.with_slowed(slow, left) if len(slow) else after


def optimum() -> str:
    """The router that stands for the best there is."""
    return next(entry.name for entry in ROUTERS if entry.traits.stage == "optimum")


def figures_of(route: PhaseRoute, phase: SweepPhase, answers: Outcomes, case: int) -> None:
    """Fill in what a routed case comes to."""
    hottest = fullest(route.utilisation)
    answers.max_utilisation[case] = route.max_utilisation
    answers.hottest[case] = -1 if hottest is None else hottest
    answers.links_over_capacity[case] = route.links_over_capacity
    answers.unreachable_pairs[case] = route.unreachable_pairs
    for at, (job, steady) in enumerate(phase.jobs):
        answers.peak[case, at] = job_peak(route, job, steady=steady)[0]
        answers.cut[case, at] = job in route.jobs_cut


def unlike(utilisation: Floats, before: Floats) -> Bools:
    """Links whose utilisation a case changes by more than rounding, shape (L,)."""
    return np.asarray(abs(utilisation - before) > SAME * np.maximum(utilisation, before))


@dataclass(frozen=True, eq=False)
class PlainEngine:
    """Routes cases one by one, as ``fabric route --down`` does."""

    phase: SweepPhase
    reaction: Reaction = CONVERGED

    def route(self, damage: Damage, case: int) -> PhaseRoute:
        """The phase routed in one case."""
        phase = self.phase
        return route_phase(
            damaged_topology(phase.topology, damage, case),
            phase.demands,
            phase.phase,
            router=optimum() if self.reaction == REOPTIMISED else phase.router,
            options=phase.options,
            efficiency=phase.efficiency,
            latency=phase.latency,
        )

    def outcomes(self, damage: Damage, worst: LinkWorst, first: int = 0) -> Outcomes:
        """Every case of ``damage``; ``worst`` takes them in, numbered from ``first`` on."""
        before = self.phase.intact.utilisation
        answers = Outcomes.empty(len(damage), len(self.phase.jobs))
        for case in range(len(damage)):
            route = self.route(damage, case)
            figures_of(route, self.phase, answers, case)
            changed = np.flatnonzero(route.topology.up & unlike(route.utilisation, before))
            worst.add(first + case, changed.astype(np.int32), route.utilisation[changed])
        return answers

    def utilisation(self, damage: Damage, case: int) -> Floats:
        """Offered over capacity of every link in one case, shape (L,)."""
        return self.route(damage, case).utilisation

    def damaged(self, damage: Damage, case: int) -> PlainEngine:
        """The same phase with a case's damage already done."""
        after = replace(self.phase, topology=damaged_topology(self.phase.topology, damage, case))
        return replace(self, phase=after)
