"""Changes that help: single changes without new hardware, each routed, ranked by what they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from fabric.pipeline.run import Run
from fabric.result import RouteResult
from fabric.routing.progress import Progress, Reporter, silent
from fabric.routing.router import traits_of
from fabric.routing.utilisation import ranks
from fabric.whatif.changes import Change, ChangeSet, candidates
from fabric.whatif.live import LiveRoutes
from topologies.errors import FabricError

MOST_ENDPOINTS = 5_000  # above, routing candidates takes longer than the answer they are added to


@dataclass(frozen=True)
class Suggestion:
    """One change and what it does, both routed.

    ``step`` times are of the slowest job, seconds; None without one that can finish.
    """

    text: str
    command: str
    max_before: float
    max_after: float
    over_before: int
    over_after: int
    step_before_s: float | None
    step_after_s: float | None
    limits_failed_before: int
    limits_failed_after: int

    @property
    def is_better(self) -> bool:
        """Whether it helps at all: fewer failed limits, a lower maximum, or a shorter step."""
        shorter = (
            self.step_before_s is not None
            and self.step_after_s is not None
            and self.step_after_s < self.step_before_s * (1 - 1e-6)
        )
        return (
            self.limits_failed_after < self.limits_failed_before
            or self.max_after < self.max_before * (1 - 1e-6)
            or shorter
        )


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
        Loads are those of this fabric alone; default: of all.
    """
    loaded, result = run.loaded, run.result
    if changes is None:
        hot = [entry.fabric for entry in result.routes if entry.links_over_capacity]
        changes = [change for change in candidates(loaded, list(dict.fromkeys(hot))) if not change.slow]
    live = LiveRoutes(run)
    found = []
    for change in changes:
        progress(Progress(f"trying {change.text}"))
        chosen = ChangeSet((change,))
        try:
            now = live.route(chosen, progress)
        except FabricError:
            continue  # what cannot be routed is not a suggestion
        found.append(_suggestion(change.text, chosen.command(loaded, run.request), result, now, fabric))
    better = [entry for entry in found if entry.is_better]
    # Ranks are 0 for the highest, and the lowest maximum and the shortest step come first.
    load = -ranks(np.array([entry.max_after for entry in better]))
    step = -ranks(np.array([inf if entry.step_after_s is None else entry.step_after_s for entry in better]))
    failed, over = ([getattr(entry, name) for entry in better] for name in ("limits_failed_after", "over_after"))
    return tuple(better[at] for at in np.lexsort((over, step, load, failed)).tolist())


def _suggestion(text: str, command: str, before: RouteResult, now: RouteResult, fabric: str | None) -> Suggestion:
    return Suggestion(
        text,
        command,
        _max(before, fabric),
        _max(now, fabric),
        _over(before, fabric),
        _over(now, fabric),
        _step(before),
        _step(now),
        _failed(before),
        _failed(now),
    )


def _max(result: RouteResult, fabric: str | None) -> float:
    return max((entry.max_utilisation for entry in result.routes if fabric in (None, entry.fabric)), default=0.0)


def _over(result: RouteResult, fabric: str | None) -> int:
    return max((entry.links_over_capacity for entry in result.routes if fabric in (None, entry.fabric)), default=0)


def _step(result: RouteResult) -> float | None:
    return max((job.step_time_s for job in result.jobs if job.step_time_s is not None), default=None)


def _failed(result: RouteResult) -> int:
    return sum(limit.ok is False for limit in result.limits)
