"""What differs between two failure sweeps: counts, limits, losses, cases by what fails, links by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

from fabric.failures.result import FailureCase, FailureResult, WorstLink
from fabric.whatif.differences import Row

GPU_HOURS = "GPU-h"  # unit of losses
_ASKED = ("set", "kinds", "choose", "reaction")  # what makes sweeps comparable


@dataclass(frozen=True)
class SweepDifferences:
    """Figures of both sweeps, then the cases and the links that differ, those that differ most first.

    ``asked`` are what was swept differently, with both values: figures of such sweeps are of other cases.
    ``only_a`` and ``only_b`` count the cases and links that one side alone has; None where lists are not whole, and of
    cases where one stands for others that are equal to it.
    """

    figures: tuple[Row, ...]
    cases: tuple[Row, ...]
    links: tuple[Row, ...]
    asked: tuple[tuple[str, Any, Any], ...]
    only_a: tuple[int | None, int] | None = (0, 0)
    only_b: tuple[int | None, int] | None = (0, 0)

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
        Whether both list every case and link that they looked at; else nobody knows what one side alone has.
    """
    whole = whole and _is_whole(a) and _is_whole(b)
    every = all(case.count == 1 for sweep in (a, b) for case in sweep.failures)
    cases = [{case.parts for case in sweep.failures} for sweep in (a, b)]
    links = [{(link.fabric, link.link) for link in sweep.links} for sweep in (a, b)]
    figures = [*_counts(a, b), *_limits(a, b), *_losses(a, b)]
    return SweepDifferences(
        tuple(figures),
        _most_different(_cases(a.failures, b.failures)),
        _most_different(_links(a.links, b.links)),
        tuple(_asked(a, b)),
        (len(cases[0] - cases[1]) if every else None, len(links[0] - links[1])) if whole else None,
        (len(cases[1] - cases[0]) if every else None, len(links[1] - links[0])) if whole else None,
    )


def _asked(a: FailureResult, b: FailureResult) -> Iterator[tuple[str, Any, Any]]:
    for key in _ASKED:
        if getattr(a, key) != getattr(b, key):
            yield key, getattr(a, key), getattr(b, key)
    sampled = [sweep.cases if sweep.cases < sweep.total else None for sweep in (a, b)]
    if sampled != [None, None]:
        yield "sample", sampled[0] or "all", sampled[1] or "all"


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


def _cases(a: Sequence[FailureCase], b: Sequence[FailureCase]) -> Iterator[Row]:
    """Load and step of every case that both have, matched by what fails."""
    others = {case.parts: case for case in b}
    for one in a:
        other = others.get(one.parts)
        if other is None:
            continue
        name = f"{' + '.join(one.parts)} fails"
        yield Row("failures", f"{name}: worst offered", one.max_utilisation, other.max_utilisation, "ratio")
        if one.stretch is None or other.stretch is None:  # a step that never ends is no stretch
            yield Row("failures", f"{name}: jobs that stall", _stalled(one), _stalled(other), "")
        else:
            yield Row("failures", f"{name}: step, of the intact one", one.stretch, other.stretch, "ratio")
        yield Row("failures", f"{name}: GPUs cut off", one.gpus_cut_off, other.gpus_cut_off, "")


def _stalled(case: FailureCase) -> int:
    return sum(job.state == "stalled" for job in case.jobs)


def _links(a: Sequence[WorstLink], b: Sequence[WorstLink]) -> Iterator[Row]:
    """Every link that both have, in its worst case, matched by fabric and name."""
    others = {(link.fabric, link.link): link for link in b}
    for one in a:
        other = others.get((one.fabric, one.link))
        if other is not None:
            name = f"{one.fabric} {one.link}: worst offered in any case"
            yield Row("failures", name, one.worst_utilisation, other.worst_utilisation, "ratio")
