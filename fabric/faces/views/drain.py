"""Windows of work in order, and plans with fewer or more of them."""

from __future__ import annotations

from fabric.faces.views.row_kinds import WINDOWS
from fabric.operate.drain.result import DrainResult, Window
from fabric.output.columns import amounts, counts, loads, named
from fabric.output.table import Column, Mark, Table
from traffic.hostlist import folded_hosts

_MOST_NAMES = 6  # that are written out


def window_table(result: DrainResult) -> Table:
    """One row per window; those that break something are marked."""
    windows = result.windows
    steps = [max((job.stretch or 1.0 for job in window.jobs), default=None) for window in windows]
    worst = [window.worst_failure for window in windows]
    columns: dict[str, Column] = {
        "window": counts("window", "window", [window.number for window in windows], width=6),
        "drained": named("drained", "drained", [drained(window) for window in windows]),
        "works": counts("works", "works", [len(window.works) for window in windows], width=5),
        "hours": amounts("hours", "hours", [window.hours for window in windows], width=6),
        "lost": amounts("lost", f"lost {result.unit}", [window.lost for window in windows], width=11),
        "max_utilisation": loads("max_utilisation", "fullest link", [one.max_utilisation for one in windows], width=12),
        "hottest_link": named("hottest_link", "which", [window.hottest_link for window in windows], priority=2),
        "stretch": amounts("stretch", "slowest step x", steps, width=14, priority=2),
        "gpus_cut_off": counts("gpus_cut_off", "GPUs cut off", [window.gpus_cut_off for window in windows], width=12),
        "worst_failure": named(
            "worst_failure", "worst failure then", [_failure(window) for window in windows]
        ),
        "worst_failure_utilisation": loads(
            "worst_failure_utilisation", "fullest link then", [case and case.max_utilisation for case in worst],
            width=17,
        ),
        "kept": named("kept", "keeps limits", ["no" if window.broken else "yes" for window in windows]),
        "broken": named("broken", "breaks", ["; ".join(window.broken) for window in windows], priority=2),
    }  # fmt: skip
    marks: list[Mark] = ["bad" if window.broken else "" for window in windows]
    return Table.of([columns[name] for name in WINDOWS.names], len(windows), title="windows", marks=marks)


def _failure(window: Window) -> str:
    """What fails, and which jobs that stalls that the window alone does not."""
    case = window.worst_failure
    if case is None:
        return ""
    stalled = [job.id for job in case.jobs if job.state == "stalled" and f"{job.id} cannot finish" not in window.broken]
    return " + ".join(case.parts) + (f" (stalls {', '.join(stalled)})" if stalled else "")


def drained(window: Window) -> str:
    """What is drained, in few words."""
    folded = folded_hosts(list(window.works))
    if len(folded) <= 60:
        return folded
    more = len(window.works) - _MOST_NAMES
    return ", ".join(window.works[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")
