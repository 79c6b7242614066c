"""What a stage buys: its bill less that of the stage before, model by model; what is left over is said, not sold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fabric.bill.bill import Bill, BillRow


@dataclass(frozen=True)
class BoughtRow:
    """Things of one model that a stage buys (above 0) or has left over (below)."""

    item: str
    model: str
    count: int
    usd: float | None
    estimate: bool


@dataclass(frozen=True)
class Purchase:
    """What a stage buys.

    Attributes
    ----------
    cost_usd : float
        Of what has a price.
    missing : tuple of str
        Models without a price, so that the sum never looks whole.
    """

    rows: tuple[BoughtRow, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def bought(self) -> tuple[BoughtRow, ...]:
        """Rows of what is bought."""
        return tuple(row for row in self.rows if row.count > 0)

    @property
    def left_over(self) -> tuple[BoughtRow, ...]:
        """Rows of what is no longer needed."""
        return tuple(row for row in self.rows if row.count < 0)

    def count(self, item: str) -> int:
        """Things of one sort that are bought."""
        return sum(row.count for row in self.bought if row.item == item)

    @property
    def cost_usd(self) -> float:
        """Price of what is bought and has one."""
        return sum(row.count * row.usd for row in self.bought if row.usd is not None)

    @property
    def missing(self) -> tuple[str, ...]:
        """Models that are bought and have no price."""
        return tuple(sorted({row.model for row in self.bought if row.usd is None}))

    @property
    def estimated(self) -> bool:
        """Whether some price is an estimate."""
        return any(row.estimate for row in self.bought)


def purchase(before: Bill | None, after: Bill) -> Purchase:
    """The difference of two bills; None before the first stage is bought."""
    rows = []
    old, new = _by_model(before.rows if before else ()), _by_model(after.rows)
    for key in dict.fromkeys((*new, *old)):
        count = _count(new.get(key, ())) - _count(old.get(key, ()))
        if count:
            sample = (new.get(key) or old[key])[0]
            metres = _metres(new.get(key, ())) - _metres(old.get(key, ()))
            rows.append(BoughtRow(sample.item, sample.model, count, _each_usd(sample, count, metres), sample.estimate))
    return Purchase(tuple(rows), after.notes)


def _by_model(rows: Iterable[BillRow]) -> Mapping[tuple[str, str], list[BillRow]]:
    found: dict[tuple[str, str], list[BillRow]] = {}
    for row in rows:
        found.setdefault((row.item, row.model), []).append(row)
    return found


def _each_usd(sample: BillRow, count: int, metres: float) -> float | None:
    """Price of one of those that are bought, of cables by the metre at their mean length."""
    return None if sample.usd is None else sample.usd + sample.usd_per_m * max(metres / count, 0.0)


def _metres(rows: Iterable[BillRow]) -> float:
    return sum(row.metres for row in rows)


def _count(rows: Iterable[BillRow]) -> int:
    return sum(row.count for row in rows)
