"""What is behind the losses, as bars: GPU-hours lost a month by cause, or the step in the worst case of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric.faces.views.failures import case_mark, case_name, effect_text, kind_harms, losses
from fabric.failures.result import Expected, FailureCase, FailureResult
from fabric.output.columns import amount_text, factor_text
from fabric.output.table import Mark
from topologies.units import percent

MOST_BARS = 24
_TICKS = 5


@dataclass(frozen=True)
class Bar:
    """One cause; ``value`` None is longer than any."""

    label: str
    value: float | None
    text: str
    mark: Mark = ""


@dataclass(frozen=True)
class Tornado:
    """Bars, the longest first, on an axis from ``least`` to ``most``.

    ``empty`` says why there is none; ``ticks`` are places from 0 to 1 with their texts.
    """

    title: str
    axis: str
    bars: tuple[Bar, ...]
    least: float
    most: float
    ticks: tuple[tuple[float, str], ...]
    empty: str = ""

    def share(self, bar: Bar) -> float:
        """How much of the axis a bar takes, from 0 to 1."""
        if bar.value is None:
            return 1.0
        span = self.most - self.least
        return min(max((bar.value - self.least) / span, 0.0), 1.0) if span else 0.0


def tornado(result: FailureResult) -> Tornado:
    """Of a sweep: what is lost where rates are known, else what the worst case of every kind does to a step."""
    expected = losses(result)
    if expected is not None:
        return _of_losses(expected)
    return _of_steps(result.failures)


def _of_losses(expected: Expected) -> Tornado:
    rows = sorted(((lost, cause) for cause, lost in expected.by_cause.items() if lost > 0), key=lambda row: -row[0])
    total = expected.gpu_hours_lost_per_month.mean
    rest = sum(lost for lost, _ in rows[MOST_BARS - 1 :]) if len(rows) > MOST_BARS else 0.0
    kept = rows[: MOST_BARS - 1] if rest else rows
    bars = [Bar(cause, lost, _lost_text(lost, total)) for lost, cause in kept]
    bars += [Bar(f"{len(rows) - len(kept)} more causes", rest, _lost_text(rest, total))] if rest else []
    most = round_up(max((lost for lost, _ in rows), default=0.0))
    return Tornado(
        "GPU-hours lost a month, by cause",
        "GPU-hours a month",
        tuple(bars),
        0.0,
        most,
        tuple((step / _TICKS, amount_text(most * step / _TICKS)) for step in range(_TICKS + 1)),
        empty="no GPU-hour is lost a month",
    )


def _lost_text(lost: float, total: float) -> str:
    return f"{amount_text(lost)} ({percent(lost / total)})" if total else amount_text(lost)


def _of_steps(cases: Sequence[FailureCase]) -> Tornado:
    harms = [harm for harm in kind_harms(cases) if harm.worst.jobs]
    known = [harm.stretch for harm in harms if harm.stretch is not None]
    most = 1 + round_up(max(known, default=1.0) - 1)
    bars = [
        Bar(
            f"{harm.kind}: {case_name(harm.worst)}",
            harm.stretch,
            f"a job {effect_text(harm.worst)}" if harm.stretch is None else effect_text(harm.worst),
            case_mark(harm.worst),
        )
        for harm in harms
    ]
    bars.sort(key=lambda bar: (bar.value is not None, -(bar.value or 0.0)))
    ticks = [(step / _TICKS, factor_text(1 + (most - 1) * step / _TICKS)) for step in range(_TICKS + 1)]
    return Tornado(
        "step in the worst failure of every kind, of the intact one",
        "times the intact step",
        tuple(bars[:MOST_BARS]),
        1.0,
        most,
        tuple(ticks) if most > 1 else ((0.0, factor_text(1.0)),),
        empty="no case, or no job with a step",
    )


def round_up(value: float) -> float:
    """1, 2, 5 or 10 times a power of ten, at least ``value``.

    >>> [round_up(value) for value in (0.0, 0.26, 61.0, 100.0)]
    [0.0, 0.5, 100.0, 100.0]
    """
    if value <= 0:
        return 0.0
    power = 10.0 ** int(f"{value:e}".partition("e")[2])
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= value * (1 - 1e-9))
