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
from topologies.columns import Floats
from topologies.topology import Topology


def damaged_topology(topology: Topology, damage: Damage, case: int) -> Topology:
    """The fabric with the damage of one case done."""
    dead, slow, left = damage.of(case)
    after = topology.with_down(links=dead.tolist()) if len(dead) else topology
    return after.with_slowed(slow, left) if len(slow) else after


def _optimum() -> str:
    """The router that stands for the best there is."""
    return next(entry.name for entry in ROUTERS if entry.traits.stage == "optimum")


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
            router=_optimum() if self.reaction == REOPTIMISED else phase.router,
            options=phase.options,
            efficiency=phase.efficiency,
            latency=phase.latency,
        )

    def outcomes(self, damage: Damage, worst: LinkWorst, first: int = 0) -> Outcomes:
        """Every case of ``damage``; ``worst`` takes them in, numbered from ``first`` on."""
        jobs, before = self.phase.jobs, self.phase.intact.utilisation
        found = Outcomes.empty(len(damage), len(jobs))
        for case in range(len(damage)):
            route = self.route(damage, case)
            hottest = fullest(route.utilisation)
            found.max_utilisation[case] = route.max_utilisation
            found.hottest[case] = -1 if hottest is None else hottest
            found.links_over_capacity[case] = route.links_over_capacity
            found.unreachable_pairs[case] = route.unreachable_pairs
            for at, (job, steady) in enumerate(jobs):
                found.peak[case, at] = job_peak(route, job, steady=steady)[0]
                found.cut[case, at] = job in route.jobs_cut
            changed = np.flatnonzero(route.topology.up & ~np.isclose(route.utilisation, before, rtol=SAME, atol=0.0))
            worst.add(first + case, changed.astype(np.int32), route.utilisation[changed])
        return found

    def utilisation(self, damage: Damage, case: int) -> Floats:
        """Offered over capacity of every link in one case, shape (L,)."""
        return self.route(damage, case).utilisation

    def damaged(self, damage: Damage, case: int) -> PlainEngine:
        """The same phase with a case's damage already done."""
        after = replace(self.phase, topology=damaged_topology(self.phase.topology, damage, case))
        return replace(self, phase=after)
