"""What random regular networks share: their closed form, their checks, and whether they hang together."""

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


def connected(switches: int, pairs: np.ndarray) -> bool:
    """Whether cables between pairs, shape (C, 2), join all switches."""
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(switches, switches))
    return bool(connected_components(graph, directed=False)[0] == 1)
