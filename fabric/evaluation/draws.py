"""One phase in many draws of the hash: which draw stands for all, and what the jobs and limits come to in each.

A single draw says little: another seed, another fullest link. A phase is therefore drawn several times, and shown is
the draw in the middle, by its fullest link. Draw r of every phase has seed s + r, so that draw r of the phases together
is what the scenario would come to with that seed; times of steps and limits are judged draw by draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fabric.evaluation.severity import severity_order
from fabric.result import Band, EveryDraw, PhaseDraws
from topologies.columns import Floats

_BATCH = 200_000  # loads of edges by class that are kept at once; more left the cache

# edge loads -> utilisation by link, peaks by job and whether of its steady traffic
Measure = Callable[[Floats], tuple[Floats, dict[tuple[str, bool], float]]]


def middle(every: EveryDraw) -> int:
    """The draw in the middle by fullest link, links over capacity and total load; of an even number the lower."""
    total = np.where(np.isfinite(every.utilisation), every.utilisation, 0.0).sum(axis=1)
    order = severity_order(every.peak.tolist(), every.over.astype(int).tolist(), total.tolist())
    return int(order[::-1][(every.count - 1) // 2])


def figures(every: EveryDraw, shown: int) -> PhaseDraws:
    """What is kept of the draws; ``shown`` is the one whose links are listed."""
    return PhaseDraws(every.seed, shown, Band.of(every.peak), Band.of(every.over))


def draw_phase(
    loads_gbps: Callable[[Sequence[int]], Floats], measure: Measure, *, seed: int, count: int, cells: int
) -> EveryDraw:
    """Measure ``count`` draws from ``seed`` on; ``cells`` is the size of one draw's loads."""
    batch = int(np.clip(_BATCH // max(cells, 1), 1, count))
    rows: list[Floats] = []
    peaks: list[dict[tuple[str, bool], float]] = []
    for first in range(0, count, batch):
        seeds = range(seed + first, seed + min(first + batch, count))
        for loads in loads_gbps(seeds):
            utilisation, peak = measure(loads)
            rows.append(utilisation)
            peaks.append(peak)
    return EveryDraw(seed, np.stack(rows), {key: np.array([peak[key] for peak in peaks]) for key in peaks[0]})
