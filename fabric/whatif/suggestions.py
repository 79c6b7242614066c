"""Changes that help: single changes without new hardware, each routed, ranked by what they do.

Before and after are figures of the same fabric over the same draws of the hash, and a change that another draw might
turn round is not one. A router that divides perfectly gives a bound of what better balance could do: it is kept apart
from the cures.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from fabric.evaluation.severity import worst_phase
from fabric.pipeline.run import Run
from fabric.result import JobTime, RouteResult
from fabric.routing.progress import Progress, Reporter, silent
from fabric.routing.router import traits_of
from fabric.routing.utilisation import ranks
from fabric.whatif.changes import Change, ChangeSet, candidates
from fabric.whatif.effect import fabric_figures
from fabric.whatif.live import LiveRoutes
from fabric.whatif.noise import ChangeBand, change_band
from topologies.errors import FabricError

MOST_ENDPOINTS = 5_000  # above, routing candidates takes longer than the answer they are added to


@dataclass(frozen=True)
class Suggestion:
    """One change and what it does on one fabric, before and after routed alike.

    Attributes
    ----------
    fabric : str
        Whose loads are compared.
    is_bound : bool
        Whether the change divides traffic perfectly, which hashed flows do not: a bound, not a cure.
    max_before, max_after, over_before, over_after : float, int
        Fullest link and most links over capacity in any phase of the fabric; medians where the hash is drawn.
    max_band, step_band : ChangeBand or None
        Of the change over draws of the hash.
    search : str
        The command that searches for a better placement, where it changes that of a job.
    rest, rest_fabric : float or None, str
        Fullest link on all other fabrics afterwards, and which has it; None without another.
    step_before_s, step_after_s : float or None
        Of the slowest job; None without one that can finish.
    """

    text: str
    command: str
    fabric: str
    is_bound: bool
    max_before: float
    max_after: float
    over_before: int
    over_after: int
    step_before_s: float | None
    step_after_s: float | None
    limits_failed_before: int
    limits_failed_after: int
    max_band: ChangeBand | None = None
    step_band: ChangeBand | None = None
    rest: float | None = None
    rest_fabric: str = ""
    search: str = ""

    @property
    def draws(self) -> int:
        """Draws of the hash that both sides are compared over; 1 where neither is drawn more often."""
        return self.max_band.draws if self.max_band is not None else 1

    @property
    def basis(self) -> str:
        """``bound`` for what would have to divide perfectly, else ``routed``."""
        return "bound" if self.is_bound else "routed"

    @property
    def is_better(self) -> bool:
        """Whether it helps: fewer failed limits, or a lower maximum or a shorter step than the noise explains."""
        step = None
        if self.step_before_s is not None and self.step_after_s is not None:
            step = self.step_after_s - self.step_before_s
        shorter = step is not None and _is_less(step, self.step_before_s or 0.0, self.step_band)
        lower = _is_less(self.max_after - self.max_before, self.max_before, self.max_band)
        if self.limits_failed_after != self.limits_failed_before:
            return self.limits_failed_after < self.limits_failed_before and (lower or shorter or not self._is_drawn)
        return lower or shorter

    @property
    def _is_drawn(self) -> bool:
        return self.max_band is not None or self.step_band is not None


def _is_less(change: float, before: float, band: ChangeBand | None) -> bool:
    """Whether a figure fell, by more than rounding and than another draw of the hash might turn round."""
    return change < -1e-6 * before and (band is None or not band.is_noise(change))


def needs_help(result: RouteResult) -> bool:
    """Whether links are over capacity or limits fail."""
    return any(entry.links_over_capacity for entry in result.routes) or not result.limits_ok


def is_quick(result: RouteResult) -> bool:
    """Whether routing a few changes takes no longer than one is willing to wait for a hint."""
    small = all(len(entry.topology.endpoint_nodes) <= MOST_ENDPOINTS for entry in result.routes)
    return small and not any(traits_of(entry.router).slow for entry in result.routes)


def suggest(
    run: Run,
    *,
    changes: Sequence[Change] | None = None,
    fabric: str | None = None,
    progress: Reporter = silent,
) -> tuple[Suggestion, ...]:
    """Route every candidate change and keep those that help, the best first.

    Parameters
    ----------
    changes : sequence of Change, optional
        Default: those that apply to fabrics with overloaded links, slow ones not among them.
    fabric : str, optional
        Where changes that concern several fabrics are compared; default: the fabric with the fullest link.
    """
    loaded, result = run.loaded, run.result
    if changes is None:
        hot = [entry.fabric for entry in result.routes if entry.links_over_capacity]
        changes = [change for change in candidates(loaded, list(dict.fromkeys(hot))) if not change.slow]
    worst = worst_phase(result.routes)
    common = fabric or (worst.fabric if worst is not None else "")
    live = LiveRoutes(run, listed=False)
    found = []
    for change in changes:
        progress(Progress(f"trying {change.text}"))
        chosen = ChangeSet((change,))
        try:
            now = live.route(chosen, progress)
        except FabricError:
            continue  # what cannot be routed is not a suggestion
        made = _suggestion(change, chosen.command(loaded, run.request), result, now, change.fabric or common)
        found.append(replace(made, search=_search(change, run)))
    better = [entry for entry in found if entry.is_better]
    # Ranks are 0 for the highest, and the lowest maximum and the shortest step come first.
    load = -ranks(np.array([entry.max_after for entry in better]))
    step = -ranks(np.array([inf if entry.step_after_s is None else entry.step_after_s for entry in better]))
    failed = np.array([entry.limits_failed_after for entry in better])
    over = np.array([entry.over_after for entry in better])
    bound = np.array([entry.is_bound for entry in better])
    return tuple(better[at] for at in np.lexsort((over, step, load, failed, bound)).tolist())


def _search(change: Change, run: Run) -> str:
    """The command that searches where the first of the jobs belongs that a change places elsewhere."""
    if not change.places:
        return ""
    words = ChangeSet().words(run.loaded, replace(run.request, scale=1.0), verb="place")
    return shlex.join([*words, "--job", change.places[0]])


def cures(suggestions: Sequence[Suggestion]) -> tuple[Suggestion, ...]:
    """Those that can be done."""
    return tuple(entry for entry in suggestions if not entry.is_bound)


def bounds(suggestions: Sequence[Suggestion]) -> tuple[Suggestion, ...]:
    """Those that say what perfect balance would come to."""
    return tuple(entry for entry in suggestions if entry.is_bound)


def _suggestion(change: Change, command: str, before: RouteResult, now: RouteResult, fabric: str) -> Suggestion:
    """Both sides on one fabric; and what the others come to."""
    (peak, over, _), (peak_now, over_now, _) = (fabric_figures(result, fabric) for result in (before, now))
    rest = max((one for one in now.routes if one.fabric != fabric), key=lambda one: one.max_utilisation, default=None)
    slow, slow_now = slowest(before), slowest(now)
    step, step_now = (None if job is None else job.step_time_s for job in (slow, slow_now))
    bands = [None if job is None else job.draws for job in (slow, slow_now)]
    return Suggestion(
        text=change.text,
        command=command,
        fabric=fabric,
        is_bound=change.is_bound,
        max_before=peak[0] or 0.0,
        max_after=peak_now[0] or 0.0,
        over_before=int(over[0] or 0),
        over_after=int(over_now[0] or 0),
        step_before_s=step,
        step_after_s=step_now,
        limits_failed_before=_failed(before),
        limits_failed_after=_failed(now),
        max_band=change_band(peak[0], peak_now[0], peak[1], peak_now[1]),
        step_band=change_band(step, step_now, *bands),
        rest=None if rest is None else rest.max_utilisation,
        rest_fabric="" if rest is None else rest.fabric,
    )


def slowest(result: RouteResult) -> JobTime | None:
    """The job with the longest step; None without one that can finish."""
    jobs = [job for job in result.jobs if job.step_time_s is not None]
    return max(jobs, key=lambda job: job.step_time_s or 0.0, default=None)


def _failed(result: RouteResult) -> int:
    return sum(limit.ok is False for limit in result.limits)
