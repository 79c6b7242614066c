"""The plan with one change, routed anew, and how far a measurement is from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fabric.operate.forecast import LinkForecast, forecast
from fabric.operate.load_check.result import FLOOR, MeasuredRates
from fabric.pipeline.run import Run, run_scenario
from topologies.columns import Bools
from topologies.errors import FabricError


@dataclass(frozen=True)
class PlanChange:
    """What is changed, as the command line says it.

    Attributes
    ----------
    sets : tuple of str
        ``PATH=VALUE`` overrides; such a change has nothing else.
    down, slow : tuple of str
        Selectors, as ``--down`` and ``--slow`` take them.
    """

    sets: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    router: str | None = None


# the plan with that change; None where it cannot be routed
Again = Callable[[PlanChange], LinkForecast | None]


def again(load: Callable[[tuple[str, ...]], Run], run: Run, fabric: str) -> Again:
    """Plans of the fabric with a change; ``load`` routes the scenario anew with more overrides."""

    def changed(change: PlanChange) -> LinkForecast | None:
        asked = run.request
        request = replace(
            asked,
            down=(*asked.down, *change.down), slow=(*asked.slow, *change.slow), router=change.router or asked.router,
        )  # fmt: skip
        try:
            other = load(change.sets) if change.sets else run_scenario(run.loaded, request, like=run)
        except FabricError:
            return None
        return next((plan for plan in forecast(other) if plan.fabric == fabric), None)

    return changed


@dataclass(frozen=True)
class Case:
    """A fabric that is not as planned: the plan, what was measured, and the way to other plans."""

    plan: LinkForecast
    rates: MeasuredRates
    run: Run
    change: Again

    def fit(self, other: LinkForecast) -> float:
        """Part of the squared difference that another plan takes away; 0 where there is none."""
        whole = difference(self.plan, self.rates)
        return 1 - difference(other, self.rates) / whole if whole > 0 else 0.0

    @property
    def silent(self) -> Bools:
        """Links that carry next to nothing where the plan has traffic, shape (L,)."""
        mean, rates = self.plan.mean_gbps, self.rates
        floor = FLOOR * self.plan.topology.links.capacity_gbps
        with np.errstate(invalid="ignore"):
            little = rates.gbps < np.maximum(0.02 * mean, np.minimum(floor, 0.2 * mean))
        return np.asarray(rates.known & little & (mean > 0))


def difference(plan: LinkForecast, rates: MeasuredRates) -> float:
    """Sum of squares of what links are off, those of a band by what they are outside it, Gbps²."""
    known = rates.known
    measured = rates.gbps[known]
    high, low = plan.high_gbps[known], plan.low_gbps[known]
    if not plan.hashed:
        high = np.where(plan.high_gbps > plan.mean_gbps * (1 + 1e-9), plan.high_gbps, plan.mean_gbps)[known]
        low = np.minimum(low, high)
    off = np.maximum(measured - high, 0) + np.maximum(low - measured, 0)
    noise = FLOOR * plan.topology.links.capacity_gbps[known]
    return float((np.maximum(off - noise, 0) ** 2).sum())
