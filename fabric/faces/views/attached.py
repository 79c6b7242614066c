"""Who is attached where: the hosts of every leaf, and the leaves of every host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabric.output.columns import counts, named
from fabric.output.table import Table
from fabric.pipeline.network import Network
from topologies.columns import Ints, Longs, column
from topologies.topology import Topology
from traffic.hostlist import folded_hosts

LEAVES_SHOWN = ("switch", "ports", "hosts")
HOSTS_SHOWN = ("host", "group", "endpoint", "switch", "links")


@dataclass(frozen=True, eq=False)
class Attached:
    """Endpoints of a fabric and the switches they are cabled to; a row is one endpoint on one switch."""

    endpoint: Ints  # shape (R,), node ids
    switch: Ints  # shape (R,), node ids
    links: Ints  # shape (R,), cables between the two


def attached(topology: Topology) -> Attached:
    """Rows in the order of the endpoints; cables that are down count too, as they are plugged in."""
    nodes, links = topology.nodes, topology.links
    down = np.flatnonzero((nodes.nics[links.src] > 0) & topology.is_switch[links.dst])
    key = links.src[down].astype(np.int64) * len(nodes) + links.dst[down]
    pairs, count = np.unique(key, return_counts=True)
    return Attached(*(part.astype(np.int32) for part in (pairs // len(nodes), pairs % len(nodes), count)))


def leaf_table(fabrics: Mapping[str, Topology], most: int | None = None) -> Table:
    """Every switch that hosts can be on: ports that they take, and who they are, folded to ranges.

    ``most`` is how many switches of a fabric are listed, the first of them; None: all.
    """
    rows = [row for fabric, topology in fabrics.items() for row in _leaves(fabric, topology, most)]
    columns = (
        named("fabric", "fabric", [row["fabric"] for row in rows], width=8, priority=1),
        named("switch", "switch", [row["switch"] for row in rows], width=14),
        counts("ports", "host links", [row["ports"] for row in rows], width=10),
        named("hosts", "hosts", [row["hosts"] for row in rows], width=50, flexible=True),
    )
    return Table.of(columns, len(rows), title="hosts by switch")


def leaf_ports(topology: Topology) -> Longs:
    """Host links of every switch that hosts can be on, shape (switches,); empty where no host is cabled."""
    rows = attached(topology)
    if not len(rows.switch):
        return column([], np.int64)
    ports = np.bincount(rows.switch, rows.links, len(topology.nodes)).astype(np.int64)
    return column(ports[_with_places(topology, rows)], np.int64)


def _with_places(topology: Topology, rows: Attached) -> Ints:
    """Switches with hosts, and the lowest ones, which have places for them."""
    lowest = topology.is_switch & (topology.nodes.level == 1) & (topology.nodes.nics == 0)
    return column(np.union1d(rows.switch, np.flatnonzero(lowest)), np.int32)


def _leaves(fabric: str, topology: Topology, most: int | None) -> list[dict[str, Any]]:
    rows = attached(topology)
    names = topology.nodes.name
    if not len(rows.switch):
        return []
    order = np.argsort(rows.switch, kind="stable")
    switches = _with_places(topology, rows)[:most]
    starts = np.searchsorted(rows.switch[order], switches, side="left")
    ends = np.searchsorted(rows.switch[order], switches, side="right")
    found = []
    for switch, start, end in zip(switches.tolist(), starts.tolist(), ends.tolist(), strict=True):
        mine = order[start:end]
        hosts = folded_hosts([names[node] for node in rows.endpoint[mine].tolist()])
        found.append(
            {"fabric": fabric, "switch": names[switch], "ports": int(rows.links[mine].sum()), "hosts": hosts or None}
        )
    return found


def host_table(network: Network) -> Table:
    """Every host on every switch that it is cabled to; a NIC that is an endpoint of its own has a row of its own."""
    fabrics: list[str] = []
    endpoints: list[str] = []
    owners: list[tuple[str, str | None]] = []
    switches: list[str] = []
    links: list[int] = []
    for fabric, topology in network.topologies.items():
        rows, names = attached(topology), topology.nodes.name
        owner = _owners(network, fabric)
        for node, switch, count in zip(rows.endpoint.tolist(), rows.switch.tolist(), rows.links.tolist(), strict=True):
            fabrics.append(fabric)
            endpoints.append(names[node])
            owners.append(owner.get(names[node], (names[node], None)))
            switches.append(names[switch])
            links.append(count)
    columns = (
        named("fabric", "fabric", fabrics, width=8, priority=1),
        named("host", "host", [host for host, _ in owners], width=12),
        named("group", "group", [group for _, group in owners], width=8, priority=2),
        named("endpoint", "endpoint", endpoints, width=14),
        named("switch", "switch", switches, width=14),
        counts("links", "links", links),
    )
    return Table.of(columns, len(fabrics), title="switches of every host")


def _owners(network: Network, fabric: str) -> Mapping[str, tuple[str, str]]:
    """Host and group of every endpoint that a node group has."""
    inventory = network.inventory
    found: dict[str, tuple[str, str]] = {}
    names = network.topologies[fabric].nodes.name
    for name, group in inventory.groups.items():
        if fabric not in group.nics:
            continue
        for host, ids in zip(group.hosts, inventory.host_endpoints(fabric, name).tolist(), strict=True):
            found.update({names[node]: (host, name) for node in ids})
    return found


def host_records(network: Network, fabric: str) -> Sequence[dict[str, Any]]:
    """Every endpoint once, with the names of its switches."""
    topology = network.topologies[fabric]
    rows, names, owner = attached(topology), topology.nodes.name, _owners(network, fabric)
    found: dict[int, dict[str, Any]] = {}
    for node, switch in zip(rows.endpoint.tolist(), rows.switch.tolist(), strict=True):
        host, group = owner.get(names[node], (names[node], None))
        record = found.setdefault(node, {"host": host, "group": group, "endpoint": names[node], "switches": []})
        record["switches"].append(names[switch])
    return list(found.values())
