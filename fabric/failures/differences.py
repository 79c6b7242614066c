"""What differs between two failure sweeps: counts, limits, losses, cases by what fails, links by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

from fabric.failures.result import FailureCase, FailureResult, WorstLink
from fabric.whatif.differences import Row

GPU_HOURS = "GPU-h"  # unit of losses
_ASKED = ("set", "kinds", "choose", "reaction", "cases", "total")  # what makes sweeps comparable


@dataclass(frozen=True)
class SweepDifferences:
    """Figures of both sweeps, then the cases and the links that differ, those that differ most first.

    ``asked`` are what was swept differently, with both values: figures of such sweeps are of other cases.
    """

    figures: tuple[Row, ...]
    cases: tuple[Row, ...]
    links: tuple[Row, ...]
    asked: tuple[tuple[str, Any, Any], ...]

    def rows(self, most: int) -> list[Row]:
        """All figures, and ``most`` of the cases and of the links that differ."""
        return [*self.figures, *self.cases[:most], *self.links[:most]]

    def differs(self, tolerance: float = 0.0) -> bool:
        """Whether anything differs."""
        return any(row.differs(tolerance) for row in (*self.figures, *self.cases, *self.links))


def compare_sweeps(a: FailureResult, b: FailureResult, *, whole: bool = True) -> SweepDifferences:
    """Compare two sweeps.

    Parameters
    ----------
    whole : bool
        Whether both list every case and link that they looked at; else what one side alone lists is left out, as the
        other may have it too.
    """
    every_case = whole and _is_whole(a) and _is_whole(b)
    figures = [*_counts(a, b), *_limits(a, b), *_losses(a, b)]
    return SweepDifferences(
        tuple(figures),
        _most_different(_cases(a.failures, b.failures, whole=every_case)),
        _most_different(_links(a.links, b.links, whole=whole)),
        tuple((key, getattr(a, key), getattr(b, key)) for key in _ASKED if getattr(a, key) != getattr(b, key)),
    )


def _is_whole(sweep: FailureResult) -> bool:
    """Whether all its cases are listed."""
    return sum(case.count for case in sweep.failures) >= sweep.cases


def _most_different(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows that differ, limits of what can be measured first: what one side alone has, then by how much."""
    return tuple(sorted((row for row in rows if row.differs(0.0)), key=lambda row: (-_change(row), row.what)))


def _change(row: Row) -> float:
    return inf if row.change is None or not isfinite(row.change) else abs(row.change)


def _counts(a: FailureResult, b: FailureResult) -> Iterator[Row]:
    def figure(what: str, one: float | None, other: float | None, unit: str = "") -> Row:
        return Row("failures", what, one, other, unit)

    yield figure("failure cases", a.cases, b.cases)
    for state, what in (("stalled", "cases that stall a job"), ("slowed", "cases that slow a job, and stall none")):
        yield figure(what, a.by_state.get(state, 0), b.by_state.get(state, 0))  # type: ignore[call-overload]
    yield figure("cases that cut GPUs off", a.cut_off, b.cut_off)
    yield figure("cases with a link over capacity", a.over_capacity, b.over_capacity)
    yield figure("worst offered in any case", _worst(a), _worst(b), "ratio")
    yield figure("longest step in any case, of the intact one", _longest(a), _longest(b), "ratio")


def _worst(sweep: FailureResult) -> float | None:
    """Of the fullest link; None where no link is listed."""
    return max((link.worst_utilisation for link in sweep.links), default=None)


def _longest(sweep: FailureResult) -> float | None:
    """Of the cases that stall no job; None where no job has a step."""
    return max((case.stretch for case in sweep.failures if case.stretch is not None), default=None)


def _limits(a: FailureResult, b: FailureResult) -> Iterator[Row]:
    sides = [{(limit.verdict.text, limit.when): limit for limit in sweep.limits} for sweep in (a, b)]
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        one, other = sides[0].get(key), sides[1].get(key)
        judged = [None if limit is None else limit.verdict for limit in (one, other)]
        known = next(verdict for verdict in (judged[1], judged[0]) if verdict is not None)
        values = [None if verdict is None else verdict.value for verdict in judged]
        verdicts = [None if verdict is None else verdict.ok for verdict in judged]
        what = f"limit: {key[0]}" if key[1] in key[0] else f"limit: {key[0]} when {key[1]}"
        yield Row("failures", what, values[0], values[1], known.unit, verdicts[0], verdicts[1], known.max)
        broken = [None if limit is None else limit.broken for limit in (one, other)]
        yield Row("failures", f"{what}: cases that break it", broken[0], broken[1], "")


def _losses(a: FailureResult, b: FailureResult) -> Iterator[Row]:
    one, other = a.expected, b.expected
    if one is None and other is None:
        return
    lost = [None if each is None else each.gpu_hours_lost_per_month.mean for each in (one, other)]
    yield Row("failures", "GPU-hours lost a month", lost[0], lost[1], GPU_HOURS)
    causes = [{} if each is None else dict(each.by_cause) for each in (one, other)]
    for cause in dict.fromkeys([*causes[0], *causes[1]]):
        values = [
            side.get(cause, 0.0) if each is not None else None for side, each in zip(causes, (one, other), strict=True)
        ]
        yield Row("failures", f"GPU-hours lost a month: {cause}", values[0], values[1], GPU_HOURS)
    held = [{} if each is None else dict(each.availability) for each in (one, other)]
    for limit in dict.fromkeys([*held[0], *held[1]]):
        yield Row("failures", f"part of the time that {limit} holds", held[0].get(limit), held[1].get(limit), "ratio")


def _cases(a: Sequence[FailureCase], b: Sequence[FailureCase], *, whole: bool) -> Iterator[Row]:
    """Load and step of every case, matched by what fails."""
    sides = [{case.parts: case for case in cases} for cases in (a, b)]
    for parts in dict.fromkeys([*sides[0], *sides[1]]):
        one, other = sides[0].get(parts), sides[1].get(parts)
        if (one is None or other is None) and not whole:
            continue
        name = f"{' + '.join(parts)} fails"
        yield Row(
            "failures", f"{name}: worst offered", _of(one, "max_utilisation"), _of(other, "max_utilisation"), "ratio"
        )
        steps = [_of(case, "stretch") for case in (one, other)]
        stalls = [None if case is None else any(job.state == "stalled" for job in case.jobs) for case in (one, other)]
        if True in stalls and None not in stalls:
            yield Row("failures", f"{name}: jobs that stall", _stalled(one), _stalled(other), "")
        else:
            yield Row("failures", f"{name}: step, of the intact one", steps[0], steps[1], "ratio")
        yield Row("failures", f"{name}: GPUs cut off", _of(one, "gpus_cut_off"), _of(other, "gpus_cut_off"), "")


def _stalled(case: FailureCase | None) -> int | None:
    return None if case is None else sum(job.state == "stalled" for job in case.jobs)


def _of(case: FailureCase | None, name: str) -> float | None:
    return None if case is None else getattr(case, name)


def _links(a: Sequence[WorstLink], b: Sequence[WorstLink], *, whole: bool) -> Iterator[Row]:
    """Every link in its worst case, matched by fabric and name."""
    sides = [{(link.fabric, link.link): link for link in links} for links in (a, b)]
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        one, other = sides[0].get(key), sides[1].get(key)
        if (one is None or other is None) and not whole:
            continue
        values = [None if link is None else link.worst_utilisation for link in (one, other)]
        yield Row("failures", f"{key[0]} {key[1]}: worst offered in any case", values[0], values[1], "ratio")
