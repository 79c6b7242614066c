"""Hosts that share a box, in words."""

from __future__ import annotations

import numpy as np

from fabric.faces.drawing.bundles import Ids
from fabric.faces.drawing.dot import nodes_text
from topologies.topology import Topology


def hosts_text(topology: Topology, members: Ids) -> str:
    """How many hosts, or how many NICs where each is an endpoint of its own."""
    nodes = topology.nodes
    count, rails = len(members), nodes.rail[members]
    nics = nodes.nics[members]
    if not nics.any():  # spare and management hosts, optical switches
        codes, counts = np.unique(nodes.role[members], return_counts=True)
        return nodes_text([(topology.roles[code], n) for code, n in zip(codes.tolist(), counts.tolist(), strict=True)])
    if (rails >= 0).all():
        ways = len(np.unique(rails))
        text = f"{count:,} NIC" + ("s" if count > 1 else "")
        return f"{text}, {ways} rails" if ways > 1 else text
    text = f"{count:,} host" + ("s" if count > 1 else "")
    if nics.min() == nics.max():
        return f"{text}, {nics[0]} NICs each" if nics[0] > 1 else text
    return f"{text}, {int(nics.sum()):,} NICs"
