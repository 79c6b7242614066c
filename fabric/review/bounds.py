"""Bounds of counts from claims, each with the arithmetic that it follows by, and the claims it follows from.

Relations between counts narrow an interval per count until nothing changes; where one is empty, the claims that its two
ends follow from contradict each other. All numbers are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor, prod
from typing import Protocol

from fabric.review.names import RATES, shown, times_text

_MOST_ROUNDS = 60
_MOST = Fraction(10**12)  # beyond that a bound says nothing


@dataclass(frozen=True)
class Bound:
    """One end of an interval: the step that gives it, and what that stands on."""

    value: Fraction
    step: str = ""
    below: tuple[Bound, ...] = ()
    claims: frozenset[str] = frozenset()

    def steps(self) -> list[str]:
        """All steps that lead here, each once, in their order."""
        texts = [text for bound in self.below for text in bound.steps()]
        return list(dict.fromkeys([*texts, *([self.step] if self.step else [])]))


@dataclass(frozen=True)
class Conflict:
    """An empty interval, or a rule that does not hold."""

    name: str
    kind: str
    claims: frozenset[str]
    text: str
    arithmetic: tuple[str, ...]


class Contradiction(Exception):  # noqa: N818  # an outcome, not an error
    """Ends the narrowing."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict.text)
        self.conflict = conflict


@dataclass(eq=False)
class Intervals:
    """What is known of every count; a count has no bound until something gives one."""

    low: dict[str, Bound] = field(default_factory=dict)
    high: dict[str, Bound] = field(default_factory=dict)
    claimed: frozenset[str] = frozenset()  # their ends are not rounded to whole numbers: the claim itself is one
    changed: bool = False

    def exact(self, name: str) -> Fraction | None:
        """The value where both ends meet."""
        low, high = self.low.get(name), self.high.get(name)
        return low.value if low is not None and high is not None and low.value == high.value else None

    def at_least(self, name: str, bound: Bound, kind: str, need: Need | None = None) -> None:
        """Raise the lower end."""
        value = bound.value if name in RATES or name in self.claimed else Fraction(ceil(bound.value))
        have = self.low.get(name)
        if value <= 0 or (have is not None and have.value >= value):
            return
        bound = Bound(value, bound.step, bound.below, bound.claims)
        self.low[name] = bound
        self.changed = True
        self._check(name, kind, need)

    def at_most(self, name: str, bound: Bound, kind: str, need: Need | None = None) -> None:
        """Lower the upper end."""
        value = bound.value if name in RATES or name in self.claimed else Fraction(floor(bound.value))
        have = self.high.get(name)
        if value >= _MOST or (have is not None and have.value <= value):
            return
        self.high[name] = Bound(value, bound.step, bound.below, bound.claims)
        self.changed = True
        self._check(name, kind, need)

    def _check(self, name: str, kind: str, need: Need | None) -> None:
        low, high = self.low.get(name), self.high.get(name)
        if low is None or high is None or low.value <= high.value:
            return
        steps = tuple(dict.fromkeys([*low.steps(), *high.steps()]))
        ends = [bound.step or shown(name, bound.value) for bound in (low, high)]
        text = need(low.value, high.value) if need is not None else "; ".join(ends)
        raise Contradiction(Conflict(name, kind, low.claims | high.claims, text, steps))


Need = Callable[[Fraction, Fraction], str]


class Relation(Protocol):
    """What counts say of each other."""

    @property
    def claims(self) -> frozenset[str]:
        """Claims that the relation itself stands on."""

    def narrow(self, known: Intervals) -> None:
        """Narrow what it can; Contradiction where nothing is left."""


def _from(bounds: Sequence[Bound], claims: frozenset[str]) -> frozenset[str]:
    return claims.union(*(bound.claims for bound in bounds))


