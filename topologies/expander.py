"""What random regular networks share: their closed form, their checks, and whether they are connected."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from topologies.errors import TopologyError
from topologies.facts import Facts


def expander_facts(switches: int, ports: int, network_ports: int, speed: float) -> Facts:
    """Closed form of a regular graph: N·r/2 cables, k−r hosts a switch (Singla et al., NSDI 2012)."""
    cables = {"host-switch": switches * (ports - network_ports), "switch-switch": switches * network_ports // 2}
    return Facts(
        endpoints=switches * (ports - network_ports),
        switches=switches,
        cables_by_tier=cables,
        tier_gbps={tier: count * speed for tier, count in cables.items()},
        ports_used_max=ports,
    )


def check_regular(switches: int, ports: int, network_ports: int) -> None:
    """Raise unless every switch has a host port, and enough others to be cabled to (FP3042)."""
    most = min(ports - 1, switches - 1)
    if network_ports > most:
        few = network_ports >= ports
        why = f"a switch has {ports} ports, and hosts need one" if few else f"there are {switches - 1} other switches"
        raise TopologyError(
            f"{network_ports} network ports, but {why}",
            where="network_ports",
            hint=f"network_ports: {most}" if most > 0 else "more ports, or more switches",
            code="FP3042",
        )


def random_regular(switches: int, degree: int, rng: np.random.Generator) -> np.ndarray:
    """Pairs of a random regular graph, sorted, shape (switches·degree/2, 2).

    Ports are paired at random; pairs of one switch, or that are there already, are paired anew together with as many
    others, until none is left. Dense graphs, where that seldom ends, are drawn by NetworkX.
    """
    if 4 * degree > switches:
        import networkx as nx

        graph = nx.random_regular_graph(degree, switches, seed=int(rng.integers(2**31)))
        return np.array(sorted(tuple(sorted(edge)) for edge in graph.edges), dtype=np.int32).reshape(-1, 2)
    pairs = rng.permutation(np.repeat(np.arange(switches), degree)).reshape(-1, 2)
    while True:
        pairs.sort(axis=1)
        key = pairs[:, 0] * switches + pairs[:, 1]
        order = np.argsort(key, kind="stable")
        bad = pairs[:, 0] == pairs[:, 1]
        bad[order[1:]] |= key[order[1:]] == key[order[:-1]]
        wrong = np.flatnonzero(bad)
        if not len(wrong):
            return pairs[order].astype(np.int32)
        again = np.union1d(wrong, rng.integers(len(pairs), size=2 * len(wrong) + 2))
        pairs[again] = rng.permutation(pairs[again].ravel()).reshape(-1, 2)


def connected(switches: int, pairs: np.ndarray) -> bool:
    """Whether cables between pairs, shape (C, 2), join all switches."""
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(switches, switches))
    return bool(connected_components(graph, directed=False)[0] == 1)
