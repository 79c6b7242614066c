"""What ``fabric place`` finds: placements of one job side by side, the chosen one, and a bound."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fabric.routing.utilisation import SAME
from fabric.scenario.load import LoadedScenario
from fabric.share.place.bound import StepBound
from fabric.share.place.setting import PlaceSetting
from fabric.share.place.trial import Trial
from topologies.columns import Ints


@dataclass(frozen=True, eq=False)
class PlacementResult:
    """Placements of a job, each routed."""

    loaded: LoadedScenario
    setting: PlaceSetting = field(repr=False)
    scheduler: str
    trials: tuple[Trial, ...]
    chosen: Trial | None  # None: the scheduler would keep the job waiting, or it cannot run there
    bound: StepBound | None
    estimated: int = 0  # candidates of the search that were estimated
    routed: int = 0
    stopped: bool = False  # the search, by its limit of time
    ended: str = ""  # how the search did, in words
    notes: tuple[str, ...] = ()
    folder: str = ""  # where files were written

    @property
    def gap(self) -> float | None:
        """Of the chosen step over the bound; None where either is not known."""
        if self.bound is None or self.chosen is None or not np.isfinite(self.chosen.score.step_s):
            return None
        return self.chosen.score.step_s / self.bound.step_s - 1 if self.bound.step_s > 0 else None

    @property
    def above(self) -> tuple[float, float] | None:
        """Seconds of the chosen step above the bound: at line rate of its NICs, and for links that are too full."""
        if self.bound is None or self.chosen is None or self.gap is None:
            return None
        step, ideal = self.chosen.score.step_s, self.chosen.job.step_time_ideal_s or 0.0
        whole = step - self.bound.step_s
        links = min(step - ideal, whole) if step > ideal * (1 + SAME) else 0.0
        return whole - links, links

    def hosts_of(self, trial: Trial) -> list[str]:
        """Names of a placement's hosts, in the order of their first rank."""
        return [self.setting.hosts[host] for host in in_order(trial.placed).tolist()]

    def spanned(self, trial: Trial) -> int:
        """Lowest groups that a placement lies in."""
        return self.setting.groups.spanned(in_order(trial.placed))


def in_order(placed: Ints) -> Ints:
    """Hosts of a placement by their first rank.

    >>> in_order(np.array([[3, 0], [3, 1], [1, 0]])).tolist()
    [3, 1]
    """
    host, first = np.unique(placed[:, 0], return_index=True)
    found: Ints = host[np.argsort(first)]
    return found
