"""What counters measured beside the plan: link by link, tier by tier, job by job, and what would explain it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.operate.forecast import LinkForecast
from topologies.columns import Bools, Floats


@dataclass(frozen=True, eq=False)
class MeasuredRates:
    """Mean rates of the links of one fabric over the time of the measurement.

    Attributes
    ----------
    gbps : ndarray, shape (L,)
        nan where nothing was measured.
    down : ndarray, shape (L,)
        Whether a port of the link said that it is not up.
    """

    fabric: str
    gbps: Floats
    down: Bools

    @property
    def known(self) -> Bools:
        """Whether a link was measured."""
        return np.isfinite(self.gbps)


@dataclass(frozen=True)
class Measurement:
    """Rates of all fabrics, over which time, and what was met in reading them."""

    source: str
    rates: tuple[MeasuredRates, ...]
    span_s: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SumDrift:
    """Links together: a tier in one direction, or what the hosts of a job send."""

    fabric: str
    kind: str  # tier or job
    name: str
    links: int
    measured_links: int
    predicted_gbps: float  # of the measured links
    measured_gbps: float

    @property
    def drift(self) -> float | None:
        """Measured over predicted, less 1; None where nothing is predicted."""
        return self.measured_gbps / self.predicted_gbps - 1 if self.predicted_gbps > 0 else None


@dataclass(frozen=True)
class Explanation:
    """A change of the plan that would come closer to what was measured.

    Attributes
    ----------
    fit : float
        Part of the squared difference between the plan and the measurement that it takes away; 1 leaves nothing.
    change : str
        As the command line says it, where it can.
    """

    cause: str
    words: str
    fit: float
    change: str = ""


@dataclass(frozen=True, eq=False)
class FabricDrift:
    """One fabric: what was predicted and measured."""

    plan: LinkForecast
    rates: MeasuredRates
    tolerance: float
    sums: tuple[SumDrift, ...]
    explanations: tuple[Explanation, ...]

    @property
    def band_gbps(self) -> tuple[Floats, Floats]:
        """What links are judged by: the least and the most that a hash may leave, with the tolerance; shape (L,)."""
        floor = FLOOR * self.plan.topology.links.capacity_gbps
        low = self.plan.low_gbps * (1 - self.tolerance) - floor
        return low, self.plan.high_gbps * (1 + self.tolerance) + floor

    @property
    def outside(self) -> Bools:
        """Measured links whose rate no plan within the tolerance gives, shape (L,)."""
        low, high = self.band_gbps
        with np.errstate(invalid="ignore"):
            off = (self.rates.gbps > high) | (self.rates.gbps < low)
        return np.asarray(self.rates.known & off | self.impossible)

    @property
    def impossible(self) -> Bools:
        """Links with a rate that they cannot carry, shape (L,)."""
        return above_line(self.plan, self.rates)


FLOOR = 0.001  # of capacity: what links carry beside the plan
ABOVE_LINE = 1.05  # of line rate: readings are not exactly when they say


def above_line(plan: LinkForecast, rates: MeasuredRates) -> Bools:
    """Links that were measured with more than their line rate, shape (L,)."""
    with np.errstate(invalid="ignore"):
        return np.asarray(rates.known & (rates.gbps > ABOVE_LINE * plan.topology.links.capacity_gbps))


def above_line_words(plan: LinkForecast, rates: MeasuredRates) -> str:
    """How many such links there are, the worst of them, and what is wrong; for one or more."""
    net, beyond = plan.topology, above_line(plan, rates)
    over = np.divide(rates.gbps, net.links.capacity_gbps, out=np.zeros(len(beyond)), where=beyond)
    worst, count = int(np.argmax(over)), int(beyond.sum())
    return (
        f"{count:,} {'link has' if count == 1 else 'links have'} more than line rate, which cannot be, such as "
        f"{net.link_name(worst)} with {rates.gbps[worst]:,.4g} of {net.links.capacity_gbps[worst]:,.4g} Gbps: "
        "wrong counters, names of ports or speed in the plan"
    )


@dataclass(frozen=True)
class LoadCheckResult:
    """The answer of ``fabric verify load``."""

    measurement: Measurement
    fabrics: tuple[FabricDrift, ...]
    notes: tuple[str, ...]
    explained: bool = True  # whether explanations were looked for

    @property
    def holds(self) -> bool:
        """Whether every measured link is in its band and no port is down that the plan has up."""
        return not any(
            bool(fabric.outside.any()) or bool((fabric.rates.down & fabric.plan.topology.up).any())
            for fabric in self.fabrics
        )
