"""Servers that forward: endpoints with several ports in networks whose hosts carry the traffic of others."""

from __future__ import annotations

from collections.abc import Sequence

from topologies.assemble import Assembler
from topologies.builder import check_nic_speed
from topologies.columns import Ints
from topologies.errors import TopologyError
from topologies.hosts import HostGroup
from topologies.switches import SwitchPorts, check_breakout, check_speed


def add_servers(
    net: Assembler,
    groups: Sequence[HostGroup],
    places: int,
    ports: int,
    parallel: int,
    gbps: float,
    switch: SwitchPorts | None,
    names: Sequence[str],
) -> Ints:
    """Servers in their places: those listed in order, or one for every place.

    Raises
    ------
    TopologyError
        When there are more than places (FP3022), their NICs are not ``ports`` shared ones (FP3028), or a speed exceeds
        a port's (FP3025, FP3036).
    """
    if switch is not None:
        check_breakout(switch)
        check_speed("speed", gbps, switch.port_gbps, port="the ports of the switch")
    for group in groups:
        check_nic_speed(group, gbps, where="speed")
        if group.nics * group.ports != ports * parallel or (group.rail == "per-gpu" and group.nics > 1):
            raise TopologyError(
                f"{group.name} has {group.nics} {group.rail} NIC(s) a node; a server here has {ports * parallel} ports",
                where="k",
                hint=f"set count: {ports * parallel}, rail: shared for the NICs of {group.name}",
                code="FP3028",
            )
    listed = [host for group in groups for host in group.hosts]
    if len(listed) > places:
        raise TopologyError(
            f"{len(listed):,} nodes do not fit {places:,} places",
            where="n",
            hint="a larger n or k has more places",
            code="FP3022",
        )
    return net.nodes("host", listed or names, level=0, nics=ports * parallel, forwards=True)