@dataclass(frozen=True, eq=False)
class Product:
    """``total`` is (or with ``at_most``: is at most) the product of ``factors`` and ``scale``."""

    total: str
    factors: tuple[str, ...]
    kind: str
    scale: Fraction = Fraction(1)
    scale_text: str = ""
    at_most: bool = False
    claims: frozenset[str] = frozenset()
    need: Need | None = None

    def narrow(self, known: Intervals) -> None:
        """From factors to the total, then from the total to every factor."""
        self._total(known, high=True)
        if not self.at_most:
            self._total(known, high=False)
        for index in range(len(self.factors)):
            self._factor(known, index, high=False)
            if not self.at_most:
                self._factor(known, index, high=True)

    def _total(self, known: Intervals, *, high: bool) -> None:
        side = known.high if high else known.low
        bounds = [side[name] for name in self.factors if name in side]
        if len(bounds) != len(self.factors):
            return
        value = prod((bound.value for bound in bounds), start=self.scale)
        is_exact = all(known.exact(name) is not None for name in self.factors) and not self.at_most
        text = times_text([*zip(self.factors, (b.value for b in bounds), strict=True)], self.scale_text)
        step = f"{text} = {self._amount(self.total, value, high=high, is_exact=is_exact)}" if text else ""
        bound = Bound(value, step, tuple(bounds), _from(bounds, self.claims))
        (known.at_most if high else known.at_least)(self.total, bound, self.kind, self.need)

    def _factor(self, known: Intervals, index: int, *, high: bool) -> None:
        """An upper end of a factor from the total's upper end and the lower ends of the others, or the reverse."""
        total = (known.high if high else known.low).get(self.total)
        other_side = known.low if high else known.high
        names = [name for place, name in enumerate(self.factors) if place != index]
        others = [other_side[name] for name in names if name in other_side]
        if total is None or len(others) != len(names):
            return
        rest = prod((bound.value for bound in others), start=self.scale)
        if rest <= 0:
            return
        value, name = total.value / rest, self.factors[index]
        is_exact = known.exact(self.total) is not None and all(known.exact(other) is not None for other in names)
        by = times_text([*zip(names, (b.value for b in others), strict=True)], self.scale_text)
        is_broken = value.denominator > 1 and name not in RATES and name not in known.claimed
        if is_broken and is_exact and not self.at_most:
            self._refuse(name, f"{shown(self.total, total.value)} / {by}", value, [total, *others])
        amount = self._amount(name, value, high=high, is_exact=is_exact and not self.at_most)
        step = f"{shown(self.total, total.value)} / {by} = {amount}" if by else ""
        bounds = [total, *others]
        bound = Bound(value, step, tuple(bounds), _from(bounds, self.claims))
        (known.at_most if high else known.at_least)(name, bound, self.kind)

    def _refuse(self, name: str, quotient: str, value: Fraction, bounds: Sequence[Bound]) -> None:
        """A count that would not be a whole number."""
        step = f"{quotient} = {float(value):,.4g} {shown(name, Fraction(2)).split(' ', 1)[1]}"
        steps = (*dict.fromkeys(text for bound in bounds for text in bound.steps()), step)
        raise Contradiction(
            Conflict(name, self.kind, _from(bounds, self.claims), f"{step}, which is not a whole number", steps)
        )

    @staticmethod
    def _amount(name: str, value: Fraction, *, high: bool, is_exact: bool) -> str:
        whole = value if name in RATES else Fraction(floor(value) if high else ceil(value))
        text = shown(name, whole)
        return text if is_exact and whole == value else f"{'at most' if high else 'at least'} {text}"


