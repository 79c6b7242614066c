"""Longest matching: the permutation whose pairs are farthest apart, close to the worst for any routing."""

from __future__ import annotations

import numpy as np

from topologies.columns import Floats, column
from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.topology import Topology
from traffic.demands import Flows
from traffic.synthetic import Places, check_rows, matched
from traffic.workload import PATTERNS

MAX_PLACES = 2_500  # an assignment of 6 million distances takes seconds


@PATTERNS.register("longest-matching", example={})
def longest_matching(places: Injected[Places], amount: Injected[float], topology: Injected[Topology]) -> Flows:
    """Every place sends S to one other, such that the sum of the distances in hops is the largest.

    Parameters
    ----------
    places : Places
        n places.
    amount : float
        Size S of one place, bytes or Gbps.
    topology : Topology
        Whose live links count.

    Raises
    ------
    TrafficError
        When there are more than 2,500 places (FP4042).

    References
    ----------
    Jyothi et al., "Measuring and understanding throughput of network topologies", SC 2016, section 3.2.
    """
    from scipy.optimize import linear_sum_assignment

    count = len(places)
    if count > MAX_PLACES:
        raise TrafficError(
            f"a longest matching of {count:,} places compares {count * count:,} distances; {MAX_PLACES:,} places fit",
            where="members",
            hint="level: leaf works between leaves; permutation has no such limit",
            code="FP4042",
        )
    check_rows(count * count, count, where="members")
    distance = _hops(topology, places)
    np.fill_diagonal(distance, -1e6)
    _, image = linear_sum_assignment(distance, maximize=True)
    return matched(places, np.asarray(image), amount)


def _hops(topology: Topology, places: Places) -> Floats:
    """Hops between the first endpoints of places, shape (n, n); 0 where there is no path."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    links, nodes = topology.links, len(topology.nodes)
    live = topology.up & (links.capacity_gbps > 0)
    network = coo_array((np.ones(int(live.sum())), (links.src[live], links.dst[live])), shape=(nodes, nodes)).tocsr()
    first = places.nodes[:, 0]
    groups, of_place = np.unique(topology.groups.of_node[first], return_inverse=True)
    example = topology.groups.first[groups]
    found = shortest_path(network, unweighted=True, indices=example)[:, example]
    found = np.where(np.isfinite(found), found, 0.0)
    np.fill_diagonal(found, 2.0)  # over the shared switch
    return column(found[np.ix_(of_place, of_place)], np.float64).copy()
