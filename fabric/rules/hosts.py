"""The folder ``hosts/``: what every endpoint of an export needs so that its first ping is answered.

Switches with flow tables send by the destination's address and leave frames as they are. They carry no ARP and no
neighbour discovery, and answer neither: every host has the MAC address of the plan on all its NICs, a route over them
to the fabric's addresses, and a permanent neighbour for every other endpoint on each. Routers answer for the gateway's
address on every port of a host, so there a route over the gateway is enough.

Addresses are on every NIC of an endpoint. Its routes stand in the main table, and in a table of its own that a rule
chooses for packets from its addresses: several endpoints of one machine, such as the rails of a node, stay apart. IPv6
routes without a gateway need nexthop objects to divide over several NICs (Linux 5.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

import numpy as np

from fabric.rules.compile import hash_seeds
from fabric.rules.dialect import Dialect, File
from fabric.rules.host_routes import HostRoute, chosen_routes
from fabric.rules.host_texts import APPLY, GATEWAY, NEIGHBOURS, README
from fabric.rules.linux_hash import hash_settings
from fabric.rules.manifest import to_csv
from fabric.rules.next_hops import interface
from fabric.rules.planned import PlannedRules
from fabric.rules.safe_names import safe_names
from fabric.rules.table import Bucket

FIRST_TABLE = 1000  # of routes by source: this plus the endpoint's number
NEXTHOPS = 1000  # identifiers of nexthop objects per endpoint, the upper half of them groups
INTERFACES = ("host", "file", "interface", "mac", "switch", "switch_port")


@dataclass(eq=False)
class Hosts:
    """Endpoints that do not forward, with what their files need."""

    planned: PlannedRules
    gateway: bool  # whether switches answer for the gateway's address
    routes: dict[int, list[HostRoute]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for route in chosen_routes(self.planned):
            self.routes.setdefault(route.node, []).append(route)

    @property
    def nodes(self) -> list[int]:
        """Topology nodes, in the order of their addresses."""
        forwards = self.planned.rules.topology.nodes.forwards
        return [node for node in self.planned.plan.node_at.tolist() if not forwards[node]]

    def ports(self, node: int) -> list[int]:
        """Ports of an endpoint that lead to switches, from 1."""
        topology = self.planned.rules.topology
        links = self.planned.rules.ports.links(node)
        return [
            port for port, link in enumerate(links.tolist(), 1) if topology.nodes.forwards[topology.links.dst[link]]
        ]

    def address(self, family: int, node: int) -> str:
        """An endpoint's address."""
        return str(self.planned.plan.ipv4(node) if family == 4 else self.planned.plan.ipv6(node))

    def _ways(self, node: int, family: int) -> Iterator[tuple[str, tuple[Bucket, ...]]]:
        """Prefixes of an endpoint's routes with its ports and their weights."""
        plan, topology = self.planned.plan, self.planned.rules.topology
        if node in self.routes:
            yield from ((route.prefix, route.ways) for route in self.routes[node] if route.family == family)
            return
        links = self.planned.rules.ports.links(node)
        live = tuple(Bucket(port, 1) for port in self.ports(node) if topology.up[links[port - 1]])
        yield str(plan.underlay if family == 4 else plan.underlay6), live

    def links(self, node: int) -> Iterator[str]:
        """Lines of ``ip -batch`` that make an endpoint's NICs ready."""
        for port in self.ports(node):
            nic = interface(port)
            if not self.gateway:
                yield f"link set dev {nic} down"
                yield f"link set dev {nic} address {self.planned.plan.mac(node)}"
            yield f"link set dev {nic} up"

    def nexthops(self, node: int) -> Iterator[str]:
        """Lines of ``ip -6 -batch`` with a nexthop object per NIC, where IPv6 routes divide over several of them."""
        if any(" group " in line for line in self.batch(node, 6)) and 6 in self.planned.rules.families:
            for port in self.ports(node):
                number = (FIRST_TABLE + node) * NEXTHOPS + port
                yield f"nexthop replace id {number} dev {interface(port)}"

    def batch(self, node: int, family: int) -> Iterator[str]:
        """Lines of ``ip -batch`` with an endpoint's addresses and routes."""
        for port in self.ports(node):
            bits = "32" if family == 4 else "128"
            nodad = "" if family == 4 else " nodad"
            yield f"address replace {self.address(family, node)}/{bits} dev {interface(port)}{nodad}"
        plan, table = self.planned.plan, FIRST_TABLE + node
        via = ""
        if self.gateway:
            via = f"via {ip_address(plan.gateway(family, int(plan.site_of[node])))} "
        known: dict[tuple[Bucket, ...], int] = {}
        for prefix, ways in self._ways(node, family):
            merged = _merged(ways)
            if not merged:
                continue
            if len(merged) > 1 and family == 6 and not self.gateway:
                if merged not in known:
                    known[merged] = table * NEXTHOPS + NEXTHOPS // 2 + len(known)
                    members = "/".join(f"{table * NEXTHOPS + port},{weight}" for port, weight in merged)
                    yield f"nexthop replace id {known[merged]} group {members}"
                way = f"nhid {known[merged]}"
            elif len(merged) > 1:
                onlink = " onlink" if via else ""
                way = " ".join(f"nexthop {via}dev {interface(port)} weight {weight}{onlink}" for port, weight in merged)
            else:
                way = f"{via}dev {interface(merged[0].port)}{' onlink' if via else ''}"
            source = f"src {self.address(family, node)}"
            yield f"route replace {prefix} metric {table} {source} {way}"
            yield f"route replace {prefix} table {table} {source} {way}"

    def neighbours(self, port: int) -> Iterator[str]:
        """Lines of ``ip -batch`` with all endpoints as neighbours on one NIC."""
        plan = self.planned.plan
        for node in self.nodes:
            for family in self.planned.rules.families:
                address = self.address(family, node)
                yield f"neighbour replace {address} lladdr {plan.mac(node)} dev {interface(port)} nud permanent"


