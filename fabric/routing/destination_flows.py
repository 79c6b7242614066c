"""A routing taken apart by destination, for certificates: the loop of any router, run for one destination at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fabric.routing.router import DestinationFlows
from topologies.columns import Floats, Ints, column, concatenate

MOST_FLOWS = 20_000_000  # rows that a certificate has at most, 240 MB

AddLoads = Callable[[int, Floats], None]  # (row of the demand's destinations, zeros of shape (E, C) to add loads to)


def flows_by_destination(
    rows: int, edges: int, classes: int, add: AddLoads, most: int | None = None
) -> DestinationFlows | None:
    """What every edge carries to every destination.

    Parameters
    ----------
    rows : int
        Destinations of the demand.
    edges, classes : int
        Shape of the loads.
    add : callable
        Adds the loads of one destination, Gbps.
    most : int, optional
        Rows that may be written; default ``MOST_FLOWS``.

    Returns
    -------
    DestinationFlows or None
        None when there are more rows than ``most``.
    """
    limit = MOST_FLOWS if most is None else most
    found_edges: list[Ints] = []
    found_gbps: list[Floats] = []
    start = np.zeros(rows + 1, dtype=np.int64)
    loads = np.zeros((edges, classes))
    for row in range(rows):
        add(row, loads)
        total = loads.sum(axis=1)
        loaded = np.flatnonzero(total > 0)
        start[row + 1] = start[row] + len(loaded)
        if start[row + 1] > limit:
            return None
        found_edges.append(column(loaded, np.int32))
        found_gbps.append(column(total[loaded], np.float64))
        loads[loaded] = 0.0
    return DestinationFlows(
        column(start, np.int64), concatenate(found_edges, np.int32), concatenate(found_gbps, np.float64)
    )
