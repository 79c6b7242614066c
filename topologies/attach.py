"""Cabling hosts to leaves: from a list of host groups, or filling every host port."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from topologies.assemble import Assembler
from topologies.builder import check_nic_speed
from topologies.columns import Ints
from topologies.hosts import AttachOrder, HostGroup, place_hosts
from topologies.node_names import names_inside


def attach_hosts(
    net: Assembler,
    groups: Sequence[HostGroup],
    leaves: Ints,
    leaf_names: Sequence[str],
    slots: int,
    gbps: float | None,
    *,
    ports_per_slot: float = 1.0,
    order: AttachOrder = "fill",
) -> None:
    """Cable ``groups`` to ``leaves``, or, without groups, one host to each of the ``slots`` of every leaf.

    Parameters
    ----------
    slots : int
        Host links each leaf has room for.
    gbps : float or None
        Speed of a host slot; None takes the NIC's.
    ports_per_slot : float
        Switch ports one host link takes, 0.5 with a two-way breakout.
    order : "fill" or "spread"
        Whether listed hosts fill one leaf after another, or every group is distributed evenly over all leaves.
    """
    if not groups:
        hosts = net.hosts(names_inside(leaf_names, "host", slots))
        net.cables(hosts, np.repeat(leaves, slots), gbps or 0.0, upper_ports=ports_per_slot)
        return
    for group in groups:
        check_nic_speed(group, gbps, where="leaf")
    for block in place_hosts(groups, len(leaves), slots, order):
        group, homes = block.group, leaves[list(block.leaves)]
        per_nic = group.rail == "per-gpu" and group.nics > 1
        endpoints_per_host = group.nics if per_nic else 1
        links = group.nics // endpoints_per_host
        names = [group.nic_name(host, nic) for host in block.hosts for nic in range(endpoints_per_host)]
        rails = np.tile(np.arange(endpoints_per_host), len(block.hosts)) if per_nic else -1
        ids = net.hosts(names, nics=links, rail=rails)
        net.cables(
            np.repeat(ids, links),
            np.tile(np.resize(homes, links), len(ids)),
            group.nic_gbps,
            upper_ports=ports_per_slot,
        )
