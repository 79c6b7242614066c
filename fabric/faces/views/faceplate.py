"""A switch as its face plate: every port in order, its peer and its load both ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.evaluation.hottest import port_name
from fabric.result import PhaseRoute


@dataclass(frozen=True)
class Port:
    """One port.

    ``link`` is the link that leaves by it, -1 for a free port; utilisations are offered over capacity out of the switch
    and into it.
    """

    name: str
    link: int
    peer: str
    peer_port: str
    capacity_gbps: float
    out: float
    into: float
    is_up: bool

    @property
    def worse(self) -> float:
        """The fuller direction; nan of a free port."""
        return float("nan") if self.link < 0 else max(self.out, self.into)


def ports(route: PhaseRoute, node: int) -> tuple[Port, ...]:
    """Ports of a switch in order, free ones at the end as far as its radix goes."""
    topology = route.topology
    links = topology.links
    mine = np.flatnonzero(links.src == node)
    mine = mine[np.argsort(topology.src_port[mine], kind="stable")]
    found = []
    for link in mine.tolist():
        back = int(links.reverse[link])
        found.append(
            Port(
                port_name(int(topology.src_port[link])),
                link,
                topology.nodes.name[links.dst[link]],
                port_name(int(topology.src_port[back])) if back >= 0 else "",
                float(links.capacity_gbps[link]),
                float(route.utilisation[link]),
                float(route.utilisation[back]) if back >= 0 else 0.0,
                bool(topology.up[link]),
            )
        )
    free = max(int(topology.nodes.radix[node]) - int(np.ceil(topology.ports_used[node])), 0)
    return (*found, *(Port(f"free{at + 1}", -1, "", "", 0.0, 0.0, 0.0, True) for at in range(free)))
