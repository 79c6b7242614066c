"""Draws of the hash in words and columns: medians, what nine draws in ten lie between, changes within the noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isfinite

from fabric.output.columns import Maker, points_text
from fabric.output.document import Line
from fabric.output.table import Column
from fabric.result import Band, PhaseDraws, PhaseRoute
from fabric.whatif.noise import ChangeBand
from topologies.units import format_seconds, peak_percent, percent

WITHIN, BEYOND = "within noise", "beyond noise"
ONE_DRAW = "one draw"
_TELL_P5 = 20  # draws that p5 and p95 need


def draws_words(draws: PhaseDraws) -> str:
    """How often a phase was drawn: ``median of 100 draws``, or ``one draw``."""
    return f"median of {len(draws):,} draws" if len(draws) > 1 else ONE_DRAW


def draws_lines(routes: Iterable[PhaseRoute]) -> list[Line]:
    """What figures of hashed flows are, said once; nothing where nothing is hashed."""
    lines = []
    for draws in dict.fromkeys((entry.draws.seed, len(entry.draws)) for entry in routes if entry.draws is not None):
        seed, count = draws
        lines.append(
            Line(
                f"hashed flows: medians of {count:,} draws of the hash, seeds {seed} to {seed + count - 1}; p5 and p95 "
                f"are {_ends_words(count)}; links and tiers are those of the middle draw"
            )
            if count > 1
            else Line(
                f"hashed flows: one draw of the hash, seed {seed}; another seed gives other figures, --replicas N says "
                "how far apart they are",
                "warn",
            )
        )
    return lines


def _ends_words(count: int) -> str:
    """What the ends of a band are of so many draws."""
    if count < _TELL_P5:
        return f"the lowest and the highest, as so few have no twentieth (--replicas {_TELL_P5} and more have one)"
    return "what one draw in twenty stays below and passes"


def band_text(band: Band | None, text: Callable[[float], str]) -> str:
    """What nine draws in ten lie between.

    >>> band_text(Band.of([1.0, 1.5, 2.0]), percent)
    '100.0 % to 200.0 %'
    """
    if band is None or len(band) < 2:
        return ""
    low, high = text(band.p5), text(band.p95) if isfinite(band.p95) else "never"
    return low if low == high else f"{low} to {high}"


def peak_words(entry: PhaseRoute) -> str:
    """The fullest link, where the hash was drawn with its band: ``262.1 % (p5 to p95 252.6 % to 273.7 %, ...)``."""
    peak = peak_percent(entry.max_utilisation)
    if entry.draws is None:
        return peak
    band = band_text(entry.draws.max_utilisation, percent)
    between = f", p5 to p95 {band}" if band else ""
    return f"{peak} ({draws_words(entry.draws)}{between})"


def short_peak(entry: PhaseRoute) -> str:
    """The fullest link with its band, for a line that has little room."""
    peak = peak_percent(entry.max_utilisation)
    if entry.draws is None:
        return peak
    return f"{peak} ({band_text(entry.draws.max_utilisation, percent) or ONE_DRAW})"


def shown_draw_words(entry: PhaseRoute) -> str:
    """Which draw links are of, and what nine draws in ten leave the fullest between."""
    draws = entry.draws
    if draws is None:
        return ""
    if len(draws) < 2:
        return f"one draw of the hash, seed {draws.seed}"
    band = band_text(draws.max_utilisation, percent)
    return f"the middle of {len(draws):,} draws of the hash, seed {draws.shown_seed}; fullest link p5 to p95 {band}"


def step_band_words(band: Band | None) -> str:
    """The band of a time in brackets; empty where it was not drawn more than once."""
    text = band_text(band, format_seconds)
    return f" ({text})" if text else ""


def band_columns(
    bands: Sequence[Band | None],
    make: Maker,
    *,
    names: tuple[str, str] = ("p5", "p95"),
    header: str = "",
    **layout: object,
) -> tuple[Column, Column]:
    """Two columns, p5 and p95, of figures that stand beside them; empty where there is one draw at most."""
    several = [band if band is not None and len(band) > 1 else None for band in bands]
    return (
        make(names[0], f"{header}p5", [None if band is None else band.p5 for band in several], **layout),
        make(names[1], f"{header}p95", [None if band is None else band.p95 for band in several], **layout),
    )


def noise_text(band: ChangeBand | None, change: float | None) -> str:
    """Whether a change is within the noise of the hash; empty where nothing was drawn or nothing changes."""
    if band is None or change is None or band.p5 == band.p95 == 0:
        return ""
    return WITHIN if band.is_noise(change) else BEYOND


def change_band_text(band: ChangeBand | None, unit: str) -> str:
    """What nine changes in ten lie between; empty where nothing was drawn, ``=`` where nothing changes in any draw."""
    if band is None:
        return ""
    low, high = (_signed(value, unit) for value in (band.p5, band.p95))
    return f"{low} to {high}" if low != high else low if band.p5 else "="


def _signed(change: float, unit: str) -> str:
    if not isfinite(change):
        return "never"
    if unit == "ratio":
        return points_text(change)
    if unit == "s":
        return ("-" if change < 0 else "+") + format_seconds(abs(change))
    return f"{change:+,.0f}"
