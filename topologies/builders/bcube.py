"""BCube: servers with several ports that forward, and layers of small switches between them."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES, Hosts
from topologies.facts import Facts
from topologies.flat import Length, Parallel, Speed
from topologies.node_names import node_names
from topologies.server_centric import add_servers
from topologies.switches import SwitchPorts
from topologies.topology import Topology
from topologies.units import Count, CountOrZero


def facts(n: int, k: int, speed: float, parallel: int = 1) -> Facts:
    """Closed form (Guo et al., SIGCOMM 2009, section 3): n^(k+1) servers of k+1 ports, (k+1)·n^k switches."""
    cables = (k + 1) * n ** (k + 1) * parallel
    return Facts(
        endpoints=cables,
        switches=(k + 1) * n**k,
        cables_by_tier={"host-switch": cables},
        tier_gbps={"host-switch": cables * speed},
        ports_used_max=n * parallel,
        hosts_forward=True,
        ports_per_endpoint=(k + 1) * parallel,
    )


@TOPOLOGIES.register("bcube", facts=facts, example={"n": 4, "k": 1, "speed": "100G"})
def bcube(
    n: Annotated[Count, Field(ge=2, description="Ports of a switch, and servers of a BCube of level 0")],
    k: Annotated[CountOrZero, Field(le=8, description="Level; servers have k+1 ports")],
    speed: Speed,
    parallel: Parallel = 1,
    length: Length = None,
    switch: Annotated[SwitchPorts | None, Field(description="Model or radix of the switches")] = None,
    hosts: Hosts = (),
) -> Topology:
    """BCube of level k: server-centric, hosts forward for each other; port l of a server on a switch of layer l.

    A switch of layer l joins the n servers whose addresses differ in digit l alone. Servers are named by the digits of
    their addresses, switches by their layer and the other digits, the highest first. Listed nodes take the places in
    order; what is left over stays empty.

    References
    ----------
    Guo et al., "BCube: a high performance, server-centric network architecture for modular data centers", SIGCOMM 2009.
    """
    count = n ** (k + 1)
    net = assemble(f"bcube(n={n}, k={k})", "bcube")
    names = node_names("host", list(np.ndindex(*(n,) * (k + 1))))
    servers = add_servers(net, hosts, count, k + 1, parallel, speed, switch, names)
    place = np.arange(len(servers))
    for layer in range(k + 1):
        names = node_names("switch", [(layer, *place) for place in np.ndindex(*(n,) * k)])
        ports = switch.ports if switch and switch.ports else n * parallel
        switches = net.switches("switch", names, level=1, radix=ports, unit=layer)
        # The address without digit ``layer`` numbers the switch.
        high, low = place // n ** (layer + 1), place % n**layer
        home = switches[high * n**layer + low]
        net.cables(servers, home, speed, parallel=parallel, length_m=np.nan if length is None else length)
    return net.freeze()
