"""The search for a division of works into windows, with prices of routed states."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from fabric.operate.drain.partition import (
    EXACT,
    FREE,
    Cost,
    Rules,
    best_divisions,
    cost_of,
    improved,
    members,
    one_by_one,
)
from fabric.operate.drain.residual import by_residual_capacity
from fabric.operate.drain.result import OtherPlan
from fabric.operate.drain.states import State, States
from topologies.errors import ScenarioError

_WINDOW_COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # tried where not all divisions are compared


@dataclass(frozen=True)
class DrainRequest:
    """How the work may be divided.

    Attributes
    ----------
    windows : int or None
        At most so many; None: as many as cost least.
    at_most : int or None
        Works in one window.
    failures : bool
        Whether single failures are swept in every window.
    time_limit_s : float
        For the search for a division.
    """

    windows: int | None = None
    at_most: int | None = None
    failures: bool = True
    time_limit_s: float = 60.0


@dataclass(eq=False)
class Planner:
    """One search: prices of sets, and the divisions that were found by number of windows."""

    states: States
    rules: Rules
    request: DrainRequest
    exact: bool = False
    found: dict[int, list[int]] = field(default_factory=dict)

    def price(self, sets: Sequence[int]) -> list[Cost]:
        """What every set costs: nobody works in an empty one."""
        states = self.states.of([each for each in sets if each])
        given = iter(states)
        return [self._cost(each, next(given)) if each else FREE for each in sets]

    def _cost(self, works: int, state: State) -> Cost:
        count = works.bit_count()
        stalled, broken = count if state.stalled else 0, count if state.broken else 0
        return Cost(stalled, broken, state.lost * self.hours(works), state.max_utilisation)

    def hours(self, works: int) -> float:
        """How long a window lasts: as long as the longest of its works."""
        return max((self.states.works[place].takes_s for place in members(works)), default=0.0) / 3600

    @property
    def most(self) -> int:
        """Windows there may be."""
        return min(self.request.windows or self.rules.works, self.rules.works)

    def search(self) -> list[int]:
        """The cheapest division, of equal ones that with fewest windows.

        Raises
        ------
        ScenarioError
            When none fits into the windows (FP3122).
        """
        until = time.monotonic() + self.request.time_limit_s
        self.exact = self.rules.works <= EXACT
        if self.exact:
            self.found = best_divisions(self.rules, self.price, self.most)
        else:
            counts = self._counts()
            for number, windows in enumerate(counts):
                share = (until - time.monotonic()) / (len(counts) - number)
                found = self._searched(windows, time.monotonic() + share)
                if found is not None:
                    self.found[windows] = found
                    if self.is_free(found):
                        break  # more windows cost nothing less
        if not self.found:
            raise ScenarioError(
                f"no way was found to put {self.rules.works:,} works into {self.most:,} windows",
                hint="allow more windows, or more works at once",
                code="FP3122",
            )
        best = min(self.found)
        for windows in sorted(self.found):
            if cost_of(self.found[windows], self.price).is_less(cost_of(self.found[best], self.price)):
                best = windows
        return self.found[best]

    def is_free(self, division: Sequence[int]) -> bool:
        """Whether a division breaks nothing and loses nothing."""
        cost = cost_of(division, self.price)
        return not cost.broken and cost.lost <= 0

    def _counts(self) -> list[int]:
        least = self.rules.least_windows
        counts = {each for each in _WINDOW_COUNTS if least <= each < self.most}
        return sorted(counts | {least, self.most})

    def _searched(self, windows: int, until: float) -> list[int] | None:
        """From the order by residual capacity and from works taken one by one, improved; None where neither fits."""
        starts = [self._one_by_one(windows), self.by_residual(windows)]
        best: list[int] | None = None
        fit = [start for start in starts if start is not None]
        for number, start in enumerate(fit):
            share = (until - time.monotonic()) / (len(fit) - number)
            padded = [*start, *[0] * (windows - len(start))]
            end = [each for each in improved(self.rules, padded, self.price, time.monotonic() + share) if each]
            if best is None or cost_of(end, self.price).is_less(cost_of(best, self.price)):
                best = end
        return best

    def _one_by_one(self, windows: int) -> list[int] | None:
        try:
            return one_by_one(self.rules, self.price, windows)
        except ValueError:
            return None

    def by_residual(self, windows: int) -> list[int] | None:
        """The order by residual capacity; None where it does not fit."""
        network = self.states.run.network
        try:
            return by_residual_capacity(self.states.works, dict(network.topologies), self.rules, windows)
        except ValueError:
            return None

    def other(self, division: Sequence[int], windows: int) -> OtherPlan:
        """A division as people compare it."""
        cost = cost_of(division, self.price)
        peak = max((state.max_utilisation for state in self.states.of(list(division))), default=0.0)
        return OtherPlan(windows, cost.lost, cost.broken, cost.stalled, peak)
