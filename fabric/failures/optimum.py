"""Cases whose traffic a solver places anew, with a proof of how good that is: router ``optimal``, reaction ``optimal``.

Cases that leave the same links with the same capacities are solved once, each from what the failure leaves of the
routing and the prices of the network without it: where the bottleneck stays the same, those prove the case at once. A
solve that meets its time limit answers with the best it has; its bound says how far that can be from the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from fabric.evaluation.phases import route_phase
from fabric.failures.cases import Damage
from fabric.failures.engine import LinkWorst, Outcomes, SweepPhase
from fabric.failures.plain import PlainEngine, figures_of, optimum, unlike
from fabric.failures.reaction import REOPTIMISED, Reaction
from fabric.optimise.objective import compared_objective
from fabric.result import PhaseRoute
from fabric.routing.router import LikeRouting
from topologies.columns import Floats, column

CASE_LIMIT_S = 30.0  # of one solve under reaction ``optimal``; a phase of one case is one


@dataclass(frozen=True, eq=False)
class Best:
    """What is left to be had of one phase in one case."""

    outcome: Outcomes  # of this case alone
    utilisation: Floats  # shape (L,)
    bound: float  # no routing has a lower fullest link
    partial: bool  # whether the time limit stopped the solve


@dataclass(frozen=True, eq=False)
class OptimalEngine:
    """Solves the cases of a phase, equal ones once.

    Attributes
    ----------
    without : SweepPhase or None
        The phase whose routing all cases start from, where ``phase`` has damage done already.
    """

    phase: SweepPhase
    reaction: Reaction = REOPTIMISED
    without: SweepPhase | None = None
    known: dict[bytes, Best] = field(default_factory=dict)

    @cached_property
    def _like(self) -> LikeRouting | None:
        """What cases start from; None where they are solved from nothing."""
        phase = self.without or self.phase
        if phase.options.objective != compared_objective():
            return None
        route = phase.intact
        if route.router != optimum():
            if route.routed is None or route.routed.graph.is_layered:
                return None
            route = route_phase(
                phase.topology,
                phase.demands,
                phase.phase,
                router=optimum(),
                options=replace(phase.options, time_limit_s=min(phase.options.time_limit_s, CASE_LIMIT_S)),
                efficiency=phase.efficiency,
                latency=phase.latency,
            )
        return _like_of(route)

    def best(self, damage: Damage, case: int) -> Best:
        """One case."""
        dead, slow, left = damage.of(case)
        key = b"/".join((dead.tobytes(), slow.tobytes(), left.tobytes()))
        if key not in self.known:
            limit_s = self.phase.options.time_limit_s
            limit_s = min(limit_s, CASE_LIMIT_S) if self.reaction == REOPTIMISED else limit_s
            options = replace(self.phase.options, time_limit_s=limit_s, like=self._like)
            route = PlainEngine(replace(self.phase, options=options), self.reaction).route(damage, case)
            outcome = Outcomes.empty(1, len(self.phase.jobs))
            figures_of(route, self.phase, outcome, 0)
            bound = min(route.best_possible.lower_bound, route.max_utilisation)
            outcome.bound[0] = bound
            self.known[key] = Best(outcome, route.utilisation, bound, route.partial)
        return self.known[key]

    def outcomes(self, damage: Damage, worst: LinkWorst, first: int = 0) -> Outcomes:
        """Every case of ``damage``; ``worst`` takes them in, numbered from ``first`` on."""
        answers, before = Outcomes.empty(len(damage), len(self.phase.jobs)), self.phase.intact.utilisation
        for case in range(len(damage)):
            best = self.best(damage, case)
            for name, values in vars(best.outcome).items():
                getattr(answers, name)[case] = values[0]
            up = self.phase.topology.up.copy()
            up[damage.of(case)[0]] = False
            changed = np.flatnonzero(up & unlike(best.utilisation, before))
            worst.add(first + case, changed.astype(np.int32), best.utilisation[changed])
        return answers

    def utilisation(self, damage: Damage, case: int) -> Floats:
        """Offered over capacity of every link in one case, shape (L,)."""
        return column(self.best(damage, case).utilisation, np.float64)

    def damaged(self, damage: Damage, case: int) -> OptimalEngine:
        """The same phase with a case's damage already done."""
        after = PlainEngine(self.phase, self.reaction).damaged(damage, case).phase
        return OptimalEngine(after, self.reaction, self.without or self.phase)


def _like_of(route: PhaseRoute) -> LikeRouting | None:
    """Splits and prices of a routed phase; None where it has not both."""
    routed, proof = route.routed, route.certificate
    splits = None if routed is None else routed.routing.splits
    if routed is None or splits is None or proof is None or proof.price is None:
        return None
    return LikeRouting(routed.graph, routed.demand.dest, splits, proof.price)