def _merged(ways: tuple[Bucket, ...]) -> tuple[Bucket, ...]:
    """One bucket per port, with the sum of its weights over what they share."""
    total: dict[int, int] = {}
    for port, weight in ways:
        total[port] = total.get(port, 0) + weight
    shared = int(np.gcd.reduce(list(total.values()))) if total else 1
    return tuple(Bucket(port, weight // shared) for port, weight in sorted(total.items()))


def host_files(planned: PlannedRules, dialect: Dialect) -> Iterator[File]:
    """Files of ``hosts/``; none for InfiniBand, whose subnet manager does all of it."""
    if dialect.format == "lft":
        return
    hosts = Hosts(planned, gateway=dialect.format == "routes")
    nodes = hosts.nodes
    names = planned.rules.topology.nodes.name
    stems = dict(zip(nodes, safe_names(names[node] for node in nodes), strict=True))
    seeds = hash_seeds(planned.plan, nodes, 0)
    for node, stem in stems.items():
        lines = [line for family in planned.rules.families for line in hosts.batch(node, family)]
        for suffix, commands in (("links", hosts.links(node)), ("nexthops", hosts.nexthops(node)), ("ip", lines)):
            if text := "".join(f"{line}\n" for line in commands):
                yield File(f"hosts/{stem}.{suffix}", text)
        if len(hosts.ports(node)) > 1:
            lines = ["net.ipv4.conf.all.rp_filter = 2", *hash_settings(seeds[node], planned.rules.families)]
            yield File(f"hosts/{stem}.sysctl", "".join(f"{line}\n" for line in lines))
    most = max((max(hosts.ports(node), default=0) for node in nodes), default=0)
    for port in range(1, most + 1) if not hosts.gateway else ():
        yield File(f"hosts/{interface(port)}.neighbours", "".join(f"{line}\n" for line in hosts.neighbours(port)))
    yield File("hosts/interfaces.csv", to_csv(INTERFACES, _interfaces(hosts, stems)))
    yield File("hosts/apply.sh", APPLY)
    yield File("hosts/README.md", README.format(how=GATEWAY if hosts.gateway else NEIGHBOURS))


def _interfaces(hosts: Hosts, stems: dict[int, str]) -> Iterator[tuple[object, ...]]:
    """Every NIC with the switch it is cabled to."""
    topology, ports, plan = hosts.planned.rules.topology, hosts.planned.rules.ports, hosts.planned.plan
    names, links = topology.nodes.name, topology.links
    for node, stem in stems.items():
        mac = "" if hosts.gateway else plan.mac(node)
        for port in hosts.ports(node):
            link = ports.link(node, port)
            back = int(links.reverse[link])
            far = int(ports.of_link[back]) if back >= 0 else ""
            yield names[node], stem, interface(port), mac, names[int(links.dst[link])], far
