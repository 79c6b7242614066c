"""Random histories of what is down when: parts fail at a constant rate while they work, and repairs take random times.

Times to failure and repairs are exponential, so a part is down for rate x repair / (1 + rate x repair) of the time, and
a history that begins in this long-run state is in it all the time. Parts fail independently of each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from topologies.columns import Bools, Floats, Ints, Longs, column


@dataclass(frozen=True, eq=False)
class Outages:
    """What failed when, in the order of ``start``; hours since the beginning of a history.

    ``start`` is 0 and ``fresh`` false where something is down from the beginning.
    """

    part: Ints  # shape (E,)
    start: Floats
    end: Floats
    fresh: Bools  # shape (E,), whether it fails within the history

    def __len__(self) -> int:
        return len(self.part)


def random_outages(rate_per_h: Floats, repair_h: Floats, hours: float, rng: np.random.Generator) -> Outages:
    """One history of parts.

    Parameters
    ----------
    rate_per_h : ndarray, shape (P,)
        Failures an hour of each part while it works.
    repair_h : ndarray, shape (P,)
        Mean repair, h; 0 of what works again at once.
    hours : float
        Length of the history.

    Returns
    -------
    Outages
        A failure counts only while its part works; ends may lie behind the history.
    """
    load = rate_per_h * repair_h
    down = np.flatnonzero(rng.random(len(load)) < load / (1 + load))
    count = int(rng.poisson(rate_per_h.sum() * hours))
    total = np.cumsum(rate_per_h)
    drawn = np.searchsorted(total, rng.random(count) * (total[-1] if count else 0.0), side="right")
    part = np.concatenate([down, np.minimum(drawn, max(len(load) - 1, 0))]).astype(np.int32)
    start = np.concatenate([np.zeros(len(down)), rng.random(count) * hours])
    fresh = np.concatenate([np.zeros(len(down), np.bool_), np.ones(count, np.bool_)])
    end = start + rng.exponential(1.0, len(part)) * repair_h[part]
    order = np.lexsort((start, part))
    kept = order[_while_working(part[order], start[order], end[order])]
    kept = kept[np.argsort(start[kept], kind="stable")]
    return Outages(
        column(part[kept], np.int32), column(start[kept], np.float64), column(end[kept], np.float64), fresh[kept]
    )


def _while_working(part: Ints, start: Floats, end: Floats) -> Bools:
    """Which failures happen while their part works; sorted by part and start.

    What begins after all earlier outages of its part would be over surely counts; others are decided one after the
    other behind the last that does, most of them in one pass.
    """
    count = len(part)
    kept = np.ones(count, dtype=np.bool_)
    if count < 2:
        return kept
    span = float(end.max()) + 1.0  # parts one behind the other, so that none reaches the next
    shift = part.astype(np.float64) * span
    latest = np.maximum.accumulate(end + shift)
    doubtful = np.concatenate([[False], (start + shift)[1:] < latest[:-1]])
    rows = np.arange(count)
    sure = np.maximum.accumulate(np.where(doubtful, 0, rows))
    depth = rows - sure
    busy_until = end.copy()
    order = rows[doubtful][np.argsort(depth[doubtful], kind="stable")]
    bounds = np.searchsorted(depth[order], np.arange(1, int(depth.max()) + 2))
    for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        late = order[low:high]
        before = busy_until[late - 1]
        kept[late] = start[late] >= before
        busy_until[late] = np.where(kept[late], end[late], before)
    return kept


def merged_by_host(host: Longs, start: Floats, end: Floats) -> tuple[Longs, Floats]:
    """Outages of hosts that overlap as one.

    Parameters
    ----------
    host : ndarray of int, shape (E,)
    start, end : ndarray, shape (E,)

    Returns
    -------
    first : ndarray of int
        Of every merged outage the row that it begins with, ascending by host and start.
    end : ndarray
        When the last of it ends.
    """
    if not len(host):
        return np.empty(0, np.int64), np.empty(0)
    order = np.lexsort((start, host))
    own, begins, ends = host[order], start[order], end[order]
    span = float(ends.max()) + 1.0
    latest = np.maximum.accumulate(ends + own * span)  # hosts one behind the other, so that none reaches the next
    is_first = np.concatenate([[True], (begins + own * span)[1:] > latest[:-1]])
    rows = np.flatnonzero(is_first)
    last = np.append(rows[1:], len(order)) - 1
    return order[rows], latest[last] - own[last] * span
