"""Line cards of chassis switches: links by the ports that a card holds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fabric.scenario.schema import FabricSpec
from topologies.columns import Ints, column
from topologies.switches import switch_of_role
from topologies.topology import Topology, role_nodes

CARD = "/card"  # between the name of a switch and the number of a card, from 1


def line_cards(topology: Topology, spec: FabricSpec) -> Mapping[str, Ints]:
    """Links that leave from every card that has any, by the name of the card: ``spine0/card2``.

    Ports are counted in the order of ``Topology.src_port``: a port that is broken out holds all its links.
    """
    cards: dict[str, Ints] = {}
    links = topology.links
    order = np.lexsort((topology.src_port, links.src))
    start = np.searchsorted(links.src[order], np.arange(len(topology.nodes) + 1))
    for role in topology.roles:
        switch = switch_of_role(spec.topology, role)
        size = switch.links_per_card if switch is not None else None
        for node in role_nodes(topology, role).tolist() if size else ():
            leaving = order[start[node] : start[node + 1]]
            taken = links.src_ports[leaving]
            card = np.floor((np.cumsum(taken) - taken + 1e-9) / size).astype(np.int64)
            for number in np.unique(card).tolist():
                cards[f"{topology.nodes.name[node]}{CARD}{number + 1}"] = column(leaving[card == number], np.int32)
    return cards
