"""Multi-plane: the same network several times over, with every NIC port of a node on one plane after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from topologies.builder import TOPOLOGIES, AnyBuilder, Hosts
from topologies.columns import Ints, Longs, column
from topologies.divisors import divisors
from topologies.elements import Links, Nodes
from topologies.errors import TopologyError
from topologies.fabric_size import facts_of
from topologies.facts import Facts
from topologies.hosts import HostGroup
from topologies.node_names import check_unique
from topologies.tables import LINK_COLUMNS, NODE_COLUMNS
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
    joined = _joined(f"multi-plane({planes} x {part.name})", part, planes, hosts)
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
    # A host with one NIC is one endpoint, however many ports of it are on a plane.
    rail = group.rail if group.dual_home else "shared"
    return replace(group, nics=ports // planes, ports=1, rail=rail)


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


@dataclass(frozen=True, eq=False)
class _Ends:
    """The endpoints of the whole, and which of them is at every endpoint of a plane."""

    names: Sequence[str]
    rail: Ints  # shape (names,), -1 for none
    base: Longs  # shape (endpoints of a plane,), number in the whole on the first plane
    ports: Longs  # planes that follow each other on the same NIC; 0: all planes are on the same endpoint

    def on_plane(self, plane: int) -> Longs:
        """Number in the whole of every endpoint of a plane.

        Port j of NIC i is on plane (i mod planes / ports) x ports + j.
        """
        return self.base + np.where(self.ports > 0, plane // np.maximum(self.ports, 1), 0)


def _ends(part: Topology, groups: Sequence[HostGroup], planes: int) -> _Ends:
    own = [part.nodes.name[node] for node in part.endpoint_nodes.tolist()]
    if not groups:
        return _Ends(own, np.full(len(own), -1, np.int32), np.arange(len(own)), np.zeros(len(own), np.int64))
    listed: list[str] = []  # as the plane calls them
    names: list[str] = []
    rail: list[NDArray[np.int32]] = []
    base: list[Longs] = []
    ports: list[Longs] = []
    for group in groups:
        share, each = _share(group, planes), group.nics if group.rail == "per-gpu" else 1
        count, here = len(group.hosts), share.nics if each > 1 else 1
        host, nic = np.divmod(np.arange(count * here), here)
        base.append(len(names) + host * each + nic * (each // here))
        ports.append(np.full(count * here, group.ports if each > 1 else 0))
        rail.append(np.tile(np.arange(each), count) if each > 1 else np.full(count, -1))
        listed += share.endpoint_names()
        names += group.endpoint_names()
    found = np.arange(len(own))
    if own != listed:
        place = {name: number for number, name in enumerate(listed)}
        found = np.array([place[name] for name in own], dtype=np.int64)
    return _Ends(
        names, np.concatenate(rail).astype(np.int32), np.concatenate(base)[found], np.concatenate(ports)[found]
    )


def _joined(name: str, part: Topology, planes: int, groups: Sequence[HostGroup]) -> Topology:
    """All planes in one topology: endpoints first, then the switches plane by plane."""
    ends, nodes = _ends(part, groups, planes), part.nodes
    is_end = nodes.nics > 0
    others = np.flatnonzero(~is_end)
    count = len(ends.names)
    columns: dict[str, NDArray[Any]] = {
        key: np.full(count, default, dtype) for key, (dtype, default) in NODE_COLUMNS.items()
    }
    columns |= {"nics": np.zeros(count, dtype=np.int32), "role": np.zeros(count, dtype=np.int32)}
    maps: list[Ints] = []
    for plane in range(planes):
        mapped = np.empty(len(nodes), dtype=np.int32)
        mapped[is_end] = here = ends.on_plane(plane)
        mapped[others] = count + plane * len(others) + np.arange(len(others))
        for key in ("role", "level", "unit", "pod", "rail", "forwards"):
            columns[key][here] = getattr(nodes, key)[is_end]
        columns["nics"][here] += nodes.nics[is_end]
        maps.append(mapped)
    columns["rail"] = np.where(ends.rail >= 0, ends.rail, columns["rail"])
    whole = {
        key: np.concatenate([first, np.tile(getattr(nodes, key)[others], planes)]) for key, first in columns.items()
    }
    whole["plane"][count:] = np.repeat(np.arange(planes), len(others))
    roles, whole["role"] = _by_appearance(part.roles, whole["role"])
    switches = [nodes.name[node] for node in others.tolist()]
    names = (*ends.names, *(f"plane{plane}/{switch}" for plane in range(planes) for switch in switches))
    check_unique(names)
    tiers, tier = _by_appearance(part.tiers, part.links.tier)
    links = len(part.links) * planes
    return Topology(
        name=name,
        kind="multi-plane",
        roles=roles,
        tiers=tiers,
        nodes=Nodes(name=names, **{key: column(values, values.dtype) for key, values in whole.items()}),
        links=_links(part, maps, tier),
        up=column(np.broadcast_to(True, links), np.bool_),
        circuit=None if part.circuit is None else _through(part.circuit, maps),
    )


def _by_appearance(words: tuple[str, ...], codes: Ints) -> tuple[tuple[str, ...], Ints]:
    """Words in the order in which their codes appear, without those that do not, and the codes of that order."""
    known, first = np.unique(codes, return_index=True)
    order = known[np.argsort(first)]
    place = np.zeros(len(words), dtype=np.int32)
    place[order] = np.arange(len(order))
    return tuple(words[code] for code in order.tolist()), column(place[codes], np.int32)


def _links(part: Topology, maps: Sequence[Ints], tier: Ints) -> Links:
    """Links plane by plane."""
    links, planes = part.links, len(maps)
    shift = np.repeat(np.arange(planes) * len(links), len(links))
    reverse = np.tile(links.reverse, planes)
    return Links(
        src=column(np.concatenate([mapped[links.src] for mapped in maps]), np.int32),
        dst=column(np.concatenate([mapped[links.dst] for mapped in maps]), np.int32),
        reverse=column(np.where(reverse < 0, -1, reverse + shift), np.int32),
        tier=column(np.tile(tier, planes), np.int32),
        **{key: column(np.tile(getattr(links, key), planes), np.float64) for key in ("capacity_gbps", *LINK_COLUMNS)},
    )


def _through(circuit: Ints, maps: Sequence[Ints]) -> Ints:
    """Optical switches of the links, plane by plane."""
    return column(np.concatenate([np.where(circuit < 0, -1, mapped[circuit]) for mapped in maps]), np.int32)