@dataclass(frozen=True, eq=False)
class Total:
    """The weighted sum of ``parts`` is (or with ``at_most``: is at most) ``total``."""

    parts: tuple[tuple[str, Fraction], ...]
    total: str
    kind: str
    at_most: bool = False
    claims: frozenset[str] = frozenset()
    need: Need | None = None

    def narrow(self, known: Intervals) -> None:
        """From parts to the total, then to every part."""
        lows = [(name, weight, known.low[name]) for name, weight in self.parts if name in known.low]
        value = sum((weight * bound.value for _, weight, bound in lows), Fraction(0))
        if lows:
            is_exact = len(lows) == len(self.parts) and all(known.exact(name) is not None for name, _ in self.parts)
            most = "" if is_exact and not self.at_most else "at least "
            step = self._step([(name, weight, bound) for name, weight, bound in lows], value, most)
            bounds = tuple(bound for _, _, bound in lows)
            known.at_least(self.total, Bound(value, step, bounds, _from(bounds, self.claims)), self.kind, self.need)
        highs = [(name, weight, known.high[name]) for name, weight in self.parts if name in known.high]
        if not self.at_most and len(highs) == len(self.parts):
            value = sum((weight * bound.value for _, weight, bound in highs), Fraction(0))
            is_exact = all(known.exact(name) is not None for name, _ in self.parts)
            step = self._step(highs, value, "" if is_exact else "at most ")
            bounds = tuple(bound for _, _, bound in highs)
            known.at_most(self.total, Bound(value, step, bounds, _from(bounds, self.claims)), self.kind, self.need)
        for index in range(len(self.parts)):
            self._part(known, index, high=True)
            if not self.at_most:
                self._part(known, index, high=False)

    def _step(self, terms: Sequence[tuple[str, Fraction, Bound]], value: Fraction, most: str) -> str:
        return f"{_sum_text(terms)} = {most}{shown(self.total, value)}" if len(terms) > 1 else ""

    def _part(self, known: Intervals, index: int, *, high: bool) -> None:
        total = (known.high if high else known.low).get(self.total)
        if total is None:
            return
        side = known.low if high else known.high
        name, weight = self.parts[index]
        rest = [(part, scale) for place, (part, scale) in enumerate(self.parts) if place != index]
        others = [(part, scale, side[part]) for part, scale in rest if part in side]
        if not high and len(others) != len(rest):
            return
        value = (total.value - sum((scale * bound.value for _, scale, bound in others), Fraction(0))) / weight
        bounds = (total, *(bound for _, _, bound in others))
        step = ""
        if others:
            less = f"{shown(self.total, total.value)} - {_sum_text(others)}"
            whole = value if name in RATES else Fraction(floor(value) if high else ceil(value))
            step = f"{less} = {'at most' if high else 'at least'} {shown(name, max(whole, Fraction(0)))}"
        bound = Bound(max(value, Fraction(0)), step, bounds, _from(bounds, self.claims))
        if value < 0 and high:
            bound = Bound(Fraction(-1), step, bounds, bound.claims)
            known.low.setdefault(name, Bound(Fraction(0)))
        (known.at_most if high else known.at_least)(name, bound, self.kind)


def _sum_text(terms: Sequence[tuple[str, Fraction, Bound]]) -> str:
    parts = [shown(name, bound.value) if weight == 1 else
             f"{float(weight):g} x {shown(name, bound.value)}" for name, weight, bound in terms]  # fmt: skip
    return " + ".join(parts)


@dataclass(frozen=True, eq=False)
class Split:
    """Ports of a switch between down and up at an oversubscription: at most so many down."""

    down: str
    radix: str
    ratio: str
    kind: str
    down_ports: Fraction  # that a link down takes
    up_ports: Fraction  # that the bandwidth of a link down takes above, at 1:1
    claims: frozenset[str] = frozenset()

    def narrow(self, known: Intervals) -> None:
        """An upper end of the links down."""
        radix, ratio = known.high.get(self.radix), known.high.get(self.ratio)
        if radix is None or ratio is None or not ratio.value:
            return
        value = radix.value / (self.down_ports + self.up_ports / ratio.value)
        step = (
            f"of {shown(self.radix, radix.value)} at {shown(self.ratio, ratio.value)} "
            f"= at most {shown(self.down, Fraction(floor(value)))}"
        )
        bounds = (radix, ratio)
        known.at_most(self.down, Bound(value, step, bounds, _from(bounds, self.claims)), self.kind)


@dataclass(frozen=True, eq=False)
class Divides:
    """``by`` goes into ``total`` without a rest."""

    total: str
    by: str
    kind: str
    why: str
    claims: frozenset[str] = frozenset()

    def narrow(self, known: Intervals) -> None:
        """Only where both are known exactly."""
        total, by = known.exact(self.total), known.exact(self.by)
        if total is None or not by or total % by == 0:
            return
        ends = [known.low[self.total], known.high[self.total], known.low[self.by], known.high[self.by]]
        step = f"{shown(self.total, total)} / {shown(self.by, by)} = {float(total / by):,.4g}"
        steps = tuple(dict.fromkeys([*(text for end in ends for text in end.steps()), step]))
        raise Contradiction(Conflict(self.total, self.kind, _from(ends, self.claims), f"{step}: {self.why}", steps))


