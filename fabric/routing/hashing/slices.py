"""Slices of independent rows on threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from fabric.routing.kernels import kernel_threads

_SLICES = 16


def on_threads(rows: int, work: Callable[[int, int], None]) -> None:
    """Run ``work(first, last)`` over slices of ``rows`` on threads; every slice writes to places of its own."""
    slices = min(_SLICES, rows)
    bounds = [rows * part // max(slices, 1) for part in range(slices + 1)]
    for job in [kernel_threads().submit(work, low, high) for low, high in itertools.pairwise(bounds)]:
        job.result()
