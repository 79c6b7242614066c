"""What links meet in all single cases, from those that were routed: every equal case carried to its own links."""

from __future__ import annotations

import numpy as np

from fabric.failures.engine import LinkWorst
from fabric.failures.symmetry.orbits import CarriedParts, Ways
from fabric.failures.worst_links import add_case
from topologies.columns import Ints, column

_MOST_IMAGES = 30_000_000  # of links under symmetries, kept at once; 4 bytes each


def worst_of_all(carried: CarriedParts, first: Ints, worst: LinkWorst) -> LinkWorst | None:
    """The worst cases of every link with equal ones by name; None where that is too much, or a symmetry is missing.

    Parameters
    ----------
    first : ndarray of int, shape (P,)
        The part that each part is equal to.
    worst : LinkWorst
        Of the cases of those, numbered by part.
    """
    symmetry, result = carried.symmetry, LinkWorst.empty(len(worst.case))
    every = column(np.arange(symmetry.links), np.int32)
    for number in np.unique(worst.case[worst.case >= 0]).tolist():
        links, places = np.nonzero(worst.case == number)
        values = worst.utilisation[links, places]
        equals = np.flatnonzero(first == number)
        if len(equals) == 1:
            add_case(result.utilisation, result.case, number, column(links, np.int32), values)
            continue
        begin = carried.first_link(number)
        targets = column(np.flatnonzero(symmetry.link_orbit == symmetry.link_orbit[begin]), np.int32)
        if len(targets) * symmetry.links > _MOST_IMAGES:
            return None
        ways = Ways(symmetry, begin, targets)
        onto, way = np.unique(carried(number, ways), return_index=True)
        if not np.isin(equals, onto).all():
            return None
        images = ways.images(every)
        for case, at in zip(onto.tolist(), way.tolist(), strict=True):
            add_case(result.utilisation, result.case, case, images[at][links], values)
    return result
