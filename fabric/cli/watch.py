"""Progress for those who wait: one live line on stderr, gone when the work is done or interrupted."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fabric.cli.interrupts import interruptible
from fabric.cli.options import Settings

if TYPE_CHECKING:
    from fabric.routing.progress import Progress, Reporter

_BAR_CELLS = 16


def is_watched(settings: Settings) -> bool:
    """Whether a person looks at stderr: a terminal, not a CI run, no request to be silent."""
    dumb = os.environ.get("TERM") == "dumb"
    return sys.stderr.isatty() and not (settings.quiet or settings.no_progress or os.environ.get("CI") or dumb)


@contextmanager
def watching(settings: Settings, *, gap: float = 1e-4) -> Iterator[Reporter]:
    """A reporter for the length of a ``with`` block; leaving it, by Ctrl-C too, restores the terminal.

    The bar of a solve is full when ``gap`` is reached.
    """
    if not is_watched(settings):
        with interruptible():
            yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True, highlight=False, no_color=True if settings.color == "never" else None)
    columns = (
        SpinnerColumn("line" if settings.ascii else "dots"),
        TextColumn("{task.description}", markup=False),
        BarColumn(_BAR_CELLS),
        TextColumn("{task.fields[reached]}", markup=False),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True, refresh_per_second=8) as bars, interruptible(bars.stop):
        task, started, first = bars.add_task("reading", total=None, reached=""), "", 0.0

        def report(state: Progress) -> None:
            nonlocal task, started, first
            if not state.seconds and state.text != started:  # a solve's own reports have a time; a new stage has none
                bars.remove_task(task)
                task, started, first = bars.add_task(state.text, total=None, reached=""), state.text, 0.0
            first = max(first, state.gap or 0.0)
            bars.update(task, description=state.text, reached=reached(state))
            if state.gap is not None:
                bars.update(task, total=1.0, completed=way(first, state.gap, gap))

        yield report


def way(first: float, now: float, wanted: float) -> float:
    """Part of the way from the first gap to the wanted one, in orders of magnitude: gaps close geometrically.

    >>> round(way(0.1, 0.01, 0.0001), 3), way(0.1, 0.0, 0.0001)
    (0.333, 1.0)
    """
    floor = max(wanted, 1e-9)
    if now <= floor or first <= floor:
        return 1.0
    return math.log(first / now) / math.log(first / floor)


def reached(state: Progress) -> str:
    """What a solve has come to so far.

    >>> from fabric.routing.progress import Progress
    >>> reached(Progress("optimal", theta=1.263, bound=1.25))
    'θ 126.30 %, bound 125.00 %, gap 1.04 %'
    """
    from topologies.units import excess, percent  # with pydantic, which a tab of the shell need not wait for

    words = []
    if state.theta is not None:
        words.append(f"θ {percent(state.theta, 2)}")
    if state.bound is not None:
        words.append(f"bound {percent(state.bound, 2)}")
    if state.gap is not None:
        words.append(f"gap {excess(state.gap, 2)}")
    return ", ".join(words)
