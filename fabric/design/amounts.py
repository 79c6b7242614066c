"""Sums of an objective as people read them."""

from __future__ import annotations

from topologies.units import format_seconds


def amount_text(value: float, unit: str) -> str:
    """A sum of the objective.

    >>> amount_text(1478784.0, "US$"), amount_text(2500.0, "W"), amount_text(12.5, ""), amount_text(0.0125, "s")
    ('US$ 1,478,784', '2,500 W', '12', '12.5 ms')
    """
    if unit == "s":
        return format_seconds(value)
    return f"US$ {value:,.0f}" if unit == "US$" else f"{value:,.0f} {unit}".rstrip()
