"""The time of a step: compute, and what of the phases cannot hide behind it.

A phase that overlaps compute has *room*: a share of the compute time that runs beside it. What exceeds the room is
exposed. Overlapping phases use the same network one after the other, so that together they hide behind the compute time
at most. The others are waited for in full.
"""

from __future__ import annotations

from collections.abc import Sequence

from traffic.workload import Phase

Timed = Sequence[tuple[Phase, float | None]]  # None: the phase cannot finish


def step_time(phases: Timed, compute_s: float | None) -> float | None:
    """Seconds of one step; None when a phase cannot finish."""
    exposed = exposed_times(phases, compute_s)
    if any(seconds is None for seconds in exposed):
        return None
    return (compute_s or 0.0) + sum(seconds or 0.0 for seconds in exposed)


def exposed_times(phases: Timed, compute_s: float | None) -> list[float | None]:
    """Seconds that the step waits for each phase.

    >>> from traffic.demands import Flows
    >>> phase = Phase("dp", "ring", "main", 2, 1.0, 1.0, 1.0, 2, Flows.none(), overlaps_compute=True, room=0.5)
    >>> exposed_times([(phase, 3.0), (phase, 1.0)], 4.0)
    [1.0, 0.0]
    """
    left = compute_s or 0.0
    result: list[float | None] = []
    for phase, seconds in phases:
        if seconds is None or not phase.overlaps_compute:
            result.append(seconds)
            continue
        hidden = min(seconds, left, phase.room * (compute_s or 0.0))
        left -= hidden
        result.append(seconds - hidden)
    return result
