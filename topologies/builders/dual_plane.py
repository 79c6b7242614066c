"""Dual-ToR, dual-plane: both ports of a NIC on two ToRs, whose planes meet only in the core (Alibaba HPN 7.0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import Assembler, assemble
from topologies.builder import TOPOLOGIES, Hosts, check_even, check_nic_speed
from topologies.columns import Ints
from topologies.divisors import divisors
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.hosts import HostGroup
from topologies.node_names import node_names
from topologies.switches import Switch, SwitchPorts, check_speed, switch_ports
from topologies.topology import Topology
from topologies.units import Count, CountOrZero, SpeedGbps

_PORTS = 128  # of a 51.2 Tb/s switch at 400 Gb/s, as HPN's


def facts(
    segments: int,
    hosts_per_segment: int,
    gpus_per_host: int,
    port_speed: float,
    tor_uplinks: int,
    uplink_speed: float,
    aggs_per_plane: int,
    pods: int = 1,
    agg_uplinks: int = 0,
    backup_ports: int = 0,
    nic_ports: int = 2,
    planes: int | None = None,
    switch: SwitchPorts | None = None,
) -> Facts:
    """Closed form (Qian et al., SIGCOMM 2024, section 5): ToRs 2·g per segment, aggregation 2·A per pod."""
    planes = planes or nic_ports
    tors, aggs = pods * segments * gpus_per_host * nic_ports, pods * planes * aggs_per_plane
    radix = switch_ports(switch or SwitchPorts(radix=_PORTS), None, uplink_speed)[0]
    best = _best_cores(pods * planes, aggs_per_plane, agg_uplinks, radix) if agg_uplinks else None
    cores = best.count if best else 0
    cables = {"host-tor": tors * hosts_per_segment, "tor-agg": tors * tor_uplinks}
    gbps = {"host-tor": cables["host-tor"] * port_speed, "tor-agg": cables["tor-agg"] * uplink_speed}
    if agg_uplinks:
        cables["agg-core"] = aggs * agg_uplinks
        gbps["agg-core"] = cables["agg-core"] * uplink_speed
    if backup_ports:
        cables["backup-tor"] = tors * backup_ports
        gbps["backup-tor"] = cables["backup-tor"] * port_speed
    return Facts(
        endpoints=cables["host-tor"],
        switches=tors + aggs + cores,
        cables_by_tier=cables,
        tier_gbps=gbps,
        other_nodes=pods * segments * backup_ports,
        ports_per_endpoint=nic_ports,
    )


@TOPOLOGIES.register(
    "dual-plane",
    facts=facts,
    example={
        "segments": 2,
        "hosts_per_segment": 4,
        "gpus_per_host": 2,
        "port_speed": "200G",
        "tor_uplinks": 2,
        "uplink_speed": "400G",
        "aggs_per_plane": 2,
        "agg_uplinks": 1,
        "pods": 2,
        "backup_ports": 1,
    },
)
def dual_plane(
    segments: Annotated[Count, Field(description="Segments of a pod", examples=[15])],
    hosts_per_segment: Annotated[Count, Field(description="Active hosts of a segment", examples=[128])],
    port_speed: Annotated[SpeedGbps, Field(description="Speed of a NIC port", examples=["200G"])],
    tor_uplinks: Annotated[Count, Field(description="Uplinks of a ToR", examples=[60])],
    uplink_speed: Annotated[SpeedGbps, Field(description="Speed of links between switches", examples=["400G"])],
    aggs_per_plane: Annotated[Count, Field(description="Aggregation switches of a plane of a pod", examples=[60])],
    gpus_per_host: Annotated[Count, Field(description="GPUs of a host, each with a NIC; the rails")] = 8,
    nic_ports: Annotated[int, Field(ge=2, le=8, description="Ports of a NIC, each to a ToR of its own")] = 2,
    planes: Annotated[
        Count | None,
        Field(description="Planes; default: nic_ports; a multiple keeps rails apart, 16 all of 8 NICs of 2 ports"),
    ] = None,
    agg_uplinks: Annotated[CountOrZero, Field(description="Uplinks of an aggregation switch to the core")] = 0,
    pods: Annotated[Count, Field(description="Pods, which meet in the core")] = 1,
    backup_ports: Annotated[CountOrZero, Field(description="Ports of a ToR cabled to backup hosts of the segment")] = 0,
    switch: Switch = None,
    hosts: Hosts = (),
) -> Topology:
    """Dual-ToR, dual-plane: port p of NIC i on ToR p of rail i in its segment, and in plane p up to the core.

    Planes meet in the core only, so that a flow stays in the plane it starts in below. With more ``planes`` than ports,
    NIC i is on the planes of rail i modulo the sets of planes, and rails of other sets meet in the core only. A ToR
    breaks its ports out where NIC ports are slower. Backup hosts are cabled, but end no traffic and count in no
    oversubscription. Cores are the fewest that take the uplinks evenly. Switches have 128 ports of ``uplink_speed``
    unless ``switch`` says.

    References
    ----------
    Qian et al., "Alibaba HPN: a data center network for large language model training", SIGCOMM 2024, sections 4 to 6.
    """
    radix = switch_ports(switch or SwitchPorts(radix=_PORTS), None, uplink_speed)[0]
    port_gbps = (switch.port_gbps if switch else None) or uplink_speed
    check_speed("port_speed", port_speed, port_gbps, port="the ports of the switch")
    parallel = check_even(tor_uplinks, aggs_per_plane, where="tor_uplinks")
    all_planes = planes or nic_ports
    turns = _turns(all_planes, nic_ports, gpus_per_host)
    _check(segments * pods, hosts_per_segment, gpus_per_host, nic_ports, port_speed, hosts)
    if pods > 1 and not agg_uplinks:
        raise TopologyError(
            f"{pods} pods meet in the core, but aggregation switches have no uplinks",
            where="agg_uplinks",
            hint="set agg_uplinks: 8, or pods: 1",
            code="FP3035",
        )
    cores = _cores(pods, all_planes, aggs_per_plane, agg_uplinks, radix) if agg_uplinks else None
    ways = max(int(uplink_speed // port_speed), 1)
    net = assemble(f"dual-plane({pods} pods of {segments} segments)", "dual-plane")
    shape = (pods, segments, gpus_per_host, nic_ports)
    pod, segment, rail, port = (axis.ravel() for axis in np.indices(shape))
    unit, plane = pod * segments + segment, rail % turns * nic_ports + port
    names = node_names("tor", plane, unit=unit, rail=rail)
    tor = net.switches("tor", names, level=1, radix=radix, pod=pod, unit=unit, rail=rail, plane=plane)
    by_unit = tor.reshape(pods * segments, gpus_per_host, nic_ports)
    _hang(net, hosts, by_unit, hosts_per_segment, port_speed, 1 / ways)
    if backup_ports:
        _hang_backup(net, by_unit, backup_ports, port_speed, 1 / ways)

    pod, plane, position = (axis.ravel() for axis in np.indices((pods, all_planes, aggs_per_plane)))
    names = node_names("agg", position, pod=pod, plane=plane)
    agg = net.switches("agg", names, level=2, radix=radix, pod=pod, plane=plane).reshape(pods, all_planes, -1)
    below = by_unit.reshape(pods, segments, gpus_per_host // turns, all_planes)
    for p, t in np.ndindex(pods, all_planes):
        net.full_mesh(below[p, :, :, t].ravel(), agg[p, t], uplink_speed, parallel=parallel, tier="tor-agg")
    if cores is not None:
        ids = net.switches("core", node_names("core", range(cores.count)), level=3, radix=radix)
        sets = agg.reshape(pods * all_planes, cores.groups, -1)
        for group, members in enumerate(ids.reshape(cores.groups, -1)):
            net.full_mesh(sets[:, group].ravel(), members, uplink_speed, parallel=cores.parallel, tier="agg-core")
    return net.freeze()


@dataclass(frozen=True)
class _Cores:
    """Groups of cores, each of which meets the aggregation switches of one part of every plane."""

    groups: int
    each: int
    parallel: int

    @property
    def count(self) -> int:
        return self.groups * self.each


def _turns(planes: int, nic_ports: int, gpus: int) -> int:
    """Sets of planes that rails take in turn."""
    turns = planes // nic_ports
    if planes % nic_ports or gpus % max(turns, 1):
        fitting = [nic_ports * count for count in divisors(gpus)]
        raise TopologyError(
            f"{gpus} NICs of {nic_ports} ports do not spread over {planes} planes",
            where="planes",
            hint=f"planes: {', '.join(map(str, fitting))} would",
            code="FP3028",
        )
    return turns


def _cores(pods: int, planes: int, aggs: int, uplinks: int, radix: int) -> _Cores:
    """Fewest cores that take ``uplinks`` of every aggregation switch evenly."""
    best = _best_cores(pods * planes, aggs, uplinks, radix)
    if best is None:
        raise TopologyError(
            f"{pods * planes} planes of all pods meet on a core, which has {radix} ports",
            where="pods",
            hint=f"pods: {radix // planes} is the most",
            code="FP3026",
        )
    return best


def _best_cores(planes: int, aggs: int, uplinks: int, radix: int) -> _Cores | None:
    """The same; None where the planes exceed the ports of a core."""
    best: _Cores | None = None
    for groups in divisors(aggs):
        for each in divisors(uplinks):
            used = planes * (aggs // groups) * (uplinks // each)
            if used <= radix and (best is None or groups * each < best.count):
                best = _Cores(groups, each, uplinks // each)
    return best


def _check(
    units: int, per_segment: int, gpus: int, nic_ports: int, port_gbps: float, hosts: Sequence[HostGroup]
) -> None:
    """The nodes fit, and their NICs are as the fabric's."""
    for group in hosts:
        check_nic_speed(group, port_gbps, where="port_speed")
        if (group.nics, group.ports) != (gpus, nic_ports):
            raise TopologyError(
                f"{group.name} has {group.nics} NICs of {group.ports} port(s) a node, not {gpus} of {nic_ports}",
                where="gpus_per_host",
                hint=f"give the NICs of {group.name} count: {gpus}, ports: {nic_ports}, or change gpus_per_host",
                code="FP3028",
            )
    count = sum(len(group.hosts) for group in hosts)
    if count > units * per_segment:
        raise TopologyError(
            f"{count:,} nodes do not fit {units} segments of {per_segment}",
            where="segments",
            hint=f"{-(-count // per_segment)} segments in all would take them",
            code="FP3022",
        )


