"""One way through a fabric: how long a message is under way that is too short to be held up by bandwidth.

Two NICs, and for every hop the packet on the link, the cable and the switch. Delays that a topology file gives are
taken as they are; lengths that a builder or a file gives count by the metre, others by the length that is assumed.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from fabric.routing.twins import find_twins
from fabric.scenario.latency_schema import FabricLatency
from topologies.columns import Bools, Floats, Ints, Longs, column
from topologies.elements import Links
from topologies.topology import Topology
from traffic.demands import Flows

_MOST_KINDS = 16  # different costs of links up to which switches are compared
SAMPLE = 16  # pairs that a mean is taken over, evenly from all
_MOST_CELLS = 4_000_000  # links times starts looked at together, 8 bytes each

AnyInts = NDArray[np.integer]
_SEEN: WeakKeyDictionary[Links, dict[tuple[object, ...], float]] = WeakKeyDictionary()


def way_s(topology: Topology, flows: Flows, latency: FabricLatency = FabricLatency()) -> float:
    """One way between the endpoints that exchange something, by the quickest path; the mean over up to 16 pairs.

    The mean, not the worst: a message of a ring goes over every pair once, and steps of trees are of all lengths. As if
    all links were up: a detour costs microseconds, and is not counted.

    Parameters
    ----------
    flows : Flows
        Pairs concerned; amounts do not matter.

    Returns
    -------
    float
        Seconds; 0 without pairs. Pairs that no path joins are left out.
    """
    src, dst = _sample(flows)
    if not len(src):
        return 0.0
    key = (latency, src.tobytes(), dst.tobytes())
    known = _SEEN.setdefault(topology.links, {})
    if key not in known:
        ways = pair_ways_s(topology.whole, src, dst, latency)
        reached = ways[np.isfinite(ways)]
        known[key] = float(reached.mean()) if len(reached) else 0.0
    return known[key]


def _sample(flows: Flows) -> tuple[Ints, Ints]:
    """Pairs taken evenly from the rows, and from each block its first member and others."""
    src, dst = [flows.src], [flows.dst]
    if len(flows.src) > SAMPLE:
        rows = np.linspace(0, len(flows.src) - 1, SAMPLE).astype(np.int64)
        src, dst = [flows.src[rows]], [flows.dst[rows]]
    some = np.unique(np.linspace(0, max(len(flows.blocks) - 1, 0), min(len(flows.blocks), 4)).astype(np.int64))
    for block in (flows.blocks[int(number)] for number in some):
        members = block.members
        step = max(1, (len(members) - 1) // (SAMPLE // 4))
        others = members[1::step][: SAMPLE // 4]
        src.append(np.repeat(members[:1], len(others)))
        dst.append(others)
    return np.concatenate(src).astype(np.int32), np.concatenate(dst).astype(np.int32)


def pair_ways_s(topology: Topology, src: Ints, dst: Ints, latency: FabricLatency) -> Floats:
    """One way of every pair by its quickest path, shape (P,), s; inf where there is none.

    Parameters
    ----------
    src, dst : ndarray of int, shape (P,)
        Endpoint node ids.
    """
    nodes, links = topology.nodes, topology.links
    crossing = np.where(topology.is_switch, latency.switch, latency.nic)
    wire = _wire_s(topology, latency)
    starts, start_of = np.unique(src, return_inverse=True)
    is_start, is_stop = np.zeros(len(nodes), dtype=np.bool_), np.zeros(len(nodes), dtype=np.bool_)
    is_start[src], is_stop[dst] = True, True
    leaving, entering = topology.up & is_start[links.src], topology.up & is_stop[links.dst]
    by_itself = is_stop.copy()
    by_itself[links.dst[leaving]] = True
    by_itself[links.src[entering]] = True
    kept = entering & nodes.forwards[links.src] & ~nodes.forwards[links.dst]
    kept[_between_sets(topology, wire + crossing[links.src], by_itself)] = True
    # Each start has a copy that nobody reaches, so that hosts that do not forward send and are never crossed.
    number = np.full(len(nodes), -1)
    number[starts] = len(nodes) + np.arange(len(starts))
    size = len(nodes) + len(starts)
    rows = np.concatenate([links.src[kept], number[links.src[leaving]]])
    columns = np.concatenate([links.dst[kept], links.dst[leaving]])
    costs = np.concatenate([wire[kept] + crossing[links.src[kept]], wire[leaving]])
    away = _least_sums(size, len(nodes) + np.arange(len(starts)), rows, columns, costs)
    return np.asarray(away[start_of.ravel(), dst] + 2 * latency.nic, dtype=np.float64)


def _between_sets(topology: Topology, cost: Floats, by_itself: Bools) -> Longs:
    """Links between nodes that forward, of switches with the same links at the same cost only those of the first.

    Parameters
    ----------
    cost : ndarray, shape (L,)
        Of crossing a link, s.
    by_itself : ndarray, shape (N,)
        Nodes that others may not stand for.
    """
    links, forwards = topology.links, topology.nodes.forwards
    core = np.flatnonzero(topology.up & forwards[links.src] & forwards[links.dst])
    kinds, kind = np.unique(cost[core], return_inverse=True)
    if len(kinds) > _MOST_KINDS:
        return core
    label = find_twins(links.src[core], links.dst[core], len(forwards), column(kind.ravel(), np.int32))
    stands = by_itself.copy()
    others = np.flatnonzero(~by_itself)
    stands[others[np.unique(label[others], return_index=True)[1]]] = True
    return core[stands[links.src[core]] & stands[links.dst[core]]]


def _least_sums(nodes: int, starts: AnyInts, tail: AnyInts, head: AnyInts, cost: Floats) -> Floats:
    """Least sum of costs on a way from every start to every node, shape (S, V); inf where there is none.

    Bellman-Ford: in every round all links at once, as many rounds as the longest of these ways has links. Costs are at
    least 0, so that the sums are those of Dijkstra's algorithm to the last bit.
    """
    order = np.argsort(head, kind="stable")
    tail, head, cost = tail[order], head[order], cost[order]
    heads, first = np.unique(head, return_index=True)
    away = np.full((len(starts), nodes), np.inf)
    away[np.arange(len(starts)), starts] = 0.0
    together = max(1, _MOST_CELLS // max(len(tail), 1))
    for low in range(0, len(starts) if len(heads) else 0, together):
        some = away[low : low + together]  # a view
        while True:
            nearer = np.minimum(some[:, heads], np.minimum.reduceat(some[:, tail] + cost, first, axis=1))
            if np.array_equal(nearer, some[:, heads]):
                break
            some[:, heads] = nearer
    return away


def _wire_s(topology: Topology, latency: FabricLatency) -> Floats:
    """Packet and cable of every link, shape (L,), s."""
    links = topology.links
    length = np.where(np.isnan(links.length_m), latency.cable, links.length_m)
    cable = np.where(np.isnan(links.delay_us), length * latency.per_metre, links.delay_us * 1e-6)
    return np.asarray(cable + latency.packet * 8 / (links.capacity_gbps * 1e9), dtype=np.float64)
