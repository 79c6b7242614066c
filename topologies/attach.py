"""Cabling hosts to leaves: from a list of host groups, or filling every host port."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from topologies.assemble import Assembler
from topologies.builder import check_nic_speed
from topologies.columns import Ints
from topologies.hosts import AttachOrder, HostGroup
from topologies.node_names import names_inside
from topologies.placing import homes_of_hosts


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
    placed = homes_of_hosts(groups, len(leaves), slots, order)
    for group, homes in zip(groups, placed, strict=True):
        count = len(group.hosts)
        if not count:
            continue
        per_host = group.nics if group.rail == "per-gpu" else 1
        rails = np.tile(np.arange(per_host), count) if per_host > 1 else -1
        ids = net.hosts(group.endpoint_names(), nics=group.nics // per_host, rail=rails)
        cabled = np.resize(np.arange(group.homes), group.nics)  # which of its leaves each cable of a host goes to
        net.cables(
            np.repeat(ids, group.nics // per_host),
            leaves[homes[:, cabled]].ravel(),
            group.nic_gbps,
            upper_ports=ports_per_slot,
        )
