"""Multi-plane: the same network several times over, with every NIC port of a node on one plane after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field

from topologies.builder import TOPOLOGIES, AnyBuilder, Hosts
from topologies.columns import Ints, column
from topologies.divisors import divisors
from topologies.errors import TopologyError
from topologies.fabric_size import facts_of
from topologies.facts import Facts
from topologies.hosts import HostGroup
from topologies.tables import LINK_COLUMNS, NODE_COLUMNS, topology_of_tables
from topologies.topology import Topology
from topologies.units import Count


def facts(planes: int, plane: BaseModel, hosts: Sequence[HostGroup] = ()) -> Facts:
    """``planes`` times the closed form of a plane."""
    share = [_share(group, planes) for group in hosts]
    one = facts_of(TOPOLOGIES[getattr(plane, "kind")], plane, share)  # noqa: B009 - the field is dynamic
    return replace(
        one,
        endpoints=planes * one.endpoints,
        switches=planes * one.switches,
        cables_by_tier={tier: planes * count for tier, count in one.cables_by_tier.items()},
        tier_gbps={tier: planes * gbps for tier, gbps in one.tier_gbps.items()},
        other_nodes=planes * one.other_nodes,
        ports_per_endpoint=planes * one.ports_per_endpoint,
    )


@TOPOLOGIES.register(
    "multi-plane",
    facts=facts,
    example={
        "planes": 2,
        "plane": {
            "kind": "leaf-spine",
            "leaves": 2,
            "spines": 2,
            "hosts_per_leaf": 2,
            "host_speed": "200G",
            "uplink_speed": "200G",
        },
    },
)
def multi_plane(
    planes: Annotated[Count, Field(ge=2, description="Independent planes", examples=[4])],
    plane: Annotated[AnyBuilder, Field(description="The network of each plane: any builder with its keys")],
    hosts: Hosts = (),
) -> Topology:
    """Independent planes of one design: the NIC ports of a node, NIC by NIC, on one plane after the other.

    Planes never meet but in the hosts. With as many planes as a NIC has ports, every NIC is on all of them; 8 NICs of 2
    ports on 16 planes are on two each, and 8 of one port on 8 planes on one each. Nodes whose NICs are shared are one
    endpoint with ports on all planes, which picks a plane per flow; a NIC per GPU reaches the NICs on its planes only.

    References
    ----------
    Zhao et al., "Insights into DeepSeek-V3", ISCA 2025, section 5 (multi-plane fat tree).
    """
    part = _build(plane, [_share(group, planes) for group in hosts])
    joined = _joined(f"multi-plane({planes} x {part.name})", [part] * planes, hosts)
    return replace(joined, said=tuple(f"every plane: {text}" for text in part.said))


def _build(plane: BaseModel, hosts: Sequence[HostGroup]) -> Topology:
    try:
        built: Topology = TOPOLOGIES[getattr(plane, "kind")](plane, hosts=hosts)  # noqa: B009 - the field is dynamic
    except TopologyError as error:
        raise error.under("plane") from None
    return built


def _share(group: HostGroup, planes: int) -> HostGroup:
    """The NICs of a group that are on one plane; every port of a NIC counts as one there."""
    ports = group.nics * group.ports
    if group.rail == "per-gpu" and group.nics > 1:
        turns = planes // group.ports  # NICs that follow each other before the planes begin again
        if planes % group.ports or not turns or group.nics % turns:
            raise _uneven(group, planes, [group.ports * count for count in divisors(group.nics)])
        return replace(group, nics=group.nics // turns, ports=1)
    if ports % planes:
        raise _uneven(group, planes, divisors(ports))
    return replace(group, nics=ports // planes, ports=1)


def _uneven(group: HostGroup, planes: int, fitting: Sequence[int]) -> TopologyError:
    each = f" of {group.ports} ports" if group.ports > 1 else ""
    counts = [count for count in fitting if count > 1]
    return TopologyError(
        f"{group.name} has {group.nics} {group.rail} NIC(s){each} a node, which do not spread over {planes} planes",
        where="planes",
        hint=(f"planes: {', '.join(map(str, counts))} would; " if counts else "")
        + f"or give it NICs with ports: {planes}, or a multiple of {planes} NICs of one port",
        code="FP3028",
    )


def _joined(name: str, parts: Sequence[Topology], groups: Sequence[HostGroup]) -> Topology:
    """All planes in one topology: endpoints first, then the switches plane by plane."""
    planes = len(parts)
    final = [_final_names(groups, index, planes) for index in range(planes)]
    ends = [part.nodes.nics > 0 for part in parts]
    listed = [end for group in groups for end in _endpoint_names(group)]
    names = listed or list(
        dict.fromkeys(part.nodes.name[node] for part in parts for node in part.endpoint_nodes.tolist())
    )
    ids = {end: number for number, end in enumerate(names)}
    roles: list[str] = [""] * len(names)
    columns = {key: [np.full(len(names), default)] for key, (_, default) in NODE_COLUMNS.items()}
    columns["nics"] = [np.zeros(len(names), dtype=np.int64)]
    maps: list[Ints] = []
    for index, part in enumerate(parts):
        mapped = np.empty(len(part.nodes), dtype=np.int32)
        for node in part.endpoint_nodes.tolist():
            own = part.nodes.name[node]
            mapped[node] = end = ids[final[index].get(own, own)]
            roles[end] = part.roles[part.nodes.role[node]]
        here = mapped[ends[index]]
        for key in ("level", "unit", "pod", "rail", "forwards"):
            columns[key][0][here] = getattr(part.nodes, key)[ends[index]]
        columns["nics"][0][here] += part.nodes.nics[ends[index]]
        others = np.flatnonzero(~ends[index])
        mapped[others] = len(names) + np.arange(len(others))
        names += [f"plane{index}/{part.nodes.name[node]}" for node in others.tolist()]
        roles += [part.roles[part.nodes.role[node]] for node in others.tolist()]
        for key in NODE_COLUMNS:
            columns[key].append(getattr(part.nodes, key)[others])
        columns["plane"][-1] = np.full(len(others), index)
        maps.append(mapped)
    for number, rail in _rails(groups).items():
        columns["rail"][0][ids[number]] = rail
    return _linked(name, parts, maps, names, roles, {key: np.concatenate(value) for key, value in columns.items()})


def _linked(
    name: str,
    parts: Sequence[Topology],
    maps: Sequence[Ints],
    names: Sequence[str],
    roles: Sequence[str],
    nodes: dict[str, np.ndarray],
) -> Topology:
    start = np.cumsum([0, *(len(part.links) for part in parts)])
    links = {key: np.concatenate([getattr(part.links, key) for part in parts]) for key in LINK_COLUMNS}
    links["capacity_gbps"] = np.concatenate([part.links.capacity_gbps for part in parts])
    for key in ("src", "dst"):
        links[key] = np.concatenate([mapped[getattr(p.links, key)] for mapped, p in zip(maps, parts, strict=True)])
    built = topology_of_tables(
        name,
        "multi-plane",
        names=names,
        roles=roles,
        nodes=nodes,
        links=links,
        tiers=[part.tiers[code] for part in parts for code in part.links.tier.tolist()],
        reverse=np.concatenate(
            [np.where(part.links.reverse < 0, -1, part.links.reverse + start[i]) for i, part in enumerate(parts)]
        ),
    )
    if all(part.circuit is None for part in parts):
        return built
    through = [
        np.full(len(part.links), -1) if part.circuit is None else np.where(part.circuit < 0, -1, mapped[part.circuit])
        for mapped, part in zip(maps, parts, strict=True)
    ]
    return replace(built, circuit=column(np.concatenate(through), np.int32))


def _endpoint_names(group: HostGroup) -> list[str]:
    """Names of the endpoints of a group, in the whole."""
    each = group.nics if group.rail == "per-gpu" else 1
    return [group.nic_name(host, nic) for host in group.hosts for nic in range(each)]


def _final_names(groups: Sequence[HostGroup], index: int, planes: int) -> dict[str, str]:
    """Names in the whole of the endpoints of one plane, where they differ.

    Port j of NIC i is on plane (i mod planes / ports) x ports + j.
    """
    names: dict[str, str] = {}
    for group in groups:
        if group.rail != "per-gpu" or group.nics == 1:
            continue
        part, turns = _share(group, planes), planes // group.ports
        for host in group.hosts:
            for nic in range(part.nics):
                names[part.nic_name(host, nic)] = group.nic_name(host, nic * turns + index // group.ports)
    return names


def _rails(groups: Sequence[HostGroup]) -> dict[str, int]:
    """Rail of every endpoint that is the NIC of a GPU."""
    return {
        group.nic_name(host, nic): nic
        for group in groups
        if group.rail == "per-gpu" and group.nics > 1
        for host in group.hosts
        for nic in range(group.nics)
    }
