"""Single changes that help, each routed, with the command that applies it; and what perfect balance would come to."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.faces.views.draws import noise_text
from fabric.output.columns import counts, named, ratio_text, ratios, times
from fabric.output.document import Line
from fabric.output.table import Table
from fabric.whatif.suggestions import Suggestion, bounds, cures
from topologies.units import format_seconds, percent

SUGGESTIONS_SHOWN = ("text", "on", "max_after", "over_after", "step_after_s", "rest", "command")
_WORTH_SAYING = 0.9  # load that remains on another fabric


def suggestion_table(suggestions: Sequence[Suggestion]) -> Table:
    """The changes in the order they were given, best first."""
    before, after = ([entry.max_before for entry in suggestions], [entry.max_after for entry in suggestions])
    texts = [f"{ratio_text(old)} -> {ratio_text(new)}" for old, new in zip(before, after, strict=True)]
    steps = [(entry.step_before_s, entry.step_after_s) for entry in suggestions]
    columns = (
        named("text", "change", [entry.text for entry in suggestions], width=40),
        named("on", "on", [entry.fabric for entry in suggestions], width=8),
        named("basis", "basis", [entry.basis for entry in suggestions], width=7, priority=3),
        named("command", "command", [entry.command for entry in suggestions], width=40, priority=1, flexible=True),
        ratios("max_before", "max offered before", before, width=18, priority=2),
        ratios("max_after", "max offered", after, texts=texts, width=20),
        named("max_noise", "hash noise", [_max_noise(entry) for entry in suggestions], priority=3),
        counts("draws", "draws", [entry.draws for entry in suggestions], priority=3),
        counts("over_before", "links over before", [entry.over_before for entry in suggestions], priority=2),
        counts("over_after", "links over", [entry.over_after for entry in suggestions], width=10),
        times("step_before_s", "step before", [before for before, _ in steps], priority=2),
        times("step_after_s", "step", [after for _, after in steps], texts=[_steps(*pair) for pair in steps], width=16),
        counts(
            "limits_failed_before", "limits failed before", [e.limits_failed_before for e in suggestions], priority=2
        ),
        counts("limits_failed_after", "limits failed", [e.limits_failed_after for e in suggestions], priority=2),
        ratios("rest", "elsewhere", [e.rest for e in suggestions], texts=[*map(_rest, suggestions)], width=20),
        named("rest_fabric", "elsewhere on", [entry.rest_fabric for entry in suggestions], priority=3),
    )
    return Table.of(columns, len(suggestions), title=_title(suggestions))


def _title(suggestions: Sequence[Suggestion]) -> str:
    """How the figures were made: over how many draws, where there are any."""
    draws = sorted({entry.draws for entry in suggestions} - {1})
    over = f", medians over {' or '.join(f'{count:,}' for count in draws)} draws" if draws else ""
    return f"try, each alone (routed){over}"


def _max_noise(entry: Suggestion) -> str:
    return noise_text(entry.max_band, entry.max_after - entry.max_before)


def _steps(before: float | None, after: float | None) -> str:
    if after is None:
        return "-"
    shown = format_seconds(after)
    return shown if before is None or format_seconds(before) == shown else f"{format_seconds(before)} -> {shown}"


def _rest(entry: Suggestion) -> str:
    """What stays full on another fabric; empty where nothing is near its capacity."""
    if entry.rest is None or entry.rest < _WORTH_SAYING:
        return ""
    return f"{percent(entry.rest)} on {entry.rest_fabric} remains"


def bound_lines(suggestions: Sequence[Suggestion]) -> list[Line]:
    """What perfect balance would come to, fabric by fabric; equal ones share a line."""
    same: dict[tuple[str, ...], list[str]] = {}
    for entry in bounds(suggestions):
        rest = _rest(entry)
        figures = (
            entry.fabric,
            f"{percent(entry.max_before)} -> {percent(entry.max_after)}",
            _steps(entry.step_before_s, entry.step_after_s),
            rest,
        )
        same.setdefault(figures, []).append(entry.text)
    lines = []
    for (fabric, load, step, rest), texts in same.items():
        names = " or ".join(text.removeprefix("router ").removesuffix(f" on {fabric}") for text in texts)
        parts = [f"max offered {load}", *([f"step {step}"] if step != "-" else []), *([rest] if rest else [])]
        lines.append(Line(f"bound, not a cure: {names} on {fabric}: {', '.join(parts)}"))
    return lines


def suggestion_parts(suggestions: Sequence[Suggestion], *, title: str = "") -> list[Table | Line]:
    """Cures as a table, then bounds in words."""
    chosen = cures(suggestions)
    table = suggestion_table(chosen).only(*SUGGESTIONS_SHOWN).without_empty("rest")
    search = [Line(f"search for better: {entry.search}") for entry in chosen if entry.search]
    return [*([table.titled(title) if title else table] if chosen else []), *search, *bound_lines(suggestions)]
