"""Explanations of a shortfall: every cause is simulated, and its curve over message size held against the measured one.

A cause explains a run when it takes away most of the shortfall, and what is left on the sizes that fall short is small.
Where two causes come to one curve the run does not decide between them, which is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.expect.causes import Change
from fabric.expect.fit import Curve, Fit, fit_of
from fabric.expect.result import Explanation
from topologies.columns import Bools, Floats
from topologies.units import format_seconds, percent

LEAST_FIT = 0.6  # of the shortfall that a cause has to explain
MOST_LEFT = 0.12  # of the logarithm of time, on the sizes that fall short (root mean square)
ALIKE = 0.03  # of the logarithm of time, by which curves of two causes are one
SAME_FIT = 0.005  # by which two fits are one
MOST_CAUSES = 6  # that are listed

Simulate = Callable[[Change], Curve | None]  # None: cannot be simulated here


@dataclass(frozen=True, eq=False)
class _Tried:
    change: Change
    fit: Fit


def explanations_of(
    sizes: Floats,
    measured_s: Floats,
    expected_s: Floats,
    short: Bools,
    candidates: Sequence[Change],
    simulate: Simulate,
) -> tuple[Explanation, ...]:
    """Causes that explain a run, the best first; one that says so where none does.

    Parameters
    ----------
    sizes, measured_s, expected_s : ndarray, shape (S,)
        Bytes, ascending, and times.
    short : ndarray of bool, shape (S,)
        Sizes that fall short of their mark.
    candidates : sequence of Change
        In the order in which equal ones are listed.
    """
    tried = []
    for change in candidates:
        curve = simulate(change)
        if curve is not None:
            tried.append(_Tried(change, fit_of(sizes, measured_s, expected_s, curve)))
    tried.sort(key=lambda one: -round(one.fit.fit, 3))
    fitting = [one for one in tried if explains(one.fit, short)]
    if not fitting:
        return (_nothing(tried),)
    listed = _one_of_a_kind(fitting)[:MOST_CAUSES]
    return tuple(_explanation(one, listed) for one in listed)


def explains(fit: Fit, short: Bools) -> bool:
    """Whether a cause comes near enough, on the whole and on the sizes that fall short."""
    left = float(np.sqrt(np.mean(fit.missed[short] ** 2))) if short.any() else 0.0
    return fit.fit >= LEAST_FIT and left <= MOST_LEFT


def _one_of_a_kind(tried: Sequence[_Tried]) -> list[_Tried]:
    """Of several sizes of one cause, the one that fits best."""
    best: dict[str, _Tried] = {}
    for one in tried:
        best.setdefault(one.change.cause, one)
    return list(best.values())


def _explanation(one: _Tried, listed: Sequence[_Tried]) -> Explanation:
    detail = one.change.detail
    if one.fit.added_s:
        detail = f"{format_seconds(one.fit.added_s)} {detail}"
    detail += f"; explains {percent(one.fit.fit, 0)} of the shortfall over all sizes"
    alike = [other.change.cause for other in listed if other is not one and _same(other.fit, one.fit)]
    if alike:
        detail += f"; this run cannot tell it from: {', '.join(alike)}"
    return Explanation(one.change.cause, one.fit.fit, detail)


def _same(one: Fit, other: Fit) -> bool:
    """Whether a run cannot decide between two causes: one curve, or one fit."""
    apart = float(np.max(np.abs(np.log(one.placed_s / other.placed_s))))
    return apart <= ALIKE or abs(one.fit - other.fit) <= SAME_FIT


def _nothing(tried: Sequence[_Tried]) -> Explanation:
    if not tried:
        return Explanation("nothing that was simulated", 0.0, "no cause can be simulated here")
    best = tried[0]
    if best.fit.fit < 0.01:
        nearest = "none of them changes this test the way it was measured"
    else:
        nearest = f"the nearest, {best.change.cause}, explains {percent(best.fit.fit, 0)} of the shortfall"
    detail = f"{len(tried)} causes were simulated and none fits size and shape; {nearest}"
    return Explanation("nothing that was simulated", 0.0, detail)
