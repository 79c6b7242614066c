"""Hops of all switches to a destination, measured over sets of twins."""

from __future__ import annotations

import numpy as np

from fabric.routing.compiled import compiled
from fabric.routing.twins import TwinNet
from topologies.columns import Floats, Longs


@compiled
def twin_distances(net: TwinNet, dest: int, distance: Floats, away: Longs, order: Longs) -> None:
    """Hops of every node to the switch ``dest``, ``inf`` without a way; the last two have room for all sets and one."""
    away[:] = -1
    order[0] = net.set_of[dest]
    reached, head = 1, 0
    while head < reached:
        near = order[head]
        hops = 1 if head == 0 else away[near] + 1
        head += 1
        for at in range(net.into_start[near], net.into_start[near + 1]):
            tail = net.tail[net.into[at]]
            if away[tail] < 0:
                away[tail] = hops
                order[reached] = tail
                reached += 1
    for node in range(len(net.set_of)):
        own = net.set_of[node]
        distance[node] = np.inf if away[own] < 0 else away[own]
    distance[dest] = 0.0
