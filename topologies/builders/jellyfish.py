"""Jellyfish: a random regular graph of switches."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.builder import TOPOLOGIES, Hosts
from topologies.columns import column
from topologies.errors import TopologyError
from topologies.expander import check_regular, connected, draws, expander_facts, random_regular
from topologies.flat import HostSpeed, Length, Speed, flat_network
from topologies.hosts import AttachOrder
from topologies.node_names import node_names
from topologies.switches import Switch
from topologies.topology import Topology
from topologies.units import Count, CountOrZero


@TOPOLOGIES.register(
    "jellyfish",
    facts=expander_facts,
    example={"switches": 12, "ports": 6, "network_ports": 4, "seed": 1, "speed": "100G"},
)
def jellyfish(
    switches: Annotated[Count, Field(description="Switches")],
    ports: Annotated[Count, Field(description="Ports of a switch")],
    network_ports: Annotated[Count, Field(description="Those of them that go to other switches")],
    speed: Speed,
    seed: Annotated[CountOrZero, Field(description="Seed of the graph")] = 0,
    host_speed: HostSpeed = None,
    switch: Switch = None,
    length: Length = None,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """Jellyfish: every switch has the same number of cables to random others, no two to the same; hosts on the rest.

    References
    ----------
    Singla, Hong, Popa, Godfrey, "Jellyfish: networking data centers randomly", NSDI 2012, section 3.
    """
    check_regular(switches, ports, network_ports)
    if switches * network_ports % 2:
        raise TopologyError(
            f"{switches} switches with {network_ports} network ports each leave one port over",
            where="network_ports",
            hint=f"switches: {switches + 1}, or network_ports: {network_ports - 1 or 2}",
            code="FP3042",
        )
    rng = np.random.default_rng(seed)
    for _ in range(draws(switches, network_ports)):
        pairs = random_regular(switches, network_ports, rng)
        if connected(switches, pairs):
            break
    else:
        raise TopologyError(
            f"no connected graph of {switches} switches with {network_ports} network ports was drawn",
            where="network_ports",
            hint="network_ports: 3 or more",
            code="FP3042",
        )
    return flat_network(
        f"jellyfish(N={switches}, k={ports}, r={network_ports})",
        "jellyfish",
        node_names("switch", range(switches)),
        (column(pairs[:, 0], np.int32), column(pairs[:, 1], np.int32)),
        hosts=hosts,
        hosts_per_switch=ports - network_ports,
        speed=speed,
        host_speed=host_speed,
        switch=switch,
        attach_order=attach_order,
        length=length,
    )
