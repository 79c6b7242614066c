"""Which jobs send over the same links, in whatever phases: what routing phase by phase does not show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.result import PhaseRoute
from topologies.budget import counted

_NAMED = 3  # jobs that are named


def sharing_warning(routes: Sequence[PhaseRoute]) -> str:
    """How many links more than one job uses, and which jobs; empty where there are none."""
    links, jobs = 0, set()
    for fabric in dict.fromkeys(route.fabric for route in routes):
        mine = [route for route in routes if route.fabric == fabric]
        found, used = _shared([route for route in mine if len({entry.job for entry in route.classes})])
        links += found
        jobs |= used
    if not links:
        return ""
    names = sorted(jobs)
    named = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
    return (
        f"{named} share {counted(links, 'links')}, and phases of different names are routed apart: fabric interference "
        "says what sharing costs each job"
    )


def _shared(routes: Sequence[PhaseRoute]) -> tuple[int, set[str]]:
    """Links of a fabric that several jobs use, and these jobs."""
    names = sorted({entry.job for route in routes for entry in route.classes})
    if len(names) < 2:
        return 0, set()
    uses = np.zeros((len(names), len(routes[0].topology.links)), np.bool_)
    for route in routes:
        for at, name in enumerate(names):
            columns = [code for code, entry in enumerate(route.classes) if entry.job == name]
            for code in columns:
                uses[at] |= route.link_gbps[:, code] > 0
    shared = uses.sum(axis=0) > 1
    return int(shared.sum()), {name for at, name in enumerate(names) if (uses[at] & shared).any()}
