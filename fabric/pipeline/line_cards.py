"""Line cards of chassis switches: links by the ports that a card holds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel

from fabric.scenario.fabric_schema import FabricSpec
from topologies.builder import names_of
from topologies.columns import Ints, column
from topologies.registry import Spec
from topologies.switches import SwitchSpec, switch_of_role
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
    for node, size in sorted(_card_sizes(topology, spec.topology).items()):
        leaving = order[start[node] : start[node + 1]]
        taken = links.src_ports[leaving]
        card = np.floor((np.cumsum(taken) - taken + 1e-9) / size).astype(np.int64)
        for number in np.unique(card).tolist():
            cards[f"{topology.nodes.name[node]}{CARD}{number + 1}"] = column(leaving[card == number], np.int32)
    return cards


def _card_sizes(topology: Topology, spec: BaseModel) -> dict[int, int]:
    """Links per card of every switch that has cards: as its role's key says, or its own where switches are listed."""
    sizes: dict[int, int] = {}
    described = [spec, *(inner for name in type(spec).model_fields if isinstance(inner := getattr(spec, name), Spec))]
    for role in topology.roles:
        known = next((switch for one in described if (switch := switch_of_role(one, role)) is not None), None)
        if known is not None and known.links_per_card:
            nodes = [node for node in role_nodes(topology, role).tolist() if topology.is_switch[node]]
            sizes |= dict.fromkeys(nodes, known.links_per_card)
    listed = getattr(spec, "switches", ())
    for switch in listed if isinstance(listed, tuple) else ():
        if isinstance(switch, SwitchSpec) and switch.links_per_card and switch.name:
            count = switch.count or 1
            names = names_of(switch.name, count, where="switches") if count > 1 else [switch.name]
            sizes |= {topology.node(name): switch.links_per_card for name in names if topology.has_node(name)}
    return sizes
