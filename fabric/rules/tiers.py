"""Tiers of switches, counted from the hosts, and whether a path chooses at most once in each."""

from __future__ import annotations

from itertools import count

import numpy as np

from topologies.columns import Ints, column
from topologies.topology import Topology

SEEDED = 3  # tiers from the hosts up whose switches SONiC seeds differently: device types of the fourth share a seed


def tiers(topology: Topology) -> Ints:
    """Links between each switch and the nearest one with hosts, shape (N,), as built; -1: a host, or none is."""
    links, forwards = topology.links, topology.nodes.forwards
    away = np.full(len(topology.nodes), -1, dtype=np.int32)
    away[links.dst[~forwards[links.src]]] = 0
    inner = forwards[links.src] & forwards[links.dst]
    sources, targets = links.src[inner], links.dst[inner]
    for distance in count(1):
        reached = targets[(away[sources] == distance - 1) & (away[targets] < 0)]
        if not len(reached):
            break
        away[reached] = distance
    away[~forwards] = -1
    return column(away, np.int32)


def chooses_once_per_tier(topology: Topology) -> bool:
    """Whether no path chooses twice among switches of one tier, so that a seed per tier is as good as one per switch.

    That is so where links join neighbouring tiers alone, switches below the top have one link to each below them, and
    hosts are on one switch each where there are three tiers: what comes down has no choice left, but at the top.
    """
    links, forwards, tier = topology.links, topology.nodes.forwards, tiers(topology)
    inner = np.flatnonzero(forwards[links.src] & forwards[links.dst])
    src, dst = links.src[inner], links.dst[inner]
    top = int(tier.max(initial=0))
    if top >= SEEDED or np.any(np.abs(tier[src] - tier[dst]) != 1):
        return False
    access = ~forwards[links.src]
    homes = np.unique(np.column_stack((links.src[access], links.dst[access])), axis=0)
    if top > 1 and len(np.unique(homes[:, 0])) < len(homes):
        return False
    down = (tier[src] > tier[dst]) & (tier[src] < top)
    pairs = np.column_stack((src[down], dst[down]))
    return len(np.unique(pairs, axis=0)) == len(pairs)
