"""The limits of a scenario: what was measured, what is allowed, whether it holds."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.evaluation.limits import limit_text, measured_text
from fabric.faces.views.draws import ONE_DRAW, band_columns
from fabric.output.columns import named, ratio_text
from fabric.output.table import Column, Mark, Table
from fabric.result import LimitVerdict

VERDICTS: dict[bool | None, str] = {True: "ok", False: "FAIL", None: "open"}
LIMITS_SHOWN = ("ok", "text", "value", "at", "max", "failed_part", "detail")


def limit_mark(ok: bool | None) -> Mark:
    """Good where a limit holds, bad where it does not, a warning where nobody can say."""
    return "warn" if ok is None else "good" if ok else "bad"


def change_mark(before: bool | None, after: bool | None) -> Mark:
    """Of a limit before and after a change: bad where it fails, good where one that failed holds.

    >>> change_mark(True, False), change_mark(False, False), change_mark(False, True), change_mark(True, True)
    ('bad', 'bad', 'good', '')
    """
    if after is False:
        return "bad"
    return "good" if after and before is False else ""


def limit_table(limits: Sequence[LimitVerdict]) -> Table:
    """Every limit."""
    columns = (
        named("id", "id", [limit.id for limit in limits], width=4, priority=3),
        named("text", "limit", [limit.text for limit in limits], width=26),
        named("metric", "metric", [limit.metric for limit in limits], width=16, priority=3),
        Column("value", "value", [limit.value for limit in limits], numeric=True, texts=[*map(measured_text, limits)]),
        named("at", "at", [limit.at for limit in limits], texts=[*map(_at, limits)], width=8),
        Column(
            "max",
            "allowed",
            [limit.max for limit in limits],
            numeric=True,
            texts=[limit_text(limit.max, limit.unit) for limit in limits],
        ),
        named("unit", "unit", [limit.unit for limit in limits], width=6, priority=3),
        named("failed_part", "fails in", [_failed_part(limit) for limit in limits], text=_part, width=13, priority=1),
        *band_columns([limit.draws for limit in limits], named, priority=3),
        Column("ok", "verdict", [limit.ok for limit in limits], VERDICTS.__getitem__, width=7),
        Column("detail", "detail", [limit.detail for limit in limits], width=24, priority=2, flexible=True),
    )
    marks = [limit_mark(limit.ok) for limit in limits]
    return Table.of(columns, len(limits), title="limits", marks=marks)


def shown_limits(limits: Sequence[LimitVerdict]) -> Table:
    """Every limit for people; where the hash was drawn, what of the draws is judged and in how many it fails."""
    return limit_table(limits).only(*LIMITS_SHOWN).without_empty("at", "failed_part")


def _at(limit: LimitVerdict) -> str:
    """What of the draws is judged; empty where nothing is drawn."""
    if limit.draws is None:
        return ""
    return limit.at if len(limit.draws) > 1 else ONE_DRAW


def _failed_part(limit: LimitVerdict) -> float | None:
    """Part of the draws of the hash in which it does not hold; None where there is one at most."""
    return limit.failed_part if limit.draws is not None and len(limit.draws) > 1 else None


def _part(part: float | None) -> str:
    return "" if part is None else f"{ratio_text(part, 0)} of draws"