def _hang(
    net: Assembler, hosts: Sequence[HostGroup], tors: Ints, per_segment: int, gbps: float, tor_ports: float
) -> None:
    """Port p of NIC i of every host on ToR p of rail i of its segment; hosts fill segments in order."""
    units, rails, ports = tors.shape
    number, place = np.divmod(np.arange(units * per_segment), per_segment)
    implicit = tuple(node_names("host", place, unit=number))
    first = 0
    for group in hosts or (HostGroup("host", implicit, rails, gbps, "per-gpu", ports=ports),):
        unit = (first + np.arange(len(group.hosts))) // per_segment
        first += len(group.hosts)
        homes = tors[unit].reshape(len(unit), -1)
        if group.rail == "per-gpu" or rails == 1:
            names = [group.nic_name(host, nic) for host in group.hosts for nic in range(rails)]
            ids = net.hosts(names, nics=ports, unit=np.repeat(unit, rails), rail=np.tile(np.arange(rails), len(unit)))
            ends = np.repeat(ids, ports)
        else:
            ends = np.repeat(net.hosts(group.hosts, nics=rails * ports, unit=unit), rails * ports)
        net.cables(ends, homes.ravel(), group.nic_gbps, upper_ports=tor_ports)


def _hang_backup(net: Assembler, tors: Ints, count: int, gbps: float, tor_ports: float) -> None:
    """Hosts in reserve, one cable to every ToR of their segment."""
    unit, index = np.divmod(np.arange(len(tors) * count), count)
    ids = net.nodes("backup", node_names("backup", index, unit=unit), level=0, forwards=False, unit=unit)
    per_unit = tors.reshape(len(tors), -1)
    net.cables(
        np.repeat(ids, per_unit.shape[1]), per_unit[unit].ravel(), gbps, tier="backup-tor", upper_ports=tor_ports
    )
