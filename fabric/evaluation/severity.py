"""Which phase is worse, which link is fuller, and what is over capacity: one order and one rule for every face.

Values that differ only in the last bits of their arithmetic are equal: neighbours in descending order that are less
than ``SAME`` apart share a rank, and what comes first (in the scenario, or by link id) stands for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.result import PhaseRoute
from topologies.columns import Bools, Floats, Longs

SAME = 1e-9  # relative difference below which two utilisations are one
OVER = 1 + SAME  # utilisation above this is over capacity; a full link is not


def is_over(utilisation: float | None) -> bool:
    """Whether a link is over its capacity; None stands for load on a link without capacity.

    >>> is_over(1.0), is_over(1 + 2e-16), is_over(1.01), is_over(None)
    (False, False, True, True)
    """
    return utilisation is None or utilisation > OVER


def over_capacity(utilisation: Floats) -> Bools:
    """Which links are over their capacity, shape as given."""
    return np.asarray(utilisation > OVER)


def ranks(values: Floats) -> Longs:
    """Rank of every value, 0 for the highest, shape as given; values that are one share a rank.

    >>> ranks(np.array([0.5, 1.0, 1.0000000000000002, np.inf])).tolist()
    [2, 1, 1, 0]
    """
    order = np.argsort(-values, kind="stable")
    falling = values[order]
    apart = np.zeros(len(values), dtype=np.int64)
    apart[1:] = falling[1:] < falling[:-1] * (1 - SAME)
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.cumsum(apart)
    return rank


def fullest(utilisation: Floats) -> int | None:
    """The link of highest utilisation, the first of equals; None where nothing is offered."""
    if not len(utilisation) or not utilisation.max() > 0:
        return None
    return int(np.argmax(utilisation >= utilisation.max() * (1 - SAME)))


def by_severity(routes: Sequence[PhaseRoute]) -> list[PhaseRoute]:
    """Phases from the worst to the most harmless.

    The highest utilisation decides, then the links over capacity, then the load of all links together; of equals the
    first in the scenario comes first.
    """
    if not routes:
        return []
    total = np.array([float(route.utilisation[np.isfinite(route.utilisation)].sum()) for route in routes])
    over = np.array([route.links_over_capacity for route in routes])
    peak = np.array([route.max_utilisation for route in routes])
    order = np.lexsort((ranks(total), -over, ranks(peak)))
    return [routes[position] for position in order.tolist()]


def worst_phase(routes: Sequence[PhaseRoute]) -> PhaseRoute | None:
    """The phase that every face opens with; None where nothing was routed."""
    return next(iter(by_severity(routes)), None)


def worst_of_each_fabric(routes: Sequence[PhaseRoute]) -> list[PhaseRoute]:
    """The worst phase of every fabric, fabrics in the order of the scenario."""
    fabrics = dict.fromkeys(route.fabric for route in routes)
    return [by_severity([route for route in routes if route.fabric == fabric])[0] for fabric in fabrics]
