"""Xpander: a random lift of the complete graph, regular and close to the best expansion."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.builder import TOPOLOGIES, Hosts
from topologies.columns import column
from topologies.errors import TopologyError
from topologies.expander import check_regular, connected, draws, expander_facts
from topologies.flat import HostSpeed, Length, Speed, all_pairs, flat_network
from topologies.hosts import AttachOrder
from topologies.node_names import node_names
from topologies.switches import Switch
from topologies.topology import Topology
from topologies.units import Count, CountOrZero


@TOPOLOGIES.register(
    "xpander",
    facts=expander_facts,
    example={"switches": 15, "ports": 6, "network_ports": 4, "seed": 1, "speed": "100G"},
)
def xpander(
    switches: Annotated[Count, Field(description="Switches; a multiple of network_ports + 1")],
    ports: Annotated[Count, Field(description="Ports of a switch")],
    network_ports: Annotated[Count, Field(description="Those of them that go to other switches, d")],
    speed: Speed,
    seed: Annotated[CountOrZero, Field(description="Seed of the matchings")] = 0,
    host_speed: HostSpeed = None,
    switch: Switch = None,
    length: Length = None,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """Xpander: d + 1 groups of equal size without cables inside, and a random matching between every two groups.

    References
    ----------
    Valadarsky, Shahaf, Dinitz, Schapira, "Xpander: towards optimal-performance datacenters", CoNEXT 2016, section 3.
    """
    check_regular(switches, ports, network_ports)
    groups = network_ports + 1
    if switches % groups:
        below, above = switches // groups * groups, -(-switches // groups) * groups
        raise TopologyError(
            f"{switches} switches are not a multiple of {groups}, the groups of an xpander of degree {network_ports}",
            where="switches",
            hint=f"switches: {' or '.join(str(size) for size in (below, above) if size)}",
            code="FP3042",
        )
    size, rng = switches // groups, np.random.default_rng(seed)
    one, other = all_pairs(groups)
    for _ in range(draws(switches, network_ports)):
        partner = np.stack([rng.permutation(size) for _ in range(len(one))])
        low = (one[:, None] * size + np.arange(size)).ravel()
        high = (other[:, None] * size + partner).ravel()
        if connected(switches, np.stack([low, high], axis=1)):
            break
    else:
        raise TopologyError(
            f"no connected xpander of {switches} switches with {network_ports} network ports was drawn",
            where="network_ports",
            hint="network_ports: 2 or more",
            code="FP3042",
        )
    group, position = np.divmod(np.arange(switches), size)
    return flat_network(
        f"xpander(N={switches}, k={ports}, d={network_ports})",
        "xpander",
        node_names("switch", position, group=group),
        (column(low, np.int32), column(high, np.int32)),
        hosts=hosts,
        hosts_per_switch=ports - network_ports,
        speed=speed,
        host_speed=host_speed,
        switch=switch,
        attach_order=attach_order,
        length=length,
        pod=column(group, np.int32),
    )
