"""A bill as values: one row an item, with where its figures are from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Item = Literal["switch", "nic", "node", "optic", "cable", "licence", "spare"]


@dataclass(frozen=True)
class BillRow:
    """Things of one model; figures are of one of them, None where the catalogue has none."""

    item: Item
    model: str
    count: int
    usd: float | None
    typical_w: float | None
    max_w: float | None
    carbon_kg: float | None
    lead_days: int | None
    estimate: bool
    source: str
    fabric: str | None = None  # None: of several
    metres: float = 0.0  # of all of them together, cables

    @property
    def cost_usd(self) -> float | None:
        """Price of all of them."""
        return None if self.usd is None else self.usd * self.count


@dataclass(frozen=True)
class BillTotals:
    """Sums over rows that have the figure; ``missing`` names what has none, so that a sum never looks whole."""

    cost_usd: float
    estimated_usd: float  # of that, by estimated prices
    typical_w: float
    max_w: float
    estimated_w: float  # of max_w
    heat_w: float
    carbon_kg: float  # of making it
    gpus: int | None
    missing: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Bill:
    """What a scenario buys."""

    rows: tuple[BillRow, ...]
    totals: BillTotals
    notes: tuple[str, ...] = ()
