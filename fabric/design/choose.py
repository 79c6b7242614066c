"""The best design of every family that holds when it is built, routed and failed.

Within a family and a fabric, designs are tried in order of the objective. Where one fails for want of bandwidth, less
oversubscription is tried: first the least there is (if that fails too, the family is out), then between. Taken for
granted, and said: of two designs of one family, the one with more oversubscription is not faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import inf, sqrt

from fabric.design.counted import Counted
from fabric.design.judge import Judged
from fabric.design.need import FabricNeed

_FINER = 1 - 1e-9  # of a ratio that failed: designs strictly below it
_MOST_IN_FAMILY = 16  # designs of one family that are judged
_ENOUGH = 6  # after which a gap will do
_GAP = 0.009
_MOST_BESIDE = 4  # further ones of a family that is only shown beside a better one
_NEAR = 1.02  # two ratios between which designs are tried in order


@dataclass(frozen=True)
class Ranked:
    """A counted design with its value under the objective, and a proved bound of what the search covered."""

    counted: Counted
    value: float
    bound: float


Ranking = Callable[[FabricNeed], Iterator[Ranked]]  # designs for a need in order of the objective
Trial = Callable[[Counted], Judged]


@dataclass(frozen=True)
class FamilyChoice:
    """What came of a family: its best design that holds, None where none does."""

    family: str
    best: Ranked | None
    judged: Judged | None
    bound: float  # no design of it that may hold is below; inf: none holds
    rejected: tuple[str, ...]
    assumed: bool = False  # that more oversubscription is not faster
    exhausted: bool = True  # whether the bound is the best design's value


@dataclass
class _Tries:
    """Designs of one family on one fabric as they are judged."""

    fabric: str
    trial: Trial
    holding: tuple[Ranked, Judged] | None = None
    failed: float = inf  # the least oversubscription that failed
    rejected: list[str] = field(default_factory=list)
    count: int = 0

    def holds(self, ranked: Ranked) -> bool:
        """Judge one."""
        self.count += 1
        judged = self.trial(ranked.counted)
        reasons = [breach.text for breach in judged.breaches if self.fabric in breach.fabrics]
        if not reasons:
            if self.holding is None or ranked.value <= self.holding[0].value:
                self.holding = (ranked, judged)
            return True
        self.failed = min(self.failed, ratio_of(ranked.counted))
        self.rejected.append(f"{name_of(ranked.counted)}: {reasons[0]}")
        return False


def ratio_of(counted: Counted) -> float:
    """The largest oversubscription or uniform load of a design; 1 where it has none."""
    uniform = () if counted.uniform_load is None else (counted.uniform_load,)
    return max((*counted.oversubscription.values(), *uniform), default=1.0)


def name_of(counted: Counted) -> str:
    """A design in few words: ``rail-optimised, 64 leaf eth-64x400, 32 spine eth-64x400``."""
    switches = ", ".join(f"{one.count:,} {one.role} {one.model}" for one in counted.switches)
    return f"{counted.family}, {switches}"


def best_of_family(
    family: str, need: FabricNeed, ranking: Ranking, trial: Trial, below: float = inf, *, shown: bool = False
) -> FamilyChoice:
    """The best design of a family that holds and is better than one that is known.

    Parameters
    ----------
    ranking : callable
        Counted designs of the family for a need, in order.
    trial : callable
        Judges one.
    below : float
        Value of a design that holds: only a better one is looked for to the end.
    shown : bool
        Whether a design of the family is wanted even if it is not better: then the best of a few will do.
    """
    tries = _Tries(need.name, trial)
    first = next(ranking(need), None)
    if first is None:
        return FamilyChoice(family, None, None, inf, ())
    if first.value >= below and not shown:
        return FamilyChoice(family, None, None, first.bound, (), exhausted=False)
    if tries.holds(first):
        return _choice(family, tries, first.bound)
    if ratio_of(first.counted) <= 1.0:
        return _others(family, need, ranking, tries, below)
    tightest = next(ranking(replace(need, oversubscription=1.0)), None)
    if tightest is None:
        tightest = least_oversubscribed(need, ranking)
    if tightest is None or not tries.holds(tightest):
        return FamilyChoice(family, None, None, inf, _few(tries.rejected), assumed=True)
    most, below = (tries.count + _MOST_BESIDE, inf) if first.value >= below else (_MOST_IN_FAMILY, below)
    bound = _between(need, ranking, tries, ratio_of(tightest.counted), below, most)
    return _choice(family, tries, bound, assumed=True)


def least_oversubscribed(need: FabricNeed, ranking: Ranking) -> Ranked | None:
    """The cheapest design of the least oversubscription, where 1:1 cannot be had: by halving the ceiling."""

    def under(ceiling: float) -> Ranked | None:
        return next(ranking(replace(need, oversubscription=ceiling)), None)

    least = under(need.oversubscription)
    too_low = 1.0  # a ceiling that no design keeps
    while least is not None:
        ratio = ratio_of(least.counted)
        below = under((too_low + ratio) / 2)
        if below is None:
            too_low = (too_low + ratio) / 2
            below = under(ratio * _FINER)
        if below is None:
            return least
        least = below
    return None


def _between(need: FabricNeed, ranking: Ranking, tries: _Tries, held: float, below: float, most: int) -> float:
    """Better designs between a ratio that holds and one that fails; the bound of what is left untried.

    After some, a design within 1 % of that bound is good enough.
    """

    def under(ceiling: float) -> Ranked | None:
        return next(ranking(replace(need, oversubscription=ceiling)), None)

    while True:
        best = min(tries.holding[0].value if tries.holding else inf, below)
        cheapest = under(tries.failed * _FINER)
        if cheapest is None or cheapest.value >= best:
            return best
        if tries.count >= most or (tries.count >= _ENOUGH and cheapest.value >= best * (1 - _GAP)):
            return cheapest.bound
        ranked, low = cheapest, held
        while tries.failed / low > _NEAR:  # a lower ceiling with no better design is passed over
            middle = under(sqrt(low * tries.failed))
            if middle is not None and middle.value < best:
                ranked = middle
                break
            low = sqrt(low * tries.failed)
        if tries.holds(ranked):
            held = max(held, ratio_of(ranked.counted))


def _others(family: str, need: FabricNeed, ranking: Ranking, tries: _Tries, below: float) -> FamilyChoice:
    """Further designs at full bandwidth, in order: what failed is not for want of it."""
    for place, ranked in enumerate(ranking(need)):
        if place == 0:
            continue
        if ranked.value >= below or tries.count >= _MOST_IN_FAMILY // 2:
            return FamilyChoice(family, None, None, ranked.bound, _few(tries.rejected), exhausted=False)
        if tries.holds(ranked):
            return _choice(family, tries, ranked.bound)
    return FamilyChoice(family, None, None, inf, _few(tries.rejected))


def _few(rejected: list[str]) -> tuple[str, ...]:
    """The first and the last of those that failed, and how many there were between."""
    if len(rejected) <= 2:
        return tuple(rejected)
    between = f" ({len(rejected) - 2} more between failed too)" if len(rejected) > 2 else ""
    return rejected[0], rejected[-1] + between


def _choice(family: str, tries: _Tries, bound: float, *, assumed: bool = False) -> FamilyChoice:
    """What is held in the end."""
    if tries.holding is None:
        return FamilyChoice(family, None, None, bound, _few(tries.rejected), assumed=assumed)
    ranked, judged = tries.holding
    return FamilyChoice(family, ranked, judged, min(bound, ranked.value), _few(tries.rejected), assumed=assumed)
