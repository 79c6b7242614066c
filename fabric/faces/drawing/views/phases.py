"""The phases view: the step of every job in time, ideal against predicted."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.faces.drawing.svg.canvas import CHAR, Canvas
from fabric.faces.drawing.view import Drawn, Picture, View
from fabric.faces.views.timeline import FILLS, OVER, JobTimeline, timelines
from topologies.units import format_seconds

_WIDTH, _LANE = 760.0, 24.0


def timeline_svg(jobs: Sequence[JobTimeline], heading: Sequence[str]) -> str:
    """Bars of all jobs; what congestion adds is red, the rest is what the phase needs at best."""
    canvas = Canvas()
    y = canvas.heading(heading) + 14
    x = 12.0
    for fill in FILLS.values():
        canvas.rectangle(x, y - 10, 14, 12, fill.colour)
        canvas.text(x + 18, y, fill.text, kind="f")
        x += 34 + len(fill.text) * CHAR
    y += 26
    names = [bar.lane for job in jobs for bar in job.bars]
    left = 20 + max((len(name) for name in names), default=8) * CHAR
    for job in jobs:
        y = _job(canvas, job, left, y)
    if not jobs:
        canvas.text(12, y, "no job has phases with a volume: steady traffic has no step")
    return canvas.svg()


def _job(canvas: Canvas, job: JobTimeline, left: float, y: float) -> float:
    total = "cannot finish" if job.total_s is None else format_seconds(job.total_s)
    ideal = "" if job.ideal_total_s is None else f", without congestion {format_seconds(job.ideal_total_s)}"
    canvas.text(12, y, f"{job.job}: step {total}{ideal}", kind="t")
    y += 10
    span = job.span_s or 1.0
    for bar in job.bars:
        middle = y + _LANE * 0.65
        canvas.text(left - 8, middle, bar.lane, kind="e")
        if bar.end_s is None:
            canvas.text(left, middle, "cannot finish: demand has no path", ink=FILLS[OVER].colour)
            y += _LANE
            continue
        start, end = left + bar.start_s / span * _WIDTH, left + bar.end_s / span * _WIDTH
        needed = min(left + (bar.start_s + bar.ideal_s) / span * _WIDTH, end)
        length = format_seconds(bar.end_s - bar.start_s)
        stretch = (
            f", {bar.stretch:.2f}x of {format_seconds(bar.ideal_s)}" if bar.stretch and bar.stretch > 1.001 else ""
        )
        tip = f"{bar.lane}: {length}{stretch}; {FILLS[bar.kind].text}"
        canvas.rectangle(start, y + 4, max(needed - start, 1), _LANE - 8, FILLS[bar.kind].colour, tip=tip)
        if end - needed > 0.5:
            canvas.rectangle(needed, y + 4, end - needed, _LANE - 8, FILLS[OVER].colour, tip=tip)
        canvas.text(left + _WIDTH + 10, middle, f"{length}{stretch}", kind="f")
        y += _LANE
    canvas.line(left, y + 4, left + _WIDTH, y + 4)
    for part in range(5):
        canvas.text(left + part / 4 * _WIDTH, y + 18, format_seconds(span * part / 4) if part else "0 s", kind="m f")
    return y + 46


def _view(drawn: Drawn, _: Picture) -> str:
    return timeline_svg(timelines(drawn.result), (f"{drawn.title}: the step in time",))


SUMMARY = "the step of every job in time"
ORDER = 70
VIEW = View("svg", _view, of_links=False)
