"""The step of the jobs as bars: one line per phase, time from left to right."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fabric.faces.views.timeline import OVER, Bar, JobTimeline
from topologies.units import format_seconds
from tui.style import Look
from tui.text import fitted

_LANE = 20
_NOTE = 26


@dataclass(frozen=True)
class _Line:
    """One line: a heading, an axis or a bar."""

    text: str = ""
    bar: Bar | None = None
    span_s: float = 0.0


class TimelineBars(ScrollView, can_focus=True):
    """Bars of all jobs, in the colours of the pictures; what congestion adds is red."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.look = Look()
        self.stale = False
        self.phase = ""
        self._lines: list[_Line] = []

    def show(self, jobs: tuple[JobTimeline, ...], look: Look, *, phase: str = "", stale: bool = False) -> None:
        """Show the steps of jobs; the bar of ``phase`` is marked."""
        self.look, self.stale, self.phase = look, stale, phase
        self._lines = []
        for job in jobs:
            total = "cannot finish" if job.total_s is None else format_seconds(job.total_s)
            ideal = "" if job.ideal_total_s is None else f", without congestion {format_seconds(job.ideal_total_s)}"
            self._lines.append(_Line(f"{job.job}: step {total}{ideal}" if job.bars else f"{job.job}: nothing timed"))
            self._lines += [_Line(bar.lane, bar, job.span_s) for bar in job.bars]
        self.virtual_size = Size(self.size.width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self.scrollable_content_region.width
        at = int(self.scroll_offset.y) + y
        if at >= len(self._lines):
            words = "no job has phases with a volume: steady traffic has no step" if not self._lines and y == 0 else ""
            return Strip([Segment(fitted(words, width), self.look.faint)]).apply_style(self.rich_style)
        line = self._lines[at]
        if line.bar is None:
            return Strip([Segment(fitted(line.text, width), self.look.heading)]).apply_style(self.rich_style)
        note = _NOTE if width >= 70 else 0
        room = max(width - _LANE - note - 1, 4)
        mark = ">" if line.bar.lane == self.phase else " "
        parts = [Segment(mark + fitted(line.bar.lane, _LANE - 1), self.look.text)]
        parts += self._bar(line.bar, line.span_s, room)
        if note:
            parts.append(Segment(" " + fitted(_words(line.bar), note), self.look.faint))
        return Strip(parts).adjust_cell_length(width, self.look.text).apply_style(self.rich_style)

    def _bar(self, bar: Bar, span_s: float, room: int) -> list[Segment]:
        if bar.end_s is None:
            return [Segment(fitted("cannot finish: demand has no path", room), self.look.bad)]
        scale = room / span_s if span_s > 0 else 0.0
        first = min(int(bar.start_s * scale), room - 1)
        last = max(min(round(bar.end_s * scale), room), first + 1)
        ideal = max(min(round((bar.start_s + bar.ideal_s) * scale), last), first + 1)
        over = bar.kind in ("exposed", "overlapped") and bar.end_s - bar.start_s > bar.ideal_s * 1.001
        split = ideal if over else last
        return [
            Segment(" " * first, self.look.text),
            self._part(bar.kind, split - first),
            self._part(OVER, last - split),
            Segment(" " * (room - last), self.look.text),
        ]

    def _part(self, kind: str, cells: int) -> Segment:
        if self.stale:  # in grey, and told apart by glyphs
            return Segment(replace(self.look, colour=False).bar(kind)[0] * cells, self.look.faint)
        sign, style = self.look.bar(kind)
        return Segment(sign * cells, style)


def _words(bar: Bar) -> str:
    if bar.end_s is None:
        return ""
    length = format_seconds(bar.end_s - bar.start_s)
    stretch = f" {bar.stretch:.2f}x" if bar.stretch is not None and bar.stretch > 1.001 else ""
    words = {"compute": "", "bubble": "", "exposed": "waits", "overlapped": "hidden", "apart": "not in step"}[bar.kind]
    if bar.waited_s:
        words = f"waits {format_seconds(bar.waited_s)}"
    return f"{length}{stretch} {words}".rstrip()