@dataclass(frozen=True, eq=False)
class Even:
    """``name`` is even."""

    name: str
    kind: str
    why: str
    claims: frozenset[str] = frozenset()

    def narrow(self, known: Intervals) -> None:
        """Only where it is known exactly."""
        value = known.exact(self.name)
        if value is None or value % 2 == 0:
            return
        ends = [known.low[self.name], known.high[self.name]]
        steps = tuple(dict.fromkeys(text for end in ends for text in end.steps()))
        text = f"{shown(self.name, value)}: {int(value):,} is odd, and {self.why}"
        raise Contradiction(Conflict(self.name, self.kind, _from(ends, self.claims), text, (*steps, text)))


@dataclass(frozen=True, eq=False)
class AnyOf:
    """``total`` is one of several sums: those to hosts, those between switches, or all."""

    total: str
    sums: tuple[tuple[str, ...], ...]
    kind: str
    claims: frozenset[str] = frozenset()

    def narrow(self, known: Intervals) -> None:
        """Nothing is narrowed; a number that is none of them contradicts what they stand on."""
        claim = known.low.get(self.total)
        if claim is None or known.exact(self.total) is None:
            return
        used: list[Bound] = [claim, known.high[self.total]]
        texts = []
        for names in self.sums:
            lows, highs = ([known.low.get(name) for name in names], [known.high.get(name) for name in names])
            low = sum((bound.value for bound in lows if bound is not None), Fraction(0))
            ends = [bound for bound in highs if bound is not None]
            high = sum((bound.value for bound in ends), Fraction(0)) if len(ends) == len(names) else None
            if low <= claim.value and (high is None or claim.value <= high):
                return
            used += [*(bound for bound in lows if bound is not None), *ends]
            is_fixed = high is not None and low == high
            parts = " + ".join(shown(name, known.low[name].value) for name in names if name in known.low)
            value = (
                f"{float(low):,.0f}"
                if is_fixed
                else (f"at least {float(low):,.0f}" if high is None else f"{float(low):,.0f} to {float(high):,.0f}")
            )
            texts.append(f"{parts} = {value}" if len(names) > 1 and parts else f"{value} {_of(names[0])}")
        steps = tuple(dict.fromkeys(text for bound in used for text in bound.steps()))
        text = f"{shown(self.total, claim.value)} is none of {', '.join(texts)}"
        raise Contradiction(Conflict(self.total, self.kind, _from(used, self.claims), text, (*steps, *texts[-1:])))


def _of(name: str) -> str:
    return shown(name, Fraction(2)).split(" ", 1)[1]


def narrow(relations: Sequence[Relation], known: Intervals) -> Conflict | None:
    """Narrow by all relations until nothing changes; the first contradiction, if there is one."""
    try:
        for _ in range(_MOST_ROUNDS):
            known.changed = False
            for relation in relations:
                relation.narrow(known)
            if not known.changed:
                return None
    except Contradiction as found:
        return found.conflict
    return None


def minimal_conflicts(
    claims: frozenset[str], conflict_of: Callable[[frozenset[str]], Conflict | None], most: int
) -> Iterator[Conflict]:
    """All smallest sets of claims that contradict each other, up to ``most`` (Reiter's tree of hitting sets)."""
    seen: dict[frozenset[str], Conflict] = {}
    tried: set[frozenset[str]] = set()
    queue: list[frozenset[str]] = [frozenset()]
    for dropped in queue:
        known = next((each for each in seen if not each & dropped), None)
        if known is None:
            conflict = conflict_of(claims - dropped)
            if conflict is None:
                continue
            conflict = _smallest(conflict, conflict_of)
            known = conflict.claims
            if known not in seen:
                seen[known] = conflict
                yield conflict
        if len(seen) >= most or len(queue) > 40 * most or not known:
            return
        for key in sorted(known):
            further = dropped | {key}
            if further not in tried:
                tried.add(further)
                queue.append(further)


def _smallest(conflict: Conflict, conflict_of: Callable[[frozenset[str]], Conflict | None]) -> Conflict:
    """A conflict without claims that it does not need."""
    for key in sorted(conflict.claims):
        if key in conflict.claims:
            less = conflict_of(conflict.claims - {key})
            if less is not None:
                conflict = less
    return conflict
