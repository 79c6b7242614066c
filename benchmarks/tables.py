"""The table: one row for every method, ratios against ours, and what was asked of us."""

from __future__ import annotations

from benchmarks.compare import Outcome
from benchmarks.methods import Work

HEADER = (
    "work", "who", "median", "range", "runs", "peak memory", "max utilisation", "gap",
    "time, memory, utilisation / ours", "asked, or note",
)  # fmt: skip
ALIGN = ("---", "---", "---:", "---:", "---:", "---:", "---:", "---:", "---:", "---")


def line(cells: tuple[str, ...] | list[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def row(work: Work, found: Outcome, ours: Outcome | None) -> str:
    """The line of one method; ``ours`` is None for our own."""
    title = work.title if ours is None else ""
    if found.failure is not None:
        return line([title, found.method.name, *["-"] * 7, found.failure.reason])
    seconds, memory, answer = found.seconds, found.peak_mib, found.answer
    theta = "-" if answer.theta is None else f"{answer.theta:.6f}"
    gap = "-" if answer.gap is None else f"{answer.gap:.1e}"
    spread = f"{seconds.low:.3g} to {seconds.high:.3g} s" if len(found.runs) > 1 else "-"
    note = _asked(work, found) if ours is None else ""
    cells = [title, found.method.name, f"{seconds.median:.3g} s", spread, str(len(found.runs))]
    cells += [f"{memory.median:,.0f} MiB", theta, gap, _ratios(found, ours)]
    return line([*cells, "; ".join(part for part in (note, answer.note) if part)])


def _ratios(found: Outcome, ours: Outcome | None) -> str:
    if ours is None or ours.failure is not None:
        return "-"
    seconds = found.seconds.median / ours.seconds.median
    memory = found.peak_mib.median / ours.peak_mib.median
    parts = [f"{seconds:.3g}x", f"{memory:.2g}x"]
    if found.answer.theta and ours.answer.theta:
        parts.append(f"{found.answer.theta / ours.answer.theta:.4g}x" if found.method.agrees else "another question")
    return ", ".join(parts)


def _asked(work: Work, found: Outcome) -> str:
    """Everything asked, each met or missed."""
    asked = []
    if work.asked_gap is not None:
        gap = found.answer.gap
        asked.append((f"gap ≤ {work.asked_gap:.2g}", gap is not None and gap <= work.asked_gap))
    if work.asked_s is not None:
        asked.append((f"< {work.asked_s:g} s", found.seconds.median < work.asked_s))
    if work.asked_mib is not None:
        asked.append((f"< {work.asked_mib:,.0f} MB", found.peak_mib.median * 1.048576 < work.asked_mib))
    return ", ".join(f"{words}: {'met' if met else 'MISSED'}" for words, met in asked)
