"""Reaction ``optimal``: an ideal controller places all traffic anew, case by case, with a proof of how good that is.

Cases that leave the same links with the same capacities are solved once. A solve that meets its time limit answers with
the best it has; its bound says how far that can be from the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from fabric.failures.cases import Damage
from fabric.failures.engine import LinkWorst, Outcomes, SweepPhase
from fabric.failures.plain import PlainEngine, figures_of, unlike
from fabric.failures.reaction import REOPTIMISED
from topologies.columns import Floats, column

CASE_LIMIT_S = 30.0  # of one solve; a phase of one case is one


@dataclass(frozen=True, eq=False)
class Best:
    """What is left to be had of one phase in one case."""

    outcome: Outcomes  # of this case alone
    utilisation: Floats  # shape (L,)
    bound: float  # no routing has a lower fullest link
    partial: bool  # whether the time limit stopped the solve


@dataclass(frozen=True, eq=False)
class OptimalEngine:
    """Solves the cases of a phase, equal ones once."""

    phase: SweepPhase
    known: dict[bytes, Best] = field(default_factory=dict)

    def best(self, damage: Damage, case: int) -> Best:
        """One case."""
        dead, slow, left = damage.of(case)
        key = b"/".join((dead.tobytes(), slow.tobytes(), left.tobytes()))
        if key not in self.known:
            options = replace(self.phase.options, time_limit_s=min(self.phase.options.time_limit_s, CASE_LIMIT_S))
            route = PlainEngine(replace(self.phase, options=options), REOPTIMISED).route(damage, case)
            outcome = Outcomes.empty(1, len(self.phase.jobs))
            figures_of(route, self.phase, outcome, 0)
            bound = min(route.best_possible.lower_bound, route.max_utilisation)
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
        return OptimalEngine(PlainEngine(self.phase, REOPTIMISED).damaged(damage, case).phase)
