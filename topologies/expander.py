"""What random regular networks share: their closed form, their checks, and whether they are connected."""

from __future__ import annotations

import numpy as np

from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.parts import parts_of

_MOST_PORTS_DRAWN = 4_000  # of a dense graph that NetworkX draws in a second
_SWAPS = 2  # for every cable, so that hardly one stays where it was


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
    others, until none is left. Dense graphs, where that seldom ends, are drawn by NetworkX while they are small; large
    ones are mixed by swaps, or are what a sparse one leaves of all pairs.
    """
    if 4 * degree > switches and switches * degree > _MOST_PORTS_DRAWN:
        return _dense_regular(switches, degree, rng)
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


def draws(switches: int, degree: int) -> int:
    """How often to draw until a graph is connected: with three cables a switch nearly every one is, with two hardly."""
    return 100 if degree > 2 else max(min(100, 200_000 // switches), 1)


def _dense_regular(switches: int, degree: int, rng: np.random.Generator) -> np.ndarray:
    """Pairs of a dense random regular graph, sorted."""
    left_out = switches - 1 - degree
    there = np.zeros((switches, switches), dtype=np.bool_)
    if left_out < degree:
        pairs = random_regular(switches, left_out, rng) if left_out else np.empty((0, 2), dtype=np.int32)
        there[pairs[:, 0], pairs[:, 1]] = True
        low, high = np.nonzero(np.triu(~there, k=1))
        return np.stack([low, high], axis=1).astype(np.int32)
    number = np.arange(switches)
    rounds = [np.stack([number, (number + step) % switches], axis=1) for step in range(1, degree // 2 + 1)]
    if degree % 2:
        half = number[: switches // 2]
        rounds.append(np.stack([half, half + switches // 2], axis=1))
    pairs = np.concatenate(rounds)
    there[pairs, pairs[:, ::-1]] = True
    swapped = 0
    while swapped < _SWAPS * len(pairs):
        swapped += _swap_ends(pairs, there, rng)
    pairs.sort(axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].astype(np.int32)


def _swap_ends(pairs: np.ndarray, there: np.ndarray, rng: np.random.Generator) -> int:
    """Swap an end of every two cables drawn, where that gives two cables that are not there; returns how many.

    ``there`` tells of any two switches whether they are cabled, shape (N, N).
    """
    switches = len(there)
    order = rng.permutation(len(pairs))
    some, others = np.array_split(order[: len(order) // 2 * 2], 2)
    turned = rng.random(len(others)) < 0.5
    pairs[others[turned]] = pairs[others[turned]][:, ::-1]
    (a, b), (c, d) = pairs[some].T, pairs[others].T
    fits = np.flatnonzero((a != d) & (c != b) & ~there[a, d] & ~there[c, b])
    first, second = (
        np.minimum(x, y) * switches + np.maximum(x, y) for x, y in ((a[fits], d[fits]), (c[fits], b[fits]))
    )
    times = np.bincount(np.append(first, second), minlength=switches * switches)
    fits = fits[(times[first] == 1) & (times[second] == 1)]
    a, b, c, d = (end[fits] for end in (a, b, c, d))
    for x, y, cabled in ((a, b, False), (c, d, False), (a, d, True), (c, b, True)):
        there[x, y] = there[y, x] = cabled
    pairs[some[fits], 1], pairs[others[fits], 1] = d, b
    return len(a)


def connected(switches: int, pairs: np.ndarray) -> bool:
    """Whether cables between pairs, shape (C, 2), join all switches."""
    return switches > 0 and not parts_of(switches, pairs[:, 0], pairs[:, 1]).any()
