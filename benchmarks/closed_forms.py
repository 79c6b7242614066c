"""What loads must be where a formula says so; nothing here routes.

In a k-ary fat tree with h = k/2 there are E = kh edge switches, as many aggregation switches A(pod, i), and h² cores
C(i, j); core C(i, ·) meets A(pod, i) of every pod. Each tier has k³/4 cables, so k³/2 directed links, all alike when
demand is alike between all switches of a kind: the load of one is the tier's total over k³/2.
"""

from __future__ import annotations


def everywhere_hops(radix: int) -> dict[str, float]:
    """Hops over each tier, both directions, summed over the shortest paths of all ordered pairs of switches."""
    k, h = radix, radix // 2
    pods, others = k, k - 1
    # (ordered pairs, hops between edge and aggregation, hops between aggregation and core)
    kinds = (
        (pods * h * (h - 1), 2, 0),  # edge to edge of its pod
        (pods * h * others * h, 2, 2),  # edge to edge of another pod
        (2 * pods * h * h, 1, 0),  # edge and aggregation of one pod, both ways
        (2 * pods * h * others * h, 1, 2),  # edge and aggregation of another pod
        (pods * h * (h - 1), 2, 0),  # aggregation to aggregation of its pod, by an edge
        (pods * h * others, 0, 2),  # aggregation i to aggregation i of another pod
        (pods * h * others * (h - 1), 2, 2),  # aggregation i to aggregation j of another pod, by an edge of either
        (2 * h * h * pods * h, 1, 1),  # core and edge
        (2 * h * h * pods, 0, 1),  # core and the aggregation it meets in a pod
        (2 * h * h * pods * (h - 1), 2, 1),  # core and another aggregation of the pod
        (h * h * (h - 1), 0, 2),  # core to core of its group
        (h * h * h * (h - 1), 2, 2),  # core to core of another group
    )
    return {
        "edge-aggregation": float(sum(pairs * low for pairs, low, _ in kinds)),
        "aggregation-core": float(sum(pairs * high for pairs, _, high in kinds)),
    }


def everywhere_utilisation(radix: int) -> dict[str, float]:
    """Utilisation per tier when the rate between all pairs fills the lower one."""
    hops = everywhere_hops(radix)
    return {tier: count / hops["edge-aggregation"] for tier, count in hops.items()}


def uniform_utilisation(radix: int) -> dict[str, float]:
    """Utilisation per tier when every edge switch offers what its uplinks carry, evenly to all E - 1 others.

    Of those, E - h are in other pods, and only that part goes up to the cores.
    """
    edges, pod = radix**2 // 2, radix // 2
    return {"edge-aggregation": 1.0, "aggregation-core": (edges - pod) / (edges - 1)}
