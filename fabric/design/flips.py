"""At which price of one part another of the designs would be the one to buy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from topologies.catalogue import CableModel, Catalogue, OpticModel, SwitchModel


@dataclass(frozen=True)
class Parts:
    """What a design is made of, and what that costs; parts by model."""

    name: str
    cost_usd: float
    count: Mapping[str, float]


@dataclass(frozen=True)
class Flip:
    """The price of a model at which two designs cost the same."""

    model: str
    now_usd: float
    at_usd: float
    other: str  # the design that it flips to

    @property
    def change(self) -> float:
        """Relative to the price now."""
        return self.at_usd / self.now_usd - 1


def flips(chosen: Parts, others: Sequence[Parts], prices: Mapping[str, float]) -> tuple[Flip, ...]:
    """Of every part, the price nearest to its own at which a dearer design costs as little as the chosen one.

    Exact for the designs given: prices of all other parts stay, and each part's number in a design does not depend on
    its price.

    >>> flips(Parts("a", 100, {"x": 10}), [Parts("b", 120, {"x": 5})], {"x": 4})
    (Flip(model='x', now_usd=4, at_usd=8.0, other='b'),)
    """
    nearest: dict[str, Flip] = {}
    for other in others:
        for model, now in prices.items():
            more = chosen.count.get(model, 0.0) - other.count.get(model, 0.0)
            if not more or now <= 0:
                continue
            at = now + (other.cost_usd - chosen.cost_usd) / more
            if at <= 0 or other.cost_usd < chosen.cost_usd:
                continue  # not even for nothing, or it is the cheaper one as it is
            flip = Flip(model, now, at, other.name)
            if model not in nearest or abs(flip.change) < abs(nearest[model].change):
                nearest[model] = flip
    return tuple(sorted(nearest.values(), key=lambda flip: (abs(flip.change), flip.model)))


def unit_prices(catalogue: Catalogue) -> dict[str, float]:
    """Prices of everything a fabric is made of, by model."""
    rows: list[SwitchModel | OpticModel | CableModel] = [
        *catalogue.switches.values(),
        *catalogue.optics.values(),
        *catalogue.cables.values(),
    ]
    return {row.model: row.usd for row in rows if row.usd is not None}
