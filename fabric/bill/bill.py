"""A bill as values: one row an item, with where its figures are from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Item = Literal["switch", "nic", "node", "optic", "cable", "licence", "spare"]
ITEMS: tuple[Item, ...] = ("switch", "licence", "nic", "optic", "cable", "spare", "node")  # in the order of a bill

HOURS_PER_YEAR = 8766.0  # 365.25 days


@dataclass(frozen=True)
class BillRow:
    """Things of one model; figures are of one of them, None where the catalogue has none.

    Attributes
    ----------
    estimate, usd_estimate : bool
        Whether some figure of it is an estimate, and whether its price is.
    absorbed_w : float
        Part of the largest power of all of them that is in the largest power of the switches they are plugged into.
    draws : bool
        Whether it is in use: spares lie in a drawer.
    """

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
    usd_estimate: bool = False
    absorbed_w: float = 0.0
    draws: bool = True
    usd_per_m: float = 0.0
    has_model: bool = True  # False: the scenario or the catalogue has none, and the row only counts

    @property
    def cost_usd(self) -> float | None:
        """Price of all of them."""
        return None if self.usd is None else self.usd * self.count + self.usd_per_m * self.metres

    @property
    def each_usd(self) -> float | None:
        """Price of one of them; of cables that are paid by the metre, of one of their mean length."""
        cost = self.cost_usd
        return self.usd if cost is None or not self.count else cost / self.count

    @property
    def power_w(self) -> float | None:
        """Typical power of all of them."""
        return self._drawn(self.typical_w)

    @property
    def max_power_w(self) -> float | None:
        """Largest power of all of them, without what the switches' own has in it."""
        drawn = self._drawn(self.max_w)
        return None if drawn is None else drawn - self.absorbed_w

    @property
    def embodied_kg(self) -> float | None:
        """Carbon of making all of them."""
        return None if self.carbon_kg is None else self.carbon_kg * self.count

    def _drawn(self, watts: float | None) -> float | None:
        if not self.draws or not self.count:
            return 0.0
        return None if watts is None else watts * self.count


@dataclass(frozen=True)
class Factor:
    """A number that carbon depends on, and where it is from."""

    name: str
    value: float
    unit: str
    source: str


@dataclass(frozen=True)
class BillTotals:
    """Sums over rows that have the figure; ``missing`` names what has none, so that a sum never looks whole.

    Attributes
    ----------
    heat_w : float
        What the equipment gives off typically: all that it draws.
    facility_w : float
        What the building draws for it typically: power times PUE.
    carbon_kg : float
        Of making it.
    operation_kg : float
        Of the electricity of ``years``, cooling and losses with it.
    lead_days : int, optional
        The longest of all rows; None where none has one.
    """

    cost_usd: float
    estimated_usd: float  # of that, by estimated prices
    typical_w: float
    max_w: float
    estimated_w: float  # of max_w
    heat_w: float
    carbon_kg: float
    gpus: int | None
    missing: tuple[str, ...]
    facility_w: float = 0.0
    operation_kg: float = 0.0
    lead_days: int | None = None
    lead_model: str = ""
    endpoints: int = 0
    cable_m: float = 0.0
    missing_prices: tuple[str, ...] = ()
    missing_watts: tuple[str, ...] = ()
    missing_carbon: tuple[str, ...] = ()
    missing_leads: tuple[str, ...] = ()

    @property
    def whole_cost_usd(self) -> float | None:
        """The cost, where every row has a price."""
        return None if self.missing_prices else self.cost_usd


@dataclass(frozen=True, eq=False)
class Bill:
    """What a scenario buys."""

    rows: tuple[BillRow, ...]
    totals: BillTotals
    notes: tuple[str, ...] = ()
    factors: tuple[Factor, ...] = field(default=())

    def of(self, *items: Item) -> tuple[BillRow, ...]:
        """Rows of some items."""
        return tuple(row for row in self.rows if row.item in items)
