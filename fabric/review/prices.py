"""Cost and power of a slide against the sum of what its counts buy."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from fabric.review.bounds import Intervals
from fabric.review.claims import Claims
from fabric.review.finding import Finding
from fabric.review.shape import ROLES, Shape, model_of

_COUNTS = {"leaf": "leaves", "spine": "spines", "core": "cores"}
Term = tuple[int, str, float]  # how many, of what, and the figure of one


def price_findings(claims: Claims, shape: Shape, known: Intervals) -> Iterator[Finding]:
    """Totals below the sum of the parts that are counted."""
    yield from _below(
        claims, "cost", "US$", [*_switches(claims, shape, known, "usd"), *_parts(claims, known)],
        "what was left out (optics, cables, licences, spares), or other prices",
    )  # fmt: skip
    yield from _below(
        claims, "power", "W", _switches(claims, shape, known, "typical_w"),
        "the power of switches, to which optics and NICs come",
    )  # fmt: skip


def _switches(claims: Claims, shape: Shape, known: Intervals, figure: str) -> list[Term]:
    """Switches at the price or power claimed, else at that of their model."""
    claimed = claims.value("switch_price" if figure == "usd" else "switch_power")
    terms: list[Term] = []
    if claimed is not None:
        count = _count(known, "switches")
        return [(count, "switches", float(claimed))] if count else []
    for role in ROLES[: shape.tiers]:
        row, _ = model_of(claims, role)
        value = None if row is None else getattr(row, figure)
        count = _count(known, _COUNTS[role])
        if row is not None and value is not None and count:
            terms.append((count, f"{row.model} {_COUNTS[role]}{' (estimate)' if row.estimate else ''}", value))
    return terms


def _parts(claims: Claims, known: Intervals) -> Iterator[Term]:
    """Cables and optics at the prices claimed."""
    cables, optics = claims.value("cable_price"), claims.value("optic_price")
    count = int(claims.value("cables") or 0)
    if not count:
        count = _count(known, "host_cables") + _count(known, "fabric_cables")
    if cables is not None and count:
        yield count, "cables", float(cables)
    pieces = int(claims.value("optics") or 0)
    if optics is not None and pieces:
        yield pieces, "optics", float(optics)


def _count(known: Intervals, name: str) -> int:
    """The least number that the claims allow."""
    low = known.low.get(name)
    return 0 if low is None else int(low.value)


def _below(claims: Claims, key: str, unit: str, terms: list[Term], rest: str) -> Iterator[Finding]:
    written = claims.value(key)
    if written is None or not terms:
        return
    total = sum(Fraction(str(each)) * count for count, _, each in terms)
    steps = [f"{count:,} {what} x {each:,.0f} {unit} = {count * each:,.0f} {unit}" for count, what, each in terms]
    if len(terms) > 1:
        steps.append(f"together {float(total):,.0f} {unit}")
    if written < total:
        is_estimate = any("(estimate)" in what for _, what, _ in terms)
        text = f"{key} {float(written):,.0f} {unit} is below its parts, {float(total):,.0f} {unit}"
        yield Finding("warning" if is_estimate else "contradiction", key, key, text, tuple(steps), f"say {rest}")
