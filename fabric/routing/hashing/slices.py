"""Slices of independent rows on threads."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_SLICES = 16


def on_threads(rows: int, work: Callable[[int, int], None]) -> None:
    """Run ``work(first, last)`` over slices of ``rows`` on threads; every slice writes to places of its own."""
    slices = min(_SLICES, rows)
    bounds = [rows * part // max(slices, 1) for part in range(slices + 1)]
    with ThreadPoolExecutor(max_workers=min(max(slices, 1), os.cpu_count() or 1)) as pool:
        for job in [pool.submit(work, low, high) for low, high in itertools.pairwise(bounds)]:
            job.result()
