"""Single changes that help, each routed, with the command that applies it."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.output.columns import counts, named, ratio_text, ratios, times
from fabric.output.table import Table
from fabric.whatif.suggestions import Suggestion

SUGGESTIONS_SHOWN = ("text", "max_after", "over_after", "step_after_s", "command")


def suggestion_table(suggestions: Sequence[Suggestion]) -> Table:
    """The changes in the order they were given, best first."""
    before, after = ([entry.max_before for entry in suggestions], [entry.max_after for entry in suggestions])
    texts = [f"{ratio_text(old)} -> {ratio_text(new)}" for old, new in zip(before, after, strict=True)]
    columns = (
        named("text", "change", [entry.text for entry in suggestions], width=40),
        named("command", "command", [entry.command for entry in suggestions], width=40, priority=1, flexible=True),
        ratios("max_before", "max offered before", before, width=18, priority=2),
        ratios("max_after", "max offered", after, texts=texts, width=20),
        counts("over_before", "links over before", [entry.over_before for entry in suggestions], priority=2),
        counts("over_after", "links over", [entry.over_after for entry in suggestions], width=10),
        times("step_before_s", "step before", [entry.step_before_s for entry in suggestions], priority=2),
        times("step_after_s", "step", [entry.step_after_s for entry in suggestions]),
        counts(
            "limits_failed_before", "limits failed before", [e.limits_failed_before for e in suggestions], priority=2
        ),
        counts("limits_failed_after", "limits failed", [e.limits_failed_after for e in suggestions], priority=2),
    )
    return Table.of(columns, len(suggestions), title="try, each alone (routed)")
