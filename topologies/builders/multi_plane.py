"""Multi-plane: the same network several times over, with port i of every NIC, or NIC i, on plane i."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field

from topologies.builder import TOPOLOGIES, AnyBuilder, Hosts
from topologies.columns import Ints, column
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
    """Independent planes of one design: NIC i on plane i modulo their number, or port i of every NIC on plane i.

    Planes never meet but in the hosts. Nodes whose NICs are shared are one endpoint with ports on all planes, which
    picks a plane per flow; nodes with a NIC per GPU, each of one port, are on one plane GPU by GPU.

    References
    ----------
    Zhao et al., "Insights into DeepSeek-V3", ISCA 2025, section 5 (multi-plane fat tree).
    """
    part = _build(plane, [_share(group, planes) for group in hosts])
    return _joined(f"multi-plane({planes} x {part.name})", [part] * planes, hosts)


def _build(plane: BaseModel, hosts: Sequence[HostGroup]) -> Topology:
    try:
        built: Topology = TOPOLOGIES[getattr(plane, "kind")](plane, hosts=hosts)  # noqa: B009 - the field is dynamic
    except TopologyError as error:
        raise error.under("plane") from None
    return built


def _share(group: HostGroup, planes: int) -> HostGroup:
    """The NICs of a group that are on one plane."""
    if group.ports > 1:
        if group.ports != planes:
            raise _uneven(group, f"NICs of {group.ports} ports", planes)
        return replace(group, ports=1)
    if group.nics % planes:
        raise _uneven(group, f"{group.nics} NIC port(s)", planes)
    return replace(group, nics=group.nics // planes)


def _uneven(group: HostGroup, what: str, planes: int) -> TopologyError:
    return TopologyError(
        f"{group.name} has {what} a node, which do not spread over {planes} planes",
        where="planes",
        hint=f"give it a multiple of {planes}, or NICs with ports: {planes}",
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
    """Names in the whole of the endpoints of one plane, where they differ: its NIC l is NIC l·planes + index."""
    names: dict[str, str] = {}
    for group in groups:
        if group.rail != "per-gpu" or group.nics == 1 or group.ports > 1:
            continue
        part = _share(group, planes)
        for host in group.hosts:
            for nic in range(part.nics):
                names[part.nic_name(host, nic)] = group.nic_name(host, nic * planes + index)
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
