"""One switch with hosts on it: the ideal that others are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import assemble
from topologies.attach import attach_hosts
from topologies.builder import TOPOLOGIES, Hosts
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.hosts import HostGroup
from topologies.node_names import node_names
from topologies.switches import SwitchPorts, check_speed
from topologies.topology import Topology
from topologies.units import Count, SpeedGbps


def facts(
    endpoints: int | None, speed: float | None, switch: SwitchPorts | None = None, hosts: Sequence[HostGroup] = ()
) -> Facts:
    """A cable per host."""
    given = switch or SwitchPorts()
    endpoints = endpoints or sum(len(group.hosts) * group.nics for group in hosts) or given.ports
    speed = speed or given.port_gbps or (hosts[0].nic_gbps if hosts else 0.0)
    return Facts(endpoints, 1, {"host-switch": endpoints}, {"host-switch": endpoints * speed}, endpoints)


@TOPOLOGIES.register("single-switch", facts=facts, example={"endpoints": 8, "speed": "400G"})
def single_switch(
    endpoints: Annotated[Count | None, Field(description="Host ports; those of the switch if absent")] = None,
    speed: Annotated[SpeedGbps | None, Field(description="Speed of a host port; the switch's if absent")] = None,
    switch: Annotated[SwitchPorts | None, Field(description="Model or radix of the switch")] = None,
    hosts: Hosts = (),
) -> Topology:
    """One switch, every host on a port of it."""
    given = switch or SwitchPorts()
    wanted = sum(len(group.hosts) * group.nics for group in hosts)
    count = endpoints or wanted or given.ports
    gbps = speed or given.port_gbps or (hosts[0].nic_gbps if hosts else None)
    if not count or gbps is None:
        what, key = ("host ports", "endpoints") if not count else ("speed of the ports", "speed")
        raise TopologyError(
            f"the {what} of the switch are not known",
            where="switch",
            hint=f"give switch.model, or {key}",
            code="FP3035",
        )
    check_speed("speed", speed, given.port_gbps, port="the ports of the switch")
    net = assemble(f"single-switch({count})", "single-switch")
    names = node_names("switch", [0])
    ids = net.switches("switch", names, level=1, radix=given.ports)
    attach_hosts(net, hosts, np.asarray(ids), names, count, gbps)
    return net.freeze()
