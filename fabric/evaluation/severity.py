"""Which phase is worse: one order for every face.

Figures that differ only in the last bits of their arithmetic are equal, as ``fabric.routing.utilisation`` says; of
equal phases the first in the scenario comes first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.result import PhaseRoute
from fabric.routing.utilisation import ranks
from topologies.columns import Longs


def severity_order(peak: Sequence[float], over: Sequence[int], total: Sequence[float]) -> Longs:
    """Positions from the worst to the most harmless, shape (N,); equals in their order.

    Parameters
    ----------
    peak : sequence of float
        Highest utilisation of every phase; decides.
    over : sequence of int
        Links over capacity; decides where the peaks are equal.
    total : sequence of float
        Utilisation of all links together; decides where both are equal.
    """
    return np.lexsort((ranks(np.array(total, float)), -np.array(over, int), ranks(np.array(peak, float))))


def total_load(route: PhaseRoute) -> float:
    """Utilisation of all links together; load on links without capacity is left out."""
    return float(route.utilisation[np.isfinite(route.utilisation)].sum())


def by_severity(routes: Sequence[PhaseRoute]) -> list[PhaseRoute]:
    """Phases from the worst to the most harmless: by highest utilisation, links over capacity, load of all links."""
    total = [total_load(route) for route in routes]
    over = [route.links_over_capacity for route in routes]
    order = severity_order([route.max_utilisation for route in routes], over, total)
    return [routes[position] for position in order.tolist()]


def worst_phase(routes: Sequence[PhaseRoute]) -> PhaseRoute | None:
    """The phase that every face opens with; None where nothing was routed."""
    return next(iter(by_severity(routes)), None)


def worst_of_each_fabric(routes: Sequence[PhaseRoute]) -> list[PhaseRoute]:
    """The worst phase of every fabric, fabrics in the order of the scenario."""
    worst = {route.fabric: route for route in reversed(by_severity(routes))}
    return [worst[fabric] for fabric in dict.fromkeys(route.fabric for route in routes)]
